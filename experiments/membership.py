"""What an item table reveals about the users it was learned from -> results/<run>/membership.csv

Membership inference (Shokri, Stronati, Song & Shmatikov 2017): an attacker has the item table and
all ratings of a user, and guesses whether that user was among the background users. The table is
learned only from members, a random sample of the dataset's users. An attack gives each user a
score, and its AUC is how often a member has a higher score than a non-member: .5 is guessing.

    likelihood   the probability of the user's stars under the table's Gaussian process, by rating
    mean         how much nearer the stars are to the table's means than to those of another table,
                 learned from other users (Homer et al. 2008)
    both         how much more probable the stars are under this table than under that other one

    python -m experiments.membership --dataset FOLDER
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from experiments.common import Flags, Job, run_experiment
from recbench.command_line import run
from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.models.item_table.making import make_item_table
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.models.memories import Memories
from recbench.ratings import Ratings
from recbench.runs.run_folder import RunFolder
from recbench.threads import on_one_thread

ATTACKS = ("likelihood", "mean", "both")
MOST_RATINGS = 300  # of a user, the latest
ATTACKED = 400  # most members attacked, and most others


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    members: tuple[int, ...] = (50, 200, 1000)
    """numbers of users to learn a table from; those beyond a third of the users are left out"""
    iterations: int = 3
    """repetitions of each"""


def main(parameters: Parameters) -> int:
    check_range("--members", *parameters.members, least=10)
    check_range("--iterations", parameters.iterations, least=1, most=1000)
    dataset = load_dataset(parameters.dataset)
    name, users = dataset.source.name, dataset.n_users
    sizes = [size for size in parameters.members if 3 * size <= users]
    if not sizes:
        message = f"--members: {name} has {users} users. Expected a third of them at most"
        raise InputError(message)
    jobs = []
    for size, iteration in product(sizes, range(parameters.iterations)):
        key: dict[str, object] = {"members": size, "iteration": iteration + 1}
        work = partial(on_one_thread, attack, dataset, size, parameters.seed + iteration)
        jobs.append(Job(key, {"dataset": name, **key}, work))
    return run_experiment(
        parameters, "membership", [dataset], lambda _: jobs, tables, "membership.csv"
    )


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    """The mean AUC of each attack, and its standard deviation over iterations."""
    names = [f"auc_{attack}" for attack in ATTACKS]
    long = rows.melt("members", names, "attack", "auc")
    long["attack"] = long["attack"].str.removeprefix("auc_")
    means = long.groupby(["members", "attack"], sort=False)["auc"].agg(["mean", "std"])
    return {"summary.csv": means.reset_index().sort_values("members", kind="stable")}


def attack(dataset: Dataset, size: int, seed: int) -> dict:
    """The AUC of each attack on an item table of `size` users."""
    ratings, users = dataset.ratings, dataset.n_users
    order = np.random.default_rng([seed, 9]).permutation(users)
    members, other, outside = order[:size], order[size : 2 * size], order[2 * size :]
    voters = np.isin(np.arange(users), members)
    movies = encode_movies(dataset, background=voters, encoding="extended")
    table, shadow = (
        make_item_table(ratings.take(np.isin(ratings.user, who)), movies, seed)
        for who in (members, other)
    )
    memories = tuple(Memories(ItemTables.same_for_all(one), movies) for one in (table, shadow))
    inside, others = (
        np.array([scores(ratings, user, (table, shadow), memories) for user in who[:ATTACKED]])
        for who in (members, outside)
    )  # (users, attacks)
    test = mannwhitneyu(inside, others, method="asymptotic")
    aucs = (test.statistic / (len(inside) * len(others))).tolist()
    named = {f"auc_{attack}": auc for attack, auc in zip(ATTACKS, aucs, strict=True)}
    return {"n_members": len(inside), "n_others": len(others), **named}


def scores(
    ratings: Ratings,
    user: int,
    tables: tuple[ItemTable, ItemTable],
    memories: tuple[Memories, ...],
) -> tuple[float, float, float]:
    """The scores of a user by each of `ATTACKS`; a higher one indicates a member."""
    own = ratings.take(np.flatnonzero(ratings.user == user))
    own = own.take(np.argsort(own.time, kind="stable")[-MOST_RATINGS:])
    here, there = (log_likelihood(one, own) for one in memories)
    off, off_shadow = (own.stars - table.mean[own.movie] for table in tables)
    nearer = float((off_shadow**2 - off**2).mean())
    return here / len(own), nearer, (here - there) / len(own)


def log_likelihood(memories: Memories, own: Ratings) -> float:
    """log p(stars) given which movies were rated, without its constant."""
    memories.store(0, own.movie, own.stars)
    return memories.log_likelihood(0)


if __name__ == "__main__":
    run(main, Parameters)
