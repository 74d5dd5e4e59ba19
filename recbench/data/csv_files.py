"""CSV files; a cell that cannot be read is named with its line."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl

from recbench.data.tables import RATING_COLUMNS
from recbench.errors import InputError

WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
TEXTS = (".csv", ".tsv", ".dat", ".data", ".txt")
LONGEST_HEADING = 200  # characters of it in a message


def read_ratings(file: Path) -> pl.DataFrame:
    """userId, movieId, rating and timestamp of a CSV file with such a heading.

    Raises:
        InputError: a column is missing or a cell is no number; names the line.
    """
    check_columns(file, tuple(RATING_COLUMNS))
    rows = pl.scan_csv(file, schema_overrides=RATING_COLUMNS, glob=False)
    try:
        return rows.select(list(RATING_COLUMNS)).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise InputError(_first_unreadable(file) or unreadable(file, error)) from None


def read_text(file: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The named columns of a CSV file as text. Rows of the wrong length are cut or filled.

    Raises:
        InputError: a column is missing, or the file is no CSV file in UTF-8.
    """
    check_columns(file, columns)
    try:
        return pl.read_csv(
            file, columns=list(columns), infer_schema=False, truncate_ragged_lines=True, glob=False
        ).select(columns)
    except pl.exceptions.PolarsError as error:
        raise InputError(unreadable(file, error)) from None


def heading_of(file: Path) -> list[str]:
    """The names of the columns of a CSV file."""
    first = pl.read_csv(file, n_rows=0, infer_schema=False, truncate_ragged_lines=True, glob=False)
    return first.columns


def check_columns(file: Path, columns: tuple[str, ...]) -> None:
    """Raises InputError unless the heading of the file has all `columns`."""
    try:
        header = heading_of(file)
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
            f"{file}: has no column {', '.join(missing)}; its heading is {as_printed(header)}. "
            f"Expected {', '.join(columns)}"
        )


def as_printed(heading: list[str]) -> str:
    """A heading for a message: characters that cannot be printed are shown as numbers."""
    text = ", ".join(heading)[:LONGEST_HEADING]
    return text.encode("unicode_escape").decode("ascii") or "empty"


def _first_unreadable(file: Path) -> str | None:
    """Where the first cell stands that is no number; read again as text to find it."""
    return unreadable_cell(file, read_text(file, tuple(RATING_COLUMNS)), first_line=2)


def unreadable_cell(file: Path, text: pl.DataFrame, first_line: int) -> str | None:
    """The first cell of `text` (the columns of ratings, as they stand in the file from
    `first_line` on) that is no number, in words; None if there is none."""
    text = text.with_row_index("line", offset=first_line)
    for column, dtype in RATING_COLUMNS.items():
        bad = text.filter(
            pl.col(column).is_not_null() & pl.col(column).cast(dtype, strict=False).is_null()
        )
        if not bad.is_empty():
            line, value = bad["line"][0], bad[column][0]
            expected = "a whole number" if dtype == pl.Int64 else "a number from 0.5 to 5"
            if dtype == pl.Int64 and WHOLE.fullmatch(value):
                expected = f"at most {2**63 - 1:,}: it is too large"
            return f"{file}, line {line}: {column} is '{value}'. Expected {expected}"
    return None


def unreadable(file: Path, error: Exception) -> str:
    """What a user can do about a file that cannot be read, and where."""
    damage = _first_damage(file) if file.suffix.lower() in TEXTS else None
    if damage:
        return f"{file}, {damage}"
    reason = str(error).splitlines()[0].split("; ")[0].rstrip(".")
    return f"{file}: is not a table that can be read ({reason}). Save it as CSV in UTF-8 again"


def _first_damage(file: Path) -> str | None:
    """The line where a CSV file is no text, where a quote is never closed, or that has too many
    cells, and the remedy; None if nothing of that is found."""
    opened = None
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return (
                    f"line {number}: is no text in UTF-8. Save the file in UTF-8, or name its "
                    "encoding, such as --text-encoding latin-1"
                )
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
