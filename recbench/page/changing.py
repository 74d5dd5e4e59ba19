"""Requests that change the profile: ratings, genres muted, files added; and the file itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from flask import Blueprint, Response, abort, make_response, redirect, request

from recbench.errors import InputError
from recbench.own_ratings.filters import known_name
from recbench.own_ratings.profile import FILE
from recbench.own_ratings.reading import ratings_of
from recbench.own_ratings.recommendation import Changes
from recbench.own_ratings.session import Session
from recbench.own_ratings.values import stars_of
from recbench.page.showing import the_user, the_view
from recbench.page.user import Message

UPLOAD = "add"  # the endpoint that takes a file
LONGEST_NAME = 100  # characters of a name, of a file or a user, in a message

routes = Blueprint("changing", __name__)


@routes.post("/rate")
def rate() -> Response:
    movie, stars = movie_of_form(), stars_of(request.form.get("stars", ""))
    if stars is None:
        abort(400, "Choose stars first: 0.5, 1.0, 1.5 .. 5.0")

    def change(session: Session) -> list[str]:
        session.rate_movie(movie, stars)
        return [f"rated: {session.catalogue.name(movie)}, {stars:g} stars"]

    return changed(change)


@routes.post("/forget")
def forget() -> Response:
    title = request.form.get("title", "")  # of a movie that the catalogue lacks
    if title:
        return changed(lambda session: [f"forgotten: {session.forget(title)}"])
    movie = movie_of_form()
    return changed(lambda session: [f"forgotten: {session.forget_movie(movie)}"])


@routes.post("/mute")
def mute() -> Response:
    genres = the_user().catalogue.all_genres
    genre = known_name(request.form.get("genre", ""), "Genre", genres)
    return changed(lambda session: [f"muted: {session.mute(genre)}"])


@routes.post("/unmute")
def unmute() -> Response:
    genre = request.form.get("genre", "")

    def change(session: Session) -> list[str]:
        if genre not in session.profile.muted:
            raise InputError(f"{genre}: is not muted")
        return [f"no longer muted: {session.unmute(genre)}"]

    return changed(change)


@routes.post("/skip")
def skip() -> Response:
    """A movie that was not seen; this is not saved."""
    movie, user = movie_of_form(), the_user()
    with user.reading():
        user.skipped.add(movie)
    return to_page(Message((f"not asked again: {user.catalogue.name(movie)}",)))


@routes.post("/import")
def add() -> Response:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InputError("Choose a file first")
    name = PurePath(file.filename.replace("\\", "/")).name[:LONGEST_NAME] or "the file"
    user = request.form.get("user", "").strip()[:LONGEST_NAME]
    ratings = ratings_of(file.read(), name, user, "userId")
    return changed(lambda session: session.add_file(ratings))


@routes.post("/delete")
def delete() -> Response:
    if request.form.get("sure") != "yes":
        raise InputError("Nothing was deleted. Say first that you are sure")
    user = the_user()
    done = "deleted" if user.delete() else "there is no file"
    return to_page(Message((f"{done} {user.file.path}",)))


@routes.get(f"/{FILE}")
def download() -> Response:
    user = the_user()
    with user.reading():
        content = user.file.content
    if content is None:
        abort(404, "There is no file yet: rate a movie first")
    response = Response(content, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
    return response


def movie_of_form() -> int:
    """The movie that a form is about; 404 if there is none such."""
    text = request.form.get("movie", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    if not is_number or int(text) >= len(the_user().catalogue):
        abort(404, "There is no such movie. Load the page again")
    return int(text)


def changed(change: Callable[[Session], list[str]]) -> Response:
    """Carry out a change, which returns what it did in sentences, and lead to the page that shows
    them."""
    view, user = the_view(), the_user()
    with user.reading():
        before = user.recommended(*view.wish)
    with user.changing() as session:
        lines = change(session)
    with user.reading():
        after = user.recommended(*view.wish)
    return to_page(Message(tuple(lines), Changes.between(before, after)))


def to_page(message: Message) -> Response:
    """To the page in the same view, which shows the message once."""
    query = the_view().query() or "?"
    number = the_user().put_message(message)
    return make_response(redirect(f".{query}&message={number}", code=303))
