"""Files as people have them, taken apart: a ZIP, a folder or a single file into tables, and each
table, CSV or JSON, into rows by column."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from recbench.errors import InputError

LARGEST = 100_000_000  # bytes, unpacked; the export of one user has a few hundred thousand
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
DELIMITERS = ",;\t"
SUFFIXES = (".csv", ".tsv", ".txt", ".json")
WATCHED = {"diary", "watched", "history", "checkins"}  # words in names of files: of movies watched

Row = dict[str, str]  # by column, its name as `plain` has it


@dataclass(frozen=True)
class Table:
    """A table of a file; a row has where it stands, "line 3" or "entry 3", for messages."""

    name: str  # of the file
    columns: dict[str, str]  # names, as `plain` has them -> as written
    rows: list[tuple[str, Row]]
    watched: bool  # by its name: who is in it was watched


def tables_of(content: bytes, name: str) -> list[Table]:
    """The tables of a file, of which `name` is the name: itself, or those of ratings and of movies
    watched in an export that is a ZIP. Raises InputError if it cannot be read."""
    if not content.startswith(b"PK\x03\x04"):
        return [_table(io.BytesIO(content), name)]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [_table(archive.open(one), f"{name}: {one}")
                    for one in _chosen(archive.namelist(), name)]  # fmt: skip
    except InputError:
        raise
    except Exception as error:  # zipfile, and what unpacks for it, raise a dozen kinds
        raise InputError(f"{name}: is no ZIP file that can be read ({error})") from None


def tables_at(path: Path) -> list[Table]:
    """The same of a path, which may be the folder of an unpacked export, too."""
    try:
        if path.is_dir():
            files = [one.name for one in path.iterdir() if one.is_file()]
            return [_table((path / one).open("rb"), str(path / one))
                    for one in _chosen(files, str(path))]  # fmt: skip
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is no ordinary file. Expected a file of ratings")
        return tables_of(_content(path.open("rb"), str(path)), str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file. Expected your ratings") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def plain(column: str) -> str:
    """The name of a column without case, accents, blanks and punctuation."""
    text = unicodedata.normalize("NFKD", column.casefold())
    return re.sub(r"[\W_\u0300-\u036f]+", "", text)


def _chosen(files: list[str], name: str) -> list[str]:
    """Of the files of an export those that are read: of ratings and of movies watched, by name; a
    single table under any name. Ratings come last: of two of one day theirs counts."""
    tables = [
        one
        for one in files
        if PurePosixPath(one).suffix.lower() in SUFFIXES
        and not PurePosixPath(one).name.startswith(".")  # what macOS adds
    ]
    rated = [one for one in tables if "ratings" in _words(one)]
    chosen = [one for one in tables if WATCHED & _words(one) and one not in rated] + rated
    chosen = chosen or (tables if len(tables) == 1 else [])
    if not chosen:
        raise InputError(
            f"{name}: is a folder or ZIP file without ratings. Expected ratings.csv in it, or an "
            "export of Letterboxd or Trakt as it comes"
        )
    depth = min(one.count("/") for one in chosen)  # deeper ones are of what was deleted
    return [one for one in chosen if one.count("/") == depth]


def _words(file: str) -> set[str]:
    return set(re.findall(r"[a-z]+", PurePosixPath(file).stem.lower()))


def _content(file: IO[bytes], name: str) -> bytes:
    with file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(f"{name}: is too large. Expected {LARGEST:,} bytes at most")
    return content


def _table(file: IO[bytes], name: str) -> Table:
    text = _text_of(_content(file, name), name)
    read = _from_json if text.lstrip()[:1] in ("[", "{") else _from_csv
    return Table(name, *read(text, name), bool(WATCHED & _words(name)))


# --- bytes to text -------------------------------------------------------------------------------


def _text_of(content: bytes, name: str) -> str:
    """The text of a file: UTF-8, UTF-16 with a mark in front, else Windows-1252. Raises
    InputError if it is no text."""
    text = _decoded(content)
    if any(unicodedata.category(one) == "Cc" and one not in "\t\r\n" for one in text[:2000]):
        raise InputError(f"{name}: is no text. Expected a CSV, JSON or ZIP file of ratings")
    return unicodedata.normalize("NFC", text)


def _decoded(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig", errors="replace")
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("latin-1")


# --- text to rows --------------------------------------------------------------------------------


def _from_csv(text: str, name: str) -> tuple[dict[str, str], list[tuple[str, Row]]]:
    first = next(iter(text.lstrip().splitlines()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[str, Row]] = []
    columns: list[str] = []
    written: dict[str, str] = {}
    try:
        for cells in filter(lambda cells: any(map(str.strip, cells)), reader):
            if not columns:
                columns = [plain(cell) for cell in cells]
                written = {
                    column: cell.strip() for column, cell in zip(columns, cells, strict=True)
                }
            elif any(cell.strip() for cell in cells[len(columns) :]):
                raise InputError(
                    f"{name}, line {reader.line_num}: has {len(cells)} cells, the heading "
                    f"{len(columns)}. Put a cell that holds a '{delimiter}' in quotes"
                )
            else:
                filled = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
                row = dict(zip(columns, filled, strict=False))
                rows.append((f"line {reader.line_num}", row))
    except csv.Error as error:
        raise InputError(
            f"{name}, line {reader.line_num}: cannot be read ({error}). Is there a quote that is "
            "not closed?"
        ) from None
    if not columns:
        raise InputError(f"{name}: is empty. Expected a heading and a row for each rating")
    return written, rows


def _from_json(text: str, name: str) -> tuple[dict[str, str], list[tuple[str, Row]]]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: is no JSON that can be read ({error})") from None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise InputError(f"{name}: is no list of ratings. Expected Trakt's JSON")
    columns: dict[str, str] = {}
    rows = []
    for number, entry in enumerate(entries, start=1):
        cells = dict(_cells(entry))
        columns |= {plain(column): column for column in cells}
        rows.append((f"entry {number}", {plain(one): cells[one] for one in cells}))
    return columns, rows


def _cells(entry: dict[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Columns and values of a JSON object, with those of objects in it: "movie ids imdb"."""
    for column, value in entry.items():
        if isinstance(value, dict):
            yield from _cells(value, f"{within}{column} ")
        elif isinstance(value, str | int | float):
            yield f"{within}{column}", str(value)
