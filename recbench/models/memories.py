"""Memories of users' ratings over an item table; each is a Gaussian process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recbench.contract import Contribution, Explanation
from recbench.models.gaussian_process import GaussianProcess
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.models.movie_kernel import MovieKernel
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings, rows_of_each

WATCHED = "you watched it"  # reason for a share that does not depend on stars
OPERATIONS = 6e9  # of one explanation, about a second
NONE = np.empty(0, dtype=np.int32)


@dataclass
class Memory:
    """Ratings of one user, the latest last.

    Attributes:
        movie: int32 [n], the movies rated.
        value: float64 [n], the stars.
        watched: int32 [w], other movies that the user has watched and not rated.
        latest: seconds, when the last rating was given; nan: not known.
        process: computed from these; None until needed.
    """

    movie: np.ndarray = field(default_factory=lambda: NONE)
    value: np.ndarray = field(default_factory=lambda: np.empty(0))
    watched: np.ndarray = field(default_factory=lambda: NONE)
    latest: float = math.nan
    process: GaussianProcess | None = None

    def __len__(self) -> int:
        return len(self.movie)

    @property
    def known(self) -> np.ndarray:
        """N, the movies rated or watched."""
        return np.concatenate((self.movie, self.watched)) if len(self.watched) else self.movie


NOTHING = Memory()


class Memories(dict[int, Memory]):
    """The memory of each user, by user.

        value_i ~ mean_u(i) + GP(0, k)
        mean_u(i) = mean_i + w_i·(|N|^−½ Σ_{j ∈ N, j ≠ i} B_j − B's̄)

    see `recbench.models.item_table.table.ItemTable`. Each rating changes N, and so the mean of all
    others. But the residuals are linear in fixed columns, so the state of the process does not
    change:

        value_i − mean_u(i) = (value_i − mean_i + w_i·B's̄) + |N|^−½ (w_i·B_i) − w_i·(|N|^−½ Σ_N B_j)

    Args:
        tables, movies: the item tables, and their movies.
    """

    def __init__(self, tables: ItemTables, movies: Movies) -> None:
        super().__init__()
        self.tables = tables
        self.kernels = [MovieKernel(table, movies) for table in tables.tables]

    def kernel(self, user: int) -> MovieKernel:
        return self.kernels[self.tables.fold_of(user)]

    # --- learning and forgetting ----------------------------------------------------------------

    def store(
        self,
        user: int,
        movie: np.ndarray,
        value: np.ndarray,
        watched: np.ndarray = NONE,
        latest: float = math.nan,
    ) -> None:
        """Replace the user's memory by these ratings, the latest last. A movie that is both watched
        and rated counts as rated."""
        others = np.setdiff1d(watched, movie).astype(np.int32)
        if len(movie) or len(others):
            stars = np.asarray(value, dtype=np.float64)
            self[user] = Memory(movie.astype(np.int32), stars, others, latest)
        else:
            self.pop(user, None)

    def learn(self, user: int, movie: int, value: float) -> None:
        """Learn a rating. An earlier one of the same movie is forgotten."""
        memory, kernel = self.setdefault(user, Memory()), self.kernel(user)
        if movie in memory.movie:
            self._forget(user, movie)
        new = Memory(np.array([movie], dtype=np.int32), np.array([value]))
        if memory.process is not None:
            with_stored = kernel.with_stored(new.movie, memory.movie)[0]
            variance = kernel.variance(new.movie)[0] + kernel.noise[movie]
            memory.process.learn(with_stored, variance, self._columns(kernel, new)[0])
        memory.movie = np.concatenate((memory.movie, new.movie))
        memory.value = np.concatenate((memory.value, new.value))
        memory.watched = memory.watched[memory.watched != movie]
        memory.latest = math.nan

    def forget_one(self, user: int, movie: int) -> None:
        """Forget a rating, and that the movie was watched; rows of earlier ratings stay.

        Raises:
            KeyError: the user has no such rating.
        """
        self._check(user, [movie])
        self._forget(user, movie)
        if not len(self[user].known):
            del self[user]

    def forget(self, user: int, movies: Sequence[int]) -> None:
        """Forget several ratings at once; if one of them is missing, none is forgotten.

        Raises:
            KeyError: the user has no such rating.
        """
        self._check(user, movies)
        if len(movies):
            memory = self[user]
            left = ~np.isin(memory.movie, movies)
            latest = memory.latest if left[-1] else math.nan
            rest = memory.movie[left], memory.value[left]
            self.store(user, *rest, memory.watched, latest)

    def _check(self, user: int, movies: Sequence[int]) -> None:
        rated = set(self[user].movie.tolist()) if user in self else set()
        for movie in movies:
            if movie not in rated:
                raise KeyError(f"user {user} has no rating of movie {movie}")

    def _forget(self, user: int, movie: int) -> None:
        memory, kernel = self[user], self.kernel(user)
        at = int(np.flatnonzero(memory.movie == movie)[0])
        if at == len(memory) - 1:
            memory.latest = math.nan  # nothing is left of the rating, its time neither
        memory.movie = np.delete(memory.movie, at)
        memory.value = np.delete(memory.value, at)
        if not len(memory):
            memory.process = None
        elif memory.process is not None:
            covariance = kernel.among(memory.movie)
            memory.process.forget(at, covariance, self._columns(kernel, memory))

    # --- predicting -----------------------------------------------------------------------------

    def predict(
        self,
        user: np.ndarray,
        movie: np.ndarray,
        time: np.ndarray | None = None,
        with_variance: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean of each value, not clipped, and its variance, noise included: float64 [n] each. If
        the variance is not requested, the second is meaningless.

        Args:
            time: seconds, of each query, see `ItemTable.persisting`.
        """
        mean, variance = np.empty(len(user)), np.zeros(len(user))
        for one, rows in rows_by_user(user):
            kernel, memory = self.kernel(one), self.get(one, NOTHING)
            mean[rows], own, explained = self._read(kernel, memory, movie[rows], with_variance)
            left = kernel.table.persisting(memory.latest, None if time is None else time[rows])
            mean[rows] += left * own
            explained = left * left * explained
            if with_variance:
                variance[rows] = kernel.variance(movie[rows]) + kernel.noise[movie[rows]]
            variance[rows] -= explained
        return mean, variance

    def predict_one(self, user: int, movie: int) -> float:
        """The mean of one value, not clipped; the process is kept for the next."""
        self.process(user)
        memory = self.get(user, NOTHING)
        mean, own, _ = self._read(self.kernel(user), memory, np.array([movie]), False)
        return float((mean + own)[0])

    def _read(
        self, kernel: MovieKernel, memory: Memory, movie: np.ndarray, with_variance: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For movies (int [n]): the prior mean, the contribution of the user's ratings, and the
        reduction of the variance: float64 [n] each."""
        table = kernel.table
        mean = table.mean[movie] + table.implicit_means(memory.known, movie)
        if not len(memory):
            return mean, np.zeros(len(movie)), np.zeros(len(movie))
        with_stored = kernel.with_stored(movie, memory.movie)
        if memory.process is not None:
            return mean, *memory.process.predict(with_stored, self._a(kernel, memory))
        y = self._columns(kernel, memory) @ self._a(kernel, memory)
        process = GaussianProcess(kernel.among(memory.movie), y[:, None])
        if with_variance:
            return mean, *process.predict(with_stored, np.ones(1))
        own = with_stored @ process.back(process.z[:, 0])
        return mean, own, np.zeros(len(movie))

    def process(self, user: int) -> GaussianProcess | None:
        """The Gaussian process of a user, computed once; None without ratings."""
        memory, kernel = self.get(user, NOTHING), self.kernel(user)
        if memory.process is None and len(memory):
            columns = self._columns(kernel, memory)
            memory.process = GaussianProcess(kernel.among(memory.movie), columns)
        return memory.process

    def log_likelihood(self, user: int) -> float:
        """log p(values of a user), given their movies, up to a constant."""
        process = self.process(user)
        if process is None:
            return 0.0
        z = process.z @ self._a(self.kernel(user), self[user])
        return float(-z @ z / 2 - np.log(np.diagonal(process.root)).sum())

    def _columns(self, kernel: MovieKernel, memory: Memory) -> np.ndarray:
        """C of residuals C a: float64 [n, 2 + k]."""
        table, movie = kernel.table, memory.movie
        w = table.factors[movie]
        own = np.vecdot(w, table.implicit[movie])
        residual = memory.value - table.mean[movie] + w @ table.implicit_mean
        return np.column_stack((residual, own, w))

    def _a(self, kernel: MovieKernel, memory: Memory) -> np.ndarray:
        """a of residuals C a, float64 [2 + k]."""
        known = memory.known
        share = 1 / math.sqrt(len(known))
        of_all = kernel.table.implicit[known].sum(axis=0)
        return np.concatenate(([1.0, share], -share * of_all))

    # --- explaining -----------------------------------------------------------------------------

    def explain(
        self, user: int, movie: int, if_forgotten: bool = True, moved: float = 0.0
    ) -> Explanation:
        """The mean of other users; for each rating the linear share of its stars, and separately
        that of having watched the movie; the largest first.

        The change if a rating were forgotten is computed by leaving it out, which renumbers the
        later ones. For a long history, beyond a few billion operations, it is computed for the
        largest shares only and None for the others.

        Args:
            if_forgotten: False: it is None for all. The shares take n² operations.
            moved: change of the mean of other users since the table was learned, in stars.
        """
        kernel, memory = self.kernel(user), self.get(user, NOTHING)
        n, own, predicted = len(memory), list[Contribution](), self.predict_one(user, movie)
        if memory.process is not None:
            y = self._columns(kernel, memory) @ self._a(kernel, memory)
            with_stored = kernel.with_stored(np.array([movie]), memory.movie)[0]  # (n,)
            share = memory.process.weights(with_stored) * y
            similarity = kernel.correlation(np.array([movie]), memory.movie)[0]
            affordable = max(10, int(OPERATIONS / n**3)) if if_forgotten else 0
            for place, j in enumerate(np.argsort(-np.abs(share), kind="stable")):
                change = None
                if place < affordable:
                    left, value = np.delete(memory.movie, j), np.delete(memory.value, j)
                    without = Memory(left, value, memory.watched)
                    query = np.array([movie])
                    before, added, _ = self._read(kernel, without, query, with_variance=False)
                    change = float((before + added)[0]) - predicted
                words = (
                    f"you gave it {memory.value[j]:g}; similarity {similarity[j]:.2f} by the model"
                )
                own.append(Contribution(words, float(share[j]), int(memory.movie[j]), change))
        return explained(kernel.table, movie, memory.known, own, predicted + moved, moved)

    # --- size -----------------------------------------------------------------------------------

    def state_bytes(self) -> int:
        """Bytes of movie and value of each rating and of movies watched; the rest can be
        recomputed."""
        arrays = ((one.movie, one.value, one.watched) for one in self.values())
        return sum(one.nbytes for memory in arrays for one in memory)

    def shared_bytes(self) -> int:
        """Bytes of the largest item table: each user needs one."""
        return max(kernel.nbytes for kernel in self.kernels)


def explained(
    table: ItemTable,
    movie: int,
    known: np.ndarray,
    own: list[Contribution],
    predicted: float,
    moved: float = 0.0,
) -> Explanation:
    """Explanation from the mean of other users, the shares `own` of a user's ratings and, for each
    of the `known` movies (int [k]), that of having watched it; the largest first."""
    mean, parts = float(table.mean[movie]), list[Contribution]()
    if len(known):
        mean -= float(table.factors[movie] @ table.implicit_mean)
        others = known[known != movie]
        watched = table.implicit[others] @ table.factors[movie] / math.sqrt(len(known))
        for other, stars in zip(others, watched, strict=True):
            parts.append(Contribution(WATCHED, float(stars), int(other)))
    parts = sorted([*parts, *own], key=lambda part: -abs(part.stars))
    of_others = Contribution("mean of other users", mean + moved)
    return Explanation(tuple(within_scale([of_others, *parts], predicted)))


def within_scale(parts: list[Contribution], predicted: float) -> list[Contribution]:
    """`parts`, the smallest of them corrected for rounding so that they sum to `predicted`, with a
    further part for clipping if necessary."""
    least = min(range(len(parts)), key=lambda place: abs(parts[place].stars))
    missing = math.fsum([predicted, *(-part.stars for part in parts)])
    parts[least] = replace(parts[least], stars=parts[least].stars + missing)
    total = math.fsum(part.stars for part in parts)
    if not MIN_STARS <= total <= MAX_STARS:
        within = min(max(total, MIN_STARS), MAX_STARS)
        back = math.fsum([within, *(-part.stars for part in parts)])
        if not MIN_STARS <= math.fsum([*(part.stars for part in parts), back]) <= MAX_STARS:
            back = math.nextafter(back, math.copysign(math.inf, back))  # it was rounded
        parts.append(Contribution("limit of the scale", back))
    return parts


def histories(train: Ratings) -> Iterator[tuple[int, np.ndarray]]:
    """Each user with the rows of `train` in time order; if a movie is rated twice, only the
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
