"""recommend.py --serve as a user starts it: a process, a port, an address; an end."""

import re
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import pytest

from recbench.errors import InputError
from recbench.own_ratings.profile import ProfileFile
from recbench.page.app import ADDRESS, LARGEST_HEADERS, reserved
from recbench.page.routes import LARGEST_FILE
from recommend import Parameters, main


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def raw(url, request):
    """What comes back for bytes, until the connection ends."""
    answer = b""
    with socket.create_connection((ADDRESS, urlsplit(url).port), timeout=20) as connection:
        connection.sendall(request)
        with suppress(ConnectionResetError):  # what was too much is not read
            while part := connection.recv(65_536):
                answer += part
    return answer


@pytest.fixture(scope="module")
def server(start):
    return start()


@pytest.mark.slow
def test_what_is_no_request_of_a_browser(server):
    host = urlsplit(server.url).netloc.encode()
    path = urlsplit(server.url).path.encode()
    large = b"Content-Length: %d" % (LARGEST_FILE + 1)
    for status, request in (
        (b" 413 ", b"POST %simport HTTP/1.1\r\nHost: %s\r\n%s" % (path, host, large)),
        (b" 431 ", b"GET /%s HTTP/1.1\r\nHost: %s" % (b"x" * LARGEST_HEADERS, host)),
        (b" 421 ", b"GET %s HTTP/1.0" % path),
        (b" 404 ", b"GET %sstatic/../../app.py HTTP/1.0\r\nHost: %s" % (path, host)),
        (b"", b"\x00\x01"),
    ):
        answer = raw(server.url, request + b"\r\n\r\n")
        assert status in answer[:40]
        assert b"Traceback" not in answer
    assert "Recommended" in get(server.url)
    assert not server.profile.exists()


@pytest.mark.slow
def test_from_start_to_end(server):
    """The last one of this server."""
    url = urlsplit(server.url)
    assert url.hostname == "127.0.0.1"
    assert len(url.path) > 20
    token = re.search(r'name="token" value="([^"]+)"', get(server.url))[1]
    form = urlencode({"movie": 3, "stars": 4.5, "token": token}).encode()
    origin = {"Origin": f"http://{url.netloc}"}
    request = urllib.request.Request(f"{server.url}rate", form, origin)
    assert "4.5 stars" in get(request)
    with urllib.request.urlopen(server.url, timeout=20) as answer:
        assert "Server" not in answer.headers
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"http://{url.netloc}/")

    idle = socket.create_connection((ADDRESS, url.port))  # a browser keeps some open
    started = time.monotonic()
    status, told = server.interrupt()
    idle.close()
    assert status == 0
    assert time.monotonic() - started < 10
    assert "Traceback" not in told
    assert f"is in {server.profile}" in told
    assert len(ProfileFile(server.profile).read().ratings) == 1


def test_no_other_machine_reaches_it_and_a_port_may_be_taken():
    with reserved(0) as bound:
        address, port = bound.getsockname()
        assert address == "127.0.0.1"
        message = f"--port {port} is taken by another program"
        with pytest.raises(InputError, match=message), reserved(port):
            pass
    with reserved(port) as again:
        assert again.getsockname()[1] == port


def test_a_taken_port_is_told_before_anything_long(tmp_path):
    with reserved(0) as bound, pytest.raises(InputError, match="is taken"):
        main(Parameters(serve=True, port=bound.getsockname()[1], dataset="none",
                        profile=str(tmp_path / "me.json")))  # fmt: skip
