"""Any table of ratings: columns by name, any scale and ids, with or without times.

Polars reads the file in pieces, so its text is never in memory as a whole.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recbench.data.foreign import plain
from recbench.data.item_features import features_beside, genres_in
from recbench.data.scales import Scale, TableFlags
from recbench.data.scanning import (
    SUFFIXES,
    as_printed,
    check_rows,
    collected,
    named_columns,
    scan_table,
)
from recbench.data.tables import Source, as_metadata, clean_movies
from recbench.errors import InputError
from recbench.ratings import MAX_STARS, MIN_STARS, NO_TIME

# What a column may be called: letters and digits alone, in lower case. The first that is there.
NAMES = {
    "user": "userid user uid username reviewerid reviewer customerid memberid profileid accountid",
    "item": "itemid item iid movieid movie filmid film isbn bookid book jokeid joke parentasin "
    "asin productid product trackid track songid song artistid artist albumid gameid game animeid "
    "showid recipeid beerid wineid businessid placeid imdbid tmdbid",
    "rating": "rating ratings stars score bookrating movierating userrating yourrating overall "
    "value vote points grade",
    "time": "timestamp time datetime date ratedat ratingtimestamp ratingdate ratedon createdat "
    "unixreviewtime reviewtime",
}
WHOLE = r"^(0|[1-9]\d{0,17})$"  # an id that is a number; 007 is none
DAYS = (19_000_101, 21_001_231)  # numbers that are days, such as 20150531
PER_SECOND = ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (float("inf"), 10**9))  # by the latest time
ISO = ("%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d")


def find_table(folder: Path) -> Path | None:
    """The only table of a folder, or the only one named ratings; None if there is none.

    Raises:
        InputError: there are several.
    """
    tables = [one for one in sorted(folder.iterdir()) if one.suffix.lower() in SUFFIXES]
    named = [one for one in tables if "rating" in one.stem.lower()]
    found = named if named else tables
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:5])
        raise InputError(f"{folder}: has {names}. Which are the ratings? Give the file: --dataset")
    return found[0] if found else None


@dataclass(frozen=True)
class _Table:
    """A file and how to read it.

    Attributes:
        column: role -> name of its column; "time" only if there is one.
        cells: `line` of each row and, as text, `user`, `item`, `rating` and `time`.
    """

    file: Path
    flags: TableFlags
    column: dict[str, str]
    cells: pl.LazyFrame

    @property
    def scale(self) -> Scale:
        return Scale.parse(self.flags.scale)


def read_table(file: Path, name: str, flags: TableFlags) -> Source:
    """Read a table of ratings, with the features from a table of items beside it.

    Args:
        name: the dataset's name in the results.

    Raises:
        InputError: a column is missing or a row is invalid; names file, line and column.
    """
    scan, first_line = scan_table(file, flags.text_encoding, tuple(NAMES))
    column = _columns(file, scan.collect_schema().names())
    table = _Table(file, flags, column, _cells(scan, column, first_line))
    rows, missing = _read(table)
    users, items = _ids(file, rows["user"]), _ids(file, rows["item"])
    known, of_items = features_beside(file, column["item"], NAMES["item"], flags.text_encoding)
    own = items.join(known, left_on="id", right_on="item", how="left").sort("number")
    movies, _ = clean_movies(
        as_metadata(
            id=own["number"].cast(pl.String),
            title=own["title"].fill_null(own["id"]),
            release_date=own["year"],
            original_language=own["language"],
            genres=map(genres_in, own["genres"]),
        )
    )
    if not own["genres"].count():
        movies = movies.with_columns(genres=pl.lit(None, pl.String))
    if not _whole(items["id"]):
        movies = movies.with_columns(item=own["id"])
    described = f"{_described(table, rows, missing, len(users), len(items))}; {of_items}"
    ready = [_numbered(rows, users, items, table.scale)]

    def read_ratings() -> pl.DataFrame:
        """Returns the ratings once, for the join, and then releases them."""
        return ready.pop() if ready else _numbered(_read(table)[0], users, items, table.scale)

    return Source(
        name=name,
        read_ratings=read_ratings,
        links=own.select(movieId="number", tmdbId="number"),
        movies=movies,
        counts={"ratings missing": missing} if missing else {},
        files=(file,),
        description=described,
        unit=table.scale.unit,
        users=None if _whole(users["id"]) else users.select(userId="number", user="id"),
    )


def _columns(file: Path, heading: list[str]) -> dict[str, str]:
    """Role -> column, of a header."""
    found = named_columns(NAMES, heading)
    if "item" not in found and "user" in found:  # "wine_id", alone
        others = [one for one in heading if one not in found.values()]
        ids = [one for one in others if plain(one).endswith("id")]
        found |= {"item": ids[0]} if len(ids) == 1 else {}
    for role in ("user", "item", "rating"):
        if role not in found:
            one = " For the ratings of one person there is recommend.py." if role == "user" else ""
            raise InputError(
                f"{file}: has no column of the {role}; its header is {as_printed(heading)}. "
                f"Expected one called {', '.join(NAMES[role].split()[:4])} or the like: rename it."
                f"{one}"
            )
    return found


def _cells(scan: pl.LazyFrame, column: dict[str, str], first_line: int) -> pl.LazyFrame:
    """`line`, and `user`, `item`, `rating` and `time` as text, null if empty."""
    schema = scan.collect_schema()

    def text(role: str) -> pl.Expr:
        if role not in column:
            return pl.lit(None, pl.String).alias(role)
        stripped = pl.col(column[role]).cast(pl.String).str.strip_chars()
        if schema[column[role]].is_float() and role != "rating":  # pandas' of whole numbers
            stripped = stripped.str.strip_suffix(".0")
        return pl.when(stripped != "").then(stripped).alias(role)

    rows = scan.with_row_index("line", first_line).select("line", *map(text, NAMES))
    return rows.filter(~pl.all_horizontal(pl.col("user", "item", "rating").is_null()))


def _read(table: _Table) -> tuple[pl.DataFrame, int]:
    """`user` and `item` (categories), `rating` as in the file and `time` (seconds since 1970) of
    each rating; and the number of rows without a rating.

    Raises:
        InputError: there are no ratings, or a row is invalid.
    """
    cell, wanted = pl.col("rating"), table.flags.missing
    number = cell.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    missing = pl.col("line").is_null()  # never
    if wanted != TableFlags.missing:
        missing = cell.fill_null("") == wanted
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", wanted):
            missing |= number.eq(float(wanted)).fill_null(False)
    sample = collected(table.file, table.cells.select(pl.col("time").drop_nulls().head(1000)))
    rows = collected(
        table.file,
        table.cells.select(
            pl.col("user", "item").cast(pl.Categorical),
            rating=number,
            time=_time(sample["time"]) if "time" in table.column else pl.lit(NO_TIME, pl.Int64),
            missing=missing,
        ),
    )
    _check(table, rows)
    ratings = rows.filter(~pl.col("missing")).drop("missing")
    return ratings, len(rows) - len(ratings)


def _time(sample: pl.Series) -> pl.Expr:
    """Seconds since 1970 of a cell, null if it is not a time; `sample` has the first cells."""
    cell, numbers = pl.col("time"), sample.cast(pl.Float64, strict=False).drop_nulls()
    if 2 * len(numbers) >= len(sample) and not numbers.is_between(*DAYS).any():
        latest = max(numbers.abs().to_list(), default=0)
        parts = next(n for most, n in PER_SECOND if latest < most)
        return (cell.cast(pl.Float64, strict=False) / parts).floor().cast(pl.Int64, strict=False)
    text = cell.str.replace("T", " ", literal=True).str.replace(" ?(Z|UTC)$", "+00:00")
    text = text.str.replace(r"([+-]\d\d):?(\d\d)$", "${1}:${2}")
    read = (text.str.to_datetime(form, strict=False, time_unit="us") for form in ISO)
    return pl.coalesce(one.dt.replace_time_zone(None).dt.epoch("s") for one in read)


def _check(table: _Table, rows: pl.DataFrame) -> None:
    """Raises InputError for the first invalid row, or if there is no rating."""
    kept = rows.filter(~pl.col("missing"))["rating"].drop_nulls()
    if rows.is_empty() or rows["missing"].all():
        raise InputError(f"{table.file}: holds no ratings. Expected one row per rating")
    given, rating, scale = table.flags.scale != TableFlags.scale, pl.col("rating"), table.scale
    wrong, number = rating.is_null() | ~rating.is_finite(), "a number"
    if given:
        wrong |= ~rating.is_between(scale.low, scale.high)
        number = f"{scale.low:g} to {scale.high:g}, as --scale says"
    date = "a date such as 2015-05-31, or seconds since 1970; or remove the column"
    expected = {
        "user": (pl.col("user").is_null(), "a user"),
        "item": (pl.col("item").is_null(), "an item"),
        "rating": (wrong, f"{number}, or --missing CELL"),
        "time": (pl.col("time").is_null(), date),
    }
    there = {role: (~pl.col("missing") & bad, what) for role, (bad, what) in expected.items()}
    check_rows(table.file, rows, table.cells, there, table.column)
    low, high = kept.to_numpy().min(), kept.to_numpy().max()
    if not given and (low < MIN_STARS or high > MAX_STARS):
        raise InputError(
            f"{table.file}: {table.column['rating']} runs from {low:g} to {high:g}, stars from "
            f"{MIN_STARS} to {MAX_STARS:g}. Give the scale of the file, such as --scale "
            f"{math.floor(low)}-{math.ceil(high)}; and if a number means no rating, "
            "--missing NUMBER"
        )


def _ids(file: Path, column: pl.Series) -> pl.DataFrame:
    """The `id`s (text) of a column of categories, and a `number` (int64) of each: the id itself if
    all are integers, else a hash of its text."""
    ids = column.unique().cast(pl.String).sort()
    if _whole(ids):
        numbers = ids.cast(pl.Int64)
    else:
        hashed = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in ids)
        numbers = pl.Series([int.from_bytes(one) >> 1 for one in hashed], dtype=pl.Int64)
    if numbers.n_unique() < len(numbers):
        raise InputError(f"{file}: two ids of {column.name}s have the same number. Rename one")
    return pl.DataFrame({"id": ids, "number": numbers})


def _whole(ids: pl.Series) -> bool:
    return bool(ids.str.contains(WHOLE).all())


def _numbered(
    rows: pl.DataFrame, users: pl.DataFrame, items: pl.DataFrame, scale: Scale
) -> pl.DataFrame:
    """userId, movieId, rating (stars) and timestamp, in the order of the file."""

    def number(role: str, ids: pl.DataFrame) -> pl.Expr:
        old = ids["id"].cast(pl.Categorical)
        return pl.col(role).replace_strict(old, ids["number"], return_dtype=pl.Int64)

    stars = pl.col("rating")
    if scale != Scale():
        stars = ((stars - scale.low) / scale.unit + MIN_STARS).clip(MIN_STARS, MAX_STARS)
    return rows.select(
        userId=number("user", users),
        movieId=number("item", items),
        rating=stars.cast(pl.Float32),
        timestamp="time",
    )


def _described(table: _Table, rows: pl.DataFrame, missing: int, users: int, items: int) -> str:
    """A sentence on how the table was read."""
    column, scale = table.column, table.scale
    stars = "stars" if scale == Scale() else f"{scale}, as {MIN_STARS}-{MAX_STARS:g} stars"
    left_out = f" ({missing:,} missing left out)" if missing else ""
    times = "no times"
    if "time" in column:
        ends = np.array([rows["time"].min(), rows["time"].max()], dtype="datetime64[s]")
        first, last = ends.astype("datetime64[D]")
        times = f"time {column['time']} ({first} to {last})"
    return (
        f"{table.file.name}: user {column['user']}, item {column['item']}, rating "
        f"{column['rating']} ({stars}), {times}; {len(rows):,} ratings{left_out} of {items:,} "
        f"items by {users:,} users"
    )
