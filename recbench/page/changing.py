"""The routes that change what is known: ratings, and genres muted."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from recbench.errors import InputError
from recbench.own_ratings.filters import known_genre
from recbench.own_ratings.session import Session, stars_of
from recbench.page.answering import changed, movie_sent, the_catalogue, the_user, to_page
from recbench.page.said import Said

routes = Blueprint("changing", __name__)


@routes.post("/rate")
def rate() -> Response:
    movie, stars = movie_sent(), stars_of(request.form.get("stars", ""))
    if stars is None:
        abort(400, "Choose stars first: 0.5, 1.0, 1.5 .. 5.0")

    def change(session: Session) -> list[str]:
        session.rate_movie(movie, stars)
        return [f"rated: {session.catalogue.name(movie)}, {stars:g} stars"]

    return changed(change)


@routes.post("/forget")
def forget() -> Response:
    title = request.form.get("title", "")  # of a film that the catalogue lacks
    movie = None if title else movie_sent()

    def change(session: Session) -> list[str]:
        name = session.forget(title) if movie is None else session.forget_movie(movie)
        return [f"forgotten: {name}"]

    return changed(change)


@routes.post("/mute")
def mute() -> Response:
    genre = known_genre(request.form.get("genre", ""), "Genre", the_catalogue().all_genres)
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
    """A film that was asked for and not seen; this is not kept."""
    movie, user = movie_sent(), the_user()
    with user.looked_at():
        user.skipped.add(movie)
    return to_page(Said([f"not asked again: {the_catalogue().name(movie)}"]))
