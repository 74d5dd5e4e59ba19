"""Which movie to ask a new user about? -> results/<run>/ask_next.csv

Each user starts with no rating. Then, ten times, the user rates one of the movies of the user's
training ratings, and the rating is learned. Which movie it is:

    variance    the one whose rating is expected to lessen the variance of the user's ratings most,
                see `Personal.ask_next`; a movie matters by how many background users rated it
    popular     the one that most background users rated
    random      any

After 0, 1, 2, 5 and 10 answers the held-out ratings are predicted. Every candidate is a movie that
the user has seen, so no question is lost.

    python -m experiments.ask_next --dataset FOLDER
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from experiments.common import Flags, Job, cells_of, grid, run_experiment, training_of
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.contract import NO_RATINGS
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell
from recbench.evaluation.metrics import rmse
from recbench.evaluation.protocols import PROTOCOLS, UserSet
from recbench.runs.run_folder import RunFolder
from recbench.threads import on_one_thread

ANSWERS = (0, 1, 2, 5, 10)
STRATEGIES = ("variance", "popular", "random")
TARGETS = 500  # movies that matter, drawn by how many rated each


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    users: int = 250
    """how many users to draw; 0: all"""
    ratings: int = 50
    """of each"""
    user_set: UserSet = "test"
    """who they are"""
    iterations: int = 3
    """samples of users"""


def main(parameters: Parameters) -> int:
    check_range("--ratings", parameters.ratings, least=2 * max(ANSWERS))
    size = f"{parameters.users}x{parameters.ratings}"
    keys = grid((size,), parameters.iterations, parameters.seed)
    protocol = PROTOCOLS["strict"].changed(user_set=parameters.user_set, background_users="all")
    dataset = load_dataset(parameters.dataset, protocol.join)
    cell_of, jobs = cells_of(dataset, protocol), []
    for cell_key in keys:
        for strategy in STRATEGIES:
            for answers in ANSWERS:
                key = {"iteration": cell_key["iteration"], "strategy": strategy, "answers": answers}
                cell = partial(cell_of, **cell_key)
                work = partial(on_one_thread, error, cell, strategy, answers, cell_key["seed"])
                jobs.append(Job(key, {"dataset": dataset.source.name, **key}, work))
    described = protocol.columns()
    return run_experiment(
        parameters,
        "ask-next",
        [dataset],
        lambda _: jobs,
        tables,
        "ask_next.csv",
        protocol=described,
    )


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    means = rows.groupby(["strategy", "answers"], sort=False)["rmse"].agg(["mean", "std"])
    return {"summary.csv": means.reset_index()}


def error(make_cell: Callable[[], Cell], strategy: str, answers: int, seed: int) -> dict:
    """RMSE of the users of a cell after so many answers of each."""
    cell = make_cell()
    train, test = cell.personal.train, cell.personal.test
    count = np.bincount(cell.personal.background.movie, minlength=len(cell.movies))
    targets = np.random.default_rng(seed).choice(len(count), TARGETS, p=count / count.sum())
    model = Personal().fit(training_of(cell, NO_RATINGS))
    rng = np.random.default_rng([seed, 8])
    for user in range(cell.n_users):
        own = train.take(train.user == user)
        stars_of = dict(zip(own.movie.tolist(), own.stars.tolist(), strict=True))
        left = rng.permutation(own.movie)
        if strategy == "popular":
            left = left[np.argsort(-count[left], kind="stable")]
        for _ in range(answers):
            movie = model.ask_next(user, left, targets) if strategy == "variance" else int(left[0])
            model.learn_one(user, movie, stars_of[movie])
            left = left[left != movie]
    predicted = model.predict(test.user, test.movie)
    return {"n_users": cell.n_users, "rmse": rmse(test.stars, predicted, test.user)}


if __name__ == "__main__":
    run(main, Parameters)
