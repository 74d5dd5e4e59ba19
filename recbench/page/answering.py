"""What the routes share: the user, the view asked for, and the way back to the page."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, abort, current_app, make_response, redirect, request

from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.changes import Changes
from recbench.own_ratings.session import Session
from recbench.page.said import Kept, Said
from recbench.page.user import User
from recbench.page.view import View


def the_user() -> User:
    return current_app.extensions["user"]


def the_catalogue() -> Catalogue:
    return the_user().catalogue


def the_view() -> View:
    """Raises InputError; see `View.of`."""
    return View.of(request.args, the_catalogue())


def kept() -> Kept:
    return current_app.extensions["kept"]


def movie_sent() -> int:
    """The film that a form is about; 404 if there is none such."""
    text = request.form.get("movie", "")
    number = text.isascii() and text.isdecimal() and len(text) < 10
    if not number or int(text) >= len(the_catalogue()):
        abort(404, "There is no such film. Load the page again")
    return int(text)


def changed(change: Callable[[Session], list[str]]) -> Response:
    """Carry out a change, and lead to the page that says what it did.

    Args:
        change: changes a session, and returns what it did in sentences.
    """
    view, user = the_view(), the_user()
    with user.looked_at():
        before = user.recommended(view)
    with user.changed() as session:
        lines = change(session)
    with user.looked_at():
        after = user.recommended(view)
    return to_page(Said(lines, Changes.between(before, after)))


def to_page(said: Said) -> Response:
    """To the page of the view asked for, which says so once; its address is the page's own."""
    query = the_view().query() or "?"
    return make_response(redirect(f".{query}&said={kept().keep(said)}", code=303))
