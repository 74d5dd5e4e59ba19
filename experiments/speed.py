"""What things cost -> <run>/speed.csv, and tables of its parts

Parts, of which each measures a figure and its named alternative in the same run:

- `engine`: the weightless engine, beside vectorised numpy and MLPs.
- `networks`: networks of many users trained at once, beside a loop over users; and the network of
  all users, beside the loop over dictionaries of the published code.
- `models`: recommenders on all users and ratings of a dataset, and what one more rating costs;
  models.csv has them, a line each.
- `preparing`, `shares`, `background`: see experiments/full_size.py, meant for a dataset that is
  made up: `--make FOLDER` writes one of `--ratings` ratings, and measures nothing.

`value` and `against_value` are processor seconds where the unit is a second, else as it says.
`ratio`: how many times as fast as the alternative (of sizes: how many times as much).

    python -m experiments.speed --dataset FOLDER
    python -m experiments.speed --parts engine --quick
    python -m experiments.speed --make MADE-UP
    python -m experiments.speed --parts preparing shares background --dataset MADE-UP
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.common import ResumableFlags, console, training_of
from experiments.engine_and_networks import (
    elapsed_microseconds,
    engine_rows,
    figure,
    median_seconds,
    network_rows,
    processor_seconds,
)
from experiments.full_size import KAGGLE_RATINGS, MADE, PARTS, make_dataset
from recbench import ContinualRecommender, Ratings
from recbench.command_line import run
from recbench.contract import declared, fit, learns_from_words
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.files import write_csv
from recbench.models.factorization import BURN_IN
from recbench.registry import check_name, load_recommender
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import RunFolder
from recbench.threads import one_thread

IN_PROCESS = ("engine", "networks", "models")
HELD_OUT = 200  # ratings that are learned one by one


@dataclass
class Parameters(ResumableFlags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py; of all parts but engine and networks"""
    parts: tuple[str, ...] = IN_PROCESS
    """which of the parts above"""
    models: tuple[str, ...] = (
        *("bayes_fm", "bayes_fm_implicit", "hybrid", "hybrid_implicit", "svd", "bias", "colab"),
        *("item_knn", "user_knn", "ease", "boosted_trees", "autorec"),
        *("personal", "personal_exact", "ridge", "mlp_tuned", "ao", "torch", "user_mean"),
    )
    """of the part models; the first is what the others are compared with"""
    quick: bool = False
    """small sizes of the first three parts, to see that it works"""
    repeats: int = 15
    """of the part preparing"""
    shares: tuple[int, ...] = (16, 8, 4, 2, 1)
    """of the users: a sixteenth, an eighth, … all"""
    share_models: tuple[str, ...] = (
        *("personal", "ridge", "ao", "personal_exact", "bias", "svd", "colab", "torch"),
        *("movie_mean", "user_mean", "user_median"),
    )
    """of the part shares"""
    background_users: tuple[int, ...] = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
    """of the part background: how many others are learned from"""
    background_models: tuple[str, ...] = ("bayes_fm", "personal")
    """of the part background"""
    tested_users: int = 2_000
    """of the part background: who is predicted, the same for each number of others"""
    make: str = ""
    """a new folder: write a made-up dataset in the layout of Kaggle's to it, and end"""
    ratings: int = KAGGLE_RATINGS
    """of --make: how many; users and movies follow"""


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    if parameters.make:
        make_dataset(Path(parameters.make), parameters.ratings, seed=parameters.seed)
        return 0
    parameters, earlier = resumed(parameters, "speed.csv")
    check(parameters)
    datasets, cell = [], None
    if set(parameters.parts) - {"engine", "networks"}:
        datasets = [load_dataset(parameters.dataset)]
    if "models" in parameters.parts:
        size = (20, 10) if parameters.quick else (0, 0)
        protocol = PROTOCOLS["strict"].changed(encoding="extended")
        cell = make_cell(datasets[0], protocol, *size)
    folder = open_run(parameters, earlier, "speed", datasets, "speed.csv")
    users = 40 if parameters.quick else 1_000
    for part in parameters.parts:
        if part in PARTS:
            run_jobs(PARTS[part].jobs(parameters, datasets[0], folder.path), folder, console)
            write_table(folder, part, PARTS[part].table, PARTS[part].file)
        elif not folder.has(part=part):
            rows = engine_rows(users) if part == "engine" else network_rows(users // 4)
            with one_thread():
                for row in one_by_one_rows(cell) if cell and part == "models" else rows:
                    show(row)
                    folder.add({"part": part, **row, "status": "ok"})
        if part == "models" and cell:
            run_jobs(model_jobs(cell, parameters.models), folder, console)
            write_table(folder, "recommenders", models_table, "models.csv")
    for made in MADE:  # of no use any more
        shutil.rmtree(folder.path / made, ignore_errors=True)
    folder.close(started)
    console.print(f"speed.csv is in {folder.path}")
    return int(any(row["status"] == "failed" for row in folder.rows))


def check(parameters: Parameters) -> None:
    """Raises InputError for a wrong flag, before anything is measured."""
    known = (*IN_PROCESS, *PARTS)
    if not parameters.parts or not set(parameters.parts) <= set(known):
        raise InputError(
            f"--parts {' '.join(parameters.parts)}. Expected some of {', '.join(known)}"
        )
    for name in ("shares", "background_users", "tested_users", "repeats"):
        values = getattr(parameters, name)
        values = values if isinstance(values, tuple) else (values,)
        check_range(f"--{name.replace('_', '-')}", *values, least=1)
    check_range("--seed", parameters.seed, least=0)
    models = (parameters.models, parameters.share_models, parameters.background_models)
    if not parameters.models:
        raise InputError("--models needs a name")
    for name in {one for names in models for one in names}:
        check_name(name)


def write_table(
    folder: RunFolder, part: str, table: Callable[[pd.DataFrame], pd.DataFrame], file: str
) -> None:
    """What `table` makes of the rows of a part that succeeded."""
    ok = [row for row in folder.rows if row["part"] == part and row["status"] == "ok"]
    if ok:
        write_csv(table(pd.DataFrame(ok)), folder.path / file)


def show(row: dict) -> None:
    other = f"  ({row['against']}: {row['against_value']:.3g})" if row["against"] else ""
    ratio = f"  {row['ratio']:.3g} ×" if row["ratio"] else ""
    console.print(f"{row['what']}: {row['value']:.3g} {row['unit']}{other}{ratio}")


# --- recommenders, and one more rating ---------------------------------------------------------


def model_jobs(cell: Cell, models: tuple[str, ...]) -> list[Job]:
    """The costs of each recommender on a cell."""
    keys: list[dict[str, object]] = [{"part": "recommenders", "model": name} for name in models]
    return [Job(key, key, partial(costs, str(key["model"]), cell)) for key in keys]


def costs(name: str, cell: Cell) -> dict:
    """What a recommender learns from and costs on a cell, item baseline and item table being made:
    processor seconds, medians of three."""
    cls = load_recommender(name)
    with one_thread():
        cell.item_tables(declared(cls, "learns_from") == "all")  # made once, not counted

        def work() -> dict:
            cell.fits.clear()
            return dict(measure(cls, cell).row)

        row, seconds = work(), median_seconds(work, 3)
        how, more = one_more_rating(cls, cell, seconds)
    return {
        "learns_from": learns_from_words(cls),
        "fit_and_predict_seconds": seconds,
        "one_more_rating": how,
        "one_more_rating_seconds": more,
        "bytes_per_user": row["bytes_per_user"],
        "bytes_shared": row["bytes_shared"],
    }


def models_table(rows: pd.DataFrame) -> pd.DataFrame:
    """models.csv: `times_as_fast` as the first recommender; `one_more_rating`: how a rating is
    taken in, and the seconds until a movie is predicted with it known."""
    seconds = rows["fit_and_predict_seconds"]
    columns = ["model", "learns_from", "fit_and_predict_seconds", "times_as_fast"]
    columns += ["one_more_rating", "one_more_rating_seconds", "bytes_per_user", "bytes_shared"]
    return rows.assign(times_as_fast=seconds.iloc[0] / seconds)[columns]


def one_more_rating(cls: type, cell: Cell, refit: float) -> tuple[str, float]:
    """How a recommender takes in one more rating, and the seconds until it has predicted a movie
    with that rating known: to store it alone is not yet an answer."""
    train, test = cell.personal.train, cell.personal.test
    if declared(cls, "learns_from") == "all":
        return "everything refitted", refit
    if issubclass(cls, ContinualRecommender):
        more = test.take(np.arange(min(2_000, len(test))))
        times = learning_microseconds(cell.fit(cls()).recommender, more)
        return "learned", float(np.median(times)) / 1e6
    users, counts = np.unique(train.user, return_counts=True)
    typical = users[np.argsort(counts, kind="stable")[len(users) // 2]]  # of median history
    own, model = train.take(train.user == typical), cell.new(cls)

    def fit_and_predict() -> None:
        fit(model, training_of(cell, own))
        model.predict(own.user[:1], own.movie[:1])

    return "the user's model refitted", median_seconds(fit_and_predict)


def learning_microseconds(model: Any, ratings: Ratings, *, forget: bool = False) -> list[float]:
    """Of one rating learned and its movie predicted, for each rating; it is forgotten again if the
    model is to keep its size."""

    def learn_and_predict(user: int, movie: int, stars: float) -> None:
        model.learn_one(user, movie, stars)
        model.predict_one(user, movie)

    times = []
    columns = (ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist())
    for user, movie, stars in zip(*columns, strict=True):
        times.append(elapsed_microseconds(partial(learn_and_predict, user, movie, stars)))
        if forget:
            model.forget_one(user, movie)
    return times


def one_by_one_rows(cell: Cell) -> Iterator[dict]:
    """What one more rating costs `personal`, by how many a user has; beside `bayes_fm`, were its
    movie vectors kept and the user's refitted to all ratings, and beside River."""
    without_tables = replace(cell)
    seconds = processor_seconds(lambda: without_tables.personal_tables)
    tables, users = len(cell.personal_tables.tables), cell.n_background_users or cell.n_users
    yield figure(f"item tables: {tables} of {users:,} users, {len(cell.movies):,} movies", seconds)
    rng = np.random.default_rng(0)
    for known in (20, 200, 2_000):
        if known + HELD_OUT <= len(cell.movies):
            yield from rows_of_a_user(cell, known, rng)


def rows_of_a_user(cell: Cell, known: int, rng: np.random.Generator) -> Iterator[dict]:
    """The same of a user with `known` ratings, of movies and stars drawn at random."""
    movie = rng.permutation(len(cell.movies))[: known + HELD_OUT]
    stars = rng.integers(1, 11, len(movie)) / 2
    ratings = Ratings(np.zeros(len(movie), int), movie, stars, np.arange(len(movie)))
    first, more = ratings.take(np.arange(known)), ratings.take(np.arange(known, len(movie)))
    model = load_recommender("personal")().fit(training_of(cell, first))
    model.predict_one(0, int(movie[-1]))
    learning = learning_microseconds(model, more, forget=True)

    def median_of(method: Callable[[int, int], object], movies: np.ndarray) -> float:
        times = [elapsed_microseconds(partial(method, 0, one)) for one in movies.tolist()]
        return float(np.median(times))

    explaining = median_of(model.explain_one, movie[-3:])
    forgetting = median_of(model.forget_one, rng.permutation(movie[:known])[:5])
    what = f"one rating learned and one movie asked about at {known:,} ratings"
    ours = float(np.median(learning))
    yield figure(f"{what}, 99th percentile", float(np.percentile(learning, 99)), "µs")
    folding = folding_in_microseconds(rng, known)
    yield figure(f"{what}, median", ours, "µs", "a user folded into bayes_fm", folding)
    if find_spec("river"):
        from river.reco import BiasedMF

        river = BiasedMF(seed=0)
        learning_microseconds(river, first)
        theirs = float(np.median(learning_microseconds(river, more)))
        yield figure(f"{what}, median", ours, "µs", "River's BiasedMF", theirs)
    yield figure(f"any of {known:,} ratings forgotten, median of 5", forgetting, "µs")
    yield figure(f"reasons of a prediction of {known:,} ratings", explaining, "µs")


def folding_in_microseconds(rng: np.random.Generator, known: int) -> float:
    """A user's vector refitted to all ratings with movie vectors as they are, in each sample of
    `bayes_fm`, and a movie predicted: a ridge regression for each sample. Made-up numbers in arrays
    of the right shape."""
    fm = load_recommender("bayes_fm")()
    size, samples = fm.rank + 1, fm.samples - BURN_IN
    q = rng.standard_normal((samples, known, size))  # movie vectors
    residual, query = rng.standard_normal(known), rng.standard_normal((samples, size))

    def fold_in() -> float:
        penalised = q.transpose(0, 2, 1) @ q + np.eye(size)  # (samples, size, size)
        vector = np.linalg.solve(penalised, (residual @ q)[:, :, None])[:, :, 0]
        return float(np.vecdot(vector, query).mean())

    return float(np.median([elapsed_microseconds(fold_in) for _ in range(50)]))


if __name__ == "__main__":
    run(main, Parameters)
