"""What it costs to forget, and whether nothing is left -> forgetting.csv

Of each recommender that can forget a rating: ratings of users drawn at random are forgotten one by
one, and all ratings of one genre in one call. Beside the time stands that of refitting the user, or
everybody where all are learned from; and how far predictions are from those of a recommender that
never had the ratings.

    python -m experiments.forgetting --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from experiments.common import Flags, Job, elapsed_microseconds, run_experiment, training_of
from recbench.command_line import run
from recbench.contract import fit
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender
from recbench.threads import on_one_thread

COMPARED, NUM_MOVIES = 20, 500  # users and movies for whom predictions are compared


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = ("personal", "ridge_recursive", "ao")
    """those that can forget"""
    refitted: tuple[str, ...] = ("bayes_fm", "colab")
    """recommenders that can only be refitted, for comparison"""
    users: int = 100
    """how many users of whom something is forgotten"""
    genre: str = "horror"
    """all ratings of which are forgotten in one call"""


def main(parameters: Parameters) -> int:
    check_range("--users", parameters.users, least=1)
    dataset = load_dataset(parameters.dataset)
    cell = make_cell(dataset, PROTOCOLS["strict"], 0, 0, parameters.seed)
    of_genre = movies_of(cell.movies, parameters.genre)
    _ = cell.personal_tables  # made before the clock starts
    jobs = []
    for name in (*parameters.models, *parameters.refitted):
        key: dict[str, object] = {"model": name}
        work = partial(on_one_thread, costs, name, cell, of_genre, parameters)
        jobs.append(Job(key, {"dataset": dataset.source.name, **key}, work))
    return run_experiment(
        *(parameters, "forgetting", [dataset], lambda _: jobs, lambda *_: {}),
        rows_file="forgetting.csv",
    )


def costs(name: str, cell: Cell, of_genre: np.ndarray, parameters: Parameters) -> dict:
    """Processor seconds of a fit to all; and of one that can forget, what it takes to forget a
    rating of each of some users, and the genre of the users who have most of it."""
    train = cell.personal.train
    begun = time.process_time()
    model = fitted(name, cell, train)
    row = {"fit_seconds": time.process_time() - begun}
    if name not in parameters.models:
        return row
    rng = np.random.default_rng([parameters.seed, 23])
    users = rng.permutation(np.unique(train.user))[: parameters.users].tolist()
    one = {user: rng.choice(train.movie[train.user == user], 1) for user in users}
    in_genre = of_genre[train.movie]
    most = np.argsort(-np.bincount(train.user, in_genre), kind="stable")[:10].tolist()
    all_of_genre = {user: train.movie[(train.user == user) & in_genre] for user in most}
    for what, gone in (("", one), (f"_{parameters.genre}", all_of_genre)):
        times, away = forgotten(name, model, cell, gone)
        row[f"forget{what}_us_p50"] = float(np.median(times))
        row[f"largest_difference{what}"] = max(away)
        model = fitted(name, cell, train)
    row["fit_user_us_p50"] = float(np.median([refit(name, cell, *pair) for pair in one.items()]))
    row[f"{parameters.genre}_ratings"] = float(np.mean([*map(len, all_of_genre.values())]))
    return row


def forgotten(
    name: str, model: Any, cell: Cell, gone: dict[int, np.ndarray]
) -> tuple[list[float], list[float]]:
    """Some movies of each of some users forgotten, and one predicted: microseconds of each user;
    and of the first twenty the largest difference in stars, over some movies, from a recommender
    that never had the ratings."""
    train = cell.personal.train
    times: list[float] = []
    away: list[float] = []
    for user, of_user in gone.items():
        movies = of_user.tolist()
        model.predict_one(user, movies[0])

        def forget(user: int = user, movies: list[int] = movies) -> None:
            model.forget(user, movies)
            model.predict_one(user, movies[0])

        times.append(elapsed_microseconds(forget))
        if len(away) < COMPARED:
            never = train.take((train.user != user) | ~np.isin(train.movie, movies))
            without = fitted(name, cell, never)
            drawn = np.random.default_rng(user).permutation(len(cell.movies))[:NUM_MOVIES]
            pairs = [[one.predict_one(user, m) for one in (model, without)] for m in drawn.tolist()]
            away.append(max(abs(one - other) for one, other in pairs))
    return times, away


def fitted(name: str, cell: Cell, ratings: Ratings) -> Any:
    """A recommender that has learned these ratings alone."""
    model = load_recommender(name)()
    fit(model, training_of(cell, ratings))
    return model


def refit(name: str, cell: Cell, user: int, gone: np.ndarray) -> float:
    """Microseconds to fit a user's other ratings and to predict a movie."""
    own = cell.personal.train.take(cell.personal.train.user == user)
    left = own.take(~np.isin(own.movie, gone))
    return elapsed_microseconds(lambda: fitted(name, cell, left).predict_one(user, int(gone[0])))


def movies_of(movies: Movies, genre: str) -> np.ndarray:
    """Which movies are of that genre, bool [movies].

    Raises:
        InputError: there is no such genre.
    """
    names = [name.lower() for name in movies.bit_names]
    if f"genres:{genre.lower()}" not in names:
        there = ", ".join(name.partition(":")[2] for name in names if name.startswith("genres:"))
        raise InputError(f"--genre {genre}: there is none. There are {there}")
    return movies.bits[:, names.index(f"genres:{genre.lower()}")].astype(bool)


if __name__ == "__main__":
    run(main, Parameters)
