"""A table of ratings grouped by user: many users as one padded array, and their order in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recbench.ratings import Ratings

# Padded ratings in one chunk: by its shape some 300 MB of a GPU, with what the way back needs.
CELLS_PER_CHUNK = 262_144


@dataclass(frozen=True)
class Chunk:
    """Some users of like history length, padded to the longest.

    Attributes:
        users: int [u], positions in the sorted distinct users of the table.
        rows: int [u, r], row numbers in the table; padding repeats the user's first row.
        mask: bool [u, r], False for padding.
    """

    users: np.ndarray
    rows: np.ndarray
    mask: np.ndarray


def chunks_of_users(user: np.ndarray, cells: int = CELLS_PER_CHUNK) -> Iterator[Chunk]:
    """The rows of a table grouped by user, the shortest histories first.

    Args:
        user: int [n], whose row each is.
        cells: at most so many padded rows in a chunk, unless one user alone has more.
    """
    by_user = np.argsort(user, kind="stable")
    _, first, count = np.unique(user[by_user], return_index=True, return_counts=True)
    by_length = np.argsort(count, kind="stable")
    start = 0
    while start < len(by_length):
        longest = count[by_length[start : start + cells]]  # a user has one row at the least
        padded = longest * np.arange(1, len(longest) + 1)  # cells, if the chunk ended here
        stop = start + max(1, int(np.searchsorted(padded, cells, side="right")))
        users = by_length[start:stop]
        place = np.arange(count[users[-1]])
        mask = place < count[users, None]  # (users, ratings)
        rows = by_user[first[users, None] + np.where(mask, place, 0)]  # (users, ratings)
        yield Chunk(users, rows, mask)
        start = stop


def grouped(user: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a table ordered by user, int [n], those of one user in the order of the table;
    and where the rows of each distinct user start in it, int [users + 1], the end being the last.
    """
    by_user = np.argsort(user, kind="stable")
    _, starts = np.unique(user[by_user], return_index=True)
    return by_user, np.append(starts, len(user))


def rows_of_each(user: np.ndarray) -> list[np.ndarray]:
    """The rows (int) of each distinct user, in order of the users and of the table."""
    by_user, starts = grouped(user)
    return np.split(by_user, starts[1:-1]) if len(user) else []


def ratings_after(ratings: Ratings) -> np.ndarray:
    """How many ratings of its user have come after each, int [n]; equal times stand in the order of
    the rows."""
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    _, whose, count = np.unique(ratings.user, return_inverse=True, return_counts=True)
    end = np.cumsum(count)[whose[order]]
    after = np.empty(len(ratings), dtype=np.int64)
    after[order] = end - 1 - np.arange(len(order))
    return after
