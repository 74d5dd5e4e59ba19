"""Read one user's ratings and movies watched, from exports of sites and tables of one's own.

`tables` splits a file into tables; this module makes each row an `OwnRating`, by its column names
and the scale of its site (`SITES`). Dates are read column by column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from recbench.data.foreign import Row, Rows, plain
from recbench.errors import InputError
from recbench.own_ratings.tables import tables_at, tables_of, watched
from recbench.own_ratings.values import number_of, split_title, stars_of, times_of, year_of
from recbench.ratings import MAX_STARS, MIN_STARS

LONGEST_HEADING = 200  # characters of it in a message
MOST_USERS = 5  # named in a message

# Names of columns, as normalised by `plain`, for each value; the first one present counts
STARS = (
    *("yourrating", "yourated", "myrating", "meinenote", "meinebewertung", "manote", "minota"),
    *("rating", "rated", "rating10", "score", "stars", "note", "bewertung", "wertung", "punkte"),
    *("sterne", "nota", "voto", "puntuacion", "calificacion", "valutazione", "оценка", "мояоценка"),
)
TITLE = (
    *("title", "name", "movie", "film", "titel", "filmtitel", "titre", "titolo", "titulo"),
    *("nameeng", "название", "namerus", "movietitle", "showtitle"),  # the last two: Trakt's
)
ORIGINAL = ("originaltitle", "originaltitel", "titreoriginal", "titolooriginale", "namerus")
YEAR = (*("year", "releaseyear", "jahr", "annee", "anno", "ano", "год", "movieyear", "showyear"),)
IMDB, TMDB = (
    ("const", "imdbid", "tconst", "imdb", "movieidsimdb"),
    ("tmdbid", "tmdb", "movieidstmdb"),
)
MOVIELENS = ("movieid",)
TYPE = ("titletype", "type")
SEEN = ("watchedat", "lastwatchedat", "watcheddate", "datewatched")
DATE = (
    *("daterated", "ratedat", "date", "timestamp", "created", "datum", "data", "fecha", "дата"),
    *SEEN,
)
OTHER_DATES = (*DATE, "modified", "releasedate")  # these show whether the month comes first
NO_MOVIE = re.compile("serie|episode|season|show|game|podcast|musicvideo")
NO_RATING = ("", "-", "0")  # the last only on scales that begin with 1
SCALES = (5, 10, 100)  # highest ratings of common scales
EXPECTED = {5: "0.5, 1.0, 1.5 .. 5.0", 10: "a whole number from 1 to 10"}  # by the highest
IMDB_ID = re.compile(r"tt\d+")  # alone or in an address


@dataclass(frozen=True)
class Site:
    """A source of files, recognised by their columns."""

    name: str
    mark: tuple[str, ...]  # columns that all of its files have
    highest: int  # rating of its scale, which begins with half a star, or 1 of 10; 0: any
    month_first: bool | None = None  # in dates such as 2/11/2024; None: the site has no such dates
    has_watched: bool = False  # a row without a rating is a movie watched


SITES = (
    Site("IMDb", ("const",), 10, month_first=True),
    Site("Kinopoisk", ("nameeng",), 10, has_watched=True),
    Site("Trakt", ("movieidstrakt",), 10),
    Site("Trakt", ("showidstrakt",), 10),
    Site("Letterboxd", ("name", "letterboxduri"), 5),
    Site("MovieLens", ("movieid",), 5),
    Site("table", (), 0),
)
KNOWN = (
    "an export of MovieLens, Letterboxd, IMDb, Trakt or Kinopoisk, or any table with a column of "
    "ratings, and one of IMDb ids or two of titles and years"
)


@dataclass(frozen=True)
class OwnRating:
    """Stars for a movie, and all that the source has to identify the movie."""

    stars: float | None  # 0.5 .. 5.0 in halves; None: watched, and not rated
    title: str = ""  # as the source spells it; "" if there is only an id
    year: int | None = None  # of release
    time: int | None = None  # of the rating, seconds since 1970 (UTC)
    movie_id: int | None = None  # in the numbering of a MovieLens set
    imdb_id: str = ""  # "tt0114709"
    original_title: str = ""  # in the movie's own language
    tmdb_id: int | None = None

    @property
    def name(self) -> str:
        """ "Alien (1979)", or the id where there is no title."""
        if self.title:
            return self.title if self.year is None else f"{self.title} ({self.year})"
        return self.imdb_id or (f"movieId {self.movie_id}" if self.tmdb_id is None else
                                f"TMDB id {self.tmdb_id}")  # fmt: skip

    @property
    def given(self) -> str:
        """ "4.5 stars", or "watched"."""
        return "watched" if self.stars is None else f"{self.stars:g} stars"


class RatingsFile(NamedTuple):
    """The content of a file."""

    ratings: tuple[OwnRating, ...]  # the latest last; those without a time first
    kind: str  # the name of its site
    notes: tuple[str, ...]  # what was left out and why, how it was read; a sentence each


def read_ratings(path: str | Path, user: str = "", scale: int = 0) -> RatingsFile:
    """Read the ratings of one user: `user` is the userId if the file has several, `scale` the
    highest rating on the scale of one's own table, 5, 10 or 100 (0: guessed). Raises InputError,
    with row and value, if the file is no text, no column identifies movies, or a row is invalid."""
    path = Path(path).expanduser()
    return _file_of(tables_at(path), str(path), user, "--user", scale)


def ratings_of(content: bytes, name: str, user: str = "", flag: str = "--user") -> RatingsFile:
    """The same for the bytes of a file; messages contain its `name`, and `flag` as the source of
    `user`."""
    return _file_of(tables_of(content, name), name, user, flag, 0)


def _file_of(tables: list[Rows], name: str, user: str, flag: str, scale: int) -> RatingsFile:
    ratings: list[OwnRating] = []
    left_out: Counter[str] = Counter()  # number of rows, by type; "": not rated
    notes: dict[str, None] = {}
    for table in filter(lambda table: table.columns, tables):  # no columns: an empty list
        site = _site(table)
        rows = _rows_of_one(table, user, flag)
        found = list(_read(site, table.name, rows, watched(table), scale, left_out, notes))
        other = (row.get(column, "") for _, row in rows for column in OTHER_DATES)
        dates = [date for _, date in found]
        times, about_dates = times_of(dates, other, site.month_first, site.name)
        ratings += [replace(one, time=time) for (one, _), time in zip(found, times, strict=True)]
        notes |= dict.fromkeys(about_dates)
    unrated = left_out.pop("", 0)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in left_out.most_common())
    what = [f"left out, since they are no movies: {listed}"] if listed else []
    what += [f"rows left out, since they have no rating: {unrated:,}"] if unrated else []
    if not ratings:
        why = f" ({'; '.join(what)})" if what else ""
        raise InputError(f"{name}: holds no ratings{why}. Expected a row for each rating")
    ratings.sort(key=lambda rating: rating.time or 0)  # stable
    if len(tables) > 1:
        ratings = _latest(ratings)
    return RatingsFile(tuple(ratings), site.name, (*what, *notes))


def _latest(ratings: list[OwnRating]) -> list[OwnRating]:
    """The latest rating of each movie in several files of a site, all of which spell it alike; if
    there is none, the entry that it was watched."""
    latest: dict[OwnRating, OwnRating] = {}
    for one in ratings:
        movie = replace(one, stars=None, time=None)
        if one.stars is not None or latest.get(movie, one).stars is None:
            latest.pop(movie, None)  # to the end
            latest[movie] = one
    return list(latest.values())


def _site(table: Rows) -> Site:
    """The site of a table. Raises InputError if no column identifies movies or has ratings."""
    columns = set(table.columns)
    if not columns & {*IMDB, *TMDB, *MOVIELENS} and not (
        columns & set(TITLE) and columns & set(YEAR)
    ):
        shown = ", ".join(table.columns.values())[:LONGEST_HEADING]
        raise InputError(
            f"{table.name}: is of no known kind; its columns are {shown}. Expected {KNOWN}"
        )
    site = next(one for one in SITES if columns.issuperset(one.mark))
    if not columns & {*STARS, *SEEN} and not watched(table):
        raise InputError(
            f"{table.name}: has no ratings: there is no column such as Rating. Give the export of "
            "your ratings, such as ratings.csv, or the whole export as a ZIP file"
        )
    return site


def _rows_of_one(table: Rows, user: str, flag: str) -> list[tuple[str, Row]]:
    name, rows = table.name, table.rows
    if "userid" not in table.columns:
        if user:
            raise InputError(f"{flag} {user}: {name} has no column userId. Leave {flag} out")
        return rows
    users = list(dict.fromkeys(row["userid"] for _, row in rows))
    more = f" and {len(users) - MOST_USERS:,} more" if len(users) > MOST_USERS else ""
    some = ", ".join(users[:MOST_USERS]) + more
    if user and rows and user not in users:
        raise InputError(f"{flag} {user}: {name} has no such userId. It has {some}")
    if not user and len(users) > 1:
        raise InputError(
            f"{name}: holds ratings of {len(users):,} users ({some}). Say which is you: {flag} ID"
        )
    return [(place, row) for place, row in rows if not user or row["userid"] == user]


# --- a row to a rating ---------------------------------------------------------------------------


def _read(
    site: Site, name: str, rows: list[tuple[str, Row]], seen: bool, scale: int,
    left_out: Counter[str], notes: dict[str, None],
) -> Iterator[tuple[OwnRating, str]]:  # fmt: skip
    """The rating of each row, with its date as text. Counts rows that are left out, and adds a note
    about how ratings were read."""
    column = next((one for one in STARS if any(one in row for _, row in rows)), "")
    highest = site.highest or scale or _highest(row.get(column, "") for _, row in rows)
    if not site.highest and column:
        notes[f"ratings are read as 0 to {highest}, in half stars (if wrong: --scale)"] = None
    for place, row in rows:
        kind, text = _first_of(row, TYPE), row.get(column, "")
        kind = kind or "show" * bool(row.get("showtitle"))
        unrated = text in (NO_RATING if site.highest == 10 else NO_RATING[:2])
        if NO_MOVIE.search(plain(kind)):
            left_out[kind] += 1
        elif unrated and not (seen or site.has_watched or _first_of(row, SEEN)):
            left_out[""] += 1
        else:
            where = f"{name}, {place}"
            stars = None if unrated else _stars(where, text, site.highest, highest)
            yield _rating(where, row, stars), _first_of(row, DATE)


def _highest(cells: Iterable[str]) -> int:
    """The highest rating of the scale, guessed from the ratings."""
    most = max((number_of(cell) or 0 for cell in cells), default=0)
    return next((one for one in SCALES if most <= one), SCALES[-1])


def _stars(where: str, text: str, of_site: int, highest: int) -> float:
    """Stars of a rating. A site's rating must be on its scale; others are rounded to halves."""
    value = number_of(text)
    if of_site == 5 and (stars := stars_of(text)) is not None:
        return stars
    if of_site == 10 and value is not None and value in range(1, 11):
        return value / 2
    if not of_site and value is not None and 0 <= value <= highest:
        return max(round(2 * MAX_STARS * value / highest) / 2, MIN_STARS)
    expected = EXPECTED.get(of_site, f"a number from 0 to {highest}")
    raise InputError(f"{where}: the rating is '{text}'. Expected {expected}")


def _rating(where: str, row: Row, stars: float | None) -> OwnRating:
    title, year = _first_of(row, TITLE), year_of(_first_of(row, YEAR))
    if year is None:
        title, year = split_title(title)
    imdb_id = _first_of(row, IMDB).lower()
    found = IMDB_ID.search(f"tt{imdb_id:0>7}" if imdb_id.isdecimal() else imdb_id)
    imdb_id = found[0] if found else ""
    tmdb_id, movie_id = _first_of(row, TMDB), _first_of(row, MOVIELENS)
    if not (title or imdb_id or tmdb_id or movie_id):
        raise InputError(f"{where}: has no title and no id. Expected one of them")
    return OwnRating(
        stars,
        title,
        year,
        movie_id=_number_of_movie(where, "movieId", movie_id),
        imdb_id=imdb_id,
        original_title=_first_of(row, ORIGINAL),
        tmdb_id=_number_of_movie(where, "the TMDB id", tmdb_id),
    )


def _first_of(row: Row, columns: tuple[str, ...]) -> str:
    """The first cell that is not empty; "" if all are, or there are no such columns."""
    return next((row[column] for column in columns if row.get(column)), "")


def _number_of_movie(where: str, name: str, text: str) -> int | None:
    if not text:
        return None
    found = re.fullmatch(r"(-?\d{1,18})([.,]0*)?", text, re.ASCII)
    if not found:
        raise InputError(
            f"{where}: {name} is '{text}'. Expected a whole number of 18 digits at most"
        )
    return int(found[1])
