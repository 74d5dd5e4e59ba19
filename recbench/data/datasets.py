"""The datasets by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from recbench.data import grouplens, grouplens_files, kaggle
from recbench.data.cache import unpacked
from recbench.data.ml_100k import read_ml_100k
from recbench.data.tables import Source
from recbench.errors import InputError

# Those that are read whole, by name
READERS: dict[str, Callable[[], Source]] = {"ml-100k": read_ml_100k}
NAMES = ("auto", "the-movies-dataset", "the-movies-dataset-small", *READERS, *grouplens.NAMES)


@dataclass(frozen=True)
class Place:
    """Where a dataset lies.

    Attributes:
        name: as it stands in the results.
        files: what is read, ratings first; none for one of `READERS`, which is small and may yet
            have to be fetched.
        read: reads it. Raises InputError if that cannot be done.
    """

    name: str
    files: tuple[Path, ...]
    read: Callable[[], Source]


def load_source(dataset: str = "auto") -> Source:
    """The dataset named, or in the folder named; see `locate`."""
    return locate(dataset).read()


@lru_cache(maxsize=1)  # "auto" is decided once in a run
def locate(dataset: str = "auto") -> Place:
    """Where the dataset named lies, fetched or unpacked if need be.

    Args:
        dataset: "auto" (Kaggle's if it is here or can be fetched, else ml-100k, said in one
            line), "the-movies-dataset", "the-movies-dataset-small", "ml-100k", one of
            `grouplens.NAMES`, or a folder or zip file in the layout of Kaggle or GroupLens.

    Raises:
        InputError: it cannot be had or read; says which file and row, and what to do.
    """
    if dataset in READERS:
        return Place(dataset, (), READERS[dataset])
    if dataset in ("the-movies-dataset", "the-movies-dataset-small"):
        folder = kaggle.find() or kaggle.fetch()
        return _kaggle_place(folder, dataset, small=dataset.endswith("-small"))
    if dataset == "auto":
        try:
            return _kaggle_place(kaggle.find() or kaggle.fetch(), "the-movies-dataset")
        except InputError as error:
            reason = str(error).split(". ", maxsplit=1)[0]
            print(f"--dataset auto: {reason}. Running on ml-100k instead")
            return Place("ml-100k", (), read_ml_100k)
    path = grouplens.fetch(dataset) if dataset in grouplens.NAMES else Path(dataset).expanduser()
    folder = unpacked(path) if path.is_file() else path
    if not folder.is_dir():
        raise InputError(
            f"--dataset {dataset}: no such folder or zip file. Expected one of "
            f"{', '.join(NAMES)}, or a folder or zip file in the layout of Kaggle or GroupLens"
        )
    if grouplens_files.is_grouplens(folder) and not (folder / "movies_metadata.csv").exists():
        files = grouplens_files.files_of(folder)
        return Place(path.stem, files, partial(grouplens_files.read_grouplens, folder, path.stem))
    return _kaggle_place(folder, path.stem if path.is_file() else None)


def _kaggle_place(folder: Path, name: str | None, small: bool = False) -> Place:
    files = kaggle.files_of(folder, small)
    name = name or kaggle.name_of(folder, files[0])
    return Place(name, files, partial(kaggle.read_folder, folder, name, small))
