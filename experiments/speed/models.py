"""Recommenders on all users and ratings of a dataset, and what one more rating costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from Collaborative.bayesian_fm import BayesianFM
from experiments.speed.measuring import (
    Row,
    beside,
    elapsed_microseconds,
    median_seconds,
    processor_seconds,
)
from PerUser.personal import Personal
from recbench import ContinualRecommender, Ratings
from recbench.contract import Options, Training, build, declared, fit_on, learns_from_words
from recbench.evaluation.cells import Cell
from recbench.evaluation.measure import measure
from recbench.models.factorization import BURN_IN
from recbench.registry import load_recommender
from recbench.threads import one_thread

TIMES = 3  # that a recommender is fitted; the median counts
HELD_OUT = 200  # ratings that are learned one by one


def model_costs(cell: Cell, models: tuple[str, ...], console: Console) -> Iterator[dict]:
    """What each recommender knows and costs on a cell, item baseline and item table being made.

    Columns: model, learns_from (whose ratings), fit_and_predict_seconds, times_as_fast (as the
    first model), one_more_rating (how a rating is taken in), one_more_rating_seconds (until a movie
    is predicted that knows of it), bytes_per_user, bytes_shared. Processor seconds, medians.
    """
    first = None
    for name in track(models, "models", console=console, transient=True):
        cls = load_recommender(name)
        with one_thread():
            if declared(cls, "starts_from_item_table"):
                cell.item_tables(declared(cls, "learns_from_background"))  # made once, not counted

            def work(cls: type = cls) -> dict:
                return measure(cls, cell).row

            row = work()  # not counted: compiled code is loaded
            seconds = float(np.median([processor_seconds(work) for _ in range(TIMES)]))
            how, more = one_more_rating(cls, cell, seconds)
        first = first or seconds
        yield {
            "model": name,
            "learns_from": learns_from_words(cls),
            "fit_and_predict_seconds": seconds,
            "times_as_fast": first / seconds,
            "one_more_rating": how,
            "one_more_rating_seconds": more,
            "bytes_per_user": row["bytes_per_user"],
            "bytes_shared": row["bytes_shared"],
        }


def one_more_rating(cls: type, cell: Cell, refit: float) -> tuple[str, float]:
    """How a recommender takes in one more rating, and the seconds until it has predicted a movie
    with that rating known: to store it alone is not yet an answer."""
    train = cell.personal.train
    if declared(cls, "learns_from_background"):
        return "everything fitted anew", refit
    if issubclass(cls, ContinualRecommender):
        model, films = build(cls, Options()), (cell.movies, cell.item_baseline)
        model = fit_on(model, train, *films, item_tables=cell.personal_tables)
        more = cell.personal.test.take(np.arange(min(2_000, len(cell.personal.test))))
        return "learned", float(np.median(learning_microseconds(model, more))) / 1e6
    users, counts = np.unique(train.user, return_counts=True)
    typical = users[np.argsort(counts, kind="stable")[len(users) // 2]]  # of median history
    own = train.take(train.user == typical)
    model = build(cls, Options())

    def fit_and_ask() -> None:
        fit_on(model, own, cell.movies, cell.item_baseline).predict(own.user[:1], own.movie[:1])

    return "the user's model fitted anew", median_seconds(fit_and_ask)


def learning_microseconds(model: Any, ratings: Ratings, *, forget: bool = False) -> list[float]:
    """Of one rating learned and its movie asked about, for each rating; it is forgotten again if
    the model is to keep its size."""

    def learn_and_ask(user: int, movie: int, stars: float) -> None:
        model.learn_one(user, movie, stars)
        model.predict_one(user, movie)

    times = []
    columns = (ratings.user.tolist(), ratings.movie.tolist(), ratings.stars.tolist())
    for user, movie, stars in zip(*columns, strict=True):
        times.append(elapsed_microseconds(partial(learn_and_ask, user, movie, stars)))
        if forget:
            model.forget_one(user, movie)
    return times


def one_by_one_rows(cell: Cell) -> Iterator[Row]:
    """What one more rating costs `personal`, by how many a user has; beside `bayes_fm`, were its
    movie vectors kept and the user's fitted anew to all ratings, and beside River."""
    without_tables = replace(cell)
    seconds = processor_seconds(lambda: without_tables.personal_tables)
    tables, users = len(cell.personal_tables.tables), cell.n_background_users or cell.n_users
    yield Row(
        f"item tables: {tables} of {users:,} users, {len(cell.movies):,} movies", seconds, "s"
    )
    rng = np.random.default_rng(0)
    for held in (20, 200, 2_000):
        if held + HELD_OUT <= len(cell.movies):
            yield from rows_of_a_user(cell, held, rng)


def rows_of_a_user(cell: Cell, held: int, rng: np.random.Generator) -> Iterator[Row]:
    """The same of a user with `held` ratings, of movies and stars drawn at random."""
    movie = rng.permutation(len(cell.movies))[: held + HELD_OUT]
    stars = rng.integers(1, 11, len(movie)) / 2
    ratings = Ratings(np.zeros(len(movie), int), movie, stars, np.arange(len(movie)))
    first, more = ratings.take(np.arange(held)), ratings.take(np.arange(held, len(movie)))
    fits = {"item_tables": lambda: cell.personal_tables}
    model = Personal().fit(Training(first, cell.movies, fits=fits))
    model.predict_one(0, int(movie[-1]))
    learning = learning_microseconds(model, more, forget=True)
    explaining = [
        elapsed_microseconds(partial(model.explain_one, 0, one)) for one in movie[-3:].tolist()
    ]
    forgetting = [
        elapsed_microseconds(partial(model.forget_one, 0, one))
        for one in rng.permutation(movie[:held])[:5].tolist()
    ]
    what = f"one rating learned and one movie asked about at {held:,} ratings"
    ours = float(np.median(learning))
    yield Row(f"{what}, 99th percentile", float(np.percentile(learning, 99)), "µs")
    folding = folding_in_microseconds(rng, held)
    yield beside(f"{what}, median", ours, "a user folded into bayes_fm", folding, "µs")
    if find_spec("river"):
        from river.reco import BiasedMF

        river = BiasedMF(seed=0)
        learning_microseconds(river, first)
        theirs = float(np.median(learning_microseconds(river, more)))
        yield beside(f"{what}, median", ours, "River's BiasedMF", theirs, "µs")
    of_held = f"of {held:,} ratings"
    yield Row(f"any {of_held} forgotten, median of 5", float(np.median(forgetting)), "µs")
    yield Row(f"reasons of a prediction {of_held}", float(np.median(explaining)), "µs")


def folding_in_microseconds(rng: np.random.Generator, held: int) -> float:
    """A user's vector fitted anew to all ratings with movie vectors as they are, in each sample of
    `bayes_fm`, and a movie asked about: a ridge regression for each sample. Made up numbers in
    arrays of the right shape."""
    size, samples = BayesianFM().rank + 1, BayesianFM().samples - BURN_IN
    q = rng.standard_normal((samples, held, size))  # movie vectors
    residual, asked = rng.standard_normal(held), rng.standard_normal((samples, size))

    def fold_in() -> float:
        penalised = q.transpose(0, 2, 1) @ q + np.eye(size)  # (samples, size, size)
        vector = np.linalg.solve(penalised, (residual @ q)[:, :, None])[:, :, 0]
        return float(np.vecdot(vector, asked).mean())

    return float(np.median([elapsed_microseconds(fold_in) for _ in range(50)]))
