"""The user of the page, with session and file, which several tabs and other programs share; the
view that a URL requests; and the routes, which show the page and change the profile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from secrets import token_hex
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request

from recbench.errors import InputError
from recbench.own_ratings.filters import Filters, known_name
from recbench.own_ratings.profile import FILE, Profile, ProfileFile
from recbench.own_ratings.reading import ratings_of
from recbench.own_ratings.recommendation import Changes
from recbench.own_ratings.session import Session
from recbench.own_ratings.values import stars_of

LARGEST_FILE = 10_000_000  # bytes; the export of one user has a few hundred thousand
MOST_ANSWERS = 100  # in memory
UPLOAD = "routes.add"  # the endpoint that receives a file
LONGEST_NAME = 100  # characters of the name of a file or user in a message
LONGEST_TITLE = 200  # characters of a search
NUMBER, WELL_KNOWN = 10, 20  # number of recommendations; fewest users who rated each
FOUND = 8  # movies that a search shows

routes = Blueprint("routes", __name__)


class User:
    """The profile is the content of the file, which the session has already read. The file is read
    again when another program has written it, and every change is written at once."""

    def __init__(self, session: Session, file: ProfileFile) -> None:
        self.file, self.catalogue = file, session.catalogue
        self.skipped: set[int] = set()  # movies that the user has not seen; not saved
        self.messages: dict[str, list[str]] = {}  # by a number in the address, each shown once
        self._session = session
        self._one_at_a_time = threading.RLock()
        # cached until the profile changes; only for use inside `reading`
        self.recommended = lru_cache(MOST_ANSWERS)(session.recommend)
        self.question = lru_cache(MOST_ANSWERS)(session.next_question)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """The session with the current file; other requests wait. Raises as `ProfileFile.read`."""
        with self._one_at_a_time:
            if self.file.changed():
                self._take(self.file.read() or Profile())
            yield self._session

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """The same, for a change, which is then saved in the file, or undone if that fails. Other
        programs wait, too. Raises InputError if the file cannot be read or written."""
        with self._one_at_a_time, self.file.locked(), self.reading() as session:
            before = session.profile
            try:
                yield session
                if session.profile != before:
                    self.file.write(session.profile)
                self._take(session.profile)
            except BaseException:
                self._take(before)
                raise

    def delete(self) -> bool:
        """Delete the file, whatever its content, and start over; returns whether it existed."""
        with self._one_at_a_time, self.file.locked():
            there_was = self.file.delete()
            self._take(Profile())
            self.skipped.clear()
            return there_was

    def _take(self, profile: Profile) -> None:
        self._session.take(profile)
        self.recommended.cache_clear()
        self.question.cache_clear()


@dataclass(frozen=True)
class View:
    """The part of the page that a URL requests; every change redirects back to it."""

    q: str = ""  # a title to search for; "": none
    ask: str = ""  # "1": show a movie to rate next; "": if none is rated yet; others: none
    genre: str = ""  # of movies to be recommended; "": any

    @property
    def filters(self) -> Filters:
        """Which movies may be recommended."""
        return Filters(genres=(self.genre,) if self.genre else (), rated_by=WELL_KNOWN)

    def chosen(self, **other: str) -> dict[str, str]:
        """The attributes that are not empty, with `other` values for some."""
        return {name: text for name, text in (vars(self) | other).items() if text}

    def query(self) -> str:
        """The same as a query, "?q=alien&ask=1"; "" if nothing was chosen."""
        return f"?{urlencode(self.chosen())}" if self.chosen() else ""


def the_user() -> User:
    return current_app.extensions["user"]


def the_view() -> View:
    """The view of the request. Raises InputError if the title is too long or the genre unknown."""
    q, ask, genre = (request.args.get(one, "").strip() for one in ("q", "ask", "genre"))
    if len(q) > LONGEST_TITLE:
        raise InputError(f"The title has {len(q):,} characters. Expected {LONGEST_TITLE} at most")
    genres = the_user().catalogue.all_genres
    return View(q, ask, known_name(genre, "Genre", genres) if genre else "")


@routes.get("/")
def page() -> str:
    view, user = the_view(), the_user()
    message = user.messages.pop(request.args.get("message", ""), [])
    with user.reading() as session:
        rated = session.rated
        found = [
            (session.predict(movie), rated.get(movie))
            for movie in session.matcher.search(view.q, FOUND)
        ]
        asking = view.ask == "1" or (not view.ask and not rated)
        question = user.question(frozenset(user.skipped)) if asking else None
        return render_template(
            "page.html",
            refusal=None,
            with_links=True,
            view=view,
            message=message,
            session=session,
            file=user.file,
            recommended=user.recommended(NUMBER, view.filters),
            found=found,
            asking=asking,
            question=None if question is None else session.predict(question),
            LARGEST_FILE=LARGEST_FILE,
        )


# --- what changes the profile ---------------------------------------------------------------------


@routes.post("/rate")
def rate() -> Response:
    movie, stars = movie_of_form(), stars_of(request.form.get("stars", ""))
    if stars is None:
        abort(400, "Choose stars first: 0.5, 1.0, 1.5 .. 5.0")

    return changed(lambda session: [f"rated: {session.rate_movie(movie, stars)}, {stars:g} stars"])


@routes.post("/forget")
def forget() -> Response:
    title = request.form.get("title", "")  # of a movie that the catalogue lacks
    if title:
        return changed(lambda session: [f"forgotten: {session.forget(title)}"])
    movie = movie_of_form()
    return changed(lambda session: [f"forgotten: {session.forget_movie(movie)}"])


@routes.post("/mute")
def mute() -> Response:
    genre = request.form.get("genre", "")
    return changed(lambda session: [f"muted: {session.mute(genre)}"])


@routes.post("/unmute")
def unmute() -> Response:
    genre = request.form.get("genre", "")
    return changed(lambda session: [f"no longer muted: {session.unmute(genre)}"])


@routes.post("/skip")
def skip() -> Response:
    """Skip a movie that the user has not seen; this is not saved."""
    movie, user = movie_of_form(), the_user()
    user.skipped.add(movie)
    return to_page([f"not asked again: {user.catalogue.name(movie)}"])


@routes.post("/import")
def add() -> Response:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InputError("Choose a file first")
    name = PurePath(file.filename.replace("\\", "/")).name[:LONGEST_NAME] or "the file"
    user = request.form.get("user", "").strip()[:LONGEST_NAME]
    ratings = ratings_of(file.read(), name, user, "userId")
    return changed(lambda session: session.add(*ratings))


@routes.post("/delete")
def delete() -> Response:
    if request.form.get("sure") != "yes":
        raise InputError("Nothing was deleted. Confirm first that you are sure")
    user = the_user()
    done = "deleted" if user.delete() else "there is no file"
    return to_page([f"{done} {user.file.path}"])


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
    """The movie of the form; 404 if there is no such movie."""
    text = request.form.get("movie", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    if not is_number or int(text) >= len(the_user().catalogue):
        abort(404, "There is no such movie. Load the page again")
    return int(text)


def changed(change: Callable[[Session], list[str]]) -> Response:
    """Apply a change, which returns sentences about it, and redirect to the page, which shows
    them."""
    view, user = the_view(), the_user()
    with user.reading():
        before = user.recommended(NUMBER, view.filters)
        with user.changing() as session:
            lines = change(session)
        changes = Changes.between(before, user.recommended(NUMBER, view.filters))
    return to_page([*lines, *changes.lines()])


def to_page(message: list[str]) -> Response:
    """Redirect to the page in the same view, which shows the message once."""
    number = token_hex(8)
    the_user().messages[number] = message
    query = the_view().query() or "?"
    return current_app.make_response(redirect(f".{query}&message={number}", code=303))
