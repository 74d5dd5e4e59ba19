"""`personal`: a Gaussian process of one user's ratings, over an item table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from recbench.contract import ContinualRecommender, Explanation, Training
from recbench.models.item_table.scales import STARS
from recbench.models.memories import NONE, Memories, histories
from recbench.ratings import MAX_STARS, MIN_STARS


class Personal(ContinualRecommender):
    """r ~ GP(mean_u, k) for each user, with mean and k from the item table; only the user's own
    ratings are learned.

    The item table (`recbench.models.item_table`) is a factor model learned from other users'
    ratings only. The user is folded in exactly: the mean depends on *which* movies the user has
    rated, and the kernel on the movies' factors, with terms for metadata, the slope of a user's
    stars, and drift (`recbench.models.item_table.scales.Scales`). The prediction is the posterior
    mean of a Gaussian process (Rasmussen & Williams 2006): linear in the ratings, its variance
    known, exact after each rating learned or forgotten (`recbench.models.memories`). In a session
    after that of the user's latest rating, the contribution of the ratings is multiplied by
    `ItemTable.persistence`. For a user without ratings, the table's mean is predicted. Nothing is
    random.
    """

    name: ClassVar[str] = "personal"
    learns_from: ClassVar[str] = "user+items"
    has_kernels: ClassVar[bool] = True
    tuned: ClassVar[str] = "with the item table"  # to background users

    def fit(self, training: Training) -> Self:
        train = training.ratings
        self.memories = Memories(training.item_tables, training.movies)
        for user, rows in histories(train):
            latest = float(train.time[rows[-1]])
            self.memories.store(user, train.movie[rows], train.stars[rows], latest=latest)
        return self

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        mean, _ = self.memories.predict(user, movie, time, with_variance=False)
        return mean.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_normal(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean, not clipped, and variance of the rating, noise included: float64 [n] each."""
        return self.memories.predict(np.asarray(user), np.asarray(movie), time)

    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        user = np.asarray(user)
        mean, variance = self.predict_normal(user, movie, time)
        return STARS, self.memories.tables.probabilities(user, mean, variance)

    def predict_one(self, user: int, movie: int) -> float:
        return min(max(self.memories.predict_one(int(user), movie), MIN_STARS), MAX_STARS)

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self.memories.learn(int(user), movie, float(np.float32(stars)))

    def watch(self, user: int, movies: np.ndarray) -> None:
        """Mark these movies (int [n]) as watched but not rated: the mean then depends on them, too.
        They replace those of an earlier call."""
        memory = self.memories.get(int(user))
        if memory is None:
            self.memories.store(int(user), NONE, np.empty(0), np.unique(movies))
        else:
            rated = memory.movie, memory.value
            self.memories.store(int(user), *rated, np.unique(movies), memory.latest)

    def forget_one(self, user: int, movie: int) -> None:
        self.memories.forget_one(int(user), movie)

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Remove several ratings at once; if one of them is missing, none is removed.

        Raises:
            KeyError: the user has no such rating.
        """
        self.memories.forget(int(user), movies)

    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation:
        """The mean of other users; for each rating, the linear share of its stars and separately
        that of having watched the movie, see `Memories.explain`."""
        return self.memories.explain(int(user), movie, if_forgotten)

    def correlation(self, movie: np.ndarray, other: np.ndarray, user: int = 0) -> np.ndarray:
        """Prior correlation of a user's ratings of two movies, int [m] and int [n]: the kernel
        divided by the square roots of both variances, float64 [m, n], −1 .. 1."""
        kernel = self.memories.kernel(int(user))
        return kernel.correlation(np.asarray(movie), np.asarray(other))

    def ask_next(self, user: int, candidates: np.ndarray, targets: np.ndarray) -> int:
        """The most informative movie to rate next.

        It is the one expected to reduce the summed variance of the user's ratings of `targets` most
        (active learning for Gaussian processes: Cohn, Ghahramani & Jordan 1996). With the posterior
        covariance S that is Σ_t S_tc² / (S_cc + σ²), which does not depend on the stars.

        Args:
            candidates: int [c], movies to choose from, at least one.
            targets: int [t], movies whose variances are summed; a repeated movie has more weight.
        """
        user, kernel = int(user), self.memories.kernel(int(user))
        movie = np.concatenate((candidates, targets))
        covariance = kernel.between(np.asarray(candidates), movie)  # (c, c + t)
        process = self.memories.process(user)
        if process is not None:
            memory = self.memories[user]
            solved = process.solved(kernel.with_stored(movie, memory.movie))
            covariance = covariance - solved[:, : len(candidates)].T @ solved
        own = np.diagonal(covariance) + kernel.noise[np.asarray(candidates)]  # (c,)
        learned = (covariance[:, len(candidates) :] ** 2).sum(axis=1) / own
        return int(np.asarray(candidates)[learned.argmax()])

    def state_bytes(self) -> int:
        return self.memories.state_bytes()

    def shared_bytes(self) -> int:
        return self.memories.shared_bytes()
