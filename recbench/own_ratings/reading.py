"""A file of one user's ratings, as MovieLens, Letterboxd or IMDb writes it.

In three steps: bytes to text (`text_of`), text to rows by column (`_table`), and a row to an
`OwnRating`, by one function for each kind of file (`KINDS`); the dates, by the column.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from recbench.errors import InputError
from recbench.own_ratings.values import number_of, split_title, stars_of, times_of, year_of

LARGEST = 100_000_000  # bytes; the export of one user has a few hundred thousand
LARGEST_ID = 2**63 - 1
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
DELIMITERS = ",;\t"
LONGEST_HEADING = 200  # characters of it in a message
MOST_USERS = 5  # named in a message
DATES = ("date rated", "created", "modified", "release date", "date", "watched date")
# IMDb's title types that are movies, without spaces and in lower case
MOVIE_TYPES = {
    *("", "movie", "featurefilm", "documentary", "tvmovie", "short", "shortfilm", "tvshort"),
    *("video", "tvspecial"),
}

Row = dict[str, str]  # by column, in lower case


@dataclass(frozen=True)
class OwnRating:
    """Stars for a movie, and all that the source has to identify the movie."""

    stars: float  # 0.5 .. 5.0 in halves
    title: str = ""  # as the source spells it; "" if there is an id alone
    year: int | None = None  # of release
    time: int | None = None  # of the rating, seconds since 1970 (UTC)
    movie_id: int | None = None  # in the numbering of a MovieLens set
    imdb_id: str = ""  # "tt0114709"
    original_title: str = ""  # in the movie's own language

    @property
    def name(self) -> str:
        """ "Alien (1979)", or the id where there is no title."""
        if self.title:
            return self.title if self.year is None else f"{self.title} ({self.year})"
        return self.imdb_id or f"movieId {self.movie_id}"


@dataclass(frozen=True)
class RatingsFile:
    """The content of a file."""

    kind: str  # "MovieLens", "Letterboxd" or "IMDb"
    ratings: tuple[OwnRating, ...]  # the latest last; those without a time first
    notes: tuple[str, ...]  # what was left out and why, how dates were read; a sentence each


def read_ratings(path: str | Path, user: str = "") -> RatingsFile:
    """Read the ratings of one user: `user` is the userId, where the file has several. Raises
    InputError if it is no text, of no known kind, or a row cannot be used; names row and value."""
    path = Path(path).expanduser()
    return ratings_of(_content(path), str(path), user)


def ratings_of(content: bytes, name: str, user: str = "", flag: str = "--user") -> RatingsFile:
    """The same of the bytes of a file; `name` is its name, and `flag` is where `user` comes from,
    for messages."""
    kind, heading, rows = _table(text_of(content, name), name)
    if "userid" in heading:
        rows = _rows_of_one(rows, user, name, flag)
    elif user:
        raise InputError(f"{flag} {user}: {name} has no column userId. Leave {flag} out")
    ratings: list[OwnRating] = []
    dates: list[str] = []  # of the ratings
    no_movies: Counter[str] = Counter()
    unrated = 0
    for line, row in rows:
        stars = _first_of(row, kind.stars)
        if row.get("title type", "").lower().replace(" ", "") not in MOVIE_TYPES:
            no_movies[row["title type"]] += 1
        elif not stars:
            unrated += 1
        else:
            try:
                ratings.append(kind.read(row, stars))
            except WrongValue as error:
                raise InputError(f"{name}, line {line}: {error}") from None
            dates.append(_first_of(row, kind.dates))
    notes = []
    if no_movies:
        listed = ", ".join(f"{count:,} {kind}" for kind, count in no_movies.most_common())
        notes.append(f"left out, since they are no movies: {listed}")
    if unrated:
        notes.append(f"rows left out, since they have no rating: {unrated:,}")
    if not ratings:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise InputError(f"{name}: holds no ratings{why}. Expected a row for each rating")
    other = (row.get(column, "") for _, row in rows for column in DATES)
    times, about_dates = times_of(dates, other, kind.month_first, kind.name)
    timed = [replace(one, time=time) for one, time in zip(ratings, times, strict=True)]
    timed.sort(key=lambda rating: rating.time or 0)  # stable
    return RatingsFile(kind.name, tuple(timed), (*notes, *about_dates))


def _first_of(row: Row, columns: tuple[str, ...]) -> str:
    """The first cell that is not empty; "" if all are, or there are no such columns."""
    return next((row[column] for column in columns if row.get(column)), "")


# --- bytes to text -------------------------------------------------------------------------------


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            example = path / "ratings.csv"
            raise InputError(f"{path}: is a folder. Expected a file, such as {example}")
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is no ordinary file. Expected a CSV file")
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(f"{path}: has {size:,} bytes. Expected {LARGEST:,} at most")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file. Expected your ratings") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def text_of(content: bytes, name: str) -> str:
    """The text of a file: UTF-8 or UTF-16 with or without a mark in front, else Windows-1252.
    Raises InputError if it is no text; `name` is the file's, for the message."""
    if content.startswith(b"PK\x03\x04"):
        raise InputError(f"{name}: is a zip file. Unpack it, and give the ratings.csv in it")
    text = _decoded(content)
    if any(unicodedata.category(one) == "Cc" and one not in "\t\r\n" for one in text[:2000]):
        raise InputError(f"{name}: is no text. Expected a CSV file of ratings")
    return unicodedata.normalize("NFC", text)


def _decoded(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig", errors="replace")
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    beginning = content[:200]
    if beginning.count(0) > len(beginning) // 3:  # zeros at every second place: UTF-16
        little = beginning[1::2].count(0) > beginning[::2].count(0)
        return content.decode("utf-16-le" if little else "utf-16-be", errors="replace")
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("latin-1")


# --- text to rows --------------------------------------------------------------------------------


def _table(text: str, name: str) -> tuple[Kind, list[str], list[tuple[int, Row]]]:
    """The kind of the file, its heading in lower case, and each row with its line number."""
    first = next(iter(text.lstrip().splitlines()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, Row]] = []
    heading: list[str] = []
    try:
        for cells in filter(lambda cells: any(map(str.strip, cells)), reader):
            if not heading:
                heading = [cell.strip().lower() for cell in cells]
                kind = _kind(heading, cells, name)
            elif any(cell.strip() for cell in cells[len(heading) :]):
                raise InputError(
                    f"{name}, line {reader.line_num}: has {len(cells)} cells, the heading "
                    f"{len(heading)}. Put a cell that holds a '{delimiter}' in quotes"
                )
            else:
                filled = [cell.strip() for cell in cells] + [""] * (len(heading) - len(cells))
                rows.append((reader.line_num, dict(zip(heading, filled, strict=False))))
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num}: cannot be read ({error}). Is there a quote that is "
            "not closed?"
        ) from None
    if not heading:
        raise InputError(f"{name}: is empty. Expected a heading and a row for each rating")
    return kind, heading, rows


def _kind(heading: list[str], as_written: list[str], name: str) -> Kind:
    for kind in KINDS:
        if kind.columns <= set(heading):
            if set(kind.stars) & set(heading):
                return kind
            raise InputError(
                f"{name}: has no ratings: there is no column {kind.stars[0].title()}. Give "
                f"{kind.file}"
            )
    found = ", ".join(cell.strip() for cell in as_written)[:LONGEST_HEADING]
    shown = "".join(one if one.isprintable() else "?" for one in found)
    raise InputError(
        f"{name}: is of no known kind; its columns are {shown}. Three kinds are known: {KNOWN}"
    )


def _rows_of_one(
    rows: list[tuple[int, Row]], user: str, name: str, flag: str
) -> list[tuple[int, Row]]:
    users = list(dict.fromkeys(row["userid"] for _, row in rows))
    more = f" and {len(users) - MOST_USERS:,} more" if len(users) > MOST_USERS else ""
    some = ", ".join(users[:MOST_USERS]) + more
    if user and rows and user not in users:
        raise InputError(f"{flag} {user}: {name} has no such userId. It has {some}")
    if not user and len(users) > 1:
        raise InputError(
            f"{name}: holds ratings of {len(users):,} users ({some}). Say which is you: {flag} ID"
        )
    return [(line, row) for line, row in rows if not user or row["userid"] == user]


# --- a row to a rating ---------------------------------------------------------------------------


class WrongValue(ValueError):
    """A cell that cannot be used; the message says which, what it holds and what was expected."""


@dataclass(frozen=True)
class Kind:
    """A kind of file; its columns in lower case."""

    name: str  # of the site
    columns: set[str]  # that it must have
    stars: tuple[str, ...]  # columns, of which it must have one
    dates: tuple[str, ...]  # of the ratings
    month_first: bool | None  # of dates such as 2/11/2024; None: the site writes others
    file: str  # that has the ratings
    read: Callable[[Row, str], OwnRating]  # of a row and its stars. Raises `WrongValue`


def _movielens(row: Row, stars: str) -> OwnRating:
    title, year = split_title(row.get("title", ""))
    return OwnRating(_stars(stars), title, year, movie_id=_movie_id(row["movieid"]))


def _letterboxd(row: Row, stars: str) -> OwnRating:
    if not row["name"]:
        raise WrongValue("Name is empty. Expected a title")
    return OwnRating(_stars(stars), row["name"], year_of(row["year"]))


def _imdb(row: Row, stars: str) -> OwnRating:
    value = number_of(stars)
    if value is None or value not in range(1, 11):
        raise WrongValue(f"Your Rating is '{stars}'. Expected a whole number from 1 to 10")
    return OwnRating(
        stars=value / 2,
        title=row.get("title", ""),
        year=year_of(row.get("year", "")),
        imdb_id=row["const"].lower(),
        original_title=row.get("original title", ""),
    )


KINDS = (
    Kind("IMDb", {"const"}, ("your rating", "you rated"),  # the latter until 2017
         ("date rated", "created"), True, "the export of your ratings", _imdb),
    Kind("Letterboxd", {"name", "year"}, ("rating",), ("date",), None,
         "ratings.csv of the same export", _letterboxd),
    Kind("MovieLens", {"movieid"}, ("rating",), ("timestamp",), None,
         "ratings.csv of the same set", _movielens),
)  # fmt: skip
KNOWN = (
    "MovieLens's (userId, movieId, rating, timestamp), Letterboxd's ratings.csv (Date, Name, Year, "
    "Letterboxd URI, Rating) and IMDb's export (Const, Your Rating, Date Rated, Title, ..)"
)


def _stars(text: str) -> float:
    stars = stars_of(text)
    if stars is None:
        raise WrongValue(f"the rating is '{text}'. Expected 0.5, 1.0, 1.5 .. 5.0")
    return stars


def _movie_id(text: str) -> int:
    found = re.fullmatch(r"(-?\d+)([.,]0*)?", text, re.ASCII)
    if not found:
        raise WrongValue(f"movieId is '{text}'. Expected a whole number")
    if len(found[1]) > len(str(LARGEST_ID)) or abs(int(found[1])) > LARGEST_ID:
        raise WrongValue(f"movieId is '{text}': too large. Expected {LARGEST_ID} at most")
    return int(found[1])
