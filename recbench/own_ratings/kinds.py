"""The three kinds of files: which columns each has, and how a row of it is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from recbench.own_ratings.rating import OwnRating, on_the_grid

Row = dict[str, str]  # by column, in lower case
MILLISECONDS = 10**11  # a number of seconds beyond the year 5000
TITLE_WITH_YEAR = re.compile(r"^(.*\S)\s*\((\d{4})(?:[-–][^)]*)?\)\s*$")  # "Alien (1979)"
DATES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%d/%m/%Y")
# IMDb's title types that are movies, without spaces and in lower case
FILMS = {
    *("", "movie", "featuremovie", "documentary", "tvmovie", "short", "shortmovie", "tvshort"),
    *("video", "tvspecial"),
}


class WrongValue(ValueError):
    """A cell that cannot be used; the message says which, what it holds and what was expected."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: of the site.
        columns: that it must have, as the site writes them.
        read: a row as a rating. None: it is of no rating. Raises `WrongValue`.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Row], OwnRating | None]

    def fits(self, heading: list[str]) -> bool:
        """Whether a heading, in lower case, has these columns."""
        return {column.lower() for column in self.columns} <= set(heading)


def _movielens(row: Row) -> OwnRating | None:
    if not row["rating"]:
        return None
    movie_id = number_of(row["movieid"])
    if movie_id is None or movie_id != int(movie_id):
        raise WrongValue(f"movieId is '{row['movieid']}'. Expected a whole number")
    title, year = split_title(row.get("title", ""))
    return OwnRating(
        stars=_stars(row["rating"]),
        title=title,
        year=year,
        time=seconds_of(row.get("timestamp", "")),
        movie_id=int(movie_id),
    )


def _letterboxd(row: Row) -> OwnRating | None:
    if not row["rating"]:
        return None
    if not row["name"]:
        raise WrongValue("Name is empty. Expected a title")
    return OwnRating(
        stars=_stars(row["rating"]),
        title=row["name"],
        year=year_of(row["year"]),
        time=seconds_of(row.get("date", "")),
    )


def _imdb(row: Row) -> OwnRating | None:
    text = row.get("your rating") or row.get("you rated") or ""
    if not text:
        return None
    value = number_of(text)
    if value is None or value not in range(1, 11):
        raise WrongValue(f"Your Rating is '{text}'. Expected a whole number from 1 to 10")
    return OwnRating(
        stars=value / 2,
        title=row.get("title", ""),
        year=year_of(row.get("year", "")),
        time=seconds_of(row.get("date rated") or row.get("created") or ""),
        imdb_id=row["const"],
        original_title=row.get("original title", ""),
    )


MOVIELENS = Kind("MovieLens", ("movieId", "rating"), _movielens)
LETTERBOXD = Kind("Letterboxd", ("Name", "Year", "Rating"), _letterboxd)
IMDB = Kind("IMDb", ("Const", "Your Rating"), _imdb)
OLD_IMDB = Kind("IMDb", ("const", "You rated"), _imdb)  # as exported until 2017
KINDS = (IMDB, OLD_IMDB, LETTERBOXD, MOVIELENS)
KNOWN = (
    "MovieLens's (userId, movieId, rating, timestamp), Letterboxd's ratings.csv (Date, Name, Year, "
    "Letterboxd URI, Rating) and IMDb's export (Const, Your Rating, Date Rated, Title, ..)"
)


def is_movie(row: Row) -> bool:
    """Whether a row is of a movie, by IMDb's Title Type; rows without that column are."""
    return row.get("title type", "").lower().replace(" ", "") in FILMS


def _stars(text: str) -> float:
    value = number_of(text)
    if value is None or not on_the_grid(value):
        raise WrongValue(f"the rating is '{text}'. Expected 0.5, 1.0, 1.5 .. 5.0")
    return value


def number_of(text: str) -> float | None:
    """A number as text, with a comma or a point; None if it is none."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def year_of(text: str) -> int | None:
    """The first year in a text, 1870 .. 2099; None if there is none."""
    found = re.search(r"\b(18[7-9]\d|19\d\d|20\d\d)\b", text)
    return int(found[1]) if found else None


def seconds_of(text: str) -> int | None:
    """A date or a number of seconds (or milliseconds) since 1970 as seconds (UTC); None if it is
    neither."""
    text = text.strip().removesuffix("Z")
    value = number_of(text)
    if value is not None:
        return int(value / 1000 if abs(value) >= MILLISECONDS else value)
    for form in DATES:
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            pass
    return None


def split_title(text: str) -> tuple[str, int | None]:
    """ "Alien (1979)" as title and year; the whole and None where no year stands at the end."""
    found = TITLE_WITH_YEAR.match(text.strip())
    return (found[1].strip(), int(found[2])) if found else (text.strip(), None)
