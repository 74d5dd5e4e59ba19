"""What part of everything is asked for: the query of the page's address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.filters import Filters, known_genre, known_language

LONGEST = 200  # signs of a title that is looked for
MOST_FILMS = 50


@dataclass(frozen=True)
class View:
    """Every change keeps it, so that the user stays where they are.

    Attributes:
        q: a title that is looked for; "": none.
        ask: whether to say which film to rate next; None: if nothing is known of the user.
        genre, language: of films to be recommended; "": any.
        year_from, year_to: of them; 0: any.
        well_known: how many users of the dataset have rated them at least.
        diversity: 0 .. 1, see `recbench.own_ratings.diversity.diversified`.
        number: how many.
        older: how many of the latest ratings are left out of their list.
    """

    q: str = ""
    ask: bool | None = None
    genre: str = ""
    language: str = ""
    year_from: int = 0
    year_to: int = 0
    well_known: int = 20
    diversity: float = 0.0
    number: int = 10
    older: int = 0

    @classmethod
    def of(cls, query: Mapping[str, str], catalogue: Catalogue) -> View:
        """The view of a query; what is not in it is as nobody chose it.

        Raises:
            InputError: a value is none that the page has to choose from.
        """
        typed, genre, language = (query.get(name, "") for name in ("q", "genre", "language"))
        if len(typed) > LONGEST:
            raise InputError(f"The title has {len(typed):,} signs. Expected {LONGEST} at most")
        view = cls(
            q=typed.strip(),
            ask=_number(query, "ask", 0, 1) > 0 if "ask" in query else None,
            genre=known_genre(genre, "Genre", catalogue.all_genres) if genre else "",
            language=known_language(language, "Language", catalogue.all_languages)
            if language
            else "",
            year_from=int(_number(query, "year_from", 0, 9999)),
            year_to=int(_number(query, "year_to", 0, 9999)),
            well_known=int(_number(query, "well_known", 0, 1e9, cls.well_known)),
            diversity=_number(query, "diversity", 0, 1),
            number=int(_number(query, "number", 1, MOST_FILMS, cls.number)),
            older=int(_number(query, "older", 0, 1e9)),
        )
        if 0 < view.year_to < view.year_from:
            raise InputError(
                f"From {view.year_from} to {view.year_to}: no year is both. Expected the earlier "
                "one first"
            )
        return view

    @property
    def filters(self) -> Filters:
        return Filters(
            genres=(self.genre,) if self.genre else (),
            languages=(self.language,) if self.language else (),
            year_from=self.year_from,
            year_to=self.year_to,
            rated_by=self.well_known,
        )

    def chosen(self, **other: object) -> dict[str, str]:
        """What is not as nobody chose it, as text, with other values of some attributes."""
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
    try:
        value = float(text) if text else default
    except ValueError:
        value = math.nan
    if not least <= value <= most or (name != "diversity" and value != int(value)):
        raise InputError(
            f"{name.replace('_', ' ')} is “{text}”. Expected a number from {least:g} to {most:,.0f}"
        )
    return value
