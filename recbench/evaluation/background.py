"""A tested user among exactly so many background users, and from how many on they pay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recbench.evaluation.cells import Cell
from recbench.evaluation.holdouts import Split
from recbench.evaluation.protocols import Protocol
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Ratings

ROUNDING = 1e-6  # stars


def group_size(background_users: int) -> int:
    """How many are tested with one model that has learned from `background_users` others of each.

    One at a time would be plainest and cost a model for each user tested. In a group the others
    of each include the rest of the group, who bring the part of their ratings that is not held
    out: a tenth of the others at most.
    """
    return 1 + background_users // 10


def cell_without_background(cell: Cell) -> Cell:
    """`cell` whose item baseline knows no movie by its ratings, but by its votes and bits alone."""
    nobody = _no_ratings(cell.personal.background)
    item_baseline = ItemBaseline.fit(cell.personal.train, cell.movies, item_bias=False)
    split = replace(cell.personal, background=nobody)
    return replace(
        cell,
        item_baseline=item_baseline,
        personal=split,
        collaborative=split,
        n_background_users=0,
    )


def cells_with_background(
    cell: Cell, background_users: int, protocol: Protocol, seed: int
) -> Iterator[Cell]:
    """`cell` cut into groups of its users, each beside so many background users that every user
    tested is among exactly `background_users` others.

    With the same seed a larger background holds the smaller ones, but for who is grouped with
    whom.

    Args:
        cell: with at least `background_users` background users.

    Yields:
        cells whose `collaborative` split has the training ratings of the group and its background,
        and the test ratings of the group; the item baseline is fitted to those, too. Dense user
        indices stay those of `cell`.

    Raises:
        ValueError: there are not so many background users.
    """
    if background_users > cell.n_background_users:
        raise ValueError(
            f"{background_users} background users are asked for, there are "
            f"{cell.n_background_users}"
        )
    rng = np.random.default_rng([seed, 5])
    tested = rng.permutation(cell.n_users)
    others = cell.n_users + rng.permutation(cell.n_background_users)
    whole = cell.collaborative
    size = group_size(background_users)
    for start in range(0, cell.n_users, size):
        group = tested[start : start + size]
        background = others[: background_users - (len(group) - 1)]
        split = Split(
            _of_users(whole.train, group),
            _of_users(whole.test, group),
            _of_users(whole.background, background),
        )
        item_baseline = ItemBaseline.fit(
            split.training_ratings(with_background=True), cell.movies, protocol.item_baseline
        )
        yield replace(
            cell,
            item_baseline=item_baseline,
            collaborative=split,
            n_background_users=len(background),
        )


def crossing(background_users: np.ndarray, error: np.ndarray, level: float) -> float | None:
    """From how many background users on `error` stays below `level`; rounding is no difference.

    Between two sizes the error is taken as linear in log(1 + background users).

    Args:
        background_users: int [k], ascending.
        error: float [k], at each.

    Returns:
        0 if it always is below, None if it is not below with the most.
    """
    above = np.flatnonzero(error > level - ROUNDING)
    if not len(above):
        return 0.0
    last = above[-1]
    if last == len(error) - 1:
        return None
    x, e = np.log1p(background_users[last : last + 2]), error[last : last + 2]
    part = np.clip((e[0] - level) / (e[0] - e[1]), 0, 1)
    return float(np.expm1(x[0] + part * (x[1] - x[0])))


def _of_users(ratings: Ratings, users: np.ndarray) -> Ratings:
    return ratings.take(np.isin(ratings.user, users))


def _no_ratings(like: Ratings) -> Ratings:
    return like.take(np.empty(0, dtype=np.int64))
