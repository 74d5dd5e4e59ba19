"""What the page shows and what changes the profile: the routes, and the view that an address asks
for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from secrets import token_hex
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.filters import Filters, known_names
from recbench.own_ratings.profile import FILE
from recbench.own_ratings.reading import ratings_of
from recbench.own_ratings.recommendation import Changes
from recbench.own_ratings.session import LATEST, Session
from recbench.own_ratings.values import number_of, stars_of
from recbench.page.user import LARGEST_FILE, Message, User

UPLOAD = "routes.add"  # the endpoint that takes a file
LONGEST_NAME = 100  # characters of a name, of a file or a user, in a message
LONGEST_TITLE = 200  # characters of a search
MOST_MOVIES = 50  # recommended
FOUND = 8  # movies that a search shows

# What an address may ask for, with the defaults; and the limits of numbers
DEFAULTS = {"q": "", "ask": "", "genre": "", "language": "", "year_from": "0", "year_to": "0"}
DEFAULTS |= {"well_known": "20", "diversity": "0", "number": "10"}
LIMITS = {"ask": (0, 1), "year_from": (0, 9999), "year_to": (0, 9999)}
LIMITS |= {"well_known": (0, 10**9), "diversity": (0, 1), "number": (1, MOST_MOVIES)}

routes = Blueprint("routes", __name__)


@dataclass(frozen=True)
class View:
    """Every change leads back to it, so that the user stays where they are."""

    asked: dict[str, str]  # what stands in the address
    q: str  # a title to search for; "": none
    ask: str  # "1": show a movie to rate next; "0": none; "": if none is rated yet
    filters: Filters
    number: int  # of movies to be recommended
    diversity: float  # 0 .. 1, see `recbench.own_ratings.filters.diversified`

    @classmethod
    def of(cls, query: Mapping[str, str], catalogue: Catalogue) -> View:
        """The view of a query, with defaults for what is not in it. Raises InputError if a value is
        none that the page has to choose from."""
        asked = {name: query[name].strip() for name in DEFAULTS if query.get(name, "").strip()}
        text = DEFAULTS | asked
        if (length := len(text["q"])) > LONGEST_TITLE:
            raise InputError(
                f"The title has {length:,} characters. Expected {LONGEST_TITLE} at most"
            )
        value = {name: _number(name, text[name]) for name in LIMITS if text[name]}
        genres, languages = filter(None, [text["genre"]]), filter(None, [text["language"]])
        filters = Filters(
            genres=known_names(genres, "Genre", catalogue.all_genres),
            languages=known_names(languages, "Language", catalogue.all_languages),
            year_from=int(value["year_from"]),
            year_to=int(value["year_to"]),
            rated_by=int(value["well_known"]),
        )
        if 0 < filters.year_to < filters.year_from:
            years = f"From {filters.year_from} to {filters.year_to}"
            raise InputError(f"{years}: no year is both. Expected the earlier one first")
        number, diversity = int(value["number"]), value["diversity"]
        return cls(asked, text["q"], text["ask"], filters, number, diversity)

    @property
    def wish(self) -> tuple[int, Filters, float]:
        """The arguments of `Session.recommend`."""
        return self.number, self.filters, self.diversity

    def chosen(self, *without: str, **other: str) -> dict[str, str]:
        """What stands in the address, without some names, and with other values of some."""
        every = self.asked | other
        return {name: every[name] for name in every if name not in without}

    def query(self) -> str:
        """The same as a query, "?q=alien&ask=1"; "" if nothing was chosen."""
        return f"?{urlencode(self.asked)}" if self.asked else ""


def _number(name: str, text: str) -> float:
    value, (least, most) = number_of(text), LIMITS[name]
    whole = value is not None and (name == "diversity" or value == int(value))
    if value is None or not whole or not least <= value <= most:
        raise InputError(
            f"{name.replace('_', ' ')} is “{text}”. Expected a number from {least} to {most:,}"
        )
    return value


def the_user() -> User:
    return current_app.extensions["user"]


def the_view() -> View:
    """Raises InputError; see `View.of`."""
    return View.of(request.args, the_user().catalogue)


@routes.get("/")
def page() -> str:
    view, user = the_view(), the_user()
    message = user.messages.pop(request.args.get("message", ""), Message())
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
            profile=session.profile,
            catalogue=session.catalogue,
            file=user.file,
            recommended=user.recommended(*view.wish),
            if_none=view.filters.if_none(session.catalogue),
            found=found,
            asking=asking,
            question=None if question is None else session.predict(question),
            LATEST=LATEST,
            LARGEST_FILE=LARGEST_FILE,
            LIMITS=LIMITS,
        )


# --- what changes the profile ---------------------------------------------------------------------


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
    genre = request.form.get("genre", "")
    return changed(lambda session: [f"muted: {session.mute(genre)}"])


@routes.post("/unmute")
def unmute() -> Response:
    genre = request.form.get("genre", "")
    return changed(lambda session: [f"no longer muted: {session.unmute(genre)}"])


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
    number = token_hex(8)
    the_user().messages[number] = message
    query = the_view().query() or "?"
    return current_app.make_response(redirect(f".{query}&message={number}", code=303))
