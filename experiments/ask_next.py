"""Which movie to ask a new user about? -> results/<run>/ask_next.csv

Each user starts with no rating. Then, ten times, the user is asked about one movie among those of
the user's training ratings, answers, and the answer is learned. Which movie is asked about:

    variance    the one whose rating is expected to lessen the variance of the user's ratings most,
                see `Personal.ask_next`; a movie matters by how many background users rated it
    popular     the one that most background users rated
    random      any

After 0, 1, 2, 5 and 10 answers the held-out ratings are predicted. Every movie that can be asked
about is one that the user has seen, so no question is lost.

    python -m experiments.ask_next --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.progress import track

from PerUser.personal import Personal
from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.metrics import mean_per_user
from recbench.evaluation.protocols import PROTOCOLS, UserSet
from recbench.ratings import Ratings
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv
from recbench.threads import one_thread

ANSWERS = (0, 1, 2, 5, 10)
STRATEGIES = ("variance", "popular", "random")
TARGETS = 500  # movies that matter, drawn by how many rated each


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    users: int = 250
    """how many users to draw; 0: all"""
    ratings: int = 50
    """of each"""
    user_set: UserSet = "test"
    """who is asked"""
    iterations: int = 3
    """samples of users"""
    seed: int = 0
    """iteration k uses seed + k - 1"""
    output_dir: str = ""
    """the run's folder; default results/<time>-ask-next"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--iterations", parameters.iterations, least=1, most=1000)
    check_range("--seed", parameters.seed, least=0)
    check_range("--ratings", parameters.ratings, least=2 * max(ANSWERS))
    protocol = PROTOCOLS["strict"].changed(user_set=parameters.user_set, background_users="all")
    dataset = load_dataset(parameters.dataset, protocol.join)
    folder = open_run(parameters, None, "ask-next", [dataset], protocol=protocol.columns())
    rows = []
    for iteration in track(range(parameters.iterations), description="iterations"):
        seed = parameters.seed + iteration
        cell = make_cell(dataset, protocol, parameters.users, parameters.ratings, seed)
        with one_thread():
            for strategy in STRATEGIES:
                errors = squared_errors(cell, strategy, seed)  # (answers, users)
                rows += [
                    {
                        "dataset": dataset.source.name,
                        "iteration": iteration + 1,
                        "strategy": strategy,
                        "answers": answers,
                        "n_users": cell.n_users,
                        "rmse": float(np.sqrt(errors[place].mean())),
                    }
                    for place, answers in enumerate(ANSWERS)
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
    model = Personal().fit(train.take(np.empty(0, int)), cell.movies, cell.personal_tables)
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
                errors[ANSWERS.index(answers), user] = error(model, held_out)
            asked = model.ask_next(user, left, targets) if strategy == "variance" else int(left[0])
            model.learn_one(user, asked, stars_of[asked])
            left = left[left != asked]
    return errors


def error(model: Personal, ratings: Ratings) -> float:
    """Mean squared error over the ratings of one user."""
    squared = (model.predict(ratings.user, ratings.movie) - ratings.stars) ** 2
    return float(mean_per_user(squared, ratings.user)[0])


if __name__ == "__main__":
    run(main, Parameters)
