"""Learn the item table while ratings stay on the users' devices -> results/<run>/rounds.csv

The table is learned from sums over users (`recbench.models.item_table.learning`). Here every user
is a device with that user's ratings and vector. In a round it downloads numbers for all movies (a
selection would reveal what the user has rated), computes on its own ratings, and uploads an array
with a row for each movie. The server sees only the sum of these arrays, as secure aggregation
guarantees (Bonawitz et al. 2017; Ammad-ud-din et al. 2019 do this for a factorization, by
gradients). The table is the same up to rounding: `difference` is the largest difference from movie
vectors learned in one place. The sums still reveal something about users: see
`experiments.membership`.

    python -m experiments.federated --dataset FOLDER
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.common import Flags
from recbench.command_line import run
from recbench.data.encodings.movies import encode_movies
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.files import write_csv
from recbench.models.item_table.learning import FactorModel, halves
from recbench.ratings import Movies, Ratings
from recbench.report.figure import Axis, Figure
from recbench.report.plots import draw
from recbench.report.style import looks_of, save
from recbench.runs.resume import open_run
from recbench.threads import one_thread

HELD_OUT = 10  # one user in n is held out, to evaluate the table
FLOAT = 8  # bytes
COLUMNS = ["round", "rmse", "megabytes_down", "megabytes_up", "difference"]


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    rounds: int = 30
    """passes over all users"""


@dataclass
class Devices:
    """Replaces the matrix of users and movies, with values 1 or stars minus their mean: each row
    exists only on the device of its user.

    Attributes:
        rows: for each user, the movies rated and their values.
        movies: number of movies.
        traffic: numbers that a device has downloaded and uploaded so far, "down" and "up".
    """

    rows: list[tuple[np.ndarray, np.ndarray]]
    movies: int
    traffic: Counter[str]

    def __matmul__(self, of_movies: np.ndarray) -> np.ndarray:
        """Each device downloads `of_movies` and keeps its row of the product."""
        self.traffic["down"] += of_movies.size
        return np.stack([values @ of_movies[movie] for movie, values in self.rows])


@dataclass
class Sums:
    """The transpose of `devices`: a product with it is the sum of the devices' uploads."""

    devices: Devices

    def __matmul__(self, of_users: np.ndarray) -> np.ndarray:
        total = np.zeros((self.devices.movies, *of_users.shape[1:]))
        for (movie, values), own in zip(self.devices.rows, of_users, strict=True):
            total[movie] += np.multiply.outer(values, own)  # an upload, zero but for these movies
        self.devices.traffic["up"] += total.size
        return total


def on_devices(ratings: Ratings, movies: Movies, seed: int) -> tuple[FactorModel, Counter[str]]:
    """The factor model with ratings on their users' devices, and its traffic.

    Uploads of sums of user vectors (some thousand numbers, for the whitening and B) are not
    counted. B's singular vectors are computed before, by the same two products.
    """
    model, traffic = FactorModel(ratings, movies, seed), Counter[str]()
    _, user = np.unique(ratings.user, return_inverse=True)
    order = np.argsort(user, kind="stable")
    ends = np.cumsum(np.bincount(user))[:-1]
    rated = np.split(ratings.movie[order], ends)
    ones = Devices([(movie, np.ones(len(movie))) for movie in rated], len(movies), traffic)
    stars = np.split(model.stars[order], ends)
    values = Devices(list(zip(rated, stars, strict=True)), len(movies), traffic)
    model.rated, model.stars_of = ones, values
    model.rated_by, model.stars_by = Sums(ones), Sums(values)
    return model, traffic


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--rounds", parameters.rounds, least=1, most=1000)
    check_range("--seed", parameters.seed, least=0)
    dataset = load_dataset(parameters.dataset)
    folder = open_run(parameters, None, "federated", [dataset])
    everybody = np.ones(dataset.n_users, dtype=bool)
    order = np.random.default_rng(parameters.seed).permutation(dataset.n_users)
    everybody[order[: len(order) // HELD_OUT]] = False
    movies = encode_movies(dataset, background=everybody, encoding="extended")
    learned = everybody[dataset.ratings.user]
    ratings = dataset.ratings.take(learned)
    rows = []
    with one_thread():
        central = FactorModel(ratings, movies, parameters.seed)
        held_out = halves(dataset.ratings.take(~learned), central.known)
        model, traffic = on_devices(ratings, movies, parameters.seed)
        for number in range(1, parameters.rounds + 1):
            central.iterate()
            model.iterate()
            error = held_out and np.sqrt(central.squared_error(*held_out))
            sizes = (FLOAT * traffic[way] / 1e6 for way in ("down", "up"))
            rows.append((number, error, *sizes, np.abs(model.w - central.w).max()))
    table = pd.DataFrame(rows, columns=COLUMNS)
    about = {"dataset": dataset.source.name, "users": int(everybody.sum()), "movies": len(movies)}
    table = pd.DataFrame(about, index=table.index).join(table)
    write_csv(table, folder.path / "rounds.csv")
    x = Axis("megabytes", "megabytes of a user, down and up")
    rows_of_plot = table.assign(model="item table", megabytes=table.iloc[:, -3:-1].sum(axis=1))
    y = Axis("rmse", "RMSE of users held out, stars")
    figure = Figure("rounds", "lines", rows_of_plot, x, y)
    save(draw(figure, looks_of(["item table"])), folder.path / "rounds")
    folder.close(started)
    print(table.iloc[:: max(len(table) // 10, 1)].to_string(index=False))
    print(f"in {folder.path}")


if __name__ == "__main__":
    run(main, Parameters)
