"""Reference recommenders on MovieLens 100K, beside the figures they were published with.

A comparison with `bias`, `svd` and `bayes_fm` says little if ours are worse than their authors'.
So each is run as its authors ran it, with the settings they published (not those tuned here), by
5-fold cross-validation. There are two ways of making the folds, and each method is run on both:

- `surprise`: rows in random order, then five blocks: `KFold(random_state=0)` of Surprise's
  examples/benchmark.py, the same rows in the same folds.
- `grouplens`: five blocks of the rows in the order of the file, which are the sets u1 .. u5 that
  GroupLens publishes with the data (its `mku.sh`). myFM's tutorial uses u3 alone.

What differs from the published runs: Surprise clips predictions to 1 .. 5, myFM does not clip
them, this project clips to 0.5 .. 5; myFM's tutorial averages all 200 samples, this project leaves
out the first five; the seeds are others.

    python -m experiments.literature
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from rich.console import Console

from recbench.command_line import run
from recbench.data.encodings.movies import encode_movies
from recbench.data.joining import Dataset, load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell
from recbench.evaluation.holdouts import Split
from recbench.evaluation.measure import measure
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies
from recbench.recommender import Options, build
from recbench.registry import family_of, load_recommender
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import write_csv

Folds = Literal["surprise", "grouplens"]
FOLDS = 5
CLOSE = 0.005  # stars: a difference that folds and seeds account for


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    models: tuple[str, ...] = ("bias", "svd", "user_knn", "bayes_fm_ids", "bayes_fm")
    """which of the methods below"""
    folds: tuple[Folds, ...] = ("surprise", "grouplens")
    """how the folds are made: as in Surprise's README, or the sets u1 .. u5"""
    seed: int = 0
    """of the recommenders (the folds are those published)"""
    output_dir: str = ""
    """the run's folder; default results/<time>-literature"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


@dataclass(frozen=True)
class Method:
    """A recommender with the settings that its authors used, and what they measured.

    Attributes:
        model: its name.
        folds: on which folds they measured.
        fold: on which of them, 1 .. 5; None: the mean over all.
        rmse, mae: published, pooled over the ratings of a fold, in stars.
        source: where that stands.
        like_for_like: whether they had the same features to learn from as here.
    """

    model: str
    folds: Folds
    fold: int | None
    rmse: float
    mae: float
    source: str
    like_for_like: bool = True
    settings: dict = field(default_factory=dict)


SURPRISE = "README of scikit-surprise 1.1.5, default parameters, 5-fold"
MYFM = "myFM's documentation, 'A basic tutorial with MovieLens 100K', u3, rank 10, 200 samples"
BIAS = {"epochs": 10, "damping_user": 15.0, "damping_movie": 10.0, "start": "mean"}
SVD = {
    "factors": 100,
    "epochs": 20,
    "learning_rate": 0.005,
    "regularisation": 0.02,
    "start": "mean",
}
USER_KNN = {
    "neighbours": 40,
    "similarity": "msd",
    "damping_user": 15.0,
    "damping_movie": 10.0,
    "start": "mean",
}
FM = {"rank": 10, "samples": 200, "initial_deviation": 0.1}
OTHER_FEATURES = (
    "with the year, and age, gender, occupation and post code of the user, which are not used here"
)
METHODS = (
    Method("bias", "surprise", None, 0.944, 0.748, f"{SURPRISE}: Baseline", settings=BIAS),
    Method("svd", "surprise", None, 0.934, 0.737, f"{SURPRISE}: SVD", settings=SVD),
    Method(
        "user_knn", "surprise", None, 0.931, 0.733, f"{SURPRISE}: k-NN Baseline", settings=USER_KNN
    ),
    Method(
        "bayes_fm_ids", "grouplens", 3, 0.8925, 0.7001, f"{MYFM}: ids, with groups", settings=FM
    ),
    Method(
        "bayes_fm", "grouplens", 3, 0.8855, 0.6944, f"{MYFM}: {OTHER_FEATURES}", False, settings=FM
    ),
)
console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    methods = check(parameters)
    dataset = load_dataset("ml-100k")
    folder = open_run(parameters, earlier, "literature", [dataset])
    run_jobs(jobs_of(parameters, methods, dataset), folder, console)

    rows = folder.finish([method.model for method in methods], started)
    beside = beside_published(rows, methods)
    write_csv(beside, folder.path / "published.csv")
    shown = beside[["model", "folds", "fold", "rmse", "published_rmse", "mae", "published_mae"]]
    console.print(shown.to_string(index=False, float_format="{:.4f}".format, na_rep=""))
    console.print(f"pooled over the ratings of a fold, mean over folds; in {folder.path}")
    return int((rows["status"] == "failed").any())


def jobs_of(parameters: Parameters, methods: list[Method], dataset: Dataset) -> list[Job]:
    """Each method on each fold of either kind."""
    movies = encode_movies(dataset)
    jobs = []
    for folds, fold, method in product(parameters.folds, range(1, FOLDS + 1), methods):
        cls = load_recommender(method.model)
        columns = {
            "dataset": dataset.source.name,
            "folds": folds,
            "num_users": 0,
            "reviews_per_user": 0,
            "iteration": fold,
            "seed": parameters.seed,
            "model": method.model,
            "family": family_of(cls),
            "settings": json.dumps(method.settings),
        }
        key: dict[str, object] = {"folds": folds, "iteration": fold, "model": method.model}

        def work(folds: Folds = folds, fold: int = fold, method: Method = method) -> dict:
            model = load_recommender(method.model)
            recommender = build(model, Options(seed=parameters.seed), **method.settings)
            cell = cell_of(dataset, movies, fold_of_row(dataset, folds) == fold)
            return measure(recommender, cell, "half_stars").row

        jobs.append(Job(key, columns, work))
    return jobs


def cell_of(dataset: Dataset, movies: Movies, held_out: np.ndarray) -> Cell:
    """All users, with the rows of the mask `held_out` (bool [ratings]) to test on."""
    ratings = dataset.ratings
    nobody = ratings.take(np.empty(0, dtype=np.int64))
    split = Split(ratings.take(~held_out), ratings.take(held_out), nobody)
    item_baseline = ItemBaseline.fit(split.train, movies)
    return Cell(
        movies=movies,
        candidates=np.arange(len(movies)),
        item_baseline=item_baseline,
        personal=split,
        collaborative=split,
        user_id=dataset.user_id,
        n_background_users=0,
    )


def fold_of_row(dataset: Dataset, folds: Folds) -> np.ndarray:
    """The fold of each row of `dataset.ratings`, int [n], 1 .. 5."""
    n = len(dataset.ratings)
    order = np.arange(n)
    if folds == "surprise":
        np.random.RandomState(0).shuffle(order)  # the very shuffle of its KFold
    fold_of_file_row = np.empty(n, dtype=np.int64)
    for fold, rows in enumerate(np.array_split(order, FOLDS), start=1):
        fold_of_file_row[rows] = fold
    return fold_of_file_row[rows_in_file(dataset)]


def rows_in_file(dataset: Dataset) -> np.ndarray:
    """The row in the published file u.data (from 0) of each row of `dataset.ratings`, int [n].

    Ratings are sorted by user when they are joined; user and movie together find them again.
    """
    file, ratings = dataset.source.ratings, dataset.ratings
    wide = int(file["movieId"].to_numpy().max()) + 1
    in_file = file["userId"].to_numpy() * wide + file["movieId"].to_numpy()
    movie_id = dataset.table["movieId"].to_numpy()
    joined = dataset.user_id[ratings.user] * wide + movie_id[ratings.movie]
    by_key = np.argsort(in_file)
    return by_key[np.searchsorted(in_file, joined, sorter=by_key)]


def beside_published(rows: pd.DataFrame, methods: list[Method]) -> pd.DataFrame:
    """One row per method and kind of folds, and one per published figure of a single fold.

    Errors are pooled over the ratings of a fold, then averaged over folds; differences are ours
    less theirs.
    """
    records = []
    for method, folds in product(methods, rows["folds"].unique()):
        own = rows[(rows["model"] == method.model) & (rows["folds"] == folds)]
        if method.folds != folds or method.fold is not None:
            records.append(summary(method, folds, "all", own))
        if method.folds != folds:
            continue
        fold = method.fold or "all"
        record = summary(method, folds, fold, own[own["iteration"] == fold] if method.fold else own)
        difference = record["rmse"] - method.rmse
        record |= {
            "published_rmse": method.rmse,
            "published_mae": method.mae,
            "rmse_difference": difference,
            "mae_difference": record["mae"] - method.mae,
            "like_for_like": method.like_for_like,
            f"within_{CLOSE}": abs(difference) <= CLOSE,
            "source": method.source,
        }
        records.append(record)
    return pd.DataFrame(records)


def summary(method: Method, folds: str, fold: int | str, rows: pd.DataFrame) -> dict:
    """Means and standard deviations over the folds in `rows`."""
    seconds = rows["fit_seconds"] + rows["predict_seconds"]
    return {
        "model": method.model,
        "settings": json.dumps(method.settings),
        "folds": folds,
        "fold": fold,
        "rmse": rows["rmse_pooled"].mean(),
        "rmse_deviation": rows["rmse_pooled"].std(),
        "mae": rows["mae_pooled"].mean(),
        "mae_deviation": rows["mae_pooled"].std(),
        "seconds_per_fold": seconds.mean(),
    }


def check(parameters: Parameters) -> list[Method]:
    """The methods asked for. Raises InputError for what cannot be run, before anything is done."""
    methods = {method.model: method for method in METHODS}
    for flag, given, there_are in (
        ("--models", parameters.models, tuple(methods)),
        ("--folds", parameters.folds, ("surprise", "grouplens")),
    ):
        if not given or len(set(given)) < len(given) or not set(given) <= set(there_are):
            raise InputError(
                f"{flag} is {' '.join(given) or 'empty'}. Expected some of {', '.join(there_are)}, "
                "once each: nothing is published here of others"
            )
    check_range("--seed", parameters.seed, least=0)
    return [methods[model] for model in parameters.models]


if __name__ == "__main__":
    run(main, Parameters)
