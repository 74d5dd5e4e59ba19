"""Joined datasets in the user's cache: made once, then mapped into memory by every later run.

A folder for each dataset and join, `joined/` in the cache:

    user.i4 movie.i4 stars.f4 time.i8   the columns of `Ratings`, as they are in memory
    user_id.i8                          `Dataset.user_id`
    table.arrow movies.arrow links.arrow
    about.json                          counts, CRC-32 of each file, and what it was made of

It was made of files (path, size, times of the last change) by code (a hash of this package) and a
version of polars; if any of these is another now, it is made anew. The contents of the files are
not hashed for that, which would take half a second of each run: a change of a file changes its
time, and moving the times back changes that of its status (`st_ctime`).

The folder gets its name when it is whole. One process makes it, others wait.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock, Timeout

from recbench.data.cache import cache_folder
from recbench.data.dataset import Dataset
from recbench.data.datasets import Place
from recbench.data.matching import match
from recbench.data.prefetch import ahead
from recbench.data.tables import Source
from recbench.ratings import Ratings

COLUMNS = {"user": "user.i4", "movie": "movie.i4", "stars": "stars.f4", "time": "time.i8"}
AHEAD = 4  # parts that are made while those before are written, some 2 MB each
BATCH = 250_000  # ratings whose movies are renumbered at once
DAMAGE = (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError)


def load_kept(place: Place, join: str) -> Dataset:
    """The dataset at `place`, joined: from the cache, where it is put if it is not there.

    Raises:
        InputError: as `Place.read` and `match`.
        OSError: the cache cannot be written.
    """
    folder = _folder(place, join)
    made_of = _made_of(place)
    try:
        return _read(folder, place, made_of)
    except DAMAGE:  # or not there, or being made
        folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_lock(folder)):
        try:
            return _read(folder, place, made_of)
        except FileNotFoundError:
            pass
        except Outdated:
            print(f"{place.name}: its files or the code have changed; it is joined anew")
        except DAMAGE as error:
            print(f"{folder}: is damaged ({error}); {place.name} is joined anew")
        _write(folder, place.read(), join, made_of)
        print(
            f"{place.name}: joined once, for all later runs, in {folder} "
            f"({megabytes(size_of(folder))})"
        )
        return _read(folder, place, made_of, check=False)


def clear() -> list[tuple[Path, int]]:
    """Delete what is kept here, and nothing else in the cache.

    Returns:
        what was deleted, and the bytes of each. What another process is making stays.
    """
    deleted = []
    for lock in sorted((cache_folder() / "joined").glob("*.lock")):
        folder = lock.with_suffix("")
        try:
            with FileLock(lock, timeout=0):
                for path in (folder, _scratch(folder)):
                    if path.is_dir():
                        deleted.append((path, size_of(path)))
                        shutil.rmtree(path)
        except Timeout:
            continue
    return deleted


def size_of(folder: Path) -> int:
    """Bytes of the files in it."""
    return sum(file.stat().st_size for file in folder.iterdir())


def megabytes(size: int) -> str:
    """A number of bytes as text."""
    return f"{size / 1e6:,.1f} MB"


class Outdated(ValueError):
    """What is kept was made of other files, or by other code."""


def _folder(place: Place, join: str) -> Path:
    paths = [str(file.resolve()) for file in place.files]
    key = hashlib.sha256(json.dumps([place.name, join, paths]).encode()).hexdigest()[:12]
    return cache_folder() / "joined" / f"{place.name.replace('/', '-')}-{join}-{key}"


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _scratch(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.part")


def _made_of(place: Place) -> dict:
    status = [file.stat() for file in place.files]
    code = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        code.update(file.read_bytes())
    return {
        "files": [[one.st_size, one.st_mtime_ns, one.st_ctime_ns] for one in status],
        "code": code.hexdigest(),
        "polars": pl.__version__,
    }


# --- writing -------------------------------------------------------------------------------------


def _write(folder: Path, source: Source, join: str, made_of: dict) -> None:
    """Make the folder: whole or not at all."""
    scratch = _scratch(folder)
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    try:
        scratch.mkdir()
        matching, crc32 = match(source, join, partial(_write_columns, scratch))
        crc32["movie.i4"] = _renumber(scratch / "movie.i4", matching.movie_of())
        tables = {"table": matching.table(), "movies": source.movies}
        if source.links is not None:
            tables["links"] = source.links
        for name, table in tables.items():
            table.write_ipc(scratch / f"{name}.arrow", compression="uncompressed")
        matching.user_id().astype("<i8").tofile(scratch / "user_id.i8")
        for file in set(scratch.iterdir()) - {scratch / name for name in crc32}:
            crc32[file.name] = zlib.crc32(file.read_bytes())
        about = {"made_of": made_of, "counts": matching.counts(), "crc32": crc32}
        (scratch / "about.json").write_text(json.dumps([about, _checksum(about)], indent=2))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _write_columns(folder: Path, parts: Iterator[Ratings]) -> dict[str, int]:
    """Write the columns; their checksums."""
    crc32 = dict.fromkeys(COLUMNS.values(), 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("wb")) for name in crc32}
        for part in ahead(parts, AHEAD):
            for column, name in COLUMNS.items():
                data = getattr(part, column).astype(_dtype(name), copy=False).data
                files[name].write(data)
                crc32[name] = zlib.crc32(data, crc32[name])
    return crc32


def _renumber(file: Path, number: np.ndarray) -> int:
    """Give each movie in the file its place in the table; the checksum."""
    crc32, part = 0, np.empty(BATCH, dtype=_dtype(file.name))
    with file.open("r+b") as stream:
        while read := stream.readinto(part.data):
            stream.seek(-read, os.SEEK_CUR)
            data = number[part[: read // part.itemsize]].astype(part.dtype, copy=False).data
            stream.write(data)
            crc32 = zlib.crc32(data, crc32)
    return crc32


def _dtype(file: str) -> str:
    """The little-endian type that a file of numbers is named after."""
    return f"<{file.rpartition('.')[2]}"


# --- reading -------------------------------------------------------------------------------------


def _read(folder: Path, place: Place, made_of: dict, check: bool = True) -> Dataset:
    """The dataset kept in `folder`; its columns are mapped, not read.

    Args:
        check: whether to compare checksums, which goes through all of it once.

    Raises:
        Outdated: it was made of something else than `made_of`.
        FileNotFoundError: there is none.
        others of `DAMAGE`: a file of it is missing, or is not what was written.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        about, checksum = json.loads((folder / "about.json").read_text())
        if checksum != _checksum(about):
            raise ValueError("about.json is not what was written")
        if about["made_of"] != made_of:
            raise Outdated
        contents = {name: _bytes_of(folder / name) for name in about["crc32"]}
    except FileNotFoundError as error:
        raise ValueError(f"{Path(str(error.filename)).name} is missing") from None
    for name, checksum in about["crc32"].items() if check else ():
        if zlib.crc32(contents[name].data) != checksum:
            raise ValueError(f"{name} is not what was written")
    tables = {
        name: pl.read_ipc(io.BytesIO(contents[f"{name}.arrow"].data))
        for name in ("table", "movies", "links")
        if f"{name}.arrow" in contents
    }
    columns = (contents[name].view(_dtype(name)) for name in COLUMNS.values())
    source = Source(
        name=place.name,
        batches=lambda: place.read().batches(),
        links=tables.get("links"),
        movies=tables["movies"],
        counts=about["counts"],
        files=place.files,
    )
    user_id = contents["user_id.i8"].view("<i8")
    return Dataset(
        source, Ratings(*columns), user_id, tables["table"], about["counts"], kept_in=folder
    )


def _checksum(about: dict) -> int:
    return zlib.crc32(json.dumps(about).encode())


def _bytes_of(file: Path) -> np.memmap:
    """uint8 [bytes], mapped; it stays readable when the file is deleted."""
    return np.memmap(file, np.uint8, "r")
