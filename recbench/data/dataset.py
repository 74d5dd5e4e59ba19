"""Ratings joined to movies: what samples are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from recbench.data.tables import Source
from recbench.ratings import Ratings


@dataclass(frozen=True)
class Dataset:
    """Ratings joined to movies.

    Attributes:
        source: where they come from.
        ratings: all ratings that found their movie, sorted by user; a user's repeated rating of a
            movie counts once, the latest.
        user_id: int64 [users], the id behind each dense user index.
        table: one row per movie that has a rating, in the order of the dense movie index: the
            columns of the source's movies, and movieId.
        counts: what was found, cleaned, joined and kept, in the order to print it.
        kept_in: the folder in the user's cache that it is read from; None: it is in memory.
    """

    source: Source
    ratings: Ratings
    user_id: np.ndarray
    table: pl.DataFrame
    counts: dict[str, int]
    kept_in: Path | None = None

    @property
    def n_users(self) -> int:
        return len(self.user_id)

    @cached_property
    def first_row(self) -> np.ndarray:
        """int64 [users + 1]: where each user's ratings begin, and where the last one's end."""
        users = np.arange(self.n_users + 1, dtype=self.ratings.user.dtype)
        return np.searchsorted(self.ratings.user, users)

    def rows_of(self, users: np.ndarray) -> np.ndarray:
        """The rows of all ratings of `users` (int [k]), one user's after the other's."""
        first, count = self.first_row[users], np.diff(self.first_row)[users]
        before = np.cumsum(count) - count
        return np.arange(count.sum()) + np.repeat(first - before, count)
