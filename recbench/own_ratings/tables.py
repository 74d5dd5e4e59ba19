"""The tables of ratings and of movies watched in an export: a ZIP file, a folder or one file."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from recbench.data.foreign import Rows, rows_of
from recbench.errors import InputError

LARGEST = 100_000_000  # bytes, unpacked; the export of one user has a few hundred thousand
SUFFIXES = (".csv", ".tsv", ".txt", ".json")
WATCHED = {"diary", "watched", "history", "checkins"}  # words in names of files with movies watched


def watched(table: Rows) -> bool:
    """Whether the table has movies watched, by the name of its file."""
    return bool(WATCHED & _words(table.name))


def tables_of(content: bytes, name: str) -> list[Rows]:
    """The tables of the file `name`: the file itself or, if it is the ZIP of an export, its tables
    of ratings and of movies watched. Raises InputError if it cannot be read."""
    if not content.startswith(b"PK\x03\x04"):
        return [_table(io.BytesIO(content), name)]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [_table(archive.open(one), f"{name}: {one}")
                    for one in _chosen(archive.namelist(), name)]  # fmt: skip
    except InputError:
        raise
    except Exception as error:  # zipfile and its decompressors raise many kinds of errors
        raise InputError(f"{name}: is no ZIP file that can be read ({error})") from None


def tables_at(path: Path) -> list[Rows]:
    """The same for a path, which may also be the folder of an unpacked export."""
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


def _chosen(files: list[str], name: str) -> list[str]:
    """The files of an export to read: ratings and movies watched, by name; a single table under any
    name. Ratings come last, so that they count if several entries have the same day."""
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
            "unchanged export of Letterboxd or Trakt"
        )
    depth = min(one.count("/") for one in chosen)  # deeper ones have deleted entries
    return [one for one in chosen if one.count("/") == depth]


def _words(file: str) -> set[str]:
    return set(re.findall(r"[a-z]+", PurePosixPath(file).stem.lower()))


def _content(file: IO[bytes], name: str) -> bytes:
    with file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(f"{name}: is too large. Expected {LARGEST:,} bytes at most")
    return content


def _table(file: IO[bytes], name: str) -> Rows:
    return rows_of(_content(file, name), name)
