"""CSV files: read whole or in batches; what cannot be read is named with its line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from recbench.data.tables import (
    LIKELY_TIMES,
    RATING_COLUMNS,
    Batches,
    check_ratings,
    counts_of,
    in_batches,
    tell_unlikely_times,
)
from recbench.errors import InputError

LARGE = 20_000_000  # bytes of ratings, some 800,000 of them, which take .2 seconds to read
BATCH: int | None = None  # rows; None: as polars reads them, some 80,000, each column in one piece
LONGEST_HEADING = 200  # signs of it in a message


def is_large(file: Path) -> bool:
    """Whether a file of ratings is not to be held in memory as a whole, nor read in each run."""
    return file.stat().st_size >= LARGE


def ratings_of(file: Path) -> tuple[Batches, dict[str, int]]:
    """The ratings of a CSV file and their counts.

    A small file is read here. A large one is read whenever it is gone through; its counts are
    left to who does that.

    Raises:
        InputError: as `read_ratings` and `check_ratings`.
    """
    if is_large(file):
        _check_columns(file, tuple(RATING_COLUMNS))
        return partial(rating_batches, file), {}
    ratings = check_ratings(read_ratings(file), file)
    return in_batches(ratings), counts_of(ratings)


def rating_batches(file: Path) -> Iterator[pl.DataFrame]:
    """The rows that `read_ratings` gives, checked, in batches.

    Raises:
        InputError: as `read_ratings` and `check_ratings`.
    """
    rows, unlikely, first_unlikely = 0, 0, 0
    usable = True
    try:
        for batch in _scanned(file).collect_batches(chunk_size=BATCH, maintain_order=True):
            usable = _is_usable(batch)
            if not usable:
                break
            time = batch["timestamp"].to_numpy()
            if time.min() < LIKELY_TIMES[0] or time.max() > LIKELY_TIMES[1]:
                outside = time[(time < LIKELY_TIMES[0]) | (time > LIKELY_TIMES[1])]
                first_unlikely = first_unlikely if unlikely else int(outside[0])
                unlikely += len(outside)
            rows += len(batch)
            yield batch
    except pl.exceptions.PolarsError:
        usable = False
    if not usable or rows == 0:
        check_ratings(read_ratings(file), file)  # says where it stands
        raise InputError(f"{file}: was changed while it was read. Run again")
    if unlikely:
        tell_unlikely_times(file, unlikely, rows, first_unlikely)


def _is_usable(batch: pl.DataFrame) -> bool:
    """Whether `check_ratings` has nothing against it; a tenth of its time."""
    if any(batch[column].null_count() for column in RATING_COLUMNS):
        return False
    doubled = 2 * batch["rating"].to_numpy()
    return bool(((doubled >= 1) & (doubled <= 10) & (doubled == np.rint(doubled))).all())


def _scanned(file: Path) -> pl.LazyFrame:
    return pl.scan_csv(file, schema_overrides=RATING_COLUMNS, glob=False).select(
        list(RATING_COLUMNS)
    )


def read_ratings(file: Path) -> pl.DataFrame:
    """userId, movieId, rating and timestamp of a CSV file with such a heading."""
    _check_columns(file, tuple(RATING_COLUMNS))
    try:
        return _scanned(file).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise InputError(_first_unreadable(file) or _unreadable(file, error)) from None


def _first_unreadable(file: Path) -> str | None:
    """Where the first cell stands that is no number; read again as text to find it."""
    text = read_text(file, tuple(RATING_COLUMNS)).with_row_index("line", offset=2)
    for column, dtype in RATING_COLUMNS.items():
        bad = text.filter(
            pl.col(column).is_not_null() & pl.col(column).cast(dtype, strict=False).is_null()
        )
        if not bad.is_empty():
            line, value = bad["line"][0], bad[column][0]
            whole = "a whole number" if dtype == pl.Int64 else "a number from 0.5 to 5"
            return f"{file}, line {line}: {column} is '{value}'. Expected {whole}"
    return None


def read_text(file: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The named columns of a CSV file as text. Rows of the wrong length are cut or filled."""
    _check_columns(file, columns)
    try:
        return pl.read_csv(
            file, columns=list(columns), infer_schema=False, truncate_ragged_lines=True, glob=False
        ).select(columns)
    except pl.exceptions.PolarsError as error:
        raise InputError(_unreadable(file, error)) from None


def _unreadable(file: Path, error: Exception) -> str:
    """What a user can do about a file that polars cannot read, and where."""
    damage = _first_damage(file)
    if damage:
        return f"{file}, {damage}"
    reason = str(error).splitlines()[0].split("; ")[0].rstrip(".")
    return f"{file}: is not a CSV file that can be read ({reason}). Save it as CSV in UTF-8 anew"


def _first_damage(file: Path) -> str | None:
    """The line where a CSV file is no text, where a quote is never closed, or that has too many
    cells, and the remedy; None if nothing of that is found."""
    opened = None
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"line {number}: is no text in UTF-8. Save the file in UTF-8"
            if line.count(b'"') % 2:
                opened = number if opened is None else None
    if opened is not None:
        return (
            f'line {opened}: a quote (") is opened and not closed, so that the rest of the file is '
            "one cell. Close or remove it"
        )
    with file.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        width = len(next(rows, []))
        for row in rows:
            if len(row) > width:
                return (
                    f"line {rows.line_num}: has {len(row)} cells, the heading {width}. Mend or "
                    "remove the row"
                )
    return None


def _check_columns(file: Path, columns: tuple[str, ...]) -> None:
    try:
        header = pl.read_csv(
            file, n_rows=0, infer_schema=False, truncate_ragged_lines=True, glob=False
        ).columns
    except pl.exceptions.NoDataError:
        raise InputError(
            f"{file}: is empty. Expected a heading with {', '.join(columns)}"
        ) from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    if any("\r" in name for name in header):
        raise InputError(
            f"{file}: its lines end with a carriage return alone, as of old on the Macintosh. "
            "Save it with line ends of Unix or Windows"
        )
    missing = [column for column in columns if column not in header]
    if missing:
        raise InputError(
            f"{file}: has no column {', '.join(missing)}; its heading is {_shown(header)}. "
            f"Expected {', '.join(columns)}"
        )


def _shown(header: list[str]) -> str:
    """The heading, not longer than a line or two, with signs that cannot be printed as numbers."""
    text = ", ".join(header)
    return text[:LONGEST_HEADING].encode("unicode_escape").decode("ascii") if text else "empty"
