"""`movie_mean`, `user_mean`, `user_median`: of the training ratings, by movie or by user.

Whatever has no training rating of its own gets the mean (median) of all training ratings, and
where there is no training rating at all, `DEFAULT_STARS`.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import OnlineRecommender, Recommender, Training
from recbench.ratings import DEFAULT_STARS, Ratings

FLOAT_BYTES = 4  # as which a mean is predicted


class _RunningMean(OnlineRecommender):
    """The mean of the stars of one user, or of one movie; of all ratings where there is none."""

    tuned: ClassVar[str] = "nothing to tune"

    def _start(self, key: np.ndarray, stars: np.ndarray, everyone: Ratings) -> None:
        """
        Args:
            key, stars: int and float [n], the user or movie of each rating, and its stars.
            everyone: the ratings that the mean of all is of.
        """
        self._count = np.bincount(key)
        self._total = np.bincount(key, weights=stars)
        self._all = len(everyone)
        self._all_stars = float(everyone.stars.sum(dtype=np.float64))

    def _add(self, key: int, stars: float) -> None:
        if key >= len(self._count):
            more = max(key + 1, 2 * len(self._count)) - len(self._count)
            self._count = np.append(self._count, np.zeros(more, dtype=self._count.dtype))
            self._total = np.append(self._total, np.zeros(more))
        self._count[key] += 1
        self._total[key] += stars
        self._all += 1
        self._all_stars += stars

    def _means_of(self, key: np.ndarray) -> np.ndarray:
        """float32 [n], of `key` (int [n])."""
        key = np.asarray(key)
        mean = self._all_stars / self._all if self._all else DEFAULT_STARS
        stars = np.full(len(key), mean, dtype=np.float32)
        rated = key < len(self._count)
        rated[rated] = self._count[key[rated]] > 0
        stars[rated] = self._total[key[rated]] / self._count[key[rated]]
        return stars

    def _nbytes(self) -> int:
        """Of the means."""
        return FLOAT_BYTES * int(np.count_nonzero(self._count))


class MovieMean(_RunningMean):
    """The mean of the movie's training ratings: r̂_ui = mean over u' of r_u'i.

    A movie nobody rated gets the mean of all training ratings.
    """

    name: ClassVar[str] = "movie_mean"
    learns_from: ClassVar[str] = "all"

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        self._start(train.movie, train.stars, train)
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self._add(movie, stars)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self._means_of(movie)

    def state_bytes(self) -> int:
        return 0

    def shared_bytes(self) -> int:
        return self._nbytes()


class UserMean(_RunningMean):
    """The mean of the user's training ratings: r̂_ui = mean over i' of r_ui'.

    A user without any gets the mean of all training ratings.
    """

    name: ClassVar[str] = "user_mean"
    learns_from: ClassVar[str] = "user"

    def fit(self, training: Training) -> Self:
        self._start(training.ratings.user, training.ratings.stars, training.sample)
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self._add(user, stars)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self._means_of(user)

    def state_bytes(self) -> int:
        return self._nbytes()

    def shared_bytes(self) -> int:
        return FLOAT_BYTES  # the mean of all


class UserMedian(Recommender):
    """The median of the user's training ratings (of an even number, the middle two's mean).

    A user without any gets the median of all training ratings.
    """

    name: ClassVar[str] = "user_median"
    tuned: ClassVar[str] = "nothing to tune"
    learns_from: ClassVar[str] = "user"

    def fit(self, training: Training) -> Self:
        train, everyone = training.ratings, training.sample
        self._table = _median_by(train.user, train.stars)  # (users,), nan of no rating
        self._otherwise = np.median(everyone.stars) if len(everyone) else DEFAULT_STARS
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user = np.asarray(user)
        stars = np.full(len(user), np.nan, dtype=np.float32)
        inside = user < len(self._table)
        stars[inside] = self._table[user[inside]]
        return np.where(np.isnan(stars), np.float32(self._otherwise), stars)

    def state_bytes(self) -> int:
        return int(np.count_nonzero(~np.isnan(self._table))) * self._table.itemsize

    def shared_bytes(self) -> int:
        return FLOAT_BYTES  # the median of all


def _median_by(key: np.ndarray, stars: np.ndarray) -> np.ndarray:
    ordered = stars[np.lexsort((stars, key))]  # by key, then by stars
    count = np.bincount(key)
    start = np.cumsum(count) - count
    rated = count > 0
    low, high = (start + (count - 1) // 2)[rated], (start + count // 2)[rated]
    median = np.full(len(count), np.nan, dtype=np.float32)
    median[rated] = (ordered[low] + ordered[high]) / 2
    return median
