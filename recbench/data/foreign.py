"""Tables of any origin, in memory: text in common encodings and separators, or JSON, to rows by
column name. It imports no data frame library, which would take long."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from recbench.errors import InputError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SEPARATORS = ("::", "\t", ";", "|", ",")  # of equally many in the first line the first

Row = dict[str, str]  # by column, its name as `plain` has it


@dataclass
class Rows:
    """The rows of a table, each with its position, "line 3" or "entry 3", for messages."""

    name: str  # of the file
    columns: dict[str, str] = field(default_factory=dict)  # `plain` name -> as written
    rows: list[tuple[str, Row]] = field(default_factory=list)
    skipped: int = 0  # lines that were left out


def plain(column: str) -> str:
    """A column name without case, accents, blanks and punctuation: "userid" for "User-ID"."""
    text = unicodedata.normalize("NFKD", column.casefold())
    return re.sub(r"[\W_\u0300-\u036f]+", "", text)


def separator_of(line: str) -> str:
    """The separator of a header's cells."""
    return max(SEPARATORS, key=lambda one: line.count(one) * len(one))


def rows_of(content: bytes, name: str, encoding: str = "", strict: bool = True) -> Rows:
    """The rows of a file of CSV, or of a JSON list.

    Args:
        name: of the file, for messages.
        encoding: of its text; "": UTF-8, UTF-16 with a byte order mark, else Windows-1252.
        strict: whether a line with too many cells is an error instead of skipped, and quotes inside
            a cell are doubled instead of escaped by a backslash.

    Raises:
        InputError: it is not text, is empty or cannot be read.
    """
    try:
        text = content.decode(encoding) if encoding else _decoded(content)
    except UnicodeError as error:
        raise InputError(f"{name}: is not text in {encoding} ({error})") from None
    if any(unicodedata.category(one) == "Cc" and one not in "\t\r\n" for one in text[:2000]):
        raise InputError(f"{name}: is not text. Expected a CSV, JSON or ZIP file of ratings")
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text, name)
    return _from_csv(text, name, strict)


def _decoded(content: bytes) -> str:
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("latin-1")


def _from_csv(text: str, name: str, strict: bool) -> Rows:
    delimiter = separator_of(next(iter(text.lstrip().splitlines()), ""))
    if delimiter == "::":
        text, delimiter = text.replace("::", "\t"), "\t"
    lines, escape = io.StringIO(text, newline=""), None if strict else "\\"
    reader = csv.reader(lines, delimiter=delimiter, strict=strict, escapechar=escape)
    table, columns = Rows(name), list[str]()
    try:
        for cells in filter(lambda cells: any(map(str.strip, cells)), reader):
            if not columns:
                columns = [plain(cell) for cell in cells]
                table.columns = {
                    column: cell.strip() for column, cell in zip(columns, cells, strict=True)
                }
            elif not any(cell.strip() for cell in cells[len(columns) :]):
                filled = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
                row = dict(zip(columns, filled, strict=False))
                table.rows.append((f"line {reader.line_num}", row))
            elif strict:
                raise InputError(
                    f"{name}, line {reader.line_num}: has {len(cells)} cells, the header "
                    f"{len(columns)}. Put a cell that holds a '{delimiter}' in quotes"
                )
            else:
                table.skipped += 1
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num}: cannot be read ({error}). Is there an unclosed quote?"
        ) from None
    if not columns:
        raise InputError(f"{name}: is empty. Expected a header and a row for each rating")
    return table


def _from_json(text: str, name: str) -> Rows:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: is not valid JSON ({error})") from None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise InputError(f"{name}: is not a list of ratings. Expected Trakt's JSON")
    table = Rows(name)
    for number, entry in enumerate(entries, start=1):
        cells = dict(_cells(entry))
        table.columns |= {plain(column): column for column in cells}
        table.rows.append((f"entry {number}", {plain(one): cells[one] for one in cells}))
    return table


def _cells(entry: dict[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Columns and values of a JSON object, including nested ones: "movie ids imdb"."""
    for column, value in entry.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{within}{column} ")
        elif isinstance(value, str | int | float):
            yield f"{within}{column}", str(value)
