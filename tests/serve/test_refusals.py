"""What the page refuses, without changing anything and without telling how it is made."""

import io

import pytest
from pages import HOME, PORT, message_of

from recbench.page.app import LARGEST_FORM
from recbench.page.routes import LARGEST_FILE

CHANGES = [
    ("rate", {"movie": "3", "stars": "4"}),
    ("forget", {"movie": "3"}),
    ("mute", {"genre": "Drama"}),
    ("unmute", {"genre": "Drama"}),
    ("skip", {"movie": "3"}),
    ("delete", {"sure": "yes"}),
    ("import", {"user": "1"}),
]
SHOWS = ["", "profile.json", "static/page.css"]


@pytest.fixture
def unchanged(seen):
    before = seen.profile.read_bytes()
    yield seen
    assert seen.profile.read_bytes() == before
    assert seen.user.skipped == set()


def refused(answer, status, words=""):
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert words in message_of(answer)
    secured(answer)


def secured(answer):
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    expected = {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Set-Cookie": None,
    }
    assert {name: answer.headers.get(name) for name in expected} == expected


@pytest.mark.parametrize("route", SHOWS)
def test_all_that_is_shown_is_secured(seen, route):
    answer = seen.get(route)
    assert answer.status_code == 200
    secured(answer)


HOSTS = (
    *("evil.example", "evil.example:8765", "127.0.0.1.evil.example:8765", "0.0.0.0:8765"),
    *("127.0.0.1:80", "localhost", "[::1]:8765", ""),
)


@pytest.mark.parametrize("host", HOSTS)
def test_another_host(unchanged, host):
    for route in SHOWS:
        refused(unchanged.get(route, headers={"Host": host}), 421, f"127.0.0.1:{PORT}")
    headers = {"Host": host, "Origin": f"http://{host}"}
    refused(unchanged.post("rate", headers, movie="3", stars="4"), 421)


def test_both_names_of_this_machine(seen):
    for host in (f"127.0.0.1:{PORT}", f"localhost:{PORT}"):
        assert seen.get(headers={"Host": host}).status_code == 200
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert seen.post("rate", headers, movie="3", stars="4").status_code == 303


@pytest.mark.parametrize("origin", [None, "null", "", "http://evil.example", "https://127.0.0.1:8765",
                                    "http://127.0.0.1:8766", "http://localhost:8765"])  # fmt: skip
@pytest.mark.parametrize(("route", "form"), CHANGES)
def test_another_origin(unchanged, route, form, origin):
    headers = {} if origin is None else {"Origin": origin}
    refused(unchanged.post(route, headers, **form), 403, "not sent by this page")


@pytest.mark.parametrize("token", [None, "", "x", "é", "x" * 43])
@pytest.mark.parametrize(("route", "form"), CHANGES)
def test_another_token_or_none(unchanged, route, form, token):
    form = form if token is None else form | {"token": token}
    url, own = unchanged.path + route, {"headers": {"Origin": HOME}, "base_url": HOME}
    refused(unchanged.client.post(url, data=form, **own), 403, "Load the page again")


def test_a_change_is_no_link(unchanged):
    for route, form in CHANGES:
        refused(unchanged.get(route, query_string=form), 405)
        refused(unchanged.client.put(unchanged.path + route, base_url=HOME, data=form), 403)


def test_without_the_key_there_is_nothing(unchanged):
    for path in ("/", "/profile.json", "/static/page.css", "/x/", f"/{unchanged.path[1:-2]}x/"):
        answer = unchanged.client.get(path, base_url=HOME)
        refused(answer, 404)
        assert unchanged.path not in answer.text  # nor is it told by a link
    form = {"movie": 3, "stars": 4, "token": unchanged.token}
    answer = unchanged.client.post("/rate", data=form, headers={"Origin": HOME}, base_url=HOME)
    refused(answer, 404)


def test_no_file_but_its_own(unchanged):
    for path in (
        *("static/../app.py", "static/..%2fapp.py", "static/%2e%2e/app.py", "static/..%5capp.py"),
        *("static//etc/passwd", "static/", "static/none.css", "static/../../../profile.json"),
        *("../profile.json", "templates/page.html", "me.json"),
    ):
        answer = unchanged.get(path)
        assert answer.status_code in (404, 308), answer.text
        assert "import" not in answer.text
        assert "root:" not in answer.text


NO_MOVIES = ("254", "-1", "x", "", "1.0", "²", "9" * 500, "1e3", " 3", "0000000000999")


def test_no_such_movie_and_no_stars(unchanged):
    for movie in NO_MOVIES:
        for route in ("rate", "forget", "skip"):
            refused(unchanged.post(route, movie=movie, stars="4"), 404, "no such movie")
    for stars in ("", "0", "5.5", "3.7", "x", "nan", "-1", "1e400"):
        refused(unchanged.post("rate", movie="3", stars=stars), 400, "0.5, 1.0, 1.5 .. 5.0")


def test_too_large(unchanged):
    large = "x" * (LARGEST_FORM + 1)
    refused(unchanged.post("rate", movie="3", stars=large), 413)
    refused(unchanged.post("none", movie="3", stars=large), 413)
    file = (io.BytesIO(b"x" * (LARGEST_FILE + 1)), "r.csv")
    refused(unchanged.post("import", file=file), 413, "10,000,000 at most")
    parts = {f"part{n}": (io.BytesIO(b"x"), "x") for n in range(20)}
    refused(unchanged.post("import", **parts), 413)


def test_an_error_of_the_program_tells_nothing_of_it(unchanged, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(unchanged.user, "recommended", broken)
    for answer in (unchanged.get(), unchanged.post("rate", movie="3", stars="4")):
        refused(answer, 500)
        assert "secret" not in answer.text
