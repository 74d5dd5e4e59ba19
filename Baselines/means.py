"""`movie_mean`, `user_mean`, `user_median`: of the training ratings, by movie or by user.

Whatever has no training rating of its own gets the mean (median) of all training ratings, and
where there is no training rating at all, `DEFAULT_STARS`.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.ratings import DEFAULT_STARS, Movies, Ratings
from recbench.recommender import Recommender


class _StarsByKey(Recommender):
    """A table of stars with one entry per user or movie; nan where there was no rating."""

    tuned: ClassVar[str] = "nothing to tune"

    _table: np.ndarray  # float32 [keys]
    _otherwise: float

    def _look_up(self, key: np.ndarray) -> np.ndarray:
        """float32 [n]: the table's stars at `key` (int [n]), or the answer for unknown ones."""
        key = np.asarray(key)
        stars = np.full(len(key), np.nan, dtype=np.float32)
        inside = key < len(self._table)
        stars[inside] = self._table[key[inside]]
        return np.where(np.isnan(stars), np.float32(self._otherwise), stars)

    def state_bytes(self) -> int:
        return int(np.count_nonzero(~np.isnan(self._table))) * self._table.itemsize


class MovieMean(_StarsByKey):
    """The mean of the movie's training ratings: r̂_ui = mean over u' of r_u'i.

    A movie nobody rated gets the mean of all training ratings.
    """

    name: ClassVar[str] = "movie_mean"
    learns_from_background: ClassVar[bool] = True

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._table = _mean_by(train.movie, train.stars)
        self._otherwise = train.mean_stars()
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self._look_up(movie)


class UserMean(_StarsByKey):
    """The mean of the user's training ratings: r̂_ui = mean over i' of r_ui'.

    A user without any gets the mean of all training ratings.
    """

    name: ClassVar[str] = "user_mean"

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._table = _mean_by(train.user, train.stars)
        self._otherwise = train.mean_stars()
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self._look_up(user)


class UserMedian(_StarsByKey):
    """The median of the user's training ratings (of an even number, the middle two's mean).

    A user without any gets the median of all training ratings.
    """

    name: ClassVar[str] = "user_median"

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._table = _median_by(train.user, train.stars)
        self._otherwise = float(np.median(train.stars)) if len(train) else DEFAULT_STARS
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self._look_up(user)


def _mean_by(key: np.ndarray, stars: np.ndarray) -> np.ndarray:
    count = np.bincount(key)
    with np.errstate(invalid="ignore"):  # 0 / 0: no rating, nan
        return (np.bincount(key, weights=stars) / count).astype(np.float32)


def _median_by(key: np.ndarray, stars: np.ndarray) -> np.ndarray:
    ordered = stars[np.lexsort((stars, key))]  # by key, then by stars
    count = np.bincount(key)
    start = np.cumsum(count) - count
    rated = count > 0
    low, high = (start + (count - 1) // 2)[rated], (start + count // 2)[rated]
    median = np.full(len(count), np.nan, dtype=np.float32)
    median[rated] = (ordered[low] + ordered[high]) / 2
    return median
