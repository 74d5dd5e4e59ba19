"""Fetching by name, from servers on the loopback that do what servers do."""

import contextlib
import hashlib
import http.server
import io
import socket
import ssl
import threading
import time
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest
from tests_paths import METADATA

from recbench.data import cache, downloads, kaggle
from recbench.data.dataset import join_movies
from recbench.data.datasets import load_source
from recbench.errors import InputError

# A key and a certificate of 127.0.0.1 that was valid on the first of January 2025 alone
EXPIRED = Path(__file__).with_name("expired.pem")
RATINGS = "1::0114709::8::1364690142\n1::0133093::0::1364690143\n2::0114709::10::1364690144\n"
MOVIES = "0114709::Toy Story (1995)::Animation|Comedy\n0133093::The Matrix (1999)::Action|Sci-Fi\n"
HTML = b"<html>we are being repaired</html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `files` (path -> bytes), also from a place on; `sent` has the bytes of each answer."""

    files: ClassVar[dict[str, bytes]]
    sent: ClassVar[list[int]]
    cut_after: ClassVar[int | None] = None
    drips = False

    def do_GET(self):
        data = self.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if begin >= len(data) and asked:
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        rest = data[begin : None if self.cut_after is None else begin + self.cut_after]
        self.sent.append(len(rest))
        with contextlib.suppress(OSError):  # the client may have given up
            if not self.drips:
                self.wfile.write(rest)
            for byte in rest if self.drips else b"":
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    """Makes servers: of files, with a certificate if there is one. Returns handler and address."""
    running = []

    def start(files, certificate=None):
        handler = type("Handler", (Handler,), {"files": files, "sent": []})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        scheme = "https" if certificate else "http"
        return handler, f"{scheme}://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _alone(monkeypatch, forget):
    """Nobody but the loopback."""
    monkeypatch.setattr(downloads, "MIRROR", "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", str(EXPIRED))  # it is trusted, but for its date


def packed(name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(f"{name}/ratings.dat", "1::1::4::978300760\n1::2::5::978300761\n")
        archive.writestr(f"{name}/movies.dat", "1::Toy Story (1995)::Comedy\n2::B (1999)::Drama\n")
    return data.getvalue()


@pytest.fixture
def ml_1m(monkeypatch):
    """The zip file of a set, its sum pinned."""
    data = packed("ml-1m")
    monkeypatch.setitem(downloads.PINNED, "ml-1m", hashlib.md5(data).hexdigest())
    return data


def other(data):
    return data[:-1] + b"x"


def test_a_set_is_fetched_once_and_its_terms_are_shown_once(
    serve, ml_1m, monkeypatch, capsys, forget
):
    server, address = serve({"/ml-1m.zip": ml_1m})
    monkeypatch.setenv("RECBENCH_GROUPLENS", address)
    assert load_source("ml-1m").name == "ml-1m"
    printed = capsys.readouterr().out
    assert "not for commercial use" in printed
    assert "unverified" not in printed
    forget()
    assert len(load_source("ml-1m").read_ratings()) == 2
    assert server.sent == [len(ml_1m)]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("expired", "certificate has expired"),
        ("wrong", "MD5 [0-9a-f]{32}, expected [0-9a-f]{32}"),
        ("cut", "IncompleteRead"),
        ("slow", "sent .* bytes in 0.3 seconds"),
        ("silent", "timed out"),
        ("away", "refused"),
        ("missing", "Not Found"),
    ],
)
def test_where_grouplens_fails_the_mirror_is_asked(serve, ml_1m, monkeypatch, trouble, reason):
    monkeypatch.setattr(downloads, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(downloads, "WATCHED_SECONDS", 0.3)
    monkeypatch.setattr(downloads, "LEAST_BYTES", 100)
    body = {"wrong": other(ml_1m), "missing": None}.get(trouble, ml_1m)
    files = {"/ml-1m.zip": body} if body else {}
    server, address = serve(files, EXPIRED if trouble == "expired" else None)
    server.cut_after = 100 if trouble == "cut" else None
    server.drips = trouble == "slow"
    with contextlib.ExitStack() as stack:
        if trouble == "silent":
            silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv(
            "RECBENCH_GROUPLENS", "http://127.0.0.1:1" if trouble == "away" else address
        )
        with pytest.raises(InputError, match=rf"ml-1m.zip \(.*{reason}.*--dataset ml-1m\.zip"):
            load_source("ml-1m")
        assert not list((cache.cache_folder() / "grouplens").glob("*.zip"))
        mirror, address = serve({"/ml-1m.zip": ml_1m})
        monkeypatch.setattr(downloads, "MIRROR", address)
        assert load_source("ml-1m").name == "ml-1m"
        assert cache.cache_folder().joinpath("grouplens", "ml-1m.zip").read_bytes() == ml_1m
        assert trouble in ("cut", "slow") or mirror.sent == [len(ml_1m)]  # these go on


def test_a_download_that_was_cut_goes_on_where_it_was(serve, ml_1m, monkeypatch):
    server, address = serve({"/ml-1m.zip": ml_1m})
    monkeypatch.setenv("RECBENCH_GROUPLENS", address)
    server.cut_after = 100
    with pytest.raises(InputError, match="cannot be downloaded"):
        load_source("ml-1m")
    server.cut_after = None
    load_source("ml-1m")
    assert server.sent == [100, len(ml_1m) - 100]


@pytest.mark.parametrize("name", ["ml-32m", "ml-latest-small"])
def test_a_set_without_a_pinned_sum_is_unverified(serve, monkeypatch, capsys, name, forget):
    server, address = serve({f"/{name}.zip": packed(name)})
    monkeypatch.setenv("RECBENCH_GROUPLENS", address)
    assert load_source(name).name == name
    assert f"{name}: unverified" in capsys.readouterr().out
    forget()
    (cache.cache_folder() / "grouplens" / f"{name}.zip").unlink()
    server.files[f"/{name}.zip"] = HTML
    with pytest.raises(InputError, match="not the file that GroupLens published"):
        load_source(name)


# --- MovieTweetings ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", downloads.MOVIETWEETINGS)
def test_movietweetings_is_halved_and_has_its_own_genres_and_years(
    serve, monkeypatch, name, capsys, forget
):
    place = downloads.MOVIETWEETINGS[name]
    files = {f"/{place}/ratings.dat": RATINGS.encode(), f"/{place}/movies.dat": MOVIES.encode()}
    server, address = serve(files)
    monkeypatch.setenv("RECBENCH_MOVIETWEETINGS", address)
    source = load_source(name)
    assert "unverified" in capsys.readouterr().out
    assert source.name == name
    assert source.unit == 2
    assert source.read_ratings().rows() == [
        (1, 114709, 4.0, 1364690142),
        (1, 133093, 0.5, 1364690143),  # 0 of 10
        (2, 114709, 5.0, 1364690144),
    ]
    assert source.movies["title"].to_list() == ["Toy Story", "The Matrix"]
    assert source.movies["release_date"].to_list() == ["1995", "1999"]
    assert "Science Fiction" in source.movies["genres"][1]
    assert len(join_movies(source).ratings) == 3
    forget()
    load_source(name)
    assert len(server.sent) == 2  # once each


def test_movietweetings_is_joined_by_imdb_id_where_the_metadata_is_at_hand(
    serve, monkeypatch, tmp_path
):
    metadata = f"{METADATA},imdb_id\n862,Toy Story,[],en,1995-10-30,81,,7.7,5415,tt0114709\n"
    (tmp_path / "movies_metadata.csv").write_text(metadata)
    monkeypatch.setattr(kaggle, "find", lambda: tmp_path)
    files = {"/latest/ratings.dat": RATINGS.encode(), "/latest/movies.dat": MOVIES.encode()}
    _, address = serve(files)
    monkeypatch.setenv("RECBENCH_MOVIETWEETINGS", address)
    joined = join_movies(load_source("movietweetings-latest"))
    assert joined.table["id"].to_list() == [862]
    assert joined.counts["ratings without a movie"] == 1


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        (HTML, "it begins with b'<html>.*by hand into"),
        (b"1::2::11::1364690142\n", "rating is '11'"),
    ],
)
def test_what_is_not_movietweetings_is_refused(serve, monkeypatch, ratings, message):
    files = {"/snapshots/10K/ratings.dat": ratings, "/snapshots/10K/movies.dat": MOVIES.encode()}
    _, address = serve(files)
    monkeypatch.setenv("RECBENCH_MOVIETWEETINGS", address)
    with pytest.raises(InputError, match=message):
        load_source("movietweetings-10k").read_ratings()
