"""`personal`: a weightless memory of one user's ratings, read out as a Gaussian process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from recbench.contract import ContinualRecommender, Contribution, Explanation, Training
from recbench.models.gaussian_process import GaussianProcess
from recbench.models.item_kernel import CodeKernel, FactorKernel, MovieKernel
from recbench.models.item_table.steps import STARS
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings
from weightless import Patterns
from weightless.storage import read, write

OPERATIONS = 6e9  # of one explanation, about a second


@dataclass
class Memory:
    """What is remembered of one user, the latest rating last.

    Attributes:
        patterns: of each movie rated, as the kernel compares them: what was stored.
        movie: int32 [n], which movie that is.
        residual: float64 [n], stars − mean: what was stored with it.
        process: what follows from these; None until it is asked for.
    """

    patterns: Patterns
    movie: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    residual: np.ndarray = field(default_factory=lambda: np.empty(0))
    process: GaussianProcess | None = None

    def __len__(self) -> int:
        return len(self.movie)


class Personal(ContinualRecommender):
    """r ~ GP(mean, k) for each user, mean and k from the item table; the user's own ratings are all
    that is learned.

    A rating is stored as a binary pattern, the code and the metadata bits of its movie, with its
    residual, stars less the movie's mean. The kernel compares two patterns by counting the bits in
    which they agree (`recbench.models.item_table.kernel`); the read-out is the posterior mean of a
    Gaussian process (Rasmussen & Williams 2006), the best linear combination of the residuals
    stored. So learning is storing, as in any weightless network (Aleksander, Thomas & Bowden 1984),
    a prediction is linear in the ratings, and its variance is known.

    The item table is made from other users' ratings alone. A user without ratings is predicted
    the mean. Nothing is random.
    """

    name: ClassVar[str] = "personal"
    learns_from: ClassVar[str] = "user+items"
    has_kernels: ClassVar[bool] = True
    tuned: ClassVar[str] = "with the item table"  # to background users

    kernel_of: ClassVar[type[MovieKernel]] = CodeKernel
    threads: int = 1  # that share the users when many are asked about

    def fit(self, training: Training) -> Self:
        train, self._tables = training.all_ratings, training.item_tables
        self._kernels = [self.kernel_of(table, training.movies) for table in self._tables.tables]
        self.memories: dict[int, Memory] = {}
        for user, rows in histories(train):
            self._store(user, train.movie[rows], train.stars[rows])
        return self

    def _kernel(self, user: int) -> MovieKernel:
        return self._kernels[self._tables.fold_of(user)]

    def _store(self, user: int, movie: np.ndarray, stars: np.ndarray) -> None:
        """Remember ratings of a user of whom nothing is remembered, the latest last."""
        kernel = self._kernel(user)
        residual = stars - kernel.mean.take(movie)  # float64
        self.memories[user] = Memory(kernel.stored(movie), movie.astype(np.int32), residual)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        mean, _ = self._ask_all(np.asarray(user), np.asarray(movie), with_variance=False)
        return mean.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_normal(self, user: np.ndarray, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, not clipped, and variance of the rating, noise included: float64 [n] each."""
        return self._ask_all(np.asarray(user), np.asarray(movie), with_variance=True)

    def _ask_all(
        self, user: np.ndarray, movie: np.ndarray, with_variance: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same; without the variance, what is in its place is of no use."""
        mean, variance = np.empty(len(user)), np.empty(len(user))
        fold = self._tables.folds_of(user)
        for k, kernel in enumerate(self._kernels):
            waiting: list[tuple[Memory, np.ndarray]] = []  # users whose process is not kept
            of_fold = np.flatnonzero(fold == k)
            mean[of_fold] = self._mean(kernel, movie[of_fold])
            if with_variance:
                variance[of_fold] = kernel.variance(movie[of_fold]) + kernel.scales.noise
            for one, places in rows_by_user(user[of_fold]):
                rows, memory = of_fold[places], self.memories.get(one)
                if memory is not None and memory.process is not None:
                    mean[rows], variance[rows] = self._ask(kernel, memory, movie[rows])
                elif memory is not None:
                    waiting.append((memory, rows))
            if waiting:
                rows = np.concatenate([rows for _, rows in waiting])
                more, known = kernel.posteriors(
                    [memory.movie for memory, _ in waiting],
                    [memory.residual for memory, _ in waiting],
                    [movie[rows] for _, rows in waiting],
                    with_variance,
                    self.threads,
                )
                mean[rows] += more
                if with_variance:
                    variance[rows] -= known
        return mean, variance

    def _ask(
        self, kernel: MovieKernel, memory: Memory | None, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean, not clipped, and variance, noise included, of one user's ratings of movies."""
        mean, variance = self._mean(kernel, movie), kernel.variance(movie)
        if memory is None:
            return mean, variance + kernel.scales.noise
        process = memory.process or self._process(kernel, memory)
        more, variance = process.ask(kernel.asked(movie, memory.movie, memory.patterns), variance)
        return mean + more, variance

    def _mean(self, kernel: MovieKernel, movie: np.ndarray) -> np.ndarray:
        """What is predicted of a user without ratings, stars, float64 [n]."""
        return kernel.mean[movie]

    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        user = np.asarray(user)
        mean, variance = self.predict_normal(user, movie)
        probabilities = np.empty((len(user), len(STARS)))
        fold = self._tables.folds_of(user)
        for k, table in enumerate(self._tables.tables):
            rows = fold == k
            probabilities[rows] = table.steps.probabilities(mean[rows], variance[rows])
        return STARS, probabilities

    @staticmethod
    def _process(kernel: MovieKernel, memory: Memory) -> GaussianProcess:
        return kernel.process(memory.movie, memory.patterns, memory.residual)

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        user, kernel = int(user), self._kernel(int(user))
        memory = self.memories.get(user)
        if memory is None:
            self._store(user, np.array([movie]), np.array([stars], np.float32))
            return
        if movie in memory.movie:
            self._forget(kernel, memory, movie)
        remember(kernel, memory, movie, float(np.float32(stars)) - kernel.mean[movie])

    def forget_one(self, user: int, movie: int) -> None:
        memory = self.memories.get(int(user))
        if memory is None or movie not in memory.movie:
            raise KeyError(f"user {user} has no rating of movie {movie}")
        self._forget(self._kernel(int(user)), memory, movie)
        if not len(memory):
            del self.memories[int(user)]

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Remove several ratings at once; if one of them is not there, none.

        Raises:
            KeyError: the user has no such rating.
        """
        user, memory = int(user), self.memories.get(int(user))
        there = set() if memory is None else set(memory.movie.tolist())
        missing = [movie for movie in movies if movie not in there]
        if missing:
            raise KeyError(f"user {user} has no rating of movie {missing[0]}")
        if memory is not None:
            left = ~np.isin(memory.movie, movies)
            kernel, movie, residual = self._kernel(user), memory.movie[left], memory.residual[left]
            del self.memories[user]
            if left.any():
                self.memories[user] = Memory(kernel.stored(movie), movie, residual)

    @staticmethod
    def _forget(kernel: MovieKernel, memory: Memory, movie: int) -> None:
        at = int(np.flatnonzero(memory.movie == movie)[0])
        memory.patterns.remove(at)
        memory.movie = np.delete(memory.movie, at)
        memory.residual = np.delete(memory.residual, at)
        if memory.process is not None:
            left = kernel.among(memory.movie, memory.patterns)
            memory.process.forget(at, left, memory.residual)

    def predict_one(self, user: int, movie: int) -> float:
        return min(max(self._ask_one(int(user), movie), MIN_STARS), MAX_STARS)

    def _ask_one(self, user: int, movie: int) -> float:
        """The mean, not clipped; what follows from the memory is kept for the next question."""
        kernel, memory = self._kernel(user), self.memories.get(user)
        if memory is not None and memory.process is None:
            memory.process = self._process(kernel, memory)
        mean, _ = self._ask(kernel, memory, np.array([movie]))
        return float(mean[0])

    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation:
        """The mean, and the whole linear share of each remembered rating, the largest first.

        What would change if a rating were forgotten is worked out by leaving it out, which numbers
        the later ones anew; beyond a few billion operations, of a long history for the largest
        shares alone, and for the others as if the later ones kept their numbers.

        Args:
            if_forgotten: False: that is not worked out, and is None. The shares alone take n²
                operations.
        """
        user, kernel = int(user), self._kernel(int(user))
        mean = float(self._mean(kernel, np.array([movie]))[0])
        parts = [Contribution("mean of other users", mean)]
        memory = self.memories.get(user)
        if memory is not None:
            process = memory.process = memory.process or self._process(kernel, memory)
            asked = kernel.asked(np.array([movie]), memory.movie, memory.patterns)[0]  # (n,)
            if if_forgotten:
                share, change = self._shares(kernel, memory, process, movie, asked)
            else:
                share, change = process.linear_shares(asked), np.full(len(memory), None)
            predicted = self._ask_one(user, movie)  # of which the shares fall short by rounding
            rounded = math.fsum([predicted, -parts[0].stars, *-share])
            share[np.abs(share).argmin()] += rounded
            agree = kernel.agreement(movie, memory.movie)  # (n,)
            given = memory.residual + kernel.mean[memory.movie]
            parts += [
                Contribution(
                    f"you gave it {given[j]:g}: {agree[j]:.0%} of those who rate both agree",
                    float(share[j]),
                    int(memory.movie[j]),
                    None if change[j] is None else float(change[j]),
                )
                for j in np.argsort(-np.abs(share), kind="stable")
            ]
        stars = math.fsum(part.stars for part in parts)
        if not MIN_STARS <= stars <= MAX_STARS:
            within = min(max(stars, MIN_STARS), MAX_STARS)
            back = math.fsum([within, *(-part.stars for part in parts)])
            if not MIN_STARS <= math.fsum([*(part.stars for part in parts), back]) <= MAX_STARS:
                back = math.nextafter(back, math.copysign(math.inf, back))  # it was rounded
            parts.append(Contribution("limit of the scale", back))
        return Explanation(tuple(parts))

    @staticmethod
    def _shares(
        kernel: MovieKernel,
        memory: Memory,
        process: GaussianProcess,
        movie: int,
        asked: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Share of each rating in a prediction, and its change without the rating."""
        share, if_forgotten = process.shares(asked)
        explained = share.sum()
        for j in np.argsort(-np.abs(share), kind="stable")[: _affordable(len(memory))]:
            left, residual = np.delete(memory.movie, j), np.delete(memory.residual, j)
            without = kernel.posterior_mean(left, residual, np.array([movie]))[0]
            if_forgotten[j] = without - explained
        return share, if_forgotten

    def correlation(self, movie: np.ndarray, other: np.ndarray, user: int = 0) -> np.ndarray:
        """How alike a user's ratings of two movies are before any is known: the kernel of movies
        int [m] and int [n] over the roots of each with itself, float64 [m, n], −1 .. 1."""
        kernel = self._kernel(int(user))
        movie, other = np.asarray(movie), np.asarray(other)
        deviation = np.sqrt(np.outer(kernel.variance(movie), kernel.variance(other)))
        return kernel.between(movie, other) / deviation

    def agreement(self, movie: int, others: np.ndarray, user: int = 0) -> np.ndarray:
        """Which part of those who rate a movie and another (int [n]) is on the same side of the
        mean in both, as the table's factors estimate it, float64 [n]: 0 .. 1."""
        return self._kernel(int(user)).agreement(movie, np.asarray(others))

    def ask_next(self, user: int, candidates: np.ndarray, targets: np.ndarray) -> int:
        """Which movie's rating would teach most about a user.

        The one whose rating is expected to lessen the variance of the user's ratings of `targets`
        most, in sum (active learning for Gaussian processes: Cohn, Ghahramani & Jordan 1996). With
        the posterior covariance S that is Σ_t S_tc² / (S_cc + σ²), whatever the stars will be.

        Args:
            candidates: int [c], movies that may be asked for, at least one.
            targets: int [t], movies whose ratings matter, a movie as often as it matters.
        """
        user, kernel = int(user), self._kernel(int(user))
        movie = np.concatenate((candidates, targets))
        covariance = kernel.between(np.asarray(candidates), movie)  # (c, c + t)
        memory = self.memories.get(user)
        if memory is not None:
            process = memory.process = memory.process or self._process(kernel, memory)
            known = process.solved(kernel.asked(movie, memory.movie, memory.patterns))
            covariance = covariance - known[:, : len(candidates)].T @ known
        own = np.diagonal(covariance) + kernel.scales.noise  # (c,)
        learned = (covariance[:, len(candidates) :] ** 2).sum(axis=1) / own
        return int(np.asarray(candidates)[learned.argmax()])

    def save_user(self, user: int, path: str | Path) -> None:
        """What is remembered of a user as a file: movies, stars, in the order of their time.
        Patterns and all else follow from the item table.

        Raises:
            KeyError: nothing is remembered of that user.
        """
        memory = self.memories.get(int(user))
        if memory is None:
            raise KeyError(f"nothing is remembered of user {user}")
        stars = memory.residual + self._kernel(int(user)).mean[memory.movie]
        movie_id = self._tables.tables[0].movie_id[memory.movie]
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
            raise ValueError(f"{path} is damaged: it lacks movies or stars that it says it has")
        row_of = {int(one): row for row, one in enumerate(self._tables.tables[0].movie_id)}
        unknown = [int(one) for one in movie_id if int(one) not in row_of]
        if unknown:
            raise ValueError(f"{path}: the item table has no movie {unknown[0]}")
        movie = np.array([row_of[int(one)] for one in movie_id], dtype=np.int32)
        self.memories.pop(int(user), None)
        if len(movie):
            self._store(int(user), movie, stars.astype(np.float32) / 2)

    def state_bytes(self) -> int:
        """Patterns, movie and residual of each rating: what cannot be computed again."""
        return sum(
            8 * len(p.patterns.array) * len(p) + p.movie.nbytes + p.residual.nbytes
            for p in self.memories.values()
        )

    def shared_bytes(self) -> int:
        """Of one item table, the largest: a user needs one."""
        return max(kernel.nbytes for kernel in self._kernels)


class PersonalExact(Personal):
    """`Personal` with real-valued factors of movies in place of codes, as its upper bound."""

    name: ClassVar[str] = "personal_exact"
    kernel_of: ClassVar[type[MovieKernel]] = FactorKernel


def remember(kernel: MovieKernel, memory: Memory, movie: int, residual: float) -> None:
    """One more rating: what is stored, and what follows from it."""
    if memory.process is None:
        memory.process = kernel.process(memory.movie, memory.patterns, memory.residual)
    one = np.array([movie])
    memory.process.learn(
        kernel.asked(one, memory.movie, memory.patterns)[0], kernel.variance(one)[0], residual
    )
    memory.patterns.store(kernel.patterns[one])
    memory.movie = np.append(memory.movie, np.int32(movie))
    memory.residual = np.append(memory.residual, residual)


def _affordable(n: int) -> int:
    """How many systems of n equations to solve for one explanation."""
    return max(10, int(OPERATIONS / max(n, 1) ** 3))


def histories(train: Ratings) -> Iterator[tuple[int, np.ndarray]]:
    """Each user and the user's rows of `train` in the order of time; of a movie rated twice, the
    last."""
    order = _by_user_and_time(train)
    pair = train.user[order].astype(np.int64) * (2**32) + train.movie[order]
    sorted_pairs = np.sort(pair)
    if (sorted_pairs[1:] == sorted_pairs[:-1]).any():
        _, from_the_end = np.unique(pair[::-1], return_index=True)
        order = order[np.sort(len(order) - 1 - from_the_end)]
    for user, places in rows_by_user(train.user[order]):
        yield user, order[places]


def _by_user_and_time(train: Ratings) -> np.ndarray:
    """The rows (int) in that order, equal times in the order of the rows: as `np.lexsort`, by one
    sort of whole numbers where user, time and row fit into one."""
    n = len(train)
    if n:
        time, first = train.time, int(train.time.min())
        row_bits, time_bits = n.bit_length(), (int(time.max()) - first).bit_length()
        if int(train.user.max()).bit_length() + time_bits + row_bits < 64:
            key = (train.user.astype(np.int64) << time_bits) | (time - first)
            key = (key << row_bits) | np.arange(n)
            key.sort()
            return key & ((1 << row_bits) - 1)
    return np.lexsort((train.time, train.user))


def rows_by_user(user: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each user present and the rows (int) of that user, in their order."""
    order = np.argsort(user, kind="stable")
    users, starts = np.unique(user[order], return_index=True)
    ends = [*starts[1:].tolist(), len(order)]
    for one, start, end in zip(users.tolist(), starts.tolist(), ends, strict=False):
        yield one, order[start:end]
