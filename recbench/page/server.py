"""Serves the page on this machine, until it is interrupted."""

from __future__ import annotations

import errno
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from waitress.server import create_server

from recbench.errors import InputError
from recbench.own_ratings.profile import ProfileFile
from recbench.own_ratings.session import Session
from recbench.page.app import new_app
from recbench.page.guards import LARGEST_FILE
from recbench.page.user import User
from recbench.threads import one_thread

ADDRESS = "127.0.0.1"  # of this machine alone: no other can reach it
HEADERS = 16_384  # bytes of a request's headers, its address among them
THREADS = 4  # requests read and answered at a time; the session takes one after another


@contextmanager
def reserved(port: int) -> Iterator[socket.socket]:
    """A port taken before anything long is done.

    Args:
        port: 1 .. 65,535; 0: any that is free.

    Raises:
        InputError: another program has it, or it is not for this user.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        if os.name == "posix":  # free again at once; elsewhere it would let two programs have it
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((ADDRESS, port))
            bound.listen()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
            raise InputError(
                f"--port {port} {why}. Give another, or 0 for any that is free"
            ) from None
        yield bound


def serve(
    session: Session,
    file: ProfileFile,
    bound: socket.socket,
    tell: Callable[[str], None],
    open_browser: bool = False,
) -> None:
    """Serve the page of a user until KeyboardInterrupt. Every change is written before it is
    answered, so that nothing is left to be saved then.

    Args:
        session: of the profile in `file`.
        file: read already.
        bound: of `reserved`.
        tell: called with a sentence for whoever started it.
        open_browser: whether to show the page there.
    """
    port = bound.getsockname()[1]
    app, path = new_app(User(session, file), port)
    server = create_server(
        app,
        sockets=[bound],
        threads=THREADS,
        ident=None,
        max_request_header_size=HEADERS,
        max_request_body_size=LARGEST_FILE,
        inbuf_overflow=LARGEST_FILE,
    )
    url = f"http://{ADDRESS}:{port}{path}"
    tell(f"the page is at {url}")
    tell("this machine alone reaches it, and who knows this address; Ctrl-C ends it")
    if open_browser:
        threading.Thread(target=_show, args=(url, tell), daemon=True).start()
    with one_thread():
        server.run()
    tell(f"ended; what is known of you is in {file.path}")


def _show(url: str, tell: Callable[[str], None]) -> None:
    """In a thread of its own: a browser in the terminal does not return."""
    if not webbrowser.open(url):
        tell("no browser was found. Open the address yourself")
