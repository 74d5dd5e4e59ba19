"""The page as an application: served on this machine only, under a path that nobody can guess, with
checks of every request."""

from __future__ import annotations

import errno
import hmac
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jinja2
from flask import Flask, Response, abort, make_response, render_template, request
from waitress.server import create_server
from werkzeug.exceptions import HTTPException

from recbench.errors import InputError
from recbench.own_ratings.profile import ProfileFile
from recbench.own_ratings.recommendation import NO_REASON
from recbench.own_ratings.session import Session
from recbench.page import routes
from recbench.page.routes import LARGEST_FILE, User
from recbench.threads import one_thread

ADDRESS = "127.0.0.1"  # the loopback address: no other machine can reach it
THREADS = 4  # requests handled at the same time; the session serves one at a time
LARGEST_HEADERS = 16_384  # bytes of a request's headers, its address among them
LARGEST_FORM = 10_000  # bytes of a form without a file; it has a title and some numbers
TOKEN = "token"  # the field of every form

# Only the page's own files: no code or style within the page, and no frame around it.
CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer", forms would be sent without Origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@contextmanager
def reserved(port: int) -> Iterator[socket.socket]:
    """Reserve a port (0: any free one) before the slow work. Raises InputError if another program
    has it, or this user may not use it."""
    try:
        bound = socket.create_server((ADDRESS, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        message = f"--port {port} {why}. Give another, or 0 for any that is free"
        raise InputError(message) from None
    with bound:
        yield bound


def serve(
    session: Session, file: ProfileFile, bound: socket.socket, tell: Callable[[str], None]
) -> None:
    """Serve the page of a user until KeyboardInterrupt, at the port of `reserved`. Every change is
    saved before the response, so nothing is unsaved at the end. The session has the profile of
    `file`, which was read before."""
    port = bound.getsockname()[1]
    app, path = new_app(User(session, file), port)
    server = create_server(
        app,
        sockets=[bound],
        threads=THREADS,
        ident=None,
        max_request_header_size=LARGEST_HEADERS,
        max_request_body_size=LARGEST_FILE,
        inbuf_overflow=LARGEST_FILE,
    )
    url = f"http://{ADDRESS}:{port}{path}"
    tell(f"the page is at {url}")
    tell("it can be reached only from this machine, with this address; Ctrl-C ends it")
    with one_thread():
        server.run()
    tell(f"ended; your profile is in {file.path}")


def new_app(user: User, port: int) -> tuple[Flask, str]:
    """The application and path of a user's page, served at `port`. The path has a random key, so
    that other users of this machine cannot open the profile."""
    path, token = f"/{secrets.token_urlsafe(16)}/", secrets.token_urlsafe(32)
    app = Flask(__name__, static_url_path=f"{path}static")
    app.extensions["user"] = user
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"TOKEN": TOKEN, "token": token, "NO_REASON": NO_REASON}
    _guard(app, port, token)
    app.register_blueprint(routes.routes, url_prefix=path)

    @app.errorhandler(InputError)
    @app.errorhandler(HTTPException)
    def refused(error: Exception) -> Response:
        message, status = str(error), 400
        if isinstance(error, HTTPException):
            message, status = error.description or error.name, error.code or 500
        with_links = request.path.startswith(path)  # on other paths, links would reveal the key
        page = render_template("page.html", refusal=message, with_links=with_links)
        return make_response(page, status)

    return app, path


def _guard(app: Flask, port: int, token: str) -> None:
    """Check every request to `app` first, and add security headers to every response.

    A page of another site can make the browser send requests to this machine, even under a name of
    its own that leads here (DNS rebinding). It cannot choose the headers Host and Origin, and it
    cannot read the token that every form of the page sends along.
    """
    hosts = {f"{ADDRESS}:{port}", f"localhost:{port}"}
    app.config["MAX_FORM_PARTS"] = 10

    @app.before_request
    def check() -> None:
        host = request.headers.get("Host", "")
        if host not in hosts:
            abort(421, f"This page is only at {' and '.join(sorted(hosts))}")
        is_upload = request.endpoint == routes.UPLOAD
        request.max_content_length = LARGEST_FILE if is_upload else LARGEST_FORM
        if (request.content_length or 0) > request.max_content_length:
            abort(
                413,
                f"This has {request.content_length:,} bytes. Expected "
                f"{request.max_content_length:,} at most. Nothing was changed",
            )
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return
        if request.headers.get("Origin") != f"http://{host}":
            abort(403, "This was not sent by this page itself. Nothing was changed")
        sent = request.form.get(TOKEN, "")
        if not hmac.compare_digest(sent.encode(errors="replace"), token.encode()):
            abort(403, "This was sent by a page of an earlier start. Nothing was changed. Load the "
                  "page again")  # fmt: skip

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response
