"""A tested person among exactly so many others, and from how many on a crowd is worth having."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evaluation.cells import Cell, Split, with_opinion
from evaluation.protocols import Protocol

ROUNDING = 1e-6  # stars


def group_size(people: int) -> int:
    """How many are tested with one model that has learned from `people` others of each.

    One at a time would be plainest and cost a model for each person tested. In a group the others
    of each include the rest of the group, who bring the part of their ratings that is not held
    out: a tenth of the others at most.
    """
    return 1 + people // 10


def cell_without_crowd(cell: Cell, protocol: Protocol) -> Cell:
    """`cell` where no movie is known by the ratings of others, but by its votes and bits alone."""
    movies = with_opinion(cell.movies, cell.personal.train, replace(protocol, crowd=False))
    return replace(cell, movies=movies, collaborative=cell.personal, n_other_users=0)


def cells_with_crowd(cell: Cell, people: int, protocol: Protocol, seed: int) -> Iterator[Cell]:
    """`cell` cut into groups of its users, each beside so many others that every user tested is
    among exactly `people` other people.

    With the same seed a larger crowd holds the smaller ones, but for who is grouped with whom.

    Args:
        cell: with at least `people` other users.

    Yields:
        cells whose `collaborative` split has the training ratings of the group and its others,
        and the test ratings of the group; theirs is the opinion of each movie, too. Dense user
        indices stay those of `cell`.

    Raises:
        ValueError: there are not so many others.
    """
    if people > cell.n_other_users:
        raise ValueError(f"{people} other people are asked for, there are {cell.n_other_users}")
    rng = np.random.default_rng([seed, 5])
    tested = rng.permutation(cell.n_users)
    others = cell.n_users + rng.permutation(cell.n_other_users)
    train, test = cell.collaborative.train, cell.collaborative.test
    size = group_size(people)
    for start in range(0, cell.n_users, size):
        group = tested[start : start + size]
        crowd = others[: people - (len(group) - 1)]
        learned_from = np.isin(train.user, np.concatenate([group, crowd]))
        split = Split(train.take(learned_from), test.take(np.isin(test.user, group)))
        movies = with_opinion(cell.movies, split.train, protocol)
        yield replace(cell, movies=movies, collaborative=split, n_other_users=len(crowd))


def crossing(people: np.ndarray, error: np.ndarray, level: float) -> float | None:
    """From how many other people on `error` stays below `level`; rounding is no difference.

    Between two sizes of crowd the error is taken as linear in log(1 + people).

    Args:
        people: int [k], ascending.
        error: float [k], at each.

    Returns:
        0 if it always is below, None if it is not below with the largest crowd.
    """
    above = np.flatnonzero(error > level - ROUNDING)
    if not len(above):
        return 0.0
    last = above[-1]
    if last == len(error) - 1:
        return None
    x, e = np.log1p(people[last : last + 2]), error[last : last + 2]
    part = np.clip((e[0] - level) / (e[0] - e[1]), 0, 1)
    return float(np.expm1(x[0] + part * (x[1] - x[0])))
