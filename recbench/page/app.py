"""The application: guarded routes under a path that nobody guesses, and what errors look like."""

from __future__ import annotations

import secrets

import jinja2
from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from recbench.errors import InputError
from recbench.own_ratings.output import OF_OTHERS
from recbench.page import changing, filing, showing
from recbench.page.guards import TOKEN, guard
from recbench.page.said import Kept
from recbench.page.user import User

GRID = [half / 2 for half in range(1, 11)]  # stars


def new_app(user: User, port: int) -> tuple[Flask, str]:
    """The page of a user.

    Args:
        port: that it will be served at.

    Returns:
        the application, and the path of the page. There is a key in it that nobody can guess: what
        is known of the user is not for other users of this machine.
    """
    path, token = f"/{secrets.token_urlsafe(16)}/", secrets.token_urlsafe(32)
    app = Flask(__name__, static_url_path=f"{path}static")
    app.extensions |= {"user": user, "kept": Kept()}
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"TOKEN": TOKEN, "token": token, "GRID": GRID, "OF_OTHERS": OF_OTHERS}
    app.jinja_env.globals["key_is_known"] = True
    guard(app, port, token)
    for part in (showing, changing, filing):
        app.register_blueprint(part.routes, url_prefix=path)

    @app.errorhandler(InputError)
    def told(error: InputError) -> Response:
        return refusal(str(error), 400)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return refusal(error.description or error.name, error.code or 500)

    def refusal(message: str, status: int) -> Response:
        known = request.path.startswith(path)  # else the links would tell it
        page = render_template("refused.html", message=message, key_is_known=known)
        response = make_response(page)
        response.status_code = status
        return response

    return app, path
