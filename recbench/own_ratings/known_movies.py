"""Catalogue and item table: computed from a dataset once, then read from the user's cache; or read
from a shared file."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import recbench
from recbench.data.cache import cache_folder
from recbench.errors import InputError
from recbench.models.item_table.table import ItemTable
from recbench.own_ratings.catalogue import Catalogue
from weightless.storage import read, write

KIND = "movies"  # of the file
KNOWN = "item-table.zip"  # in the cache
MAKE_IT = "Make it with: python -m recbench item-table FILE"
MADE_BY = ("data", "models", "own_ratings")  # folders of the code that computes both

Tell = Callable[[str], None]  # shows a message to the user


@dataclass(frozen=True)
class KnownMovies:
    """Facts about movies, and the item table with a row for each, learned from other users."""

    catalogue: Catalogue
    table: ItemTable
    # the files of the dataset, with size and time of the last change, and a hash of the code
    made_from: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> KnownMovies:
        """Read what `save` wrote; no content of the file is executed. Raises InputError if the file
        is missing, damaged or of another kind."""
        try:
            header, arrays = read(file, KIND)
            table = ItemTable.of(header, arrays)
            catalogue, made_from = Catalogue.of(header, arrays), dict(header.get("made_from", {}))
        except FileNotFoundError:
            raise InputError(f"{file}: there is no such file. {MAKE_IT}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"{file}: damaged, or no file of movies and item table. {MAKE_IT}"
            raise InputError(message) from None
        if not np.array_equal(table.movie_id, catalogue.movies.movie_id):
            raise InputError(f"{file}: damaged, table and movies are not of one dataset. {MAKE_IT}")
        return cls(catalogue, table, made_from)

    def save(self, file: Path, made_from: dict[str, Any] | None = None) -> None:
        """Write one file, in one step. `made_from` names folders of this machine, so only files in
        the cache have it."""
        (header, arrays), (of_table, columns) = self.catalogue.parts(), self.table.parts()
        write(file, KIND, header | of_table | {"made_from": made_from or {}}, arrays | columns)

    @property
    def about(self) -> str:
        """The content in words."""
        made_from = ", ".join(f"{value} {name}" for name, value in self.table.about.items())
        return (
            f"{len(self.table):,} movies of {self.catalogue.dataset} until "
            f"{self.catalogue.last_year}, made from {made_from or 'no ratings'}; SHA-256 of the "
            f"item table {self.table.checksum()[:16]}"
        )


def open_known_movies(
    dataset: str = "auto", item_table: str = "", tell: Tell = print
) -> KnownMovies:
    """Movies and item table: from `item_table`, else from the cache, else made from `dataset`.

    Args:
        dataset: as for `recbench.data.datasets.load_source`. The cache has a folder per dataset,
            which is computed again if the dataset's files or the code have changed.
        item_table: a file made by `python -m recbench item-table`.

    Raises:
        InputError: there is no such dataset or file, or the cache cannot be written.
    """
    if item_table:
        return KnownMovies.load(Path(item_table).expanduser())
    place = Path(dataset).expanduser()
    name = str(place.resolve()) if place.exists() else dataset
    folder = cache_folder() / "own-ratings" / hashlib.sha256(name.encode()).hexdigest()[:16]
    if (folder / KNOWN).exists():
        try:
            known_movies = KnownMovies.load(folder / KNOWN)
            if _is_current(known_movies.made_from):
                return known_movies
        except InputError:
            tell(f"{folder / KNOWN}: damaged, or from an earlier version. It is computed again")
    return _make(dataset, folder, tell)


def _make(dataset: str, folder: Path, tell: Tell) -> KnownMovies:
    # slow to import, needed once
    from recbench.data.encodings.movies import encode_movies
    from recbench.data.loading import load_dataset
    from recbench.models.item_table.making import item_table_of
    from recbench.own_ratings.of_dataset import catalogue_of

    with redirect_stdout(sys.stderr):  # standard output is for results
        loaded = load_dataset(dataset)
    catalogue = catalogue_of(loaded, encode_movies(loaded))  # may fail, so before the slow part
    if dataset == "auto":
        tell(catalogue.until)
    started = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tell(
            f"learning an item table from {len(loaded.ratings):,} ratings of {loaded.n_users:,} "
            f"users and {len(catalogue):,} movies of {loaded.source.name}; this is done once ..."
        )
        table, movies = item_table_of(loaded)
        made_from = {"files": list(map(_seen, loaded.source.files)), "code": _code()}
        known_movies = KnownMovies(replace(catalogue, movies=movies), table)
        known_movies.save(folder / KNOWN, made_from)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}). Give another folder in the variable "
            "RECBENCH_CACHE"
        ) from None
    tell(f"done in {time.monotonic() - started:.0f} seconds; saved in {folder}")
    return known_movies


def _is_current(made_from: dict[str, Any]) -> bool:
    """Whether the files of the dataset and the code are unchanged."""
    for seen in made_from.get("files", ()):
        if not Path(seen[0]).is_file():
            return True  # a deleted dataset does not make the cache invalid
        if seen != _seen(Path(seen[0])):
            return False
    return made_from.get("code") == _code()


def _seen(file: Path) -> list[str | int]:
    status = file.stat()
    return [str(file.resolve()), status.st_size, status.st_mtime_ns]


def _code() -> str:
    """A hash of the modules that make movies and table."""
    package = Path(recbench.__file__).parent
    files = sorted(file for folder in MADE_BY for file in (package / folder).rglob("*.py"))
    code = b"".join(file.read_bytes() for file in (package / "ratings.py", *files))
    return hashlib.sha256(code).hexdigest()
