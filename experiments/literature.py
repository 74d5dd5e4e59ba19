"""Reference recommenders on MovieLens, beside the figures they and others were published with.

A comparison with `bias`, `svd` and `bayes_fm` says little if ours are worse than their authors'.
So each is run as its authors ran it, with the settings they published (not those tuned here), under
the protocol they measured by. On MovieLens 100K each method is run on both kinds of folds:

- `surprise`: rows in random order, then five blocks: `KFold(random_state=0)` of Surprise's
  examples/benchmark.py, the same rows in the same folds.
- `grouplens`: five blocks of the rows in the order of the file, which are the sets u1 .. u5 that
  GroupLens publishes with the data (its `mku.sh`). myFM's tutorial uses u3 alone.

On MovieLens 1M, of which a folder has to be named:

- `ml-1m-5-fold`: five random folds, as Surprise's README.
- `ml-1m-90-10`: a random tenth held out, once, as most papers on neural recommenders.

Splits of MovieLens 1M are random ones, not theirs, since the order of rows differs from copy to
copy; with a million ratings, an RMSE moves by about .001 from one to another.

What differs from the published runs: Surprise clips predictions to 1 .. 5, myFM does not clip
them, this project clips to 0.5 .. 5; myFM's tutorial averages all 200 samples, this project leaves
out the first five; the seeds are others.

    python -m experiments.literature
    python -m experiments.literature --dataset-1m FOLDER --folds ml-1m-90-10 --models bayes_fm_ids
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from experiments.common import Job, ResumableFlags, console, run_jobs
from experiments.published_figures import FIGURES, METHODS, PROTOCOLS, Figure, Folds, Method
from recbench.command_line import run
from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell
from recbench.evaluation.holdouts import Split
from recbench.evaluation.measure import measure
from recbench.files import write_csv
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies
from recbench.registry import family_of
from recbench.runs.resume import open_run, resumed

CLOSE = 0.005  # stars: a difference that folds and seeds account for


@dataclass
class Parameters(ResumableFlags):
    """Edit them here, or give them as flags."""

    models: tuple[str, ...] = (
        *("bias", "svd", "user_knn", "autorec", "bayes_fm_ids", "bayes_fm"),
        *("bayes_fm_implicit", "bayes_fm_implicit_ordinal"),
    )
    """which of the methods of published_figures.py"""
    folds: tuple[Folds, ...] = ("surprise", "grouplens", "ml-1m-5-fold", "ml-1m-90-10")
    """which of the protocols above"""
    dataset_1m: str = ""
    """folder or zip file of MovieLens 1M, or ml-1m; without it its protocols are left out"""


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    methods, folds = check(parameters)
    datasets = {
        is_1m: load_dataset(parameters.dataset_1m if is_1m else "ml-100k")
        for is_1m in sorted({PROTOCOLS[name].is_1m for name in folds})
    }
    folder = open_run(parameters, earlier, "literature", [*datasets.values()])
    jobs = []
    for is_1m, dataset in datasets.items():
        movies = encode_movies(dataset)
        for name in (name for name in folds if PROTOCOLS[name].is_1m == is_1m):
            for fold, method in product(range(1, PROTOCOLS[name].tested + 1), methods):
                if name in method.folds:
                    job = job_of(method, name, fold, dataset, movies, parameters.seed)
                    jobs.append(job)
    run_jobs(jobs, folder)

    rows = folder.finish([method.model for method in methods], started)
    beside = beside_published(rows, methods, folds)
    write_csv(beside, folder.path / "published.csv")
    shown = beside[["model", "folds", "fold", "rmse", "published_rmse", "mae", "published_mae"]]
    console.print(shown.to_string(index=False, float_format="{:.4f}".format, na_rep=""))
    console.print(f"pooled over the ratings of a fold, mean over folds; in {folder.path}")
    return int((rows["status"] == "failed").any())


def job_of(
    method: Method, folds: Folds, fold: int, dataset: Dataset, movies: Movies, seed: int
) -> Job:
    """A method on a fold."""
    key: dict[str, object] = {"folds": folds, "iteration": fold, "model": method.model}
    columns = {
        "dataset": dataset.source.name,
        "folds": folds,
        "num_users": 0,
        "reviews_per_user": 0,
        "iteration": fold,
        "seed": seed,
        "model": method.model,
        "family": family_of(method.cls),
        "settings": json.dumps(method.settings),
    }

    def work() -> dict:
        cell = cell_of(dataset, movies, fold_of_row(dataset, folds) == fold, seed)
        return dict(measure(partial(method.cls, **method.settings), cell).row)

    return Job(key, columns, work)


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


def fold_of_row(dataset: Dataset, folds: Folds) -> np.ndarray:
    """The fold of each row of `dataset.ratings`, int [n], from 1."""
    n = len(dataset.ratings)
    order = np.arange(n)
    if folds != "grouplens":
        np.random.RandomState(0).shuffle(order)  # the very shuffle of Surprise's KFold
    fold_of_file_row = np.empty(n, dtype=np.int64)
    for fold, rows in enumerate(np.array_split(order, PROTOCOLS[folds].blocks), start=1):
        fold_of_file_row[rows] = fold
    if PROTOCOLS[folds].is_1m:  # random rows, whichever these are
        return fold_of_file_row
    return fold_of_file_row[rows_in_file(dataset)]


def rows_in_file(dataset: Dataset) -> np.ndarray:
    """The row in the published file u.data (from 0) of each row of `dataset.ratings`, int [n].

    Ratings are sorted by user when they are joined; user and movie together find them again.
    """
    file, ratings = dataset.source.read_ratings(), dataset.ratings
    wide = int(file["movieId"].to_numpy().max()) + 1
    in_file = file["userId"].to_numpy() * wide + file["movieId"].to_numpy()
    movie_id = dataset.table["movieId"].to_numpy()
    joined = dataset.user_id[ratings.user] * wide + movie_id[ratings.movie]
    by_key = np.argsort(in_file)
    return by_key[np.searchsorted(in_file, joined, sorter=by_key)]


def beside_published(
    rows: pd.DataFrame, methods: list[Method], folds_names: list[Folds]
) -> pd.DataFrame:
    """One row per method and protocol, and one per published figure of a single fold, or of a
    method that is not here.

    Errors are pooled over the ratings of a fold, then averaged over folds; differences are ours
    less theirs.
    """
    records = []
    for method, folds in product(methods, folds_names):
        if folds not in method.folds:
            continue
        own = rows[(rows["model"] == method.model) & (rows["folds"] == folds)]
        figures = [one for one in FIGURES if (one.model, one.folds) == (method.model, folds)]
        if all(figure.fold is not None for figure in figures):
            records.append(summary(method, folds, "all", own))
        for figure in figures:
            tested = own[own["iteration"] == figure.fold] if figure.fold else own
            record = summary(method, folds, figure.fold or "all", tested)
            records.append(record | published(figure, record["rmse"], record["mae"]))
    ours = {method.model for method in METHODS}
    for figure in FIGURES:
        if figure.model not in ours and figure.folds in folds_names:
            records.append(identity(figure.model, figure.folds, "all") | published(figure))
    return pd.DataFrame(records)


def published(figure: Figure, rmse: float = np.nan, mae: float = np.nan) -> dict:
    """A published figure, and how far ours (`rmse`, `mae`) is from it; nan: there is none."""
    there = not np.isnan(rmse)
    return {
        "published_rmse": figure.rmse,
        "published_mae": figure.mae,
        "rmse_difference": rmse - figure.rmse,
        "mae_difference": np.nan if figure.mae is None else mae - figure.mae,
        "like_for_like": not figure.note if there else None,
        f"within_{CLOSE}": abs(rmse - figure.rmse) <= CLOSE if there else None,
        "source": figure.source,
        "note": figure.note or None,
    }


def identity(model: str, folds: Folds, fold: int | str) -> dict:
    described = PROTOCOLS[folds].described
    return {"model": model, "protocol": described, "folds": folds, "fold": fold}


def summary(method: Method, folds: Folds, fold: int | str, rows: pd.DataFrame) -> dict:
    """Means and standard deviations over the folds in `rows`."""
    seconds = rows["fit_seconds"] + rows["predict_seconds"]
    return identity(method.model, folds, fold) | {
        "settings": json.dumps(method.settings),
        "rmse": rows["rmse_pooled"].mean(),
        "rmse_deviation": rows["rmse_pooled"].std(),
        "mae": rows["mae_pooled"].mean(),
        "mae_deviation": rows["mae_pooled"].std(),
        "seconds_per_fold": seconds.mean(),
    }


def check(parameters: Parameters) -> tuple[list[Method], list[Folds]]:
    """The methods and protocols of the flags, as far as they can be run; raises InputError if there
    is nothing to run."""
    methods = {method.model: method for method in METHODS}
    for flag, names, there_are in (
        ("--models", parameters.models, tuple(methods)),
        ("--folds", parameters.folds, tuple(PROTOCOLS)),
    ):
        if not names or len(set(names)) < len(names) or not set(names) <= set(there_are):
            raise InputError(
                f"{flag} is {' '.join(names) or 'empty'}. Expected some of {', '.join(there_are)}, "
                "once each: nothing is published here of others"
            )
    check_range("--seed", parameters.seed, least=0)
    chosen = [methods[model] for model in parameters.models]
    folds = [name for name in parameters.folds if any(name in one.folds for one in chosen)]
    if not parameters.dataset_1m and any(PROTOCOLS[name].is_1m for name in folds):
        folds = [name for name in folds if not PROTOCOLS[name].is_1m]
        console.print("MovieLens 1M is left out: --dataset-1m names the folder where it is")
    if not folds:
        raise InputError(
            f"--folds {' '.join(parameters.folds)}: none of --models "
            f"{' '.join(parameters.models)} is run by them, or MovieLens 1M is not there "
            "(--dataset-1m FOLDER)"
        )
    return chosen, folds


if __name__ == "__main__":
    run(main, Parameters)
