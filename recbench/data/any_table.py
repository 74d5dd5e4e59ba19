"""A table of ratings as somebody has it: columns by name, any scale, any ids, times or none.

The file is gone through by polars in pieces, so that its size is not that of the memory needed:
once to see what it is, and once more to read ratings.
"""

from __future__ import annotations

import hashlib
import math
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from recbench.data.csv_files import as_printed
from recbench.data.item_features import features_beside, genres_in
from recbench.data.scales import Scale, TableFlags
from recbench.data.scanning import SUFFIXES, collected, named_columns, plain_name, scan_table
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
    "value vote",
    "time": "timestamp time datetime date ratedat ratingtimestamp ratingdate ratedon createdat "
    "unixreviewtime reviewtime",
}
WHOLE = r"^(0|[1-9]\d{0,17})$"  # an id that is a number; 007 is none
PER_SECOND = ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (float("inf"), 10**9))  # by the latest time
ISO = ("%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def find_table(folder: Path) -> Path | None:
    """The only table of a folder, or the only one called ratings; None if there is no table.

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


def read_table(file: Path, name: str, flags: TableFlags) -> Source:
    """Read a table of ratings, with what a table of movies (or other items) beside it has of them.

    Args:
        name: the dataset's name in the results.

    Raises:
        InputError: a column is missing or a row cannot be used; names file, line and column.
    """
    table = _Table.of(file, flags)
    users, user_id = table.ids("user")
    items, item_id = table.ids("item")
    known, described = features_beside(
        file, table.column["item"], NAMES["item"], flags.text_encoding
    )
    texts = items.cast(pl.String)
    own = pl.DataFrame({"id": item_id, "item": texts}).join(known, on="item", how="left")
    own = own.sort("id")
    movies, _ = clean_movies(
        as_metadata(
            id=own["id"].cast(pl.String),
            title=own["title"].fill_null(own["item"]),
            release_date=own["year"],
            original_language=own["language"],
            genres=map(genres_in, own["genres"]),
        )
    )
    if not own["genres"].count():
        movies = movies.with_columns(genres=pl.lit(None, pl.String))
    if items.dtype == pl.String:
        movies = movies.with_columns(item=own["item"])
    return Source(
        name=name,
        read_ratings=partial(table.ratings, (users, user_id), (items, item_id)),
        links=own.select(movieId="id", tmdbId="id"),
        movies=movies,
        counts={"ratings missing": table.missing} if table.missing else {},
        files=(file,),
        description=f"{table.description(len(users), len(items))}; {described}",
        unit=table.scale.unit,
        users=pl.DataFrame({"userId": user_id, "user": users})
        if users.dtype == pl.String
        else None,
    )


@dataclass(frozen=True)
class _Table:
    """A table that has been gone through once.

    Attributes:
        column: what is what -> the name of its column; "time" only if there is one.
        cells: of each rating its `line` and, as text, `user`, `item`, `rating` and `time`.
        missing: how many rows without a rating are not among them.
        facts: numbers of rows, and lowest and highest rating and time.
    """

    file: Path
    column: dict[str, str]
    cells: pl.LazyFrame
    scale: Scale
    missing: int
    facts: dict

    @classmethod
    def of(cls, file: Path, flags: TableFlags) -> _Table:
        """Raises InputError if there is a column too few, or a row that cannot be used."""
        scan, first_line = scan_table(file, flags.text_encoding, tuple(NAMES))
        column = _columns(file, scan.collect_schema().names())
        cells = _cells(scan, column, first_line)
        missing = pl.col("line").is_null()  # none
        if flags.missing != TableFlags.missing:
            missing = pl.col("rating") == flags.missing
            if re.fullmatch(r"[+-]?\d+(\.\d+)?", flags.missing):
                missing |= NUMBER.eq(float(flags.missing))
            missing = missing.fill_null(False)
        when, numeric = pl.col("time"), pl.col("time").cast(pl.Float64, strict=False)
        facts = collected(
            file,
            cells.select(
                missing=missing.sum(),
                rows=(~missing).sum(),
                low=NUMBER.filter(~missing).min(),
                high=NUMBER.filter(~missing).max(),
                whole_user=pl.col("user").str.contains(WHOLE).all(),
                whole_item=pl.col("item").str.contains(WHOLE).all(),
                numeric=numeric.is_not_null().sum() >= when.count() / 2,
                latest=numeric.abs().max(),
            ),
        ).row(0, named=True)
        if not facts["rows"]:
            raise InputError(f"{file}: holds no ratings. Expected one row per rating")
        table = cls(
            file, column, cells.filter(~missing), Scale.parse(flags.scale), facts["missing"], facts
        )
        table._check(given=flags.scale != TableFlags.scale)
        return table

    def _check(self, given: bool) -> None:
        """Raises InputError for the first cell that cannot be used."""
        low, high = self.scale.low, self.scale.high
        outside = ~NUMBER.is_between(low, high)
        checks = [
            ("user", pl.col("user").is_null(), "a user"),
            ("item", pl.col("item").is_null(), "an item"),
            ("rating", NUMBER.is_null() | ~NUMBER.is_finite(), "a number, or --missing CELL"),
        ]
        if "time" in self.column:
            expected = "a date such as 2015-05-31, or seconds since 1970; or remove the column"
            checks.append(("time", self._time.is_null(), expected))
        if given:
            checks.append(("rating", outside, f"{low:g} to {high:g}, as --scale says"))
        bad = pl.any_horizontal(check for _, check, _ in checks)
        first = collected(self.file, self.cells.filter(bad).head(1))
        for role, check, expected in checks if len(first) else ():
            if first.select(check).item():
                cell = first[role][0]
                raise InputError(
                    f"{self.file}, line {first['line'][0]}: {self.column[role]} is "
                    f"{'empty' if cell is None else repr(cell)}. Expected {expected}"
                )
        low, high = self.facts["low"], self.facts["high"]
        if not given and (low < MIN_STARS or high > MAX_STARS):
            sign = "=" if low < 0 else " "
            raise InputError(
                f"{self.file}: {self.column['rating']} runs from {low:g} to {high:g}, stars from "
                f"{MIN_STARS} to {MAX_STARS:g}. Give the scale of the file, such as "
                f"--scale{sign}{math.floor(low)}-{math.ceil(high)}; and if a number stands for no rating, "
                "--missing NUMBER"
            )

    @property
    def _time(self) -> pl.Expr:
        """Seconds since 1970, null where a cell is none."""
        if "time" not in self.column:
            return pl.lit(NO_TIME, pl.Int64)
        cell = pl.col("time")
        if self.facts["numeric"]:
            parts = next(n for most, n in PER_SECOND if (self.facts["latest"] or 0) < most)
            return (cell.cast(pl.Float64, strict=False) / parts).floor().cast(pl.Int64)
        text = cell.str.replace("T", " ", literal=True).str.replace(" ?(Z|UTC)$", "+00:00")
        text = text.str.replace(r"([+-]\d\d):?(\d\d)$", "${1}:${2}")
        read = [text.str.to_datetime(one, strict=False, time_unit="us") for one in ISO[:3]]
        read.append(text.str.to_date(ISO[3], strict=False).cast(pl.Datetime("us")))
        return pl.coalesce(one.dt.replace_time_zone(None).dt.epoch("s") for one in read)

    def ids(self, role: str) -> tuple[pl.Series, pl.Series]:
        """All ids in the column of a role, and a number (int64) for each: the id itself where all
        are whole numbers, else one that follows from its text alone."""
        found = collected(self.file, self.cells.select(pl.col(role).unique())).to_series().sort()
        if self.facts[f"whole_{role}"]:
            numbers = found.cast(pl.Int64)
            return numbers, numbers
        numbers = pl.Series([_number_of(text) for text in found], dtype=pl.Int64)
        if numbers.n_unique() < len(numbers):
            raise InputError(f"{self.file}: two {role}s have ids of one number. Rename one of them")
        return found, numbers

    def ratings(
        self, users: tuple[pl.Series, pl.Series], items: tuple[pl.Series, pl.Series]
    ) -> pl.DataFrame:
        """userId, movieId, rating (stars) and timestamp, in the order of the file."""

        def numbered(role: str, texts: pl.Series, numbers: pl.Series) -> pl.Expr:
            if texts.dtype != pl.String:
                return pl.col(role).cast(pl.Int64)
            return pl.col(role).replace_strict(texts, numbers, return_dtype=pl.Int64)

        low, unit = self.scale.low, self.scale.unit
        stars = NUMBER if self.scale == Scale() else (NUMBER - low) / unit + MIN_STARS
        return collected(
            self.file,
            self.cells.select(
                userId=numbered("user", *users),
                movieId=numbered("item", *items),
                rating=stars.clip(MIN_STARS, MAX_STARS).cast(pl.Float32),
                timestamp=self._time,
            ),
        )

    def description(self, users: int, items: int) -> str:
        """What was understood, in a sentence."""
        column, scale = self.column, self.scale
        stars = "stars" if scale == Scale() else f"{scale}, as {MIN_STARS}-{MAX_STARS:g} stars"
        missing = f" ({self.missing:,} missing left out)" if self.missing else ""
        times = "no times"
        if "time" in column:
            ends = self.cells.select(first=self._time.min(), last=self._time.max())
            days = [
                time.strftime("%Y-%m-%d", time.gmtime(one))
                for one in collected(self.file, ends).row(0)
            ]
            times = f"time {column['time']} ({days[0]} to {days[1]})"
        return (
            f"{self.file.name}: user {column['user']}, item {column['item']}, rating "
            f"{column['rating']} ({stars}), {times}; {self.facts['rows']:,} ratings{missing} of "
            f"{items:,} items by {users:,} users"
        )


NUMBER = pl.col("rating").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)


def _number_of(text: str) -> int:
    """Of 63 bits."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def _columns(file: Path, heading: list[str]) -> dict[str, str]:
    """What is what in a heading."""
    found = named_columns(NAMES, heading)
    if "item" not in found and "user" in found:  # "wine_id", alone
        ids = [
            one for one in heading if one not in found.values() and plain_name(one).endswith("id")
        ]
        found |= {"item": ids[0]} if len(ids) == 1 else {}
    for role in ("user", "item", "rating"):
        if role not in found:
            one = " For the ratings of one person there is recommend.py." if role == "user" else ""
            raise InputError(
                f"{file}: has no column of the {role}; its heading is {as_printed(heading)}. "
                f"Expected one called {', '.join(NAMES[role].split()[:4])} or the like: rename it."
                f"{one}"
            )
    return found


def _cells(scan: pl.LazyFrame, column: dict[str, str], first_line: int) -> pl.LazyFrame:
    """`line`, and `user`, `item`, `rating` and `time` as text, null where there is nothing."""
    schema = scan.collect_schema()

    def text(role: str) -> pl.Expr:
        if role not in column:
            return pl.lit(None, pl.String).alias(role)
        cell = pl.col(column[role])
        if schema[column[role]].is_float() and role in ("user", "item"):  # pandas' of whole numbers
            whole = cell.cast(pl.Int64, strict=False)
            cell = (
                pl.when(whole == cell).then(whole.cast(pl.String)).otherwise(cell.cast(pl.String))
            )
        stripped = cell.cast(pl.String).str.strip_chars()
        return pl.when(stripped != "").then(stripped).alias(role)

    rows = scan.with_row_index("line", first_line).select("line", *map(text, NAMES))
    return rows.filter(~pl.all_horizontal(pl.col("user", "item", "rating").is_null()))
