"""The datasets by name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from recbench.data import grouplens, kaggle
from recbench.data.grouplens_files import is_grouplens, read_grouplens
from recbench.data.kaggle_files import read_folder
from recbench.data.ml_100k import read_ml_100k
from recbench.data.tables import Source
from recbench.data.zipped import unpacked
from recbench.errors import InputError


@lru_cache(maxsize=1)  # the models of one run read it once
def load_source(dataset: str = "auto") -> Source:
    """The dataset named, or in the folder named.

    Args:
        dataset: "auto" (Kaggle's if it is here or can be fetched, else ml-100k, said in one
            line), "the-movies-dataset", "the-movies-dataset-small", "ml-100k", one of
            `grouplens.NAMES`, or a folder or zip file in the layout of Kaggle or GroupLens.

    Raises:
        InputError: it cannot be had or read; says which file and row, and what to do.
    """
    if dataset == "ml-100k":
        return read_ml_100k()
    if dataset in ("the-movies-dataset", "the-movies-dataset-small"):
        folder = kaggle.find() or kaggle.fetch()
        return read_folder(folder, name=dataset, small=dataset.endswith("-small"))
    if dataset == "auto":
        try:
            return load_source("the-movies-dataset")
        except InputError as error:
            reason = str(error).split(". ", maxsplit=1)[0]
            print(f"--dataset auto: {reason}. Running on ml-100k instead")
            return read_ml_100k()
    path = grouplens.fetch(dataset) if dataset in grouplens.NAMES else Path(dataset).expanduser()
    folder = unpacked(path) if path.is_file() else path
    if not folder.is_dir():
        raise InputError(
            f"--dataset {dataset}: no such folder or zip file. Expected one of auto, "
            f"the-movies-dataset, the-movies-dataset-small, ml-100k, {', '.join(grouplens.NAMES)}, "
            "or a folder or zip file in the layout of Kaggle or GroupLens"
        )
    if is_grouplens(folder) and not (folder / "movies_metadata.csv").exists():
        return read_grouplens(folder, name=path.stem)
    return read_folder(folder, name=path.stem if path.is_file() else None)
