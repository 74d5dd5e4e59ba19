"""The datasets by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from recbench.data import any_table, downloads, grouplens_files, kaggle
from recbench.data.cache import unpacked
from recbench.data.ml_100k import read_ml_100k
from recbench.data.scales import TableFlags, split_flags
from recbench.data.scanning import SUFFIXES
from recbench.data.tables import Source
from recbench.errors import InputError

# Those that are read whole, by name
READERS: dict[str, Callable[[], Source]] = {"ml-100k": read_ml_100k}
KAGGLE = ("the-movies-dataset", "the-movies-dataset-small")
NAMES = ("auto", *KAGGLE, *READERS, *downloads.MOVIELENS, *downloads.MOVIETWEETINGS)


@dataclass(frozen=True)
class Place:
    """Where a dataset lies.

    Attributes:
        name: as it stands in the results.
        files: what is read, ratings first; none for one of `READERS`, which is small and may yet
            have to be fetched.
        read: reads it. Raises InputError if that cannot be done.
        flags: of a table of one's own, how it is read.
    """

    name: str
    files: tuple[Path, ...]
    read: Callable[[], Source]
    flags: str = ""


def load_source(dataset: str = "auto") -> Source:
    """The dataset named, or in the folder named; see `locate`."""
    return locate(dataset).read()


@lru_cache(maxsize=1)  # "auto" is decided once in a run
def locate(dataset: str = "auto") -> Place:
    """Where the dataset named lies, fetched or unpacked if need be.

    Args:
        dataset: one of `NAMES` ("auto": Kaggle's if it is here or can be fetched, else ml-100k,
            said in one line); or a folder or zip file in the layout of Kaggle or GroupLens; or a
            table of ratings, or a folder or zip file with one, behind which there may be flags
            (see `recbench.data.scales`).

    Raises:
        InputError: it cannot be had or read; says which file and row, and what to do.
    """
    name, flags = split_flags(dataset)
    if name in NAMES and flags != TableFlags():
        raise InputError(
            f"--dataset {name} is read as it is. --scale, --missing and --text-encoding are for a "
            "table of your own"
        )
    if name not in NAMES or name in downloads.MOVIELENS:
        path = downloads.fetch_movielens(name) if name in NAMES else Path(name).expanduser()
        return _at(path, flags)
    if name == "auto":
        try:
            return _kaggle_place(kaggle.find() or kaggle.fetch(), KAGGLE[0])
        except InputError as error:
            reason = str(error).split(". ", maxsplit=1)[0]
            print(f"--dataset auto: {reason}. Running on ml-100k instead")
            return Place("ml-100k", (), read_ml_100k)
    if name in downloads.MOVIETWEETINGS:
        folder = downloads.fetch_movietweetings(name)
        files = grouplens_files.files_of(folder)
        read = partial(grouplens_files.read_grouplens, folder, name, tweets=True)
        return Place(name, files, read)
    if name in KAGGLE:
        folder = kaggle.find() or kaggle.fetch()
        return _kaggle_place(folder, name, small=name.endswith("-small"))
    return Place(name, (), READERS[name])


def _at(path: Path, flags: TableFlags) -> Place:
    """The dataset in a folder or file."""
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return _table_place(path, flags)
    folder = unpacked(path) if path.is_file() else path
    if not folder.is_dir():
        raise InputError(
            f"--dataset {path}: no such folder or file. Expected one of {', '.join(NAMES)}; or a "
            "folder or zip file in the layout of Kaggle or GroupLens, or with a table of ratings; "
            f"or such a table ({', '.join(SUFFIXES)})"
        )
    name = path.stem if path.is_file() else None
    if flags == TableFlags():
        if (folder / "movies_metadata.csv").exists():
            return _kaggle_place(folder, name)
        if grouplens_files.is_grouplens(folder):
            files = grouplens_files.files_of(folder)
            read = partial(grouplens_files.read_grouplens, folder, path.stem)
            return Place(path.stem, files, read)
        if any(folder.glob("links*.csv")) and not (folder / "movies.csv").exists():
            return _kaggle_place(folder, name)
    table = any_table.find_table(folder)
    if table is None:
        raise InputError(
            f"{folder}: has no table of ratings. Expected the files of Kaggle's "
            f"{kaggle.HANDLE}, of GroupLens's sets, or a file of {', '.join(SUFFIXES)}"
        )
    return _table_place(table, flags, name)


def _table_place(file: Path, flags: TableFlags, name: str | None = None) -> Place:
    name = name or kaggle.name_of(file.parent, file)
    return Place(name, (file,), partial(any_table.read_table, file, name, flags), str(flags))


def _kaggle_place(folder: Path, name: str | None, small: bool = False) -> Place:
    files = kaggle.files_of(folder, small)
    name = name or kaggle.name_of(folder, files[0])
    return Place(name, files, partial(kaggle.read_folder, folder, name, small))
