"""What things cost -> <run>/speed.csv, and tables of its parts

Parts, of which each measures a figure and its named alternative in the same run:

- `engine`: the weightless engine, beside vectorised numpy and MLPs.
- `models`: recommenders on all users and ratings of a dataset, and what one more rating costs;
  models.csv has them, a line each.
- `preparing`, `shares`, `background`: see experiments/full_size.py, meant for a dataset that is
  made up: `--make FOLDER` writes one of `--ratings` ratings, and measures nothing.

`value` and `against_value` are processor seconds where the unit is a second, else as it says.
`ratio`: how many times as fast as the alternative.

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
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import weightless as ao
from experiments.common import (
    Job,
    ResumableFlags,
    console,
    elapsed_microseconds,
    run_jobs,
    training_of,
)
from experiments.full_size import JOBS, KAGGLE_RATINGS, MADE, TABLES, make_dataset
from recbench import ContinualRecommender, Movies, Ratings
from recbench.command_line import run
from recbench.contract import Training, declared, fit, learns_from_words
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.files import write_csv
from recbench.models.factorization import BURN_IN
from recbench.registry import check_name, load_recommender
from recbench.runs.resume import open_run, resumed
from recbench.threads import one_thread
from weightless.reference import weights

HELD_OUT = 200  # ratings that are learned one by one
CHANNELS = (10, 3, 3, 10)  # bits of a movie
STORED, QUERIES = 400, 100  # patterns and queries of each user


@dataclass
class Parameters(ResumableFlags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py; of all parts but engine"""
    parts: tuple[str, ...] = ("engine", "models")
    """which of the parts above"""
    models: tuple[str, ...] = (
        *("bayes_fm", "bayes_fm_implicit", "hybrid", "hybrid_implicit", "svd", "bias", "colab"),
        *("item_knn", "user_knn", "ease", "boosted_trees", "autorec"),
        *("personal", "personal_exact", "ridge", "mlp_tuned", "ao", "torch", "user_mean"),
    )
    """of the part models; the first is what the others are compared with"""
    quick: bool = False
    """small sizes of the first two parts, to see that it works"""
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
    users, size = (40, (20, 10)) if parameters.quick else (1_000, (0, 0))
    datasets = [] if set(parameters.parts) == {"engine"} else [load_dataset(parameters.dataset)]
    figures: dict[str, Callable[[], Iterator[dict]]] = {"engine": partial(engine_rows, users)}
    if "models" in parameters.parts:
        cell = make_cell(datasets[0], PROTOCOLS["strict"].changed(encoding="extended"), *size)
        figures["models"] = partial(one_by_one_rows, cell)
    folder = open_run(parameters, earlier, "speed", datasets, "speed.csv")
    for part in parameters.parts:
        if part in figures and not folder.has(part=part):
            with one_thread():
                for row in figures[part]():
                    show(row)
                    folder.add({"part": part, **row, "status": "ok"})
        if part == "models":
            run_jobs(jobs_of_models(parameters.models, cell), folder)
        elif part in JOBS:
            run_jobs(JOBS[part](parameters, datasets[0], folder.path), folder)
    rows = pd.DataFrame(folder.rows)
    for part, (file, table) in (TABLES | {"recommenders": ("models.csv", models_table)}).items():
        ok = rows[(rows["part"] == part) & (rows["status"] == "ok")]
        if len(ok):
            write_csv(table(ok), folder.path / file)
    for made in MADE:  # of no use any more
        shutil.rmtree(folder.path / made, ignore_errors=True)
    folder.close(started)
    console.print(f"speed.csv is in {folder.path}")
    return int((rows["status"] == "failed").any())


def check(parameters: Parameters) -> None:
    """Raises InputError for a wrong flag, before anything is measured."""
    known = ("engine", "models", *JOBS)
    if not parameters.parts or not set(parameters.parts) <= set(known):
        raise InputError(
            f"--parts {' '.join(parameters.parts)}. Expected some of {', '.join(known)}"
        )
    check_range("--shares", *parameters.shares, least=1)
    check_range("--background-users", *parameters.background_users, least=1)
    check_range("--tested-users", parameters.tested_users, least=1)
    check_range("--repeats", parameters.repeats, least=1)
    check_range("--seed", parameters.seed, least=0)
    if not parameters.models:
        raise InputError("--models needs a name")
    for name in (*parameters.models, *parameters.share_models, *parameters.background_models):
        check_name(name)


# --- figures, and the clocks that they are measured by -----------------------------------------


def figure(what: str, value: float, unit: str = "s", against: str = "", other: float = 0.0) -> dict:
    """A row: a figure, and what stands beside it."""
    row: dict[str, Any] = {"what": what, "value": value, "unit": unit, "against": against}
    beside = (other, other / value) if against else (None, None)
    return row | dict(zip(("against_value", "ratio"), beside, strict=True))


def show(row: dict) -> None:
    other = f"  ({row['against']}: {row['against_value']:.3g})" if row["against"] else ""
    ratio = f"  {row['ratio']:.3g} ×" if row["ratio"] else ""
    console.print(f"{row['what']}: {row['value']:.3g} {row['unit']}{other}{ratio}")


def processor_seconds(work: Callable[[], object]) -> float:
    """Of one call. All of this runs on one core, which others may be using as well."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The median processor time of `work`, after one call that is not counted."""
    work()
    return float(np.median([processor_seconds(work) for _ in range(repeats)]))


# --- the engine --------------------------------------------------------------------------------


def engine_rows(users: int) -> Iterator[dict]:
    """The published rule for many users; made-up patterns, half of whose bits are ones."""
    from PerUser.perUser_pytorch import EPOCHS, TorchPerUserRecommender

    rng = np.random.default_rng(0)
    user, querying = (np.repeat(np.arange(users), each) for each in (STORED, QUERIES))
    queries = rng.integers(0, 2, (len(querying), 26), np.uint8)
    inputs = rng.integers(0, 2, (len(user), 26), np.uint8)
    labels = (np.arange(10) < rng.integers(1, 11, (len(user), 1))).astype(np.uint8)  # n ones
    arch = ao.Arch([*CHANNELS], [10], connector_function="forward_forward_conn")
    population = ao.Population(arch, users)
    learning = processor_seconds(partial(population.learn, user, inputs, labels))
    recall = partial(population.recall, querying, queries)
    ours = median_seconds(partial(recall, threads=1))
    shape = f"{users} users × {STORED} stored × {QUERIES} asked, even bits"
    each = [array.reshape(users, -1, array.shape[1]) for array in (inputs, labels, queries)]
    plain: list[np.ndarray] = []
    in_numpy = processor_seconds(
        lambda: plain.extend(numpy_recall(*one) for one in zip(*each, strict=True))
    )
    if (np.concatenate(plain) != recall(Default=False)).any():
        raise AssertionError("numpy and the engine disagree")
    yield figure(f"recall, {shape}", ours, "s", "vectorised numpy", in_numpy)
    row = np.arange(len(user))
    nan, names = np.full(len(row), np.nan), tuple(f"bits:{k}" for k in range(26))
    title = np.full(len(row), "made up")
    movies = Movies(inputs, names, nan, np.zeros(len(row)), movie_id=row, title=title)
    training = Training(Ratings(user, row, labels.sum(axis=1) / 2, row), movies)
    mlp = processor_seconds(partial(TorchPerUserRecommender().fit, training))
    against = f"training the users' MLPs, {EPOCHS} steps"
    yield figure(f"learn and recall, {shape}", learning + ours, "s", against, mlp)


def numpy_recall(inputs: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The published rule for one user, in whole arrays: uint8 [queries, 10]. The coin is left out:
    a neuron without a decision says 0."""
    state = np.empty_like(queries)
    for first, last in pairwise(np.cumsum([0, *CHANNELS])):
        channel = slice(first, last)
        state[:, channel] = numpy_fire(inputs[:, channel], inputs[:, channel], queries[:, channel])
    return numpy_fire(inputs, labels, state)


def numpy_fire(stored: np.ndarray, answers: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """A group of neurons: uint8 [queries, neurons]. A weighted Hamming distance is
    Σ wx + Σ wp − 2 Σ wxp, so all distances of a neuron are one matrix product."""
    p, x, one = stored.astype(np.float32), queries.astype(np.float32), answers.T == 1
    both = (answers.T.astype(np.float32) @ p).astype(np.int64)  # (neurons, bits)
    w = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
    fired, undecided = np.zeros((len(one), len(x)), bool), np.ones((len(one), len(x)), bool)
    for weight in (w.astype(np.float32), np.ones((1, p.shape[1]), np.float32)):
        distance = (x @ weight.T).T[:, :, None] + (weight @ p.T)[:, None]
        distance = distance - 2 * (x[None] * weight[:, None]) @ p.T  # (neurons, queries, stored)
        to_one = np.where(one[:, None], distance, np.inf).min(2)  # (neurons, queries)
        to_zero = np.where(one[:, None], np.inf, distance).min(2)
        fired |= undecided & (to_one < to_zero)
        undecided &= to_one == to_zero
    return fired.T.astype(np.uint8)


# --- recommenders, and one more rating ---------------------------------------------------------


def jobs_of_models(models: tuple[str, ...], cell: Cell) -> list[Job]:
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
    """The cost of one more rating for `personal`, by how many a user has, of movies and stars drawn
    at random; beside `bayes_fm`, were its movie vectors kept and the user's refitted to all
    ratings, and beside River."""
    without_tables = replace(cell)
    seconds = processor_seconds(lambda: without_tables.personal_tables)
    tables, users = len(cell.personal_tables.tables), cell.n_background_users or cell.n_users
    yield figure(f"item tables: {tables} of {users:,} users, {len(cell.movies):,} movies", seconds)
    rng = np.random.default_rng(0)
    for known in (20, 200, 2_000):
        if known + HELD_OUT > len(cell.movies):
            break
        movie = rng.permutation(len(cell.movies))[: known + HELD_OUT]
        stars = rng.integers(1, 11, len(movie)) / 2
        ratings = Ratings(np.zeros(len(movie), int), movie, stars, np.arange(len(movie)))
        first, more = ratings.take(np.arange(known)), ratings.take(np.arange(known, len(movie)))
        model = load_recommender("personal")().fit(training_of(cell, first))
        model.predict_one(0, int(movie[-1]))
        learning = learning_microseconds(model, more, forget=True)
        ours = float(np.median(learning))
        what = f"one rating learned and one movie asked about at {known:,} ratings"
        yield figure(f"{what}, 99th percentile", float(np.percentile(learning, 99)), "µs")
        folding = folding_in_microseconds(rng, known)
        yield figure(f"{what}, median", ours, "µs", "a user folded into bayes_fm", folding)
        if find_spec("river"):
            from river.reco import BiasedMF

            river = BiasedMF(seed=0)
            learning_microseconds(river, first)
            theirs = float(np.median(learning_microseconds(river, more)))
            yield figure(f"{what}, median", ours, "µs", "River's BiasedMF", theirs)


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
