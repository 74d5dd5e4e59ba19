"""What no request gets past: other hosts, forged changes, sizes out of bounds."""

from __future__ import annotations

import hmac

from flask import Flask, Response, abort, request

LARGEST_FILE = 10_000_000  # bytes; the export of one user has a few hundred thousand
LARGEST_FORM = 10_000  # bytes of any other form; it has a title and some numbers
LONGEST_QUERY = 2_000  # bytes
UPLOAD = "import"  # the route that takes a file
TOKEN = "token"  # the field of every form

# Nothing but the page's own files, nothing written into the page, nothing around it.
CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
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


def guard(app: Flask, port: int, token: str) -> None:
    """Have every request to `app` checked before it is looked at, and every answer secured.

    A page of another site can make the browser send requests to this machine, even under a name of
    its own that leads here (DNS rebinding). It cannot choose the headers Host and Origin, and it
    cannot read the token.

    Args:
        port: that the server listens to.
        token: that every form of the page sends along.
    """
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if port == 80:  # browsers leave it out
        hosts |= {"127.0.0.1", "localhost"}
    app.config["MAX_FORM_PARTS"] = 10

    @app.before_request
    def check() -> None:
        host = request.headers.get("Host", "")
        if host not in hosts:
            abort(421, f"This page is at {' and '.join(sorted(hosts))} alone")
        if len(request.query_string) > LONGEST_QUERY:
            abort(414, f"The address is too long. Expected {LONGEST_QUERY:,} bytes at most")
        is_upload = request.endpoint is not None and request.endpoint.endswith(f".{UPLOAD}")
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
        given = request.form.get(TOKEN, "")
        if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
            abort(
                403,
                "This was sent by a page of an earlier start. Nothing was changed. Load the page "
                "again",
            )

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response
