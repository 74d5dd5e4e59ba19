"""What an item table reveals of the users it was learned from -> results/<run>/membership.csv

Membership inference (Shokri, Stronati, Song & Shmatikov 2017): somebody holds the item table and
all ratings of a user, and tries to find out whether that user was among the background users. Half
of the users of the dataset are members, the others are not; the table is learned from members
alone. The attacks give each user a score, and the AUC is how often a member has a higher score
than a non-member: .5 is guessing.

    likelihood   the probability of the user's stars under the table's Gaussian process, by rating
    mean         how much nearer the stars are to the table's means than to those of another table,
                 learned from other users (Homer et al. 2008)
    both         how much more probable the stars are under this table than under that other one

    python -m experiments.membership --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from rich.progress import track
from scipy.stats import rankdata

from experiments.common import Flags
from recbench.command_line import run
from recbench.data.encodings.movies import encode_movies
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.files import write_csv
from recbench.models.item_kernel import CodeKernel
from recbench.models.item_table.making import make_item_table
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies, Ratings
from recbench.runs.resume import open_run
from recbench.threads import one_thread

MOST_RATINGS = 300  # of a user, the latest
ATTACKED = 400  # members, and as many others, at most


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    members: tuple[int, ...] = (50, 200, 1000)
    """how many users a table is learned from; sizes beyond a third of the users are left out"""
    iterations: int = 3
    """how often each"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--members", *parameters.members, least=10)
    check_range("--iterations", parameters.iterations, least=1, most=1000)
    check_range("--seed", parameters.seed, least=0)
    dataset = load_dataset(parameters.dataset)
    name, ratings, users = dataset.source.name, dataset.ratings, dataset.n_users
    sizes = [size for size in parameters.members if 3 * size <= users]
    if not sizes:
        message = f"--members: {name} has {users} users. Expected a third of them at most"
        raise InputError(message)
    folder = open_run(parameters, None, "membership", [dataset])
    rows = []
    todo = list(product(sizes, range(parameters.iterations)))
    for size, iteration in track(todo, description="tables"):
        seed = parameters.seed + iteration
        order = np.random.default_rng([seed, 9]).permutation(users)
        members, other, outside = order[:size], order[size : 2 * size], order[2 * size :]
        voters = np.isin(np.arange(users), members)
        movies = encode_movies(dataset, background=voters, encoding="extended")
        with one_thread():
            table, shadow = (
                make_item_table(ratings.take(np.isin(ratings.user, who)), movies, seed)
                for who in (members, other)
            )
            attacked = np.concatenate((members[:ATTACKED], outside[:ATTACKED]))
            scores = attack(ratings, attacked, table, shadow, movies)
        is_member = np.arange(len(attacked)) < min(size, ATTACKED)
        rows += [
            {
                "dataset": name,
                "members": size,
                "iteration": iteration + 1,
                "attack": kind,
                "auc": auc(score, is_member),
                "n_members": int(is_member.sum()),
                "n_others": int((~is_member).sum()),
            }
            for kind, score in scores.items()
        ]
    table_of_rows = pd.DataFrame(rows)
    write_csv(table_of_rows, folder.path / "membership.csv")
    means = table_of_rows.groupby(["members", "attack"], sort=False)["auc"].agg(["mean", "std"])
    write_csv(means.reset_index(), folder.path / "summary.csv")
    folder.close(started)
    print(means["mean"].unstack("attack").to_string(float_format="{:.3f}".format))
    print(f"AUC of telling members from others; in {folder.path}")


def attack(
    ratings: Ratings, users: np.ndarray, table: ItemTable, shadow: ItemTable, movies: Movies
) -> dict[str, np.ndarray]:
    """The scores of the attacks for each user, float64 [users]; higher: rather a member."""
    kernels = CodeKernel(table, movies), CodeKernel(shadow, movies)
    scores: dict[str, list[float]] = {"likelihood": [], "mean": [], "both": []}
    for user in users:
        own = ratings.take(np.flatnonzero(ratings.user == user))
        own = own.take(np.argsort(own.time, kind="stable")[-MOST_RATINGS:])
        here, there = (log_likelihood(kernel, own) for kernel in kernels)
        off, off_shadow = (own.stars - one.mean[own.movie] for one in (table, shadow))
        scores["likelihood"].append(here / len(own))
        scores["mean"].append(float((off_shadow**2 - off**2).mean()))
        scores["both"].append((here - there) / len(own))
    return {name: np.array(values) for name, values in scores.items()}


def log_likelihood(kernel: CodeKernel, own: Ratings) -> float:
    """log p(stars) without its constant."""
    residual = own.stars.astype(np.float64) - kernel.mean[own.movie]
    process = kernel.process(own.movie, kernel.stored(own.movie), residual)
    return float(-process.z @ process.z / 2 - np.log(np.diagonal(process.root)).sum())


def auc(score: np.ndarray, is_member: np.ndarray) -> float:
    """How often a member's score is higher than another's, ties a half."""
    ranks, n = rankdata(score), is_member.sum()
    return float((ranks[is_member].sum() - n * (n + 1) / 2) / (n * (~is_member).sum()))


if __name__ == "__main__":
    run(main, Parameters)
