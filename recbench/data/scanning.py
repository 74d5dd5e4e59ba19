"""Tables in files of any kind, scanned by polars: columns by name, cells as text. Errors name the
line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from recbench.data.foreign import plain, separator_of
from recbench.errors import InputError

TEXTS = (".csv", ".tsv", ".dat", ".data", ".txt")
JSONS = (".json", ".jsonl", ".ndjson")
SUFFIXES = (*TEXTS, *JSONS, ".parquet")
WITHOUT_HEADING = (".dat", ".data")  # as GroupLens's, perhaps
LONGEST_HEADING = 200  # characters of it in a message
UTF_8 = "utf-8"


def scan_table(
    file: Path,
    encoding: str = UTF_8,
    without_heading: tuple[str, ...] = (),
    ragged: bool = False,
) -> tuple[pl.LazyFrame, int]:
    """The table in a file, and the line number of its first row.

    Args:
        encoding: of text.
        without_heading: names of the columns of a .dat or .data file without a header, such as
            GroupLens's.
        ragged: whether rows of the wrong length are cut or filled instead of refused.

    Raises:
        InputError: it cannot be read, or has no header.
    """
    try:
        scan, first_line = _scanned(file, encoding, without_heading, ragged)
        scan.collect_schema()  # here it is read for the first time
        return scan, first_line
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(unreadable(file, error)) from None


def _scanned(
    file: Path, encoding: str, without_heading: tuple[str, ...], ragged: bool
) -> tuple[pl.LazyFrame, int]:
    kind = file.suffix.lower()
    if kind == ".parquet":
        return pl.scan_parquet(file, glob=False), 1
    if kind in JSONS:
        with file.open("rb") as stream:
            is_list = stream.read(100).lstrip().startswith(b"[")
        read = pl.read_json if is_list else pl.scan_ndjson
        return read(file, infer_schema_length=None).lazy(), 1
    text, separator, first = as_text(file, encoding)
    has_heading = not all(re.fullmatch(r"[\d.+-]*", cell) for cell in first)
    scan = pl.scan_csv(
        text,
        separator=separator,
        infer_schema=False,
        has_header=has_heading,
        quote_char=None if kind in WITHOUT_HEADING else '"',
        truncate_ragged_lines=ragged,
        glob=False,
    )
    if has_heading:
        return scan, 2
    if kind not in WITHOUT_HEADING or not 3 <= len(first) <= 4:
        raise InputError(
            f"{file}: its first row is not a header ({as_printed(first)}). Add one, such "
            "as userId,itemId,rating,timestamp"
        )
    names = dict(zip(scan.collect_schema().names(), without_heading, strict=False))
    return scan.rename(names), 1


def as_text(file: Path, encoding: str) -> tuple[Path | io.BytesIO, str, list[str]]:
    """The file, or its text in UTF-8 with one-character separators; the separator; and the cells of
    its first line."""
    try:
        with file.open(encoding="utf-8-sig" if encoding == UTF_8 else encoding, newline="") as text:
            line = text.readline(10_000).rstrip("\r\n")
            separator = separator_of(line)
            cells = [cell.strip().strip('"') for cell in line.split(separator)]
            if not line.strip():
                raise InputError(f"{file}: is empty. Expected a header: userId,itemId,rating ..")
            if encoding == UTF_8 and separator != "::":
                return file, separator, cells
            text.seek(0)
            whole = text.read().replace("::", "\t") if separator == "::" else text.read()
    except UnicodeError as error:
        raise InputError(
            f"{file}: is not text in {encoding} ({error}). Name its encoding: --text-encoding "
            "latin-1, cp1252, utf-16 .."
        ) from None
    return io.BytesIO(whole.encode()), separator.replace("::", "\t"), cells


def collected(file: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    """Collect what was scanned, in pieces. Raises InputError if it cannot be read."""
    try:
        return frame.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise InputError(unreadable(file, error)) from None


def read_text(file: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    """The named columns of a CSV file as text. Rows of the wrong length are cut or filled. Raises
    InputError if a column is missing, or the file is not a CSV file in UTF-8."""
    scan, _ = scan_table(file, ragged=True)
    check_columns(file, scan, columns)
    return collected(file, scan.select(columns))


def check_columns(file: Path, scan: pl.LazyFrame, columns: tuple[str, ...]) -> None:
    """Raises InputError unless the scanned file has all `columns`."""
    heading = scan.collect_schema().names()
    if missing := [column for column in columns if column not in heading]:
        raise InputError(
            f"{file}: has no column {', '.join(missing)}; its header is {as_printed(heading)}. "
            f"Expected {', '.join(columns)}"
        )


def named_columns(names: dict[str, str], heading: list[str]) -> dict[str, str]:
    """Role -> the first column of `heading` with one of its `names`, plain names separated by
    spaces."""
    there = {plain(one): one for one in reversed(heading)}
    found = {}
    for role, known in names.items():
        column = next((there[one] for one in known.split() if one in there), None)
        if column is not None:
            found[role] = column
    return found


# --- what is wrong with a file, and where ---------------------------------------------------------


def check_rows(
    file: Path,
    rows: pl.DataFrame,
    cells: pl.LazyFrame,
    expected: Mapping[str, tuple[pl.Expr, str]],
    names: Mapping[str, str] | None = None,
) -> None:
    """Raises InputError, with line, column and cell, for the first invalid row.

    Args:
        rows: converted rows.
        cells: the same rows as text, with their `line`.
        expected: column -> whether a row is invalid there, and what was expected, in words.
        names: column -> its name in the file, if different.
    """
    bad = rows.select(pl.any_horizontal(wrong for wrong, _ in expected.values()).fill_null(True))
    place = bad.to_series().arg_max()
    if place is None or not bad.item(place, 0):
        return
    first = collected(file, cells.slice(place, 1)).row(0, named=True)
    for column, (wrong, what) in expected.items():
        if rows[place].select(wrong.fill_null(True)).item():
            cell = "empty" if first[column] is None else f"'{first[column]}'"
            raise InputError(
                f"{file}, line {first['line']}: {(names or {}).get(column, column)} is {cell}. "
                f"Expected {what} ({bad.to_series().sum():,} such rows). Correct or remove them"
            )


def as_printed(heading: list[str]) -> str:
    """A header for messages, unprintable characters as numbers."""
    text = ", ".join(heading)[:LONGEST_HEADING]
    return text.encode("unicode_escape").decode("ascii") or "empty"


def unreadable(file: Path, error: Exception) -> str:
    """Message for an unreadable file: where, and what to do."""
    if file.suffix.lower() in TEXTS and file.is_file() and (damage := _first_damage(file)):
        return f"{file}, {damage}"
    reason = str(error).splitlines()[0].split("; ")[0].rstrip(".")
    return f"{file}: is not a readable table ({reason}). Save it as CSV in UTF-8 again"


def _first_damage(file: Path) -> str:
    """The line where a CSV file is not text, has an unclosed quote or too many cells, and the
    remedy; "" if none is found."""
    opened = None
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return (
                    f"line {number}: is not text in UTF-8. Save the file in UTF-8, or name its "
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
                    f"line {rows.line_num}: has {len(row)} cells, the header {width}. Correct or "
                    "remove the row"
                )
    return ""
