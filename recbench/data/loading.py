"""Datasets by name, joined. Large ones are joined once and cached.

The cache has a folder for each dataset and join, `joined/`: columns of ratings and user ids as .npy
files, which are mapped into memory, tables as .arrow files, and about.json: counts, the CRC-32 of
each file, and its origin: the size and times of the files, the code of this package and the version
of polars. If any of these has changed, the dataset is joined again. The folder gets its name when
it is complete; one process makes it, others wait.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock

from recbench.data.cache import cache_folder
from recbench.data.dataset import Dataset, join_movies
from recbench.data.datasets import Place, locate
from recbench.data.tables import Source
from recbench.ratings import Ratings

LARGE = 20_000_000  # bytes of ratings, some 800,000 of them
COLUMNS = ("user", "movie", "stars", "time")
OPTIONAL = ("links", "users")  # tables of a source
DAMAGE = (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError)


def load_dataset(dataset: str = "auto", join: str = "links", cache: bool = True) -> Dataset:
    """The joined dataset of that name, kept in memory for the next call.

    Args:
        dataset: see `recbench.data.datasets.locate`.
        join: see `join_movies`.
        cache: whether a large one is stored in and read from the user's cache.
    """
    return _load(dataset, join, cache)


@lru_cache(maxsize=2)
def _load(dataset: str, join: str, cache: bool) -> Dataset:
    loaded = _joined(locate(dataset), join, cache)
    if loaded.source.description and not parent_process():  # once, not by each worker
        print(loaded.source.description)
    return loaded


def _joined(place: Place, join: str, cache: bool) -> Dataset:
    if cache and place.files and place.files[0].stat().st_size >= LARGE:
        try:
            return _load_cached(place, join)
        except OSError as error:
            print(f"{place.name}: cannot be cached ({error}); every run joins it again")
    return join_movies(place.read(), join)


def size_of(folder: Path) -> str:
    """Size of the files in it, as text."""
    return f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:,.1f} MB"


# --- the cache ----------------------------------------------------------------------------------


class Outdated(ValueError):
    """The cached dataset was made from other files, or by other code."""


def _load_cached(place: Place, join: str) -> Dataset:
    """Read from the cache, after storing it there if necessary.

    Raises:
        InputError: as `Place.read` and `join_movies`.
        OSError: the cache cannot be written.
    """
    paths = [str(file.resolve()) for file in place.files]
    key = hashlib.sha256(json.dumps([place.name, join, paths, place.flags]).encode()).hexdigest()[
        :12
    ]
    folder = cache_folder() / "joined" / f"{place.name.replace('/', '-')}-{join}-{key}"
    made_of = _made_of(place)
    try:
        return _read(folder, place, made_of)
    except DAMAGE:  # or it is not there, or another process is making it
        folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        try:
            return _read(folder, place, made_of)
        except FileNotFoundError:
            pass
        except Outdated:
            print(f"{place.name}: its files or the code have changed; it is joined again")
        except DAMAGE as error:
            print(f"{folder}: is damaged ({error}); {place.name} is joined again")
        _write(folder, join_movies(place.read(), join), made_of)
        print(f"{place.name}: joined once, for all later runs, in {folder} ({size_of(folder)})")
        return _read(folder, place, made_of)


def _made_of(place: Place) -> dict:
    """Modification times replace hashes of the contents, which would take half a second of each
    run. Setting back the time of a file changes its `st_ctime`."""
    status = [file.stat() for file in place.files]
    code = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        code.update(file.read_bytes())
    return {
        "files": [[one.st_size, one.st_mtime_ns, one.st_ctime_ns] for one in status],
        "code": code.hexdigest(),
        "polars": pl.__version__,
    }


def _write(folder: Path, dataset: Dataset, made_of: dict) -> None:
    """Make the folder, complete or not at all."""
    scratch = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    tables = {"table": dataset.table, "movies": dataset.source.movies}
    for name in OPTIONAL:
        if (table := getattr(dataset.source, name)) is not None:
            tables[name] = table
    try:
        scratch.mkdir()
        for name in COLUMNS:
            np.save(scratch / f"{name}.npy", getattr(dataset.ratings, name))
        np.save(scratch / "user_id.npy", dataset.user_id)
        for name, table in tables.items():
            table.write_ipc(scratch / f"{name}.arrow")
        crc32 = {file.name: _crc32(file) for file in scratch.iterdir()}
        about: dict = {"made_of": made_of, "counts": dataset.counts, "crc32": crc32}
        about |= {"description": dataset.source.description, "unit": dataset.source.unit}
        text = json.dumps(about)
        (scratch / "about.json").write_text(json.dumps([about, zlib.crc32(text.encode())]))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(scratch, folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _read(folder: Path, place: Place, made_of: dict) -> Dataset:
    """The dataset in `folder`, its ratings memory-mapped. Checking the checksums reads all of it
    once.

    Raises:
        Outdated: its origin is not `made_of`.
        FileNotFoundError: there is none.
        others of `DAMAGE`: a file is missing or has changed.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        about, checksum = json.loads((folder / "about.json").read_text())
        if checksum != zlib.crc32(json.dumps(about).encode()):
            raise ValueError("about.json is not what was written")
        if about["made_of"] != made_of:
            raise Outdated
        for name, checksum in about["crc32"].items():
            if _crc32(folder / name) != checksum:
                raise ValueError(f"{name} is not what was written")
        *columns, user_id = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in (*COLUMNS, "user_id")
        )
        tables = {
            name: pl.scan_ipc(folder / f"{name}.arrow", glob=False).collect()
            for name in ("table", "movies", *OPTIONAL)
            if f"{name}.arrow" in about["crc32"]
        }
    except FileNotFoundError as error:
        raise ValueError(f"{Path(str(error.filename)).name} is missing") from None
    source = Source(
        name=place.name,
        read_ratings=lambda: place.read().read_ratings(),
        movies=tables["movies"],
        counts=about["counts"],
        files=place.files,
        links=tables.get("links"),
        users=tables.get("users"),
        description=about["description"],
        unit=about["unit"],
    )
    table, counts = tables["table"], about["counts"]
    return Dataset(source, Ratings(*columns), user_id, table, counts, cached_in=folder)


def _crc32(file: Path) -> int:
    return zlib.crc32(np.memmap(file, np.uint8, "r").data)
