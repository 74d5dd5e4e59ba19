"""What it costs to forget, and whether nothing is left -> forgetting.csv

Of each recommender that can forget a rating: ratings of users drawn at random are forgotten one by
one, and all ratings of one genre in one call. Beside the time stands that of fitting the user, or
where everybody is learned from everything, anew; and how far predictions are from those of a
recommender that never had the ratings.

    python -m experiments.forgetting --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from recbench.command_line import run
from recbench.contract import Options, build, declared, fit_on
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv
from recbench.threads import one_thread

FILMS = 500  # whose predictions are compared


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = ("personal", "personal_exact", "ridge_recursive", "ao")
    """those that can forget; of another, fitting anew is what there is"""
    refitted: tuple[str, ...] = ("bayes_fm", "colab")
    """recommenders that can only be fitted anew, for comparison"""
    users: int = 100
    """how many of whom something is forgotten"""
    genre: str = "horror"
    """all ratings of which are forgotten in one call"""
    seed: int = 0
    """of users and of what is forgotten"""
    output_dir: str = ""
    """the run's folder; default results/<time>-forgetting"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--users", parameters.users, least=1)
    check_range("--seed", parameters.seed, least=0)
    dataset = load_dataset(parameters.dataset)
    folder = open_run(parameters, None, "forgetting", [dataset])
    cell = make_cell(dataset, PROTOCOLS["strict"], 0, 0, parameters.seed)
    films_of(cell.movies, parameters.genre)
    rows = []
    with one_thread():
        for name in track((*parameters.models, *parameters.refitted), description="recommenders"):
            model, seconds = fitted(name, cell, cell.personal.train)
            row = {"dataset": dataset.source.name, "model": name, "fit_seconds": seconds}
            if name in parameters.models:
                row |= one_rating(name, model, cell, parameters)
                again, _ = fitted(name, cell, cell.personal.train)
                row |= one_genre(name, again, cell, parameters)
            rows.append(row)
    table = pd.DataFrame(rows)
    write_csv(table, folder.path / "forgetting.csv")
    folder.close(started)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    print(f"in {folder.path}")


def fitted(name: str, cell: Cell, train: Ratings) -> tuple[Any, float]:
    """A recommender that has learned `train`, and the seconds that took; item tables and item
    baselines are there before."""
    model = build(load_recommender(name), Options())
    tables = cell.personal_tables if declared(model, "starts_from_item_table") else None
    started = time.process_time()
    fit_on(model, train, cell.movies, cell.item_baseline, item_tables=tables)
    return model, time.process_time() - started


def one_rating(name: str, model: Any, cell: Cell, parameters: Parameters) -> dict:
    """A rating of each of some users forgotten and one predicted: microseconds, those of fitting
    the user anew and predicting one, and the largest difference in stars."""
    rng = np.random.default_rng([parameters.seed, 23])
    train = cell.personal.train
    users = rng.permutation(np.unique(train.user))[: parameters.users]
    forgetting, anew, away = [], [], []
    for user in users.tolist():
        own = train.take(train.user == user)
        gone = int(rng.integers(len(own)))
        movie, stars = int(own.movie[gone]), float(own.stars[gone])
        model.predict_one(user, movie)
        started = time.perf_counter_ns()
        model.forget_one(user, movie)
        model.predict_one(user, movie)
        forgetting.append((time.perf_counter_ns() - started) / 1000)
        left = own.take(np.arange(len(own)) != gone)
        started = time.perf_counter_ns()
        other, _ = fitted(name, cell, left)
        other.predict_one(user, movie)
        anew.append((time.perf_counter_ns() - started) / 1000)
        if user in users[:20]:
            without, _ = fitted(name, cell, train.take(~_is(train, user, [movie])))
            away.append(difference(model, without, user, cell))
        model.learn_one(user, movie, stars)  # as the latest: the next user's are untouched
    return {
        "forget_us_p50": float(np.median(forgetting)),
        "forget_us_p99": float(np.percentile(forgetting, 99)),
        "fit_user_us_p50": float(np.median(anew)),
        "largest_difference": max(away),
    }


def one_genre(name: str, model: Any, cell: Cell, parameters: Parameters) -> dict:
    """All of a genre forgotten, of the users who have most of it."""
    train = cell.personal.train
    of_genre = films_of(cell.movies, parameters.genre)
    count = np.bincount(train.user, of_genre[train.movie])
    seconds, away, ratings = [], [], []
    for user in np.argsort(-count, kind="stable")[:10].tolist():
        own = train.take(train.user == user)
        movies = own.movie[of_genre[own.movie]].tolist()
        model.predict_one(user, movies[0])
        started = time.perf_counter()
        model.forget(user, movies)
        model.predict_one(user, movies[0])
        seconds.append(time.perf_counter() - started)
        without, _ = fitted(name, cell, train.take(~_is(train, user, movies)))
        away.append(difference(model, without, user, cell))
        ratings.append(len(movies))
    return {
        f"{parameters.genre}_ratings": float(np.mean(ratings)),
        f"forget_{parameters.genre}_us_p50": 1e6 * float(np.median(seconds)),
        f"largest_difference_{parameters.genre}": max(away),
    }


def films_of(movies: Movies, genre: str) -> np.ndarray:
    """Which movies are of that genre, bool [movies].

    Raises:
        InputError: there is no such genre.
    """
    genres = {
        name.partition(":")[2].lower(): place
        for place, name in enumerate(movies.bit_names)
        if name.startswith("genres:")
    }
    if genre.lower() not in genres:
        raise InputError(f"--genre {genre}: there is none. There are {', '.join(genres)}")
    return movies.bits[:, genres[genre.lower()]].astype(bool)


def _is(ratings: Ratings, user: int, movies: list[int]) -> np.ndarray:
    return (ratings.user == user) & np.isin(ratings.movie, movies)


def difference(model: Any, other: Any, user: int, cell: Cell) -> float:
    """The largest between predictions of some movies for a user, stars."""
    movies = np.random.default_rng(user).permutation(len(cell.movies))[:FILMS].tolist()
    pairs = [(model.predict_one(user, m), other.predict_one(user, m)) for m in movies]
    return max(abs(one - two) for one, two in pairs)


if __name__ == "__main__":
    run(main, Parameters)
