"""Movies and their item table: made of a dataset once, kept in the user's cache."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import recbench
from recbench.data.cache import cache_folder
from recbench.errors import InputError
from recbench.models.item_table.table import ItemTable
from recbench.own_ratings.catalogue import Catalogue

TABLE, FILMS, INDEX = "item-table.npz", "movies.npz", "index.json"
MADE_BY = (".", "data", "data/encodings", "factorization", "item_table", "own_ratings")

Tell = Callable[[str], None]  # a message for whoever waits


@dataclass(frozen=True)
class KnownMovies:
    """What is known of movies.

    Attributes:
        catalogue: facts.
        table: what other users' ratings say, a row for each movie of the catalogue.
    """

    catalogue: Catalogue
    table: ItemTable

    @classmethod
    def load(cls, folder: Path) -> KnownMovies:
        """What `save` wrote.

        Raises:
            InputError: a file is missing, damaged, or of other movies.
        """
        catalogue = Catalogue.load(folder / FILMS)
        table = ItemTable.load(folder / TABLE)
        return cls(catalogue, _fitting(table, catalogue, folder / TABLE))

    def save(self, folder: Path) -> None:
        """Two files, each written in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        self.table.save(folder / TABLE)
        self.catalogue.save(folder / FILMS)


def open_known_movies(
    dataset: str = "auto", item_table: str = "", tell: Tell = print
) -> KnownMovies:
    """Movies and item table: from `item_table`, else as kept in the cache, else made of `dataset`.

    Args:
        dataset: as `recbench.data.datasets.load_source` takes it. What it was is remembered, so
            that the next call reads no dataset; files that have changed since are read anew, and
            so are all when the code that makes the table has.
        item_table: a folder that holds both files, or a table made by `python -m
            recbench.models.item_table`, whose movies are those of the dataset.
        tell: called with a sentence where something takes time.

    Raises:
        InputError: there is no such dataset or table, or the cache cannot be written.
    """
    if item_table and Path(item_table).is_dir():
        return KnownMovies.load(Path(item_table))
    if item_table:  # tells of a wrong file before anything long is done
        table = ItemTable.load(item_table)
        known_movies = open_known_movies(dataset, tell=tell)
        return KnownMovies(
            known_movies.catalogue, _fitting(table, known_movies.catalogue, Path(item_table))
        )
    kept = cache_folder() / "own-ratings"
    folder = _known(kept / INDEX, dataset)
    if folder is not None:
        try:
            return KnownMovies.load(kept / folder)
        except InputError as error:
            tell(f"{error}. It is made again")
    return _make(dataset, kept, tell)


def _make(dataset: str, kept: Path, tell: Tell) -> KnownMovies:
    # slow to import, needed once
    from recbench.data.loading import load_dataset
    from recbench.own_ratings.of_dataset import known_movies_of

    with _messages_of_others(tell):
        loaded = load_dataset(dataset)
    fingerprint = loaded.source.fingerprint()
    tell(
        f"learning what {loaded.n_users:,} users' {len(loaded.ratings):,} ratings of "
        f"{loaded.source.name} say of movies. Once, a minute or so for a million ratings ..."
    )
    started = time.monotonic()
    with _clock_running():
        known_movies = known_movies_of(loaded)
    try:
        known_movies.save(kept / fingerprint)
        _remember(kept / INDEX, dataset, fingerprint, loaded.source.files)
    except OSError as error:
        raise InputError(
            f"{kept}: cannot be written ({error.strerror}). Give another folder in the variable "
            "RECBENCH_CACHE"
        ) from None
    tell(f"done in {time.monotonic() - started:.0f} seconds; kept in {kept / fingerprint}")
    return known_movies


@contextmanager
def _clock_running() -> Iterator[None]:
    """Shows in a terminal that it goes on, and since when."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("learning"), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        progress.add_task("learning", total=None)
        yield


@contextmanager
def _messages_of_others(tell: Tell) -> Iterator[None]:
    """What is printed in here goes through `tell`: standard output is for results."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            tell(line)


def _fitting(table: ItemTable, catalogue: Catalogue, path: Path) -> ItemTable:
    """The table with the rows of the catalogue."""
    wanted = catalogue.movies.movie_id
    if len(table) == len(wanted) and (table.movie_id == wanted).all():
        return table
    if not set(table.movie_id.tolist()) & set(wanted.tolist()):
        raise InputError(
            f"{path}: knows none of the {len(wanted):,} movies of {catalogue.dataset}. Was it made "
            "of another dataset? Say which: --dataset"
        )
    return table.for_movies(catalogue.movies)


# --- which folder of the cache is of which dataset -----------------------------------------------


def _known(index: Path, dataset: str) -> str | None:
    """The folder made of `dataset`, unless its files or the code have changed since."""
    entry = _entries(index).get(_name(dataset))
    if not isinstance(entry, dict) or not isinstance(entry.get("folder"), str):
        return None
    for file, *as_read in entry.get("files", []):
        try:
            now = Path(file).stat()
        except OSError:
            return entry["folder"]  # the dataset is gone, what was made of it is not
        if as_read != [now.st_size, now.st_mtime_ns]:
            return None
    return entry["folder"] if entry.get("code") == _code() else None


def _remember(index: Path, dataset: str, folder: str, files: tuple[Path, ...]) -> None:
    read = [[str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    entry = {"folder": folder, "files": read, "code": _code()}
    entries = _entries(index) | {_name(dataset): entry}
    unfinished = index.with_name(f"{index.name}.{os.getpid()}.unfinished")
    unfinished.write_text(json.dumps(entries, indent=1))
    os.replace(unfinished, index)


def _code() -> str:
    """A hash of the modules that make movies and table."""
    package = Path(recbench.__file__).parent
    code = hashlib.sha256()
    for file in sorted(file for folder in MADE_BY for file in (package / folder).glob("*.py")):
        code.update(file.read_bytes())
    return code.hexdigest()


def _entries(index: Path) -> dict[str, Any]:
    try:
        entries = json.loads(index.read_text())
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _name(dataset: str) -> str:
    path = Path(dataset).expanduser()
    return str(path.resolve()) if path.exists() else dataset
