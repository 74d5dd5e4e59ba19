"""Tables in files of any kind, scanned by polars: their columns by name, their cells as text."""

from __future__ import annotations

import io
import re
from pathlib import Path

import polars as pl

from recbench.data.csv_files import TEXTS, as_printed, unreadable
from recbench.errors import InputError

JSONS = (".json", ".jsonl", ".ndjson")
SUFFIXES = (*TEXTS, *JSONS, ".parquet")
SEPARATORS = ("::", "\t", ";", "|", ",")  # of equally many in the first line the first
WITHOUT_HEADING = (".dat", ".data")  # as GroupLens's, perhaps
UTF_8 = "utf-8"


def scan_table(
    file: Path, encoding: str = UTF_8, without_heading: tuple[str, ...] = ()
) -> tuple[pl.LazyFrame, int]:
    """The table in a file, and the line of its first row.

    Args:
        encoding: of text.
        without_heading: the names of the columns of a .dat or .data file of numbers alone, such as
            GroupLens's.

    Raises:
        InputError: it cannot be read, or has no heading.
    """
    try:
        scan, first_line = _scanned(file, encoding, without_heading)
        scan.collect_schema()  # here it is read for the first time
        return scan, first_line
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(unreadable(file, error)) from None


def _scanned(
    file: Path, encoding: str, without_heading: tuple[str, ...]
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
        glob=False,
    )
    if has_heading:
        return scan, 2
    if kind not in WITHOUT_HEADING or not 3 <= len(first) <= 4:
        raise InputError(
            f"{file}: its first row is no heading ({as_printed(first)}). Put one there, such "
            "as userId,itemId,rating,timestamp"
        )
    names = dict(zip(scan.collect_schema().names(), without_heading, strict=False))
    return scan.rename(names), 1


def as_text(file: Path, encoding: str) -> tuple[Path | io.BytesIO, str, list[str]]:
    """The file, or what is in it, in UTF-8 with a single character between cells; that character;
    and the cells of its first line."""
    try:
        with file.open(encoding="utf-8-sig" if encoding == UTF_8 else encoding) as text:
            line = text.readline(10_000).rstrip("\r\n")
            separator = max(SEPARATORS, key=lambda one: line.count(one) * len(one))
            cells = [cell.strip().strip('"') for cell in line.split(separator)]
            if not line.strip():
                raise InputError(f"{file}: is empty. Expected a heading: userId,itemId,rating ..")
            if encoding == UTF_8 and separator != "::":
                return file, separator, cells
            text.seek(0)
            whole = text.read().replace("::", "\t") if separator == "::" else text.read()
    except UnicodeError as error:
        raise InputError(
            f"{file}: is no text in {encoding} ({error}). Name its encoding: --text-encoding "
            "latin-1, cp1252, utf-16 .."
        ) from None
    return io.BytesIO(whole.encode()), separator.replace("::", "\t"), cells


def collected(file: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    """What was scanned, gone through in pieces. Raises InputError if it cannot be read."""
    try:
        return frame.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise InputError(unreadable(file, error)) from None


def named_columns(names: dict[str, str], heading: list[str]) -> dict[str, str]:
    """Role -> the column of `heading` that has one of its `names`, plain ones with spaces between;
    the first of them that is there."""
    there = {plain_name(one): one for one in reversed(heading)}
    found = {}
    for role, known in names.items():
        column = next((there[one] for one in known.split() if one in there), None)
        if column is not None:
            found[role] = column
    return found


def plain_name(name: str) -> str:
    """Letters and digits alone, in lower case: "userid" of "User-ID"."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
