"""Reference recommenders on MovieLens, compared with their published figures.

A comparison with `bias`, `svd` and `bayes_fm` says little if ours are worse than those of their
authors. So each runs with the settings (not those tuned here) and under the protocol that its
authors published:

- `surprise`: rows in random order, then five blocks: `KFold(random_state=0)` of Surprise's
  examples/benchmark.py, the same rows in the same folds.
- `grouplens`: u3 of the five blocks of the rows in the order of the file, which GroupLens publishes
  with the data (its `mku.sh`), as in myFM's tutorial.

On MovieLens 1M, whose folder must be named, the order of rows differs between copies, so the folds
are random and not those of the authors. With a million ratings, an RMSE differs by about .001
between splits:

- `ml-1m-5-fold`: five random folds, as Surprise's README.
- `ml-1m-90-10`: a random tenth held out, once, as most papers on neural recommenders.

What differs from the published runs: Surprise clips predictions to 1 .. 5, myFM does not clip
them, this project clips to 0.5 .. 5; myFM's tutorial averages all 200 samples, this project leaves
out the first five; the seeds are others.

    python -m experiments.literature
    python -m experiments.literature --dataset-1m FOLDER --folds ml-1m-90-10 --models autorec
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.common import Flags, Job, console, run_experiment
from recbench.command_line import run
from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell
from recbench.evaluation.holdouts import Split
from recbench.evaluation.measure import measure
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies
from recbench.registry import load_recommender
from recbench.runs.run_folder import RunFolder

# name -> (in words, number of blocks, which are held out in turn)
PROTOCOLS = {
    "surprise": ("MovieLens 100K, 5-fold, Surprise's KFold(random_state=0)", 5, (1, 2, 3, 4, 5)),
    "grouplens": ("MovieLens 100K, GroupLens's u3", 5, (3,)),
    "ml-1m-5-fold": ("MovieLens 1M, 5-fold, random", 5, (1, 2, 3, 4, 5)),
    "ml-1m-90-10": ("MovieLens 1M, a random tenth held out", 10, (1,)),
}


IN_WORDS = {name: words for name, (words, *_) in PROTOCOLS.items()}
COLUMNS = [
    *("model", "folds", "protocol", "rmse", "published_rmse", "mae", "published_mae"),
    *("rmse_difference", "source", "note"),
]
# Published errors in stars, pooled over the ratings of a fold, mean over folds; empty: not
# published. `recommender` is run with `settings`; `note` says what differs from the published run.
FIGURES = pd.read_csv(Path(__file__).with_name("published_figures.csv")).fillna({"note": ""})


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    models: tuple[str, ...] = tuple(FIGURES["model"].unique())
    """which recommenders"""
    folds: tuple[str, ...] = tuple(PROTOCOLS)
    """which of the protocols above"""
    dataset_1m: str = ""
    """folder or zip file of MovieLens 1M, or ml-1m; if empty, its protocols are left out"""


def main(parameters: Parameters) -> int:
    figures = chosen(parameters)
    load = cache(lambda is_1m: load_dataset(parameters.dataset_1m if is_1m else "ml-100k"))
    jobs = []
    for figure in figures.itertuples():
        dataset = load("1m" in figure.folds)
        for fold in PROTOCOLS[figure.folds][2]:
            key = {"folds": figure.folds, "iteration": fold, "model": figure.model}
            columns = {"dataset": dataset.source.name, **key, "settings": figure.settings}
            work = partial(errors, figure, dataset, fold, parameters.seed)
            jobs.append(Job(key, columns, work))
    datasets = [load(is_1m) for is_1m in sorted({"1m" in folds for folds in figures["folds"]})]
    return run_experiment(parameters, "literature", datasets, lambda _: jobs, tables)


def chosen(parameters: Parameters) -> pd.DataFrame:
    """The figures that the flags select and that can be measured; raises InputError if there are
    none."""
    for flag, names, there_are in (
        ("--models", parameters.models, Parameters.models),
        ("--folds", parameters.folds, tuple(PROTOCOLS)),
    ):
        if unknown := set(names) - set(there_are):
            raise InputError(
                f"{flag} is {' '.join(sorted(unknown))}. Expected some of {', '.join(there_are)}: "
                "no figures of others are published here"
            )
    found = FIGURES[
        FIGURES["model"].isin(parameters.models) & FIGURES["folds"].isin(parameters.folds)
    ]
    of_1m = found["folds"].str.contains("1m")
    if not parameters.dataset_1m and of_1m.any():
        found = found[~of_1m]
        console.print("MovieLens 1M is left out. Name its folder with --dataset-1m")
    if found.empty:
        raise InputError("--models, --folds: nothing is left to measure. Name others")
    return found


def errors(figure: Any, dataset: Dataset, fold: int, seed: int) -> dict:
    """The scores of a recommender on a fold."""
    cls = load_recommender(figure.recommender)
    held_out = fold_of_row(dataset, figure.folds) == fold
    cell = cell_of(dataset, encode_movies(dataset), held_out, seed)
    return dict(measure(partial(cls, **json.loads(figure.settings)), cell).row)


def cell_of(dataset: Dataset, movies: Movies, held_out: np.ndarray, seed: int) -> Cell:
    """All users, with the rows of the mask `held_out` (bool [ratings]) to test on."""
    ratings = dataset.ratings
    nobody = ratings.take(np.empty(0, dtype=np.int64))
    split = Split(ratings.take(~held_out), ratings.take(held_out), nobody)
    item_baseline = ItemBaseline.fit(split.train, movies)
    candidates = np.unique(ratings.movie)
    return Cell(
        movies, candidates, item_baseline, split, split, dataset.user_id, 0, model_seed=seed
    )


def fold_of_row(dataset: Dataset, folds: str) -> np.ndarray:
    """The fold of each row of `dataset.ratings`, int [n], from 1."""
    n = len(dataset.ratings)
    order = np.arange(n)
    if folds != "grouplens":
        np.random.RandomState(0).shuffle(order)  # exactly the shuffle of Surprise's KFold
    fold_of_file_row = np.empty(n, dtype=np.int64)
    for fold, rows in enumerate(np.array_split(order, PROTOCOLS[folds][1]), start=1):
        fold_of_file_row[rows] = fold
    if "1m" in folds:  # random folds do not depend on the order of rows
        return fold_of_file_row
    return fold_of_file_row[rows_in_file(dataset)]


def rows_in_file(dataset: Dataset) -> np.ndarray:
    """The row in the published file u.data (from 0) of each row of `dataset.ratings`, int [n].

    Joined ratings are sorted by user; user and movie together identify them in the file.
    """
    file, ratings = dataset.source.read_ratings(), dataset.ratings
    wide = int(file["movieId"].to_numpy().max()) + 1
    in_file = file["userId"].to_numpy() * wide + file["movieId"].to_numpy()
    movie_id = dataset.table["movieId"].to_numpy()
    joined = dataset.user_id[ratings.user] * wide + movie_id[ratings.movie]
    by_key = np.argsort(in_file)
    return by_key[np.searchsorted(in_file, joined, sorter=by_key)]


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    """A row for each figure: errors pooled over the ratings of a fold, mean over folds."""
    key = ["model", "folds"]
    mean = rows.groupby(key, sort=False)[["rmse_pooled", "mae_pooled"]].mean().reset_index()
    table = FIGURES.merge(mean, on=key).assign(protocol=lambda t: t["folds"].map(IN_WORDS))
    names = {"rmse": "published_rmse", "mae": "published_mae"}
    table = table.rename(columns=names | {"rmse_pooled": "rmse", "mae_pooled": "mae"})
    table["rmse_difference"] = table["rmse"] - table["published_rmse"]
    return {"published.csv": table[COLUMNS]}


if __name__ == "__main__":
    run(main, Parameters)
