"""`personal`: a weightless memory of one user's ratings, read out as a Gaussian process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from recbench.contract import ContinualRecommender, Explanation, Training
from recbench.models.item_kernel import CodeKernel, FactorKernel, MovieKernel
from recbench.models.item_table.scales import STARS
from recbench.models.memories import Memories, histories
from recbench.ratings import MAX_STARS, MIN_STARS
from weightless.storage import read, write


class Personal(ContinualRecommender):
    """r ~ GP(mean, k) for each user, mean and k from the item table; the user's own ratings are all
    that is learned.

    A rating is stored as a binary pattern, the code and the metadata bits of its movie, with its
    residual, stars less the movie's mean (`recbench.models.memories`). The kernel compares two
    patterns by counting the bits in which they agree (`recbench.models.item_table.scales`); the
    read-out is the posterior mean of a Gaussian process (Rasmussen & Williams 2006), the best
    linear combination of the residuals stored. So learning is storing, as in any weightless
    network (Aleksander, Thomas & Bowden 1984), a prediction is linear in the ratings, and its
    variance is known.

    The item table is made from other users' ratings alone. A user without ratings is predicted
    the mean. Nothing is random.
    """

    name: ClassVar[str] = "personal"
    learns_from: ClassVar[str] = "user+items"
    has_kernels: ClassVar[bool] = True
    tuned: ClassVar[str] = "with the item table"  # to background users

    kernel: ClassVar[type[MovieKernel]] = CodeKernel

    def fit(self, training: Training) -> Self:
        train = training.ratings
        self.memories = Memories(training.item_tables, training.movies, self.kernel)
        residual = train.stars - self.memories.mean(train.user, train.movie)
        for user, rows in histories(train):
            self.memories.store(user, train.movie[rows], residual[rows])
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        mean, _ = self._normal(np.asarray(user), np.asarray(movie), with_variance=False)
        return mean.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_normal(self, user: np.ndarray, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, not clipped, and variance of the rating, noise included: float64 [n] each."""
        return self._normal(np.asarray(user), np.asarray(movie), with_variance=True)

    def _normal(
        self, user: np.ndarray, movie: np.ndarray, with_variance: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        residual, variance = self.memories.posterior(user, movie, with_variance)
        return self.memories.mean(user, movie) + residual, variance

    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        user = np.asarray(user)
        mean, variance = self.predict_normal(user, movie)
        return STARS, self.memories.tables.probabilities(user, mean, variance)

    def predict_one(self, user: int, movie: int) -> float:
        stars = self._mean_of(user, movie) + self.memories.posterior_one(int(user), movie)
        return min(max(stars, MIN_STARS), MAX_STARS)

    def _mean_of(self, user: int, movie: int) -> float:
        return float(self.memories.kernel(int(user)).mean[movie])

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        residual = float(np.float32(stars)) - self._mean_of(user, movie)
        self.memories.learn(int(user), movie, residual)

    def forget_one(self, user: int, movie: int) -> None:
        self.memories.forget_one(int(user), movie)

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Remove several ratings at once; if one of them is not there, none.

        Raises:
            KeyError: the user has no such rating.
        """
        self.memories.forget(int(user), movies)

    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation:
        """The mean, and the whole linear share of each rating, see `Memories.explain`."""
        return self.memories.explain(int(user), movie, self._mean_of(user, movie), if_forgotten)

    def correlation(self, movie: np.ndarray, other: np.ndarray, user: int = 0) -> np.ndarray:
        """How similar a user's ratings of two movies are before any is known: the kernel of movies
        int [m] and int [n] over the roots of each with itself, float64 [m, n], −1 .. 1."""
        kernel = self.memories.kernel(int(user))
        movie, other = np.asarray(movie), np.asarray(other)
        deviation = np.sqrt(np.outer(kernel.variance(movie), kernel.variance(other)))
        return kernel.between(movie, other) / deviation

    def agreement(self, movie: int, others: np.ndarray, user: int = 0) -> np.ndarray:
        """Which part of those who rate a movie and another (int [n]) is on the same side of the
        mean in both, as the table's factors estimate it, float64 [n]: 0 .. 1."""
        return self.memories.kernel(int(user)).agreement(movie, np.asarray(others))

    def ask_next(self, user: int, candidates: np.ndarray, targets: np.ndarray) -> int:
        """The movie whose rating would teach most about a user.

        That is the one expected to lessen the summed variance of the user's ratings of `targets`
        most (active learning for Gaussian processes: Cohn, Ghahramani & Jordan 1996). With the
        posterior covariance S that is Σ_t S_tc² / (S_cc + σ²), whatever the stars will be.

        Args:
            candidates: int [c], movies to choose from, at least one.
            targets: int [t], movies whose ratings matter, a movie as often as it matters.
        """
        user, kernel = int(user), self.memories.kernel(int(user))
        movie = np.concatenate((candidates, targets))
        covariance = kernel.between(np.asarray(candidates), movie)  # (c, c + t)
        process = self.memories.process(user)
        if process is not None:
            memory = self.memories[user]
            solved = process.solved(kernel.with_stored(movie, memory.movie, memory.patterns))
            covariance = covariance - solved[:, : len(candidates)].T @ solved
        own = np.diagonal(covariance) + kernel.scales.noise  # (c,)
        learned = (covariance[:, len(candidates) :] ** 2).sum(axis=1) / own
        return int(np.asarray(candidates)[learned.argmax()])

    def save_user(self, user: int, path: str | Path) -> None:
        """A user's ratings as a file: movies, stars, in the order of their time. Patterns and all
        else follow from the item table.

        Raises:
            KeyError: the user has no ratings.
        """
        memory = self.memories.get(int(user))
        if memory is None:
            raise KeyError(f"nothing is remembered of user {user}")
        stars = memory.residual + self.memories.kernel(int(user)).mean[memory.movie]
        movie_id = self.memories.tables.tables[0].movie_id[memory.movie]
        arrays = {"movie_id": movie_id, "stars": np.rint(2 * stars).astype(np.int8)}
        write(path, "user", {"ratings": len(memory)}, arrays)

    def load_user(self, user: int, path: str | Path) -> None:
        """Remember what `save_user` wrote, and only that, of the user.

        Raises:
            FileNotFoundError, ValueError: see `weightless.storage.read`; or a movie of the file is
                not in the item table.
        """
        header, arrays = read(path, "user")
        movie_id, stars = (arrays.get(name, np.empty(0)) for name in ("movie_id", "stars"))
        if not len(movie_id) == len(stars) == header.get("ratings"):
            raise ValueError(f"{path} is damaged: movies or stars are missing")
        row_of = {int(one): row for row, one in enumerate(self.memories.tables.tables[0].movie_id)}
        for one in movie_id:
            if int(one) not in row_of:
                raise ValueError(f"{path}: the item table has no movie {int(one)}")
        self.memories.pop(int(user), None)
        if len(movie_id):
            movie = np.array([row_of[int(one)] for one in movie_id], dtype=np.int32)
            mean = self.memories.kernel(int(user)).mean[movie]
            self.memories.store(int(user), movie, stars.astype(np.float32) / 2 - mean)

    def state_bytes(self) -> int:
        return self.memories.state_bytes()

    def shared_bytes(self) -> int:
        return self.memories.shared_bytes()


class PersonalExact(Personal):
    """`Personal` with real-valued factors of movies in place of codes, as its upper bound."""

    name: ClassVar[str] = "personal_exact"
    kernel: ClassVar[type[MovieKernel]] = FactorKernel
