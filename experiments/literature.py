"""Other people's methods on MovieLens 100K, beside the figures they were published with.

A comparison with `bias`, `svd` and `bayes_fm` says little if ours are worse than their authors'.
So each is run here as its authors ran it, with the settings they published (not those that the
project has tuned), by 5-fold cross-validation, and its errors stand beside theirs.

There are two ways of dealing 100,000 ratings into five folds, and each method is run on both:

- `surprise`: rows in random order, then five blocks. It is what the table in Surprise's README
  rests on, `KFold(random_state=0)` of its examples/benchmark.py, the same rows in the same folds.
- `grouplens`: five blocks of the rows in the order of the file, which are the sets u1 .. u5 that
  GroupLens publishes with the data (its `mku.sh`). u1 and u2 hold ratings of few users (459 of 943
  in u1), so fewer ratings of each of those are left to learn from. myFM's tutorial uses u3 alone.

What differs from the published runs:

1. Surprise cuts predictions to 1 .. 5, myFM does not cut them, this project cuts to 0.5 .. 5.
2. myFM's tutorial averages all 200 samples, this project leaves out the first five.
3. The seeds are others, so what is drawn at random is drawn otherwise.

    python benchmarks/movielens_100k.py
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from data_prep import encode_movies
from recbench.command_line import run
from recbench.data.joining import Dataset, load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell, Split
from recbench.evaluation.measure import measure
from recbench.recommender import build, family_of, load_recommender
from recbench.runs.resume import about_dataset, check_same_data, parameters_of
from recbench.runs.run_folder import RunFolder, check_new, write_csv

Folds = Literal["surprise", "grouplens"]
FOLDS = 5
CLOSE = 0.005  # stars: a difference that folds and seeds account for


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    models: tuple[str, ...] = ("bias", "svd", "bayes_fm_ids", "bayes_fm")
    """which of the methods below"""
    folds: tuple[Folds, ...] = ("surprise", "grouplens")
    """how ratings are dealt into folds: as in Surprise's README, or the sets u1 .. u5"""
    seed: int = 0
    """of the recommenders (the folds are those published)"""
    output_dir: str = ""
    """the run's folder; default results/<time>-movielens-100k"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""


@dataclass(frozen=True)
class Published:
    """What somebody else measured.

    Attributes:
        folds: on which folds.
        only: the number of the one fold it was measured on, 1 .. 5; None: the mean over all.
        rmse, mae: pooled over the ratings of a fold, in stars.
        source: where it stands.
        like_for_like: whether the method had the same features to learn from as here.
    """

    folds: Folds
    only: int | None
    rmse: float
    mae: float
    source: str
    like_for_like: bool = True


@dataclass(frozen=True)
class Method:
    """A recommender with the settings its authors used."""

    model: str
    settings: dict = field(default_factory=dict)
    published: tuple[Published, ...] = ()


SURPRISE = "README of scikit-surprise 1.1.5, default parameters, 5-fold"
MYFM = "myFM's documentation, 'A basic tutorial with MovieLens 100K', u3, rank 10, 200 samples"
MYFM_SETTINGS = {"rank": 10, "samples": 200, "initial_deviation": 0.1}

METHODS = (
    Method(
        "bias",
        {"epochs": 10, "damping_user": 15.0, "damping_movie": 10.0, "over": "mean"},
        (Published("surprise", None, 0.944, 0.748, f"{SURPRISE}: Baseline"),),
    ),
    Method(
        "svd",
        {
            "factors": 100,
            "epochs": 20,
            "learning_rate": 0.005,
            "regularisation": 0.02,
            "over": "mean",
        },
        (Published("surprise", None, 0.934, 0.737, f"{SURPRISE}: SVD"),),
    ),
    Method(
        "bayes_fm_ids",
        MYFM_SETTINGS,
        (Published("grouplens", 3, 0.8925, 0.7001, f"{MYFM}: ids, with groups"),),
    ),
    Method(
        "bayes_fm",
        MYFM_SETTINGS,
        (
            Published(
                "grouplens",
                3,
                0.8855,
                0.6944,
                f"{MYFM}: with the year, and age, gender, occupation and post code of the user, "
                "which are not used here",
                like_for_like=False,
            ),
        ),
    ),
)

COLUMNS = [  # of published.csv
    *("model", "settings", "folds", "fold", "rmse", "rmse_deviation", "mae", "mae_deviation"),
    *("seconds_per_fold", "published_rmse", "published_mae", "rmse_difference", "mae_difference"),
    *("like_for_like", f"within_{CLOSE}", "source"),
]

console = Console(highlight=False)


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    earlier = None
    if parameters.resume:
        earlier = RunFolder.resume(Path(parameters.resume))
        parameters = parameters_of(earlier, parameters)
    methods = check(parameters)
    dataset = load_dataset("ml-100k")
    default = f"results/{time.strftime('%Y%m%d-%H%M%S')}-movielens-100k"
    about = {
        "parameters": asdict(parameters),
        "settings": {method.model: method.settings for method in methods},
        "dataset": about_dataset(dataset),
    }
    folder = earlier or RunFolder.create(Path(parameters.output_dir or default), about)
    check_same_data(folder, dataset, folder.about["dataset"])
    cross_validate(parameters, methods, dataset, folder)
    rows = folder.finish([method.model for method in methods], started)
    beside = beside_published(rows, methods)
    write_csv(beside, folder.path / "published.csv")
    console.print(table_of(beside))
    console.print(
        "pooled over the ratings of a fold; mean over folds ± standard deviation, or the one fold "
        "published\ndifference: of RMSE, ours less theirs; * theirs had other features, "
        f"! it is more than {CLOSE}"
    )
    for file in ("comparison.csv", "published.csv", "run.json"):
        console.print(f"  {folder.path / file}", soft_wrap=True)


# --- the runs ----------------------------------------------------------------------------------


def cross_validate(
    parameters: Parameters, methods: list[Method], dataset: Dataset, folder: RunFolder
) -> None:
    """Each method on each fold; one row each."""
    movies = encode_movies(dataset)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=len(parameters.folds) * FOLDS * len(methods))
        for folds in parameters.folds:
            fold_of_row = deal(dataset, folds)
            for fold in range(1, FOLDS + 1):
                held_out = fold_of_row == fold
                split = Split(dataset.ratings.take(~held_out), dataset.ratings.take(held_out))
                cell = Cell(movies, split, split, dataset.user_id, n_other_users=0)
                for method in methods:
                    progress.update(task, description=f"{folds}, fold {fold}, {method.model}")
                    if folder.has(folds=folds, iteration=fold, model=method.model):
                        progress.advance(task)
                        continue
                    cls = load_recommender(method.model)
                    recommender = build(cls, seed=parameters.seed, **method.settings)
                    row = {
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
                    scores = measure(recommender, cell, "half_stars").row
                    folder.add({**row, **scores, "status": "ok", "error": None})
                    progress.advance(task)


def deal(dataset: Dataset, folds: Folds) -> np.ndarray:
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
    wide = int(file["movieId"].max()) + 1
    in_file = file["userId"].to_numpy() * wide + file["movieId"].to_numpy()
    movie_id = dataset.table["movieId"].to_numpy()
    joined = dataset.user_id[ratings.user] * wide + movie_id[ratings.movie]
    by_key = np.argsort(in_file)
    return by_key[np.searchsorted(in_file, joined, sorter=by_key)]


# --- beside the published figures --------------------------------------------------------------


def beside_published(rows: pd.DataFrame, methods: list[Method]) -> pd.DataFrame:
    """One row per method and kind of folds, and one per published figure of a single fold.

    `fold` is that one, or "all". `rmse` and `mae` are pooled over the ratings of a fold, then
    averaged over folds; differences are ours less theirs.
    """
    records = []
    for method in methods:
        for folds in rows["folds"].unique():
            own = rows[(rows["model"] == method.model) & (rows["folds"] == folds)]
            theirs = [published for published in method.published if published.folds == folds]
            if not any(published.only is None for published in theirs):
                records.append(summary(method, folds, own, "all"))
            for published in theirs:
                fold = published.only or "all"
                of_fold = own if fold == "all" else own[own["iteration"] == fold]
                record = summary(method, folds, of_fold, fold)
                difference = record["rmse"] - published.rmse
                records.append(
                    record
                    | {
                        "published_rmse": published.rmse,
                        "published_mae": published.mae,
                        "rmse_difference": difference,
                        "mae_difference": record["mae"] - published.mae,
                        "like_for_like": published.like_for_like,
                        f"within_{CLOSE}": abs(difference) <= CLOSE,
                        "source": published.source,
                    }
                )
    return pd.DataFrame(records).reindex(columns=COLUMNS)


def summary(method: Method, folds: str, own: pd.DataFrame, fold: int | str) -> dict:
    seconds = own["fit_seconds"] + own["predict_seconds"]
    return {
        "model": method.model,
        "settings": json.dumps(method.settings),
        "folds": folds,
        "fold": fold,
        "rmse": own["rmse_pooled"].mean(),
        "rmse_deviation": own["rmse_pooled"].std(),
        "mae": own["mae_pooled"].mean(),
        "mae_deviation": own["mae_pooled"].std(),
        "seconds_per_fold": seconds.mean(),
    }


def table_of(beside: pd.DataFrame) -> Table:
    table = Table(
        title="MovieLens 100K, 5-fold cross-validation", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for name in ("method", "folds"):
        table.add_column(name, no_wrap=True)
    for name in ("RMSE", "theirs", "MAE", "theirs", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in beside.to_dict("records"):
        known = not pd.isna(row["published_rmse"])
        table.add_row(
            row["model"],
            row["folds"] if row["fold"] == "all" else f"{row['folds']} u{row['fold']}",
            with_deviation(row["rmse"], row["rmse_deviation"]),
            f"{row['published_rmse']:.4g}" if known else "",
            f"{row['mae']:.4f}",
            f"{row['published_mae']:.4g}" if known else "",
            difference(row) if known else "",
        )
    return table


def with_deviation(mean: float, deviation: float) -> str:
    return f"{mean:.4f}" + ("      " if pd.isna(deviation) else f" ±{deviation:.3f}")


def difference(row: dict) -> str:
    """Of the RMSE; marked where it is not like for like (*) or not small (!)."""
    mark = " " if row[f"within_{CLOSE}"] else "!"
    return f"{row['rmse_difference']:+.4f}{mark if row['like_for_like'] else '*'}"


# --- parameters --------------------------------------------------------------------------------


def check(parameters: Parameters) -> list[Method]:
    """The methods asked for. Raises InputError for what cannot be run, before anything is done."""
    methods = {method.model: method for method in METHODS}
    for flag, given, there_are in (
        ("--models", parameters.models, tuple(methods)),
        ("--folds", parameters.folds, ("surprise", "grouplens")),
    ):
        if not given:
            raise InputError(f"{flag} needs a value. There are {', '.join(there_are)}")
        for name in given:
            if name not in there_are:
                raise InputError(
                    f"{flag}: nothing is published here of '{name}', only of {', '.join(there_are)}"
                )
            if given.count(name) > 1:
                raise InputError(f"{flag}: {name} stands twice")
    if parameters.seed < 0:
        raise InputError(f"--seed is {parameters.seed}. Expected 0 or more")
    if parameters.output_dir and not parameters.resume:
        check_new(Path(parameters.output_dir))
    return [methods[model] for model in parameters.models]


if __name__ == "__main__":
    run(main, Parameters)
