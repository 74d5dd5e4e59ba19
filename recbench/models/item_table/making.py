"""Item tables are learned from the ratings of background users."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.learning import learn_factors
from recbench.models.item_table.scales import (
    Block,
    Scales,
    Steps,
    blocks_of,
    fit_persistence,
    fit_scales,
    fit_steps,
    prequential,
)  # fmt: skip
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings
from recbench.threads import one_thread

ASIDE_AT_MOST = 300  # users that the scales are fitted to, as near as can be
MOST_FOLDS = 2  # parts set aside in turn, if there are few users
ASIDE = 4  # a part set aside is at most one in this many users
ASIDE_RATINGS = 10  # of each user set aside, if enough users have as many
FEWEST_USERS = 10
MOST_USERS = 20_000  # that a table is learned from at most, which bounds its time
DECIMALS = 4  # of the table's numbers; processors differ in the last digits
FOLDS = 4  # of the users of a sample, a table for each
ENOUGH = 4  # background ratings for each training rating of the sample

MoviesWithout = Callable[[np.ndarray], Movies]  # users -> the movies without their votes


def make_item_tables(
    train: Ratings,
    background: Ratings,
    movies: Movies,
    seed: int,
    movies_without: MoviesWithout | None = None,
    voters_from: int | None = None,
) -> ItemTables:
    """One table from `background` users, if these have at least four times as many ratings as those
    of `train`. Otherwise one for each fold of the users of `train`, from `background` and the other
    folds: without most of the data a table would be poor. There are four folds, or two if half of
    the users are as many as a table is learned from.

    Args:
        train: training ratings of the users to predict.
        background: of other users.
        movies_without, voters_from: see `make_item_table`; without background users no votes are
            counted.
    """
    if len(background) >= ENOUGH * max(len(train), 1):
        table = make_item_table(background, movies, seed, movies_without, voters_from)
        return ItemTables.same_for_all(table)
    users = int(train.user.max(initial=-1)) + 1
    folds = 2 if users >= 2 * MOST_USERS else FOLDS
    fold = fold_of_each(np.arange(users), seed, folds)
    tables = []
    for k in range(folds):
        others = Ratings.concatenate([train.take(fold[train.user] != k), background])
        tables.append(make_item_table(others, movies, seed, movies_without, voters_from, 1))
    return ItemTables(tuple(tables), fold)


def fold_of_each(users: np.ndarray, seed: int, folds: int = FOLDS) -> np.ndarray:
    """A random fold for each user (int [n]), of about equal sizes: int64 [n], 0 .. folds − 1."""
    fold = np.empty(len(users), dtype=np.int64)
    fold[np.random.default_rng([seed, 7]).permutation(len(users))] = np.arange(len(users)) % folds
    return fold


def item_table_of(dataset: Dataset, seed: int = 0) -> tuple[ItemTable, Movies]:
    """The item table of a whole dataset, all of whose users are background users, for users outside
    it; and its movies.

    Args:
        seed: see `make_item_table`.
    """
    everybody = np.ones(dataset.n_users, dtype=bool)
    movies = encode_movies(dataset, background=everybody, encoding="extended")

    def movies_without(users: np.ndarray) -> Movies:
        voters = everybody.copy()
        voters[users] = False
        return encode_movies(dataset, background=voters, encoding="extended")

    counted = (None, None) if dataset.source.has_votes else (movies_without, 0)
    return make_item_table(dataset.ratings, movies, seed, *counted), movies


def make_item_table(
    background: Ratings,
    movies: Movies,
    seed: int = 0,
    movies_without: MoviesWithout | None = None,
    voters_from: int | None = None,
    most_folds: int = MOST_FOLDS,
) -> ItemTable:
    """Learn the table from `background` users only.

    Scales and steps must suit users outside the training of the table. So a first table is learned
    without some 300 users, who also decide the number of passes. Scales and steps are fitted to
    them, and the table is then learned again from all. If there are few users, two parts are set
    aside in turn. Users with at least ten ratings are set aside, if there are enough, since others
    are less informative.

    Args:
        movies: all movies of the table; only their metadata bits are used.
        seed: of the initial values, and of the users set aside.
        movies_without: if the votes of `movies` were counted over background users: returns the
            movies without the votes of some users (int [k]). None: votes are external.
        voters_from: see `ItemBaseline.fit`.
        most_folds: largest number of parts set aside in turn.
    """
    users, count = np.unique(background.user, return_counts=True)
    if len(users) > MOST_USERS:
        drawn = np.sort(np.random.default_rng([seed, 8]).permutation(len(users))[:MOST_USERS])
        users, count = users[drawn], count[drawn]
        background = background.take(np.isin(background.user, users))
    if len(users) < FEWEST_USERS:
        return ItemTable.of_metadata(movies)
    with one_thread():
        blocks: list[Block] = []
        iterations = []
        for chosen in _aside(users, count, seed, most_folds):
            aside = np.isin(background.user, chosen)
            others, held_out = background.take(~aside), background.take(aside)
            without = movies_without(chosen) if movies_without else movies
            first = learn_factors(others, without, seed, held_out)
            iterations.append(first.iterations)
            item_baseline = ItemBaseline.fit(others, without, voters_from=voters_from).stars
            blocks += blocks_of(held_out, first, item_baseline, without)
        scales, parts = fit_scales(blocks)
        steps = fit_steps(*prequential(blocks, scales, parts))
        persistence = fit_persistence(blocks, scales, parts)
        passes = round(float(np.mean(iterations)))
        found = learn_factors(background, movies, seed, iterations=passes)
    # rounded to three digits, since a search ends at other digits on another processor
    scales = Scales.of_array(np.array([float(f"{x:.3g}") for x in scales.as_array()]))
    h, g = parts.round(3)
    item_baseline = ItemBaseline.fit(background, movies, voters_from=voters_from).stars
    return ItemTable(
        movie_id=movies.movie_id,
        mean=_rounded(h * found.mean + (1 - h) * item_baseline),
        factors=_rounded(found.factors),
        implicit=_rounded(g * found.implicit, DECIMALS + 1),
        implicit_mean=_rounded(g * found.implicit_mean, DECIMALS + 1),
        uncertainty=_rounded(found.uncertainty),
        count=np.bincount(background.movie, minlength=len(movies)),
        scales=scales,
        steps=Steps(_rounded(steps.cuts), round(steps.spread, DECIMALS)),
        persistence=round(persistence, 3),
        about={
            "users": len(users),
            "ratings": len(background),
            "seed": seed,
            "passes": passes,
            "share_of_mean": float(h),
            "share_of_implicit": float(g),
        },
    )


def _rounded(x: np.ndarray, decimals: int = DECIMALS) -> np.ndarray:
    return x.round(decimals) + 0.0  # −0 is another number to a checksum: now it is 0


def _aside(users: np.ndarray, count: np.ndarray, seed: int, most_folds: int) -> list[np.ndarray]:
    """Users to set aside: one part of 300 if there are many, or two parts of a quarter each.

    Args:
        users, count: int [n], and their numbers of ratings.
    """
    each = min(len(users) // ASIDE, ASIDE_AT_MOST)
    folds = min(-(-ASIDE_AT_MOST // each), most_folds)
    enough = users[count >= ASIDE_RATINGS]
    order = enough if len(enough) >= folds * each else users
    order = np.random.default_rng([seed, 5]).permutation(order)
    return [order[k * each : (k + 1) * each] for k in range(folds)]
