"""Movies and their item table: made from a dataset once, then read from the user's cache."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import recbench
from recbench.data.cache import cache_folder
from recbench.errors import InputError
from recbench.models.item_table.table import ItemTable
from recbench.own_ratings.catalogue import Catalogue

TABLE, MOVIES, SOURCE = "item-table.npz", "movies.npz", "made-from.json"
MADE_BY = ("data", "models", "own_ratings")  # folders of the code that makes them

Tell = Callable[[str], None]  # a message for whoever waits


@dataclass(frozen=True)
class KnownMovies:
    """Facts about movies, and the item table with a row for each, learned from other users."""

    catalogue: Catalogue
    table: ItemTable

    @classmethod
    def load(cls, folder: Path) -> KnownMovies:
        """What `save` wrote. Raises InputError if a file is missing, damaged or of other movies."""
        catalogue = Catalogue.load(folder / MOVIES)
        table = ItemTable.load(folder / TABLE)
        return cls(catalogue, _with_rows_of(catalogue, table, folder / TABLE))

    def save(self, folder: Path) -> None:
        """Two files, each written in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        self.table.save(folder / TABLE)
        self.catalogue.save(folder / MOVIES)


def open_known_movies(
    dataset: str = "auto", item_table: str = "", tell: Tell = print
) -> KnownMovies:
    """Movies and item table: from `item_table`, else from the cache, else made from `dataset`.

    Args:
        dataset: as `recbench.data.datasets.load_source` takes it. The cache has a folder for each;
            it is made again when the files of the dataset or the code have changed.
        item_table: a folder that holds both files, or a table made by `python -m
            recbench.models.item_table`, whose movies are those of the dataset.

    Raises:
        InputError: there is no such dataset or table, or the cache cannot be written.
    """
    if item_table:
        path = Path(item_table).expanduser()
        if path.is_dir():
            return KnownMovies.load(path)
        table = ItemTable.load(path)  # a wrong file is an error before anything long is done
        catalogue = open_known_movies(dataset, tell=tell).catalogue
        return KnownMovies(catalogue, _with_rows_of(catalogue, table, path))
    place = Path(dataset).expanduser()
    name = str(place.resolve()) if place.exists() else dataset
    folder = cache_folder() / "own-ratings" / hashlib.sha256(name.encode()).hexdigest()[:16]
    if _is_current(folder / SOURCE):
        try:
            return KnownMovies.load(folder)
        except InputError as error:
            tell(f"{error}. It is made again")
    return _make(dataset, folder, tell)


def _make(dataset: str, folder: Path, tell: Tell) -> KnownMovies:
    # slow to import, needed once
    from rich.console import Console

    from recbench.data.encodings.movies import encode_movies
    from recbench.data.loading import load_dataset
    from recbench.models.item_table.making import item_table_of
    from recbench.own_ratings.of_dataset import catalogue_of

    printed = io.StringIO()
    try:
        with redirect_stdout(printed):  # standard output is for results
            loaded = load_dataset(dataset)
    finally:
        for line in printed.getvalue().splitlines():
            tell(line)
    catalogue = catalogue_of(loaded, encode_movies(loaded))  # what may fail, before what takes long
    started = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tell(
            f"learning an item table from {len(loaded.ratings):,} ratings of {loaded.n_users:,} "
            f"users and {len(catalogue):,} movies of {loaded.source.name}; this is done once ..."
        )
        with Console(stderr=True).status("learning ..."):  # in a terminal alone
            table, movies = item_table_of(loaded)
        known_movies = KnownMovies(replace(catalogue, movies=movies), table)
        known_movies.save(folder)
        stats = [(file.resolve(), file.stat()) for file in loaded.source.files]
        files = [[str(file), stat.st_size, stat.st_mtime_ns] for file, stat in stats]
        unfinished = folder / f"{SOURCE}.{os.getpid()}.unfinished"
        unfinished.write_text(json.dumps({"files": files, "code": _code()}, indent=1))
        os.replace(unfinished, folder / SOURCE)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}). Give another folder in the variable "
            "RECBENCH_CACHE"
        ) from None
    tell(f"done in {time.monotonic() - started:.0f} seconds; saved in {folder}")
    return known_movies


def _with_rows_of(catalogue: Catalogue, table: ItemTable, path: Path) -> ItemTable:
    movie_id = catalogue.movies.movie_id
    if len(table) == len(movie_id) and (table.movie_id == movie_id).all():
        return table
    if not set(table.movie_id.tolist()) & set(movie_id.tolist()):
        raise InputError(
            f"{path}: has none of the {len(movie_id):,} movies of {catalogue.dataset}. Was it made "
            "from another dataset? Say which: --dataset"
        )
    return table.for_movies(catalogue.movies)


def _is_current(source: Path) -> bool:
    """Whether the files of the dataset, and the code, are those that the folder was made from."""
    try:
        made_from = json.loads(source.read_text())
        for name, *as_read in made_from["files"]:
            if not Path(name).is_file():
                return True  # the dataset is gone, what was made from it is not
            now = Path(name).stat()
            if as_read != [now.st_size, now.st_mtime_ns]:
                return False
        return made_from["code"] == _code()
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _code() -> str:
    """A hash of the modules that make movies and table."""
    package = Path(recbench.__file__).parent
    files = sorted(file for folder in MADE_BY for file in (package / folder).rglob("*.py"))
    code = b"".join(file.read_bytes() for file in (package / "ratings.py", *files))
    return hashlib.sha256(code).hexdigest()
