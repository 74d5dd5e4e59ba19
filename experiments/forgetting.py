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
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from experiments.common import Flags, elapsed_microseconds, training_of
from recbench.command_line import run
from recbench.contract import fit
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.files import write_csv
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender
from recbench.runs.resume import open_run
from recbench.threads import one_thread

NUM_MOVIES = 500  # that predictions are compared for


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = ("personal", "personal_exact", "ridge_recursive", "ao")
    """those that can forget"""
    refitted: tuple[str, ...] = ("bayes_fm", "colab")
    """recommenders that can only be refitted, for comparison"""
    users: int = 100
    """how many users of whom something is forgotten"""
    genre: str = "horror"
    """all ratings of which are forgotten in one call"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--users", parameters.users, least=1)
    check_range("--seed", parameters.seed, least=0)
    dataset = load_dataset(parameters.dataset)
    folder = open_run(parameters, None, "forgetting", [dataset])
    cell = make_cell(dataset, PROTOCOLS["strict"], 0, 0, parameters.seed)
    of_genre = movies_of(cell.movies, parameters.genre)
    train, rows = cell.personal.train, []
    _ = cell.personal_tables  # made before the clock starts
    with one_thread():
        for name in track((*parameters.models, *parameters.refitted), description="recommenders"):
            begun = time.process_time()
            model = fitted(name, cell, train)
            seconds = time.process_time() - begun
            row = {"dataset": dataset.source.name, "model": name, "fit_seconds": seconds}
            if name in parameters.models:
                row |= one_rating(name, model, cell, parameters)
                again = fitted(name, cell, train)
                row |= one_genre(name, again, cell, of_genre, parameters.genre)
            rows.append(row)
    table = pd.DataFrame(rows)
    write_csv(table, folder.path / "forgetting.csv")
    folder.close(started)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    print(f"in {folder.path}")


def fitted(name: str, cell: Cell, ratings: Ratings) -> Any:
    """A recommender that has learned these ratings alone."""
    model = load_recommender(name)()
    fit(model, training_of(cell, ratings))
    return model


def one_rating(name: str, model: Any, cell: Cell, parameters: Parameters) -> dict:
    """A rating of each of some users forgotten and one predicted: microseconds, those of refitting
    the user and predicting one, and the largest difference in stars."""
    rng = np.random.default_rng([parameters.seed, 23])
    train = cell.personal.train
    users = rng.permutation(np.unique(train.user))[: parameters.users].tolist()
    forgetting, refitting, away = [], [], []
    for place, user in enumerate(users):
        own = train.take(train.user == user)
        gone = int(rng.integers(len(own)))
        movie, stars = int(own.movie[gone]), float(own.stars[gone])
        left = own.take(np.arange(len(own)) != gone)
        model.predict_one(user, movie)

        def forget(user: int = user, movie: int = movie) -> None:
            model.forget_one(user, movie)
            model.predict_one(user, movie)

        def refit(left: Ratings = left, user: int = user, movie: int = movie) -> None:
            fitted(name, cell, left).predict_one(user, movie)

        forgetting.append(elapsed_microseconds(forget))
        refitting.append(elapsed_microseconds(refit))
        if place < 20:
            away.append(difference(name, model, cell, user, [movie]))
        model.learn_one(user, movie, stars)  # as the latest: the next user's are untouched
    return {
        "forget_us_p50": float(np.median(forgetting)),
        "forget_us_p99": float(np.percentile(forgetting, 99)),
        "fit_user_us_p50": float(np.median(refitting)),
        "largest_difference": max(away),
    }


def one_genre(name: str, model: Any, cell: Cell, of_genre: np.ndarray, genre: str) -> dict:
    """All of a genre forgotten, of the users who have most of it."""
    train = cell.personal.train
    count = np.bincount(train.user, of_genre[train.movie])
    times, away, ratings = [], [], []
    for user in np.argsort(-count, kind="stable")[:10].tolist():
        own = train.movie[train.user == user]
        movies = own[of_genre[own]].tolist()
        model.predict_one(user, movies[0])

        def forget(user: int = user, movies: list[int] = movies) -> None:
            model.forget(user, movies)
            model.predict_one(user, movies[0])

        times.append(elapsed_microseconds(forget))
        away.append(difference(name, model, cell, user, movies))
        ratings.append(len(movies))
    return {
        f"{genre}_ratings": float(np.mean(ratings)),
        f"forget_{genre}_us_p50": float(np.median(times)),
        f"largest_difference_{genre}": max(away),
    }


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


def difference(name: str, model: Any, cell: Cell, user: int, gone: list[int]) -> float:
    """The largest difference in stars, over some movies, from a recommender that never had the
    user's ratings of the movies `gone`."""
    train = cell.personal.train
    without = fitted(name, cell, train.take((train.user != user) | ~np.isin(train.movie, gone)))
    movies = np.random.default_rng(user).permutation(len(cell.movies))[:NUM_MOVIES].tolist()
    pairs = [(model.predict_one(user, m), without.predict_one(user, m)) for m in movies]
    return max(abs(one - two) for one, two in pairs)


if __name__ == "__main__":
    run(main, Parameters)
