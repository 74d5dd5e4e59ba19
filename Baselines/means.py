"""`always_3`, `movie_mean`, `user_mean`, `user_median`: references that any model must beat.

For a user or movie without training ratings, the mean (median) of all training ratings is
predicted; without any training rating, `DEFAULT_STARS`.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import pandas as pd

from recbench.contract import OnlineRecommender, Recommender, Training
from recbench.ratings import DEFAULT_STARS, Ratings

FLOAT_BYTES = 4  # of a mean or median, as it is predicted


class Always3(Recommender):
    """Three stars for every user and movie."""

    name: ClassVar[str] = "always_3"
    tuned: ClassVar[str] = "nothing to tune"
    learns_from: ClassVar[str] = "user"

    def fit(self, training: Training) -> Self:
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return np.full(len(user), DEFAULT_STARS, dtype=np.float32)

    def state_bytes(self) -> int:
        return 0

    def shared_bytes(self) -> int:
        return 0


class _RunningMean(OnlineRecommender):
    """The mean stars of each user, or of each movie; without ratings, the mean of all."""

    tuned: ClassVar[str] = "nothing to tune"

    def _start(self, key: np.ndarray, stars: np.ndarray, everyone: Ratings) -> None:
        """
        Args:
            key, stars: int and float [n], the user or movie of each rating, and its stars.
            everyone: the ratings to take the mean of all from.
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
        """Means of users or movies (int [n]), float32 [n]."""
        key = np.asarray(key)
        mean = self._all_stars / self._all if self._all else DEFAULT_STARS
        stars = np.full(len(key), mean, dtype=np.float32)
        rated = key < len(self._count)
        rated[rated] = self._count[key[rated]] > 0
        stars[rated] = self._total[key[rated]] / self._count[key[rated]]
        return stars

    def _nbytes(self) -> int:
        """Bytes of the means."""
        return FLOAT_BYTES * int(np.count_nonzero(self._count))


class MovieMean(_RunningMean):
    """The mean of the movie's training ratings: r̂_ui = mean over u' of r_u'i.

    For a movie without ratings, the mean of all training ratings.
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

    For a user without ratings, the mean of all training ratings.
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
    """The median of the user's training ratings (for an even number, the mean of the middle two).

    For a user without ratings, the median of all training ratings.
    """

    name: ClassVar[str] = "user_median"
    learns_from: ClassVar[str] = "user"
    tuned: ClassVar[str] = "nothing to tune"

    def fit(self, training: Training) -> Self:
        train, everyone = training.ratings, training.sample
        self._medians = pd.Series(train.stars).groupby(train.user).median()  # by user
        self._otherwise = np.median(everyone.stars) if len(everyone) else DEFAULT_STARS
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self._medians.reindex(np.asarray(user)).fillna(self._otherwise)
        return stars.to_numpy(np.float32)

    def state_bytes(self) -> int:
        return FLOAT_BYTES * len(self._medians)

    def shared_bytes(self) -> int:
        return FLOAT_BYTES  # the median of all
