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

import time
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from rich.progress import track

from experiments.common import Flags, cells_of, grid, training_of
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.contract import NO_RATINGS
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell
from recbench.evaluation.metrics import mean_per_user
from recbench.evaluation.protocols import PROTOCOLS, UserSet
from recbench.files import write_csv
from recbench.runs.resume import open_run
from recbench.threads import one_thread

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


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--ratings", parameters.ratings, least=2 * max(ANSWERS))
    size = f"{parameters.users}x{parameters.ratings}"
    keys = grid((size,), parameters.iterations, parameters.seed)
    protocol = PROTOCOLS["strict"].changed(user_set=parameters.user_set, background_users="all")
    dataset = load_dataset(parameters.dataset, protocol.join)
    folder = open_run(parameters, None, "ask-next", [dataset], protocol=protocol.columns())
    cell_of, rows = cells_of(dataset, protocol), []
    for key, strategy in track(list(product(keys, STRATEGIES)), description="strategies"):
        cell = cell_of(**key)
        with one_thread():
            errors = squared_errors(cell, strategy, key["seed"])  # (answers, users)
        rows += [
            {
                "dataset": dataset.source.name,
                "iteration": key["iteration"],
                "strategy": strategy,
                "answers": answers,
                "n_users": cell.n_users,
                "rmse": rmse,
            }
            for answers, rmse in zip(ANSWERS, np.sqrt(errors.mean(axis=1)).tolist(), strict=True)
        ]
    table = pd.DataFrame(rows)
    write_csv(table, folder.path / "ask_next.csv")
    means = table.groupby(["strategy", "answers"], sort=False)["rmse"].agg(["mean", "std"])
    write_csv(means.reset_index(), folder.path / "summary.csv")
    folder.close(started)
    print(means["mean"].unstack("answers").to_string(float_format="{:.3f}".format))
    print(f"RMSE after so many answers; in {folder.path}")


def squared_errors(cell: Cell, strategy: str, seed: int) -> np.ndarray:
    """Mean squared error of each user after each number of `ANSWERS`, float64 [answers, users]."""
    train, test = cell.personal.train, cell.personal.test
    count = np.bincount(cell.personal.background.movie, minlength=len(cell.movies))
    targets = np.random.default_rng(seed).choice(len(count), TARGETS, p=count / count.sum())
    model = Personal().fit(training_of(cell, NO_RATINGS))
    rng = np.random.default_rng([seed, 8])
    errors = np.empty((len(ANSWERS), cell.n_users))
    for user in range(cell.n_users):
        own, held_out = train.take(train.user == user), test.take(test.user == user)
        stars_of = dict(zip(own.movie.tolist(), own.stars.tolist(), strict=True))
        left = rng.permutation(own.movie)
        if strategy == "popular":
            left = left[np.argsort(-count[left], kind="stable")]
        for answers in range(max(ANSWERS) + 1):
            if answers in ANSWERS:
                predicted = model.predict(held_out.user, held_out.movie)
                squared = (predicted - held_out.stars) ** 2
                errors[ANSWERS.index(answers), user] = mean_per_user(squared, held_out.user)[0]
            movie = model.ask_next(user, left, targets) if strategy == "variance" else int(left[0])
            model.learn_one(user, movie, stars_of[movie])
            left = left[left != movie]
    return errors


if __name__ == "__main__":
    run(main, Parameters)
