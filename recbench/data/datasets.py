"""The datasets by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from recbench.data import any_table, downloads, kaggle
from recbench.data.cache import unpacked
from recbench.data.layouts import Files, files_of, read_files
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
    """Location of a dataset.

    Attributes:
        name: as in the results.
        files: the files to read, ratings first; none for one of `READERS`, which is small and may
            need a download.
        read: reads it; raises InputError if it cannot be read.
        flags: of your own table.
    """

    name: str
    files: tuple[Path, ...]
    read: Callable[[], Source]
    flags: str = ""


def load_source(dataset: str = "auto") -> Source:
    """The dataset of this name or folder; see `locate`."""
    return locate(dataset).read()


@lru_cache(maxsize=1)  # "auto" is decided once in a run
def locate(dataset: str = "auto") -> Place:
    """Location of a dataset, downloaded or unpacked if necessary.

    Args:
        dataset: one of `NAMES` ("auto": Kaggle's if it is here or can be downloaded, else ml-100k;
            one line reports which); or a folder or zip file in the layout of Kaggle or GroupLens;
            or a table of ratings, or a folder or zip file with one, optionally followed by flags
            (see `recbench.data.scales`).

    Raises:
        InputError: it is unavailable or unreadable; names file and row, and what to do.
    """
    name, flags = split_flags(dataset)
    if name in NAMES and flags != TableFlags():
        raise InputError(
            f"--dataset {name} takes no --scale, --missing or --text-encoding. They are for "
            "your own table"
        )
    if name not in NAMES:
        return _at(Path(name).expanduser(), flags)
    if name in downloads.MOVIELENS:
        return _at(downloads.fetch_movielens(name), flags)
    if name in downloads.MOVIETWEETINGS:
        return _folder_place(files_of(downloads.fetch_movietweetings(name)), name, tweets=True)
    if name in READERS:
        return Place(name, (), READERS[name])
    try:
        folder = kaggle.find() or kaggle.fetch()
    except InputError as error:
        if name != "auto":
            raise
        reason = str(error).split(". ", maxsplit=1)[0]
        print(f"--dataset auto: {reason}. Running on ml-100k instead")
        return Place("ml-100k", (), read_ml_100k)
    name = KAGGLE[0] if name == "auto" else name
    return _folder_place(files_of(folder, small=name.endswith("-small")), name)


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
    name = path.stem if path.is_file() else ""
    if flags == TableFlags() and (files := files_of(folder)):
        return _folder_place(
            files, name or (_name(files.ratings) if not files.listed else path.stem)
        )
    table = any_table.find_table(folder)
    if table is None:
        raise InputError(
            f"{folder}: has no table of ratings. Expected the files of Kaggle's "
            f"{kaggle.HANDLE}, of GroupLens's sets, or a file of {', '.join(SUFFIXES)}"
        )
    return _table_place(table, flags, name)


def _folder_place(files: Files | None, name: str, tweets: bool = False) -> Place:
    assert files is not None
    return Place(name, files.all, partial(read_files, files, name, tweets))


def _table_place(file: Path, flags: TableFlags, name: str = "") -> Place:
    name = name or _name(file)
    return Place(name, (file,), partial(any_table.read_table, file, name, flags), str(flags))


def _name(ratings: Path) -> str:
    """Name of a file's dataset in the results: its folder and file name."""
    return f"{ratings.parent.resolve().name}/{ratings.stem}"
