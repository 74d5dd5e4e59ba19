"""`ntuple`: an n-tuple memory of each user, which only stores and counts, over an item table; and
`implicit_mean`, the same without counters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar, Self

import numpy as np

from recbench.contract import ContinualRecommender, Contribution, Explanation, Training
from recbench.models.item_table.codes import choose_codes, spelled
from recbench.models.item_table.scales import drift_shape
from recbench.models.item_table.table import ItemTable
from recbench.models.memories import explained, histories, rows_by_user
from recbench.ratings import MAX_STARS, MIN_STARS, Movies
from weightless.counters import addresses_of, draw_tuples
from weightless.ntuple import UNITS, NTupleMemory, matches, prior_of, sums_of_users, to_units

BIAS_SHRINKAGE = 16  # ratings
RECENT = np.rint(16 * drift_shape(np.arange(16))).astype(int)  # weights, the latest first
RECENT_SHRINKAGE = 60 * 16  # of the sum of these weights
IMPLICIT_UNITS = 1e5  # in an item table B is rounded to so many parts: its sums are exact
BYTES = 4 + 1 + 2  # of a rating: movie, half stars, residual
FORGOTTEN_IN_TURN = 100  # ratings of an explanation


@dataclass
class Memory:
    """The state of one user.

    Attributes:
        fold: which item table is the user's.
        implicit: int64 [k], the sum of B over the movies rated, in units.
        ratings: stars and residual of each movie, the latest last; a residual is in units of
            1/16 star.
        total: the sum of the residuals.
        latest: seconds, when the last rating was given; nan: not known.
        counters: of the residuals, by address; None until the user is first predicted by them.
    """

    fold: int
    implicit: np.ndarray
    ratings: dict[int, tuple[float, int]] = field(default_factory=dict)
    total: int = 0
    latest: float = math.nan
    counters: NTupleMemory | None = None

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Movies int64 [n], stars float64 [n], residuals int64 [n]."""
        n, values = len(self.ratings), self.ratings.values()
        movie = np.fromiter(self.ratings, np.int64, n)
        stars = np.fromiter((one for one, _ in values), np.float64, n)
        return movie, stars, np.fromiter((units for _, units in values), np.int64, n)


class ImplicitMean(ContinualRecommender):
    """r̂_ui = mean_u(i) + b_u + d_u, from the item table's mean only.

        mean_u(i) = mean_i + w_i·(|N|^−½ Σ_{j ∈ N} B_j − B's̄)      N, the other movies rated so far
        e_ui      = r_ui − mean_u(i), in whole sixteenths of a star
        b_u       = Σ e / (n + 16),    d_u = Σ v (e − b_u) / (Σ v + 960) over the latest 16

    with whole numbers v that fall as drift does in `personal`. In a session after that of the
    user's latest rating, b_u + d_u is multiplied by `ItemTable.persistence`. A residual e is
    computed when its rating is learned, from the movies rated before, so learning only adds to
    sums. This is `ntuple` without its counters.
    """

    name: ClassVar[str] = "implicit_mean"
    learns_from: ClassVar[str] = "user+items"
    has_kernels: ClassVar[bool] = True
    tuples: int = 0
    prior: int = 1  # λT, added to each count

    def fit(self, training: Training) -> Self:
        self._tables, train = training.item_tables, training.ratings
        tables = self._tables.tables
        self._implicit = [np.rint(one.implicit * IMPLICIT_UNITS).astype(np.int64) for one in tables]
        self._users: dict[int, Memory] = {}
        for user, rows in histories(train):
            fold = self._tables.fold_of(user)
            self._users[user] = self._of(fold, train.movie[rows], train.stars[rows])
            self._users[user].latest = float(train.time[rows[-1]])
        return self

    # --- learning and forgetting ----------------------------------------------------------------

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        """Takes the same time whatever the length of the history. If the movie was rated before,
        that rating is forgotten first."""
        user, movie, stars = int(user), int(movie), float(np.float32(stars))
        if user in self._users and movie in self._users[user].ratings:
            self.forget_one(user, movie)
        fold = self._tables.fold_of(user)
        if user not in self._users:
            self._users[user] = self._of(fold, np.empty(0, int), np.empty(0))
        memory = self._users[user]
        known = np.array([len(memory.ratings)])
        mean = self._means(fold, np.array([movie]), memory.implicit[None], known)
        units = to_units(stars - float(mean[0]))
        memory.implicit = memory.implicit + self._implicit[fold][movie]
        memory.ratings[movie] = stars, units
        memory.latest = math.nan
        self._add(memory, movie, units, 1)

    def forget_one(self, user: int, movie: int) -> None:
        """Subtract the residual from the sums. The only other trace is in later residuals, whose
        mean depended on the movie; those that differ by a sixteenth of a star are corrected. The
        state is then as if the rating had never been given.

        Raises:
            KeyError: the user has no such rating.
        """
        memory = self._users.get(int(user))
        if memory is None or movie not in memory.ratings:
            raise KeyError(f"user {user} has no rating of movie {movie}")
        self._take_out(memory, int(movie))
        self._mend(memory)
        if not memory.ratings:
            del self._users[int(user)]

    def _of(self, fold: int, movie: np.ndarray, stars: np.ndarray) -> Memory:
        """The memory of these ratings, the latest last."""
        units = self._residuals(fold, movie, stars)
        both = zip(stars.tolist(), units.tolist(), strict=True)
        ratings = dict(zip(movie.tolist(), both, strict=True))
        return Memory(fold, self._implicit[fold][movie].sum(axis=0), ratings, int(units.sum()))

    def _residuals(self, fold: int, movie: np.ndarray, stars: np.ndarray) -> np.ndarray:
        """Of ratings in the order of time, each from the mean of those before: int64 [n]."""
        b = self._implicit[fold][movie]
        before = np.cumsum(b, axis=0) - b  # (n, k)
        mean = self._means(fold, movie, before, np.arange(len(movie)))
        return to_units(stars - mean).astype(np.int64)

    def _means(
        self, fold: int, movie: np.ndarray, implicit: np.ndarray, known: np.ndarray
    ) -> np.ndarray:
        """mean_u of movies int [n], from int64 [n, k] sums of B over counts of movies (int [n])."""
        table = self._tables.tables[fold]
        w = table.factors[movie]
        of_known = np.vecdot(w, implicit.astype(np.float64)) / IMPLICIT_UNITS
        moved = of_known / np.sqrt(np.maximum(known, 1)) - np.vecdot(w, table.implicit_mean[None])
        return table.mean[movie] + np.where(known > 0, moved, 0.0)

    def _add(self, memory: Memory, movie: int, units: int, times: int) -> None:
        """Add to the sums: 1 learns a residual, −1 with its negative takes it out, 0 changes it."""
        memory.total += units

    def _take_out(self, memory: Memory, movie: int) -> None:
        if movie == next(reversed(memory.ratings)):
            memory.latest = math.nan  # nothing is left of the rating, its time neither
        _, units = memory.ratings.pop(movie)
        memory.implicit = memory.implicit - self._implicit[memory.fold][movie]
        self._add(memory, movie, -units, -1)

    def _mend(self, memory: Memory) -> None:
        """Recompute all residuals from the ratings that remain."""
        movie, stars, units = memory.arrays()
        new = self._residuals(memory.fold, movie, stars)
        for place in np.flatnonzero(new != units).tolist():
            one, fixed = int(movie[place]), int(new[place])
            memory.ratings[one] = float(stars[place]), fixed
            self._add(memory, one, fixed - int(units[place]), 0)

    # --- predicting -----------------------------------------------------------------------------

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = np.empty(len(user))
        for one, rows in rows_by_user(user):
            memory, table = self._users.get(one), self._tables.tables[self._tables.fold_of(one)]
            if memory is None:
                stars[rows] = table.mean[movie[rows]]
            else:
                mean, own = self._stars(memory, movie[rows], *self._sums(memory, movie[rows]))
                at = None if time is None else time[rows]
                stars[rows] = mean + table.persisting(memory.latest, at) * own
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_one(self, user: int, movie: int) -> float:
        memory = self._users.get(int(user))
        if memory is None:
            stars = float(self._tables.tables[self._tables.fold_of(int(user))].mean[movie])
        else:
            total, count = self._counted(memory, int(movie))
            query = np.array([movie])
            mean, own = self._stars(memory, query, np.array([total]), np.array([count]))
            stars = float((mean + own)[0])
        return min(max(stars, MIN_STARS), MAX_STARS)

    def _stars(
        self, memory: Memory, movie: np.ndarray, total: np.ndarray, count: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """mean_u, and the contribution of the user's residuals, from the numerator and denominator
        of the counters: float64 [n] each, stars."""
        n, ratings = len(memory.ratings), memory.ratings
        rated = np.array([one in ratings for one in movie.tolist()])
        others = memory.implicit - self._implicit[memory.fold][movie] * rated[:, None]
        mean = self._means(memory.fold, movie, others, np.full(len(movie), n))
        latest = np.array([units for _, units in islice(reversed(ratings.values()), len(RECENT))])
        bias = memory.total / (n + BIAS_SHRINKAGE)
        weight = int(RECENT[: len(latest)].sum())
        drift = int(RECENT[: len(latest)] @ latest) - bias * weight
        similar = (total - bias * (count - self.prior)) / count
        return mean, (bias + drift / (weight + RECENT_SHRINKAGE) + similar) / UNITS

    def _counted(self, memory: Memory, movie: int) -> tuple[int, int]:
        """Numerator and denominator of a prediction by counters, in units."""
        return 0, self.prior

    def _sums(self, memory: Memory, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of movies int [m], from the ratings stored: int64 [m] each."""
        return np.zeros(len(movie), np.int64), np.full(len(movie), self.prior)

    def _fires(self, memory: Memory, movie: int, stored: np.ndarray) -> np.ndarray:
        """In how many tuples stored movies (int [n]) have the address of the movie, int64 [n]."""
        return np.zeros(len(stored), np.int64)

    # --- explaining -----------------------------------------------------------------------------

    def explain_one(self, user: int, movie: int) -> Explanation:
        """The mean of other users; of each rating the share of its residual and, apart from that,
        of having watched the movie; the largest first. A residual is relative to the mean at the
        time it was learned. `if_forgotten` is computed for the 100 largest shares only."""
        user, movie = int(user), int(movie)
        memory, table = self._users.get(user), self._tables.tables[self._tables.fold_of(user)]
        predicted, own = self.predict_one(user, movie), list[Contribution]()
        stored = np.empty(0, np.int64)
        if memory is not None:
            stored, stars, units = memory.arrays()
            fires = self._fires(memory, movie, stored)
            shares = shares_of(units, fires, self.prior)
            for rank, j in enumerate(np.argsort(-np.abs(shares), kind="stable")):
                change = None
                if rank < FORGOTTEN_IN_TURN:
                    left = np.arange(len(stored)) != j
                    without = self._alone(memory.fold, movie, stored[left], stars[left])
                    change = min(max(without, MIN_STARS), MAX_STARS) - predicted
                words = f"you gave it {stars[j]:g}, {units[j] / UNITS:+.2f} from what was expected"
                if self.tuples:
                    words += f"; {fires[j]} of {self.tuples} tuples alike"
                own.append(Contribution(words, float(shares[j]), int(stored[j]), change))
        return explained(table, movie, stored, own, predicted)

    def _alone(self, fold: int, movie: int, stored: np.ndarray, stars: np.ndarray) -> float:
        """The prediction from these ratings alone, not clipped."""
        if not len(stored):
            return float(self._tables.tables[fold].mean[movie])
        memory, query = self._of(fold, stored, stars), np.array([movie])
        mean, own = self._stars(memory, query, *self._sums(memory, query))
        return float((mean + own)[0])

    # --- size -----------------------------------------------------------------------------------

    def state_bytes(self) -> int:
        """Movie, half stars and residual of each rating, and the sum of B. Counters can be computed
        from these and are not included."""
        return sum(BYTES * len(m.ratings) + m.implicit.nbytes for m in self._users.values())

    def shared_bytes(self) -> int:
        """Of one item table: mean, factors and B."""
        tables = self._tables.tables
        return max(t.mean.nbytes + t.factors.nbytes + t.implicit.nbytes for t in tables)


def shares_of(units: np.ndarray, fires: np.ndarray, prior: int) -> np.ndarray:
    """The share of each residual in a prediction, by bias, drift and counters together: float64
    [n], stars.

    Args:
        units: int64 [n], the residuals, the latest last.
        fires: int64 [n], the tuples that fire for each.
        prior: λT.
    """
    n, weight = len(units), np.zeros(len(units), np.int64)
    latest = RECENT[:n]
    weight[n - len(latest) :] = latest[::-1]
    count, of_drift = int(fires.sum()) + prior, int(weight.sum()) + RECENT_SHRINKAGE
    of_bias = (1 - weight.sum() / of_drift - fires.sum() / count) / (n + BIAS_SHRINKAGE)
    return units * (of_bias + weight / of_drift + fires / count) / UNITS


class NTuple(ImplicitMean):
    """r̂_ui = mean_u(i) + b_u + d_u + Σ_t (sum_t − b_u count_t) / (Σ_t count_t + λT)

    where mean_u, b_u, d_u and the residuals are those of `ImplicitMean`, and sum_t and count_t
    are in the row at the address of tuple t of movie i (`weightless.ntuple`): n-tuple regression
    (Kolcz & Allinson 1996), a mean of the user's residuals that weighs each by the tuples in which
    the two movies have the same address. Learning adds to T rows, predicting reads T rows, whatever
    the length of the history. Many predictions at once are made from the stored ratings instead of
    counters: the same whole numbers, so the same stars.

    Args:
        n: bits of a tuple.
        tuples: T, drawn by the seed of `Training`.
        weight: λ.
        reads: "features", factors and metadata bits, each bit of a tuple the side of a hyperplane
            of its own, see `recbench.models.item_table.codes.spelled`; "factors" alone; "codes",
            tuples of bits of one code of each movie; "bits", of the movie's own bits.
        code_bits: of "codes".
    """

    name: ClassVar[str] = "ntuple"
    tuned: ClassVar[str] = "by hand, on development users"

    def __init__(
        self,
        n: int = 7,
        tuples: int = 256,
        weight: float = 0.4,
        reads: str = "features",
        code_bits: int = 512,
    ) -> None:
        self.n, self.tuples, self.weight = n, tuples, weight
        self.reads, self.code_bits = reads, code_bits

    def fit(self, training: Training) -> Self:
        tables = training.item_tables.tables
        self.prior = prior_of(self.weight, self.tuples)
        self._addresses = [self._spelled(one, training.movies, training.seed) for one in tables]
        return super().fit(training)

    def _spelled(self, table: ItemTable, movies: Movies, seed: int) -> np.ndarray:
        """Addresses, uint [movies, tuples]. If there are neither factors nor bits, of random bits,
        so hardly any movies agree and the prediction is close to the mean."""
        bits, metadata, factors = movies.bits, movies.metadata_bits, table.factors[:, 1:]
        if self.reads == "factors":
            metadata = metadata[:, :0]
        if self.reads == "codes" and factors.any():
            bits = choose_codes(factors, table.count, self.code_bits, seed)
        elif self.reads in ("features", "factors") and (metadata.any() or factors.any()):
            return spelled(table, metadata, self.n, self.tuples, seed)
        if not bits.shape[1]:
            bits = np.random.default_rng([seed, 17]).integers(0, 2, (len(movies), 64), np.uint8)
        n = min(self.n, bits.shape[1])
        return addresses_of(bits, draw_tuples(bits.shape[1], n, self.tuples, seed))

    def _add(self, memory: Memory, movie: int, units: int, times: int) -> None:
        super()._add(memory, movie, units, times)
        if memory.counters is not None:
            memory.counters.add(self._addresses[memory.fold][movie], np.array([units, times]))

    def _counted(self, memory: Memory, movie: int) -> tuple[int, int]:
        addresses = self._addresses[memory.fold]
        if memory.counters is None:
            places = np.arange(self.tuples * self.n).reshape(self.tuples, self.n)
            memory.counters = NTupleMemory(places, self.weight)
            for one, (_, units) in memory.ratings.items():
                memory.counters.add(addresses[one], np.array([units, 1]))
        total, count = memory.counters.read(addresses[movie]).sum(axis=0, dtype=np.int64).tolist()
        return total, count + self.prior

    def _sums(self, memory: Memory, movie: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        stored, _, units = memory.arrays()
        of_one, nobody_else = np.array([0, len(stored)]), np.zeros(len(movie), np.int64)
        return sums_of_users(
            self._addresses[memory.fold], of_one, stored, units, nobody_else, movie, self.prior
        )

    def _fires(self, memory: Memory, movie: int, stored: np.ndarray) -> np.ndarray:
        addresses = self._addresses[memory.fold]
        return matches(addresses[[movie]], addresses[stored])[0]

    def shared_bytes(self) -> int:
        return super().shared_bytes() + max(one.nbytes for one in self._addresses)
