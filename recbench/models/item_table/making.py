"""How an item table is made from the ratings of background users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.codes import choose_codes
from recbench.models.item_table.fit_scales import Block, blocks_of, fit_scales, prequential
from recbench.models.item_table.kernel import Scales
from recbench.models.item_table.steps import EVEN, Steps, fit_steps
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies, Ratings
from recbench.threads import one_thread

RANK, SAMPLES, SAMPLES_FOR_SCALES = 14, 113, 25
FACTORS = 32
CODE_BITS = 512
ASIDE_AT_MOST = 300  # users that the scales are fitted to, as near as can be
MOST_FOLDS = 4  # that are set aside in turn, where there are few
FEWEST_USERS = 10
MOST_USERS = 20_000  # that a table is learned from
DECIMALS = 4  # of what is in the table; processors differ in the last digits of what they compute

MoviesWithout = Callable[[np.ndarray], Movies]  # users -> the movies without their votes


def make_item_table(
    background: Ratings,
    movies: Movies,
    seed: int = 0,
    code_bits: int = CODE_BITS,
    movies_without: MoviesWithout | None = None,
    most_folds: int = MOST_FOLDS,
    most_users: int = MOST_USERS,
) -> ItemTable:
    """Learn the table from `background`, and from nobody else.

    Scales and steps have to be right for users whom the table was not learned from. So a first
    table is learned without some 300 users, scales and steps are fitted to these, and the table is
    then learned again from all. Of few users, up to four parts are set aside in turn.

    Args:
        movies: all movies that the table is to have; only metadata bits are looked at.
        seed: of the sampler, of who is set aside and of the codes.
        code_bits: bits of a code, 0 or more.
        movies_without: where the votes of `movies` were counted over background users: the movies
            with those of some users (int [k]) not counted. None: they come from elsewhere.
        most_folds: in how many parts users are set aside, at most.
        most_users: of more, so many are drawn at random: what a movie is like is known from them,
            and the time to learn it no longer grows with the crowd.
    """
    background = _of_some_users(background, most_users, seed)
    users = np.unique(background.user)
    if len(users) < FEWEST_USERS:
        return ItemTable.of_metadata(movies)
    with one_thread():
        blocks: list[Block] = []
        for chosen in _aside(users, seed, most_folds):
            aside = np.isin(background.user, chosen)
            others, known = (
                background.take(~aside),
                movies_without(chosen) if movies_without else movies,
            )
            first = _learn(others, known, seed, SAMPLES_FOR_SCALES, code_bits=0)
            item_baseline = ItemBaseline.fit(others, known).stars
            blocks += blocks_of(background.take(aside), first, item_baseline, known)
        fitted = fit_scales(blocks)
        steps = fit_steps(*prequential(blocks, fitted))

        table = _learn(background, movies, seed, SAMPLES, code_bits)
        h, item_baseline = round(fitted.part_of_fm, 3), ItemBaseline.fit(background, movies).stars
        mean = h * table.mean + (1 - h) * item_baseline
    about: dict[str, object] = {
        "users": len(users),
        "ratings": len(background),
        "seed": seed,
        "part_of_fm": h,
    }
    scales = Scales.of_array(_significant(fitted.scales.as_array()))
    steps = Steps(steps.cuts.round(DECIMALS), round(steps.spread, DECIMALS))
    return replace(table, mean=mean.round(DECIMALS), scales=scales, steps=steps, about=about)


def _of_some_users(ratings: Ratings, at_most: int, seed: int) -> Ratings:
    users = np.unique(ratings.user)
    if len(users) <= at_most:
        return ratings
    drawn = np.random.default_rng([seed, 8]).permutation(users)[:at_most]
    return ratings.take(np.isin(ratings.user, drawn))


def _aside(users: np.ndarray, seed: int, most_folds: int) -> list[np.ndarray]:
    """Who is set aside: one part of 300 of many, or all in up to four parts of few."""
    order = np.random.default_rng([seed, 5]).permutation(users)
    each = min(len(users) // MOST_FOLDS, ASIDE_AT_MOST)
    folds = min(-(-ASIDE_AT_MOST // each), most_folds)
    return [order[k * each : (k + 1) * each] for k in range(folds)]


def _significant(values: np.ndarray, digits: int = 3) -> np.ndarray:
    """To so many digits: a search stops at other digits on another processor."""
    return np.array([float(f"{value:.{digits}g}") for value in values])


def _learn(ratings: Ratings, movies: Movies, seed: int, samples: int, code_bits: int) -> ItemTable:
    """Mean over users, factors and codes of each movie; no scales yet."""
    from recbench.models.item_table.posterior import (
        mean_and_factors,  # myFM: needed to make a table only
    )

    mean, factors = mean_and_factors(ratings, movies, seed, RANK, samples, FACTORS)
    factors = factors.round(DECIMALS)
    count = np.bincount(ratings.movie, minlength=len(movies))
    codes = choose_codes(factors[:, 1:], count, code_bits, seed)
    return ItemTable(movies.movie_id, mean, factors, codes, Scales(), EVEN)
