"""Memories of many users' ratings over an item table, each read out as a Gaussian process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recbench.contract import Contribution, Explanation
from recbench.models.gaussian_process import GaussianProcess
from recbench.models.item_kernel import CodeKernel, MovieKernel
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTables
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings, rows_of_each
from weightless import Patterns

OPERATIONS = 6e9  # of one explanation, about a second


@dataclass
class Memory:
    """Ratings of one user, the latest last.

    Attributes:
        patterns: of each movie rated, as the kernel compares them.
        movie: int32 [n], which movie that is.
        residual: float64 [n], of its stars from a mean.
        process: what follows from these; None until it is needed.
    """

    patterns: Patterns
    movie: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    residual: np.ndarray = field(default_factory=lambda: np.empty(0))
    process: GaussianProcess | None = None

    def __len__(self) -> int:
        return len(self.movie)


class Memories(dict[int, Memory]):
    """The memory of each user, by user.

    Args:
        tables, movies: the item tables, and their movies.
        kernel: how patterns are compared.
        scales: the scales of the kernel, from those of the table; None: these.

    Attributes:
        threads: how many share the users of `posterior`; the results do not depend on it.
    """

    def __init__(
        self,
        tables: ItemTables,
        movies: Movies,
        kernel: type[MovieKernel] = CodeKernel,
        scales: Callable[[Scales], Scales] | None = None,
    ) -> None:
        super().__init__()
        self.tables = tables
        self.kernels = [
            kernel(replace(table, scales=scales(table.scales)) if scales else table, movies)
            for table in tables.tables
        ]
        self.threads = 1

    def kernel(self, user: int) -> MovieKernel:
        return self.kernels[self.tables.fold_of(user)]

    def mean(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The mean of each movie in the user's table, stars, float64 [n]."""
        mean, fold = np.empty(len(user)), self.tables.folds_of(user)
        for k, kernel in enumerate(self.kernels):
            rows = fold == k
            mean[rows] = kernel.mean[movie[rows]]
        return mean

    def store(self, user: int, movie: np.ndarray, residual: np.ndarray) -> None:
        """Remember these ratings of the user, the latest last, and no others."""
        patterns = self.kernel(user).stored(movie)
        self[user] = Memory(patterns, movie.astype(np.int32), residual)

    def learn(self, user: int, movie: int, residual: float) -> None:
        """One more rating: what is stored, and what follows from it. An earlier one of the movie
        is forgotten."""
        query = np.array([movie])
        if user not in self:
            self.store(user, query, np.array([residual]))
            return
        memory, kernel = self[user], self.kernel(user)
        if movie in memory.movie:
            self._forget(user, movie)
        with_stored = kernel.with_stored(query, memory.movie, memory.patterns)[0]
        self._process(user).learn(with_stored, kernel.variance(query)[0], residual)
        memory.patterns.store(kernel.patterns[query])
        memory.movie = np.append(memory.movie, np.int32(movie))
        memory.residual = np.append(memory.residual, residual)

    def forget_one(self, user: int, movie: int) -> None:
        """Forget a rating; what follows from the ratings before it stays.

        Raises:
            KeyError: the user has no such rating.
        """
        self._check(user, [movie])
        self._forget(user, movie)
        if not len(self[user]):
            del self[user]

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Forget several ratings at once; if one of them is not there, none.

        Raises:
            KeyError: the user has no such rating.
        """
        self._check(user, movies)
        if len(movies):
            memory = self.pop(user)
            left = ~np.isin(memory.movie, movies)
            if left.any():
                self.store(user, memory.movie[left], memory.residual[left])

    def _check(self, user: int, movies: Sequence[int]) -> None:
        rated = set(self[user].movie.tolist()) if user in self else set()
        for movie in movies:
            if movie not in rated:
                raise KeyError(f"user {user} has no rating of movie {movie}")

    def _forget(self, user: int, movie: int) -> None:
        memory = self[user]
        at = int(np.flatnonzero(memory.movie == movie)[0])
        memory.patterns.remove(at)
        memory.movie = np.delete(memory.movie, at)
        memory.residual = np.delete(memory.residual, at)
        if memory.process is not None:
            left = self.kernel(user).among(memory.movie, memory.patterns)
            memory.process.forget(at, left, memory.residual)

    def process(self, user: int) -> GaussianProcess | None:
        """What follows from the ratings of a user, computed once; None: there are none."""
        return self._process(user) if user in self else None

    def _process(self, user: int) -> GaussianProcess:
        memory = self[user]
        if memory.process is None:
            kernel = self.kernel(user)
            memory.process = kernel.process(memory.movie, memory.patterns, memory.residual)
        return memory.process

    def posterior(
        self, user: np.ndarray, movie: np.ndarray, with_variance: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Expected residual of each rating, 0 of a user without ratings, and its variance, noise
        included: float64 [n] each. Without the variance, what is in its place is of no use."""
        mean, variance = np.zeros(len(user)), np.empty(len(user))
        fold = self.tables.folds_of(user)
        for k, kernel in enumerate(self.kernels):
            waiting, waiting_rows = [], []  # memories without a process
            of_fold = np.flatnonzero(fold == k)
            if with_variance:
                variance[of_fold] = kernel.variance(movie[of_fold]) + kernel.scales.noise
            for one, places in rows_by_user(user[of_fold]):
                if one not in self:
                    continue
                rows = of_fold[places]
                if self[one].process is None:
                    waiting.append(self[one])
                    waiting_rows.append(rows)
                else:
                    mean[rows], variance[rows] = self._read_out(one, movie[rows])
            if waiting:
                rows = np.concatenate(waiting_rows)
                mean[rows], known = kernel.posteriors(
                    [memory.movie for memory in waiting],
                    [memory.residual for memory in waiting],
                    [movie[rows] for rows in waiting_rows],
                    with_variance,
                    self.threads,
                )
                if with_variance:
                    variance[rows] -= known
        return mean, variance

    def posterior_one(self, user: int, movie: int) -> float:
        """The expected residual of one rating; the process stays for the next."""
        return float(self._read_out(user, np.array([movie]))[0][0]) if user in self else 0.0

    def _read_out(self, user: int, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        memory, kernel = self[user], self.kernel(user)
        with_stored = kernel.with_stored(movie, memory.movie, memory.patterns)
        return self._process(user).predict(with_stored, kernel.variance(movie))

    def explain(self, user: int, movie: int, mean: float, if_forgotten: bool = True) -> Explanation:
        """`mean`, and the whole linear share of each rating in the posterior, the largest first.

        The change if a rating were forgotten is computed by leaving it out, which numbers the
        later ones anew; beyond a few billion operations, of a long history for the largest shares
        alone, and for the others as if the later ones stayed where they are.

        Args:
            if_forgotten: False: it is None. The shares alone take n² operations.
        """
        parts = [Contribution("mean of other users", mean)]
        if user in self:
            memory, kernel, query = self[user], self.kernel(user), np.array([movie])
            process = self._process(user)
            with_stored = kernel.with_stored(query, memory.movie, memory.patterns)[0]  # (n,)
            if if_forgotten:
                share, change = process.shares(with_stored)
                explained = share.sum()
                affordable = max(10, int(OPERATIONS / len(memory) ** 3))
                for j in np.argsort(-np.abs(share), kind="stable")[:affordable]:
                    left, residual = np.delete(memory.movie, j), np.delete(memory.residual, j)
                    change[j] = kernel.posterior_mean(left, residual, query)[0] - explained
            else:
                share, change = process.linear_shares(with_stored), np.full(len(memory), None)
            predicted = mean + self.posterior_one(user, movie)
            rounded = math.fsum([predicted, -mean, *-share])  # by which the shares fall short
            share[np.abs(share).argmin()] += rounded
            agree = kernel.agreement(movie, memory.movie)  # (n,)
            stars = memory.residual + kernel.mean[memory.movie]
            parts += [
                Contribution(
                    f"you gave it {stars[j]:g}: {agree[j]:.0%} of those who rate both agree",
                    float(share[j]),
                    int(memory.movie[j]),
                    None if change[j] is None else float(change[j]),
                )
                for j in np.argsort(-np.abs(share), kind="stable")
            ]
        total = math.fsum(part.stars for part in parts)
        if not MIN_STARS <= total <= MAX_STARS:
            within = min(max(total, MIN_STARS), MAX_STARS)
            back = math.fsum([within, *(-part.stars for part in parts)])
            if not MIN_STARS <= math.fsum([*(part.stars for part in parts), back]) <= MAX_STARS:
                back = math.nextafter(back, math.copysign(math.inf, back))  # it was rounded
            parts.append(Contribution("limit of the scale", back))
        return Explanation(tuple(parts))

    def state_bytes(self) -> int:
        """Patterns, movie and residual of each rating: what cannot be computed again."""
        return sum(
            8 * len(p.patterns.array) * len(p) + p.movie.nbytes + p.residual.nbytes
            for p in self.values()
        )

    def shared_bytes(self) -> int:
        """Of one item table, the largest: a user needs one."""
        return max(kernel.nbytes for kernel in self.kernels)


def histories(train: Ratings) -> Iterator[tuple[int, np.ndarray]]:
    """Each user and the user's rows of `train` in the order of time; of a movie rated twice, the
    last."""
    order = np.lexsort((train.time, train.user))  # equal times in the order of the rows
    pair = train.user[order].astype(np.int64) * (2**32) + train.movie[order]
    sorted_pairs = np.sort(pair)
    if (sorted_pairs[1:] == sorted_pairs[:-1]).any():
        _, from_the_end = np.unique(pair[::-1], return_index=True)
        order = order[np.sort(len(order) - 1 - from_the_end)]
    for user, places in rows_by_user(train.user[order]):
        yield user, order[places]


def rows_by_user(user: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each user present and the rows (int) of that user, in their order."""
    for rows in rows_of_each(user):
        yield int(user[rows[0]]), rows
