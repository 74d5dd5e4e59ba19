"""The page itself, which changes nothing, and the view of it that the address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, current_app, render_template, request

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.filters import Filters, known_name
from recbench.own_ratings.session import LATEST
from recbench.own_ratings.values import number_of
from recbench.page.user import LARGEST_FILE, User

LONGEST_TITLE = 200  # characters of a search
MOST_MOVIES = 50  # recommended
FOUND = 8  # movies that a search shows
ROWS = 20  # ratings shown at a time
LACKING = 200  # ratings shown of movies that the catalogue lacks

routes = Blueprint("showing", __name__)


@dataclass(frozen=True)
class View:
    """Every change leads back to it, so that the user stays where they are."""

    q: str = ""  # a title to search for; "": none
    ask: bool | None = None  # whether to show a movie to rate next; None: if none is rated yet
    genre: str = ""  # of movies to be recommended; "": any
    language: str = ""
    year_from: int = 0  # 0: any
    year_to: int = 0
    well_known: int = 20  # how many users of the dataset have rated them at least
    diversity: float = 0.0  # 0 .. 1, see `recbench.own_ratings.filters.diversified`
    number: int = 10
    older: int = 0  # how many of the latest ratings are left out of their list

    @classmethod
    def of(cls, query: Mapping[str, str], catalogue: Catalogue) -> View:
        """The view of a query, with defaults for what is not in it. Raises InputError if a value is
        none that the page has to choose from."""
        title, genre, language = (query.get(name, "") for name in ("q", "genre", "language"))
        if (length := len(title)) > LONGEST_TITLE:
            raise InputError(
                f"The title has {length:,} characters. Expected {LONGEST_TITLE} at most"
            )
        if genre:
            genre = known_name(genre, "Genre", catalogue.all_genres)
        if language:
            language = known_name(language, "Language", catalogue.all_languages)
        view = cls(
            q=title.strip(),
            ask=_number(query, "ask", 0, 1) > 0 if "ask" in query else None,
            genre=genre,
            language=language,
            year_from=int(_number(query, "year_from", 0, 9999)),
            year_to=int(_number(query, "year_to", 0, 9999)),
            well_known=int(_number(query, "well_known", 0, 1e9, cls.well_known)),
            diversity=_number(query, "diversity", 0, 1),
            number=int(_number(query, "number", 1, MOST_MOVIES, cls.number)),
            older=int(_number(query, "older", 0, 1e9)),
        )
        if 0 < view.year_to < view.year_from:
            years = f"From {view.year_from} to {view.year_to}"
            raise InputError(f"{years}: no year is both. Expected the earlier one first")
        return view

    @property
    def wish(self) -> tuple[int, Filters, float]:
        """The arguments of `User.recommended`."""
        filters = Filters(
            genres=(self.genre,) if self.genre else (),
            languages=(self.language,) if self.language else (),
            year_from=self.year_from,
            year_to=self.year_to,
            rated_by=self.well_known,
        )
        return self.number, filters, self.diversity

    def chosen(self, **other: object) -> dict[str, str]:
        """What differs from the defaults, as text, with other values of some attributes."""
        return {
            name: str(int(value)) if isinstance(value, bool) else str(value)
            for name, value in (vars(self) | other).items()
            if value != getattr(View, name)
        }

    def query(self, **other: object) -> str:
        """The same as a query, "?q=alien&ask=1"; "" if nothing was chosen."""
        chosen = self.chosen(**other)
        return f"?{urlencode(chosen)}" if chosen else ""


def _number(
    query: Mapping[str, str], name: str, least: float, most: float, default: float = 0
) -> float:
    text = query.get(name, "").strip()
    value = number_of(text) if text else default
    whole = value is not None and (name == "diversity" or value == int(value))
    if value is None or not whole or not least <= value <= most:
        raise InputError(
            f"{name.replace('_', ' ')} is “{text}”. Expected a number from {least:g} to {most:,.0f}"
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
    message = user.take_message(request.args.get("message", ""))
    with user.reading() as session:
        rated = session.rated
        found = [
            (session.predict(movie), rated.get(movie))
            for movie in session.matcher.search(view.q, FOUND)
        ]
        asking = not rated if view.ask is None else view.ask
        question = user.question() if asking else None
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
            if_none=view.wish[1].if_none(session.catalogue),
            found=found,
            asking=asking,
            question=None if question is None else session.predict(question),
            rated=list(reversed(rated.items()))[view.older :][:ROWS],
            LATEST=LATEST,
            LARGEST_FILE=LARGEST_FILE,
            MOST_MOVIES=MOST_MOVIES,
            ROWS=ROWS,
            LACKING=LACKING,
        )
