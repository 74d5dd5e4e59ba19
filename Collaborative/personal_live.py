"""`personal_live`: the personal model with movie means that follow the stream of ratings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from recbench.contract import ContinualRecommender, Explanation, Training
from recbench.models.item_table.scales import STARS
from recbench.models.memories import Memories, histories
from recbench.ratings import MAX_STARS, MIN_STARS


class PersonalLive(ContinualRecommender):
    """r̂_ui = personal + d_i, where d_i is learned between two item tables.

    Each user's residuals from the table's means are remembered as in `personal`. d_i is the
    difference of the movie's current mean from that of the table. Its prior is normal with mean 0
    and variance τ² / (1 + n_i / h), where n_i ratings of the movie were in `fit`. Let v be the
    predictive variance of a rating by the personal model, and e its error. Then d_i, with variance
    s, moves by k e with k = s / (s + v), and its variance falls to (1 − k) s (a local level without
    drift: West & Harrison 1997, chapter 2). So each rating counts for all users at once. Only e has
    to leave the user's device, and it cannot be taken back: `forget_one` restores only the user's
    memory.

    Args:
        variance: τ², in squared stars.
        half: h, in ratings.

    The defaults were chosen on the first 38,000 ratings of MovieLens 100K in time order.
    """

    name: ClassVar[str] = "personal_live"
    learns_from: ClassVar[str] = "all"
    has_kernels: ClassVar[bool] = True
    tuned: ClassVar[str] = "on the first ratings of MovieLens 100K"

    def __init__(self, variance: float = 0.3, half: float = 5.0) -> None:
        self.variance = variance
        self.half = half

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        self.memories = Memories(training.item_tables, training.movies)
        for user, rows in histories(train):
            self.memories.store(user, train.movie[rows], train.stars[rows])
        count = np.bincount(train.movie, minlength=len(training.movies))
        self._moved = np.zeros(len(count))  # d
        self._uncertainty = self.variance / (1 + count / self.half)  # s
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        mean, _ = self.memories.predict(user, movie, with_variance=False)
        return (mean + self._moved[movie]).clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_normal(self, user: np.ndarray, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, not clipped, and variance of the rating, noise included: float64 [n] each."""
        user, movie = np.asarray(user), np.asarray(movie)
        mean, variance = self.memories.predict(user, movie)
        return mean + self._moved[movie], variance + self._uncertainty[movie]

    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        user = np.asarray(user)
        mean, variance = self.predict_normal(user, movie)
        return STARS, self.memories.tables.probabilities(user, mean, variance)

    def predict_one(self, user: int, movie: int) -> float:
        stars = self.memories.predict_one(int(user), movie) + float(self._moved[movie])
        return min(max(stars, MIN_STARS), MAX_STARS)

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        user = int(user)
        error = stars - self.predict_one(user, movie)
        _, variance = self.memories.predict(np.array([user]), np.array([movie]))  # v
        gain = self._uncertainty[movie] / (self._uncertainty[movie] + variance[0])
        self._moved[movie] += gain * error
        self._uncertainty[movie] *= 1 - gain
        self.memories.learn(user, movie, float(np.float32(stars)))

    def forget_one(self, user: int, movie: int) -> None:
        self.memories.forget_one(int(user), movie)

    def forget(self, user: int, movies: Sequence[int]) -> None:
        self.memories.forget(int(user), movies)

    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation:
        """As in `personal`, with the shift of the movie's mean, see `Memories.explain`."""
        return self.memories.explain(int(user), movie, if_forgotten, float(self._moved[movie]))

    def state_bytes(self) -> int:
        return self.memories.state_bytes()

    def shared_bytes(self) -> int:
        return self.memories.shared_bytes() + self._moved.nbytes + self._uncertainty.nbytes
