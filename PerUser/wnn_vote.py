"""`wnn_vote`: a memory of one user's ratings that predicts from those of similar movies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import solve_triangular

from recbench.item_baseline import ItemBaseline, starting_stars
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import ContinualRecommender, Contribution, Explanation

# How far apart two movies are that differ in all bits of a channel.
CHANNEL_WEIGHT = {
    "genres": 6.6,
    "vote_average": 1.1,
    "vote_count": 0.7,
    "year": 2.7,
    "runtime": 0.8,
    "language": 0.0,
    "collection": 0.8,
}
OTHER_CHANNEL = 1.0
PAIRS_AT_ONCE = 200_000  # asked × stored in one block, so that it stays in the cache


@dataclass
class Memory:
    """The ratings of one user, the latest last.

    Attributes:
        movie: int32 [n], whose bits are the pattern that was stored.
        residual: float64 [n], e = stars − c(movie): what was stored with it.
    """

    movie: np.ndarray
    residual: np.ndarray

    def without(self, movie: int) -> Memory:
        kept = self.movie != movie
        return Memory(self.movie[kept], self.residual[kept])

    def with_one(self, movie: int, residual: float) -> Memory:
        return Memory(
            np.append(self.movie, np.int32(movie)), np.append(self.residual, float(residual))
        )


@dataclass(frozen=True)
class Recall:
    """What a memory says of m movies.

    Attributes:
        user_bias: float64 [m], or [1] where it is the same for all: b_u, stars.
        slope: float64 [m], s (c(movie) − c̄), stars.
        features: float64 [m, bits], t (z(movie) − z̄) of each bit, stars.
        kernel_weight: float64 [m, n], what part of each final residual is added, 0 .. 1.
        final_residual: float64 [m, n] or [1, n], ε of each stored rating, stars.
    """

    user_bias: np.ndarray
    slope: np.ndarray
    features: np.ndarray
    kernel_weight: np.ndarray
    final_residual: np.ndarray

    @property
    def correction(self) -> np.ndarray:
        """All of it together, float64 [m], stars."""
        kernel_mean = np.vecdot(self.kernel_weight, self.final_residual)
        return self.user_bias + self.slope + self.features.sum(axis=1) + kernel_mean


class WnnVote(ContinualRecommender):
    """r̂ = c + b_u + s (c − c̄) + t·(z − z̄) + Σ_j w_j ε_j / (Σ_j w_j + λ)

    A weightless memory (Aleksander, Thomas & Bowden 1984, "WISARD": learn by storing, answer from
    what is similar): each rating stores one pattern, the movie's bits z, with the residual
    e_j = r_j − c_j. c is the item baseline in stars, see `ItemBaseline`, and the mean residual of
    the users fitted to (each counting once). There is one pass and no gradient, and a rating leaves
    the memory by `forget_one` alone. A prediction reads the memory out in four steps, each fitted
    to the residuals of the one before and shrunk towards it:

        g_j = (1 + a_j / h)^−q          recency weight, a_j ratings having come after rating j
        b_u = Σ g e / (Σ g + κ)          user bias
        s   = Σ g (e − b_u) x / (Σ g x² + β), x_j = c_j − c̄    slope on the item baseline
        t   = (Z'Z + τI)⁻¹ Z'(e − b_u − s x), rows of Z z_j − z̄    feature weights of the user
        ε_j = e_j − b_u − s x_j − t·(z_j − z̄)    final residual of each rating
        w_j = g_j exp(−d_j), d_j = Σ_channels α · (bits that differ) / (bits of the channel)

    The feature weights are a ridge regression (Hoerl & Kennard 1970), the last step a
    kernel-weighted mean of residuals (Nadaraya 1964; Watson 1964) whose d is a Hamming distance
    weighted by channel. Recency follows a power law (Wixted & Ebbesen 1991); the feature weights
    have no time decay, which proved better. c̄ and z̄ are means over the training ratings. A user
    without ratings is predicted c. Nothing is random.

    `learn_one` over the training rows in the order of time gives the same state as `fit`, but for
    c, c̄ and z̄: these are fitted once, on the training rows of all users, and kept.

    Args:
        shrinkage_bias: κ, in ratings.
        shrinkage_slope: β, in squared stars.
        shrinkage_weights: τ, in ratings; the variance of a rating over that of a bit's weight.
        shrinkage_kernel: λ, in ratings of an identical movie.
        decay_after: h, in ratings.
        decay_power: q; 0: no time decay.
        inverse_bandwidth: a factor on all distances.
        channel_weight: α by channel; `CHANNEL_WEIGHT` by default.
    """

    name: ClassVar[str] = "wnn_vote"
    starts_from_item_baseline: ClassVar[bool] = True
    tuned: ClassVar[str] = "results/tuning/trials"

    search_space: ClassVar[dict] = {
        "shrinkage_bias": (0.5, 30.0, "log"),
        "shrinkage_slope": (1.0, 100.0, "log"),
        "shrinkage_weights": (10.0, 300.0, "log"),
        "shrinkage_kernel": (0.2, 20.0, "log"),
        "decay_after": (0.5, 100.0, "log"),
        "decay_power": (0.0, 2.0, "linear"),
        "inverse_bandwidth": (0.3, 3.0, "log"),
    }

    def __init__(
        self,
        shrinkage_bias: float = 4.0,
        shrinkage_slope: float = 4.3,
        shrinkage_weights: float = 60.0,
        shrinkage_kernel: float = 2.0,
        decay_after: float = 2.8,
        decay_power: float = 0.7,
        inverse_bandwidth: float = 1.0,
        channel_weight: dict[str, float] | None = None,
    ) -> None:
        self.shrinkage_bias = shrinkage_bias
        self.shrinkage_slope = shrinkage_slope
        self.shrinkage_weights = shrinkage_weights
        self.shrinkage_kernel = shrinkage_kernel
        self.decay_after = decay_after
        self.decay_power = decay_power
        self.inverse_bandwidth = inverse_bandwidth
        self.channel_weight = CHANNEL_WEIGHT if channel_weight is None else channel_weight

    def fit(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> Self:
        baseline = starting_stars("item_baseline", item_baseline, movies)  # (movies,)
        if len(train):  # the item baseline is mostly of the few users who rate much
            baseline = baseline + mean_of_means(train.user, train.stars - baseline[train.movie])
        self.start_from(movies, baseline, train.movie)
        self.store(train, train.stars - baseline[train.movie])
        return self

    def store(self, ratings: Ratings, residual: np.ndarray) -> None:
        """Store all `ratings`, each with its residual (float64 [n], stars)."""
        for user, rows in histories(ratings):
            self.memories[user] = Memory(ratings.movie[rows], residual[rows])

    def start_from(self, movies: Movies, baseline: np.ndarray, rated: np.ndarray) -> None:
        """Know the movies and the baseline of each, and no ratings.

        Args:
            baseline: float64 [movies], stars.
            rated: int [n], the movie of each training rating, over which c̄ and z̄ are means; of
                none, over all movies.
        """
        if not len(rated):
            rated = np.arange(len(movies))
        self.baseline = baseline
        self._centred_baseline = baseline - baseline[rated].mean()  # x, (movies,)
        self._bits = movies.bits - movies.bits[rated].mean(axis=0)  # z, (movies, bits)
        self._channels = movies.channels
        self.memories: dict[int, Memory] = {}
        scale = [
            self.inverse_bandwidth * self.channel_weight.get(channel, OTHER_CHANNEL) / bits
            for channel, bits in movies.channels.items()
        ]
        bit_weight = np.repeat(scale, list(movies.channels.values()))  # (bits,)
        # |x − y| of bits is (x − y)², so a weighted Hamming distance is a squared Euclidean one
        self._points = movies.bits * np.sqrt(bit_weight)  # (movies, bits)
        self._square = (self._points**2).sum(axis=1)  # (movies,)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self.baseline[np.asarray(movie)] + self.correction(user, movie)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def correction(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """What each user's memory adds to the baseline that its residuals are taken from,
        float64 [n]; 0 for a user without ratings."""
        user, movie = np.asarray(user), np.asarray(movie)
        stars = np.zeros(len(user))
        for one, rows in _rows_by_user(user):
            memory = self.memories.get(one)
            if memory is None:
                continue
            at_once = max(PAIRS_AT_ONCE // len(memory.movie), 1)
            for block in np.split(rows, range(at_once, len(rows), at_once)):
                stars[block] = self.recall(memory, movie[block]).correction
        return stars

    def prequential_corrections(self, ratings: Ratings, residual: np.ndarray) -> np.ndarray:
        """What each user's memory would have added when it held the earlier `ratings` alone.

        As if each of them, in the order of time, had first been predicted and then learned
        (prequential: Dawid 1984), but without storing anything.

        Args:
            residual: float64 [n], of `ratings`, stars.

        Returns:
            float64 [n]; 0 for a user's first, and for a rating that a later one has replaced.
        """
        before = np.zeros(len(ratings))
        for _, rows in histories(ratings):
            memory = Memory(ratings.movie[rows], residual[rows])
            recency = self._recency(len(rows))  # of the rating before, of the one before that ..
            at_once = max(PAIRS_AT_ONCE // len(rows), 1)
            blocks = np.split(np.arange(len(rows)), range(at_once, len(rows), at_once))
            for block, weights in zip(blocks, self._weights_before(memory, blocks), strict=True):
                earlier = Memory(memory.movie[: block[-1]], memory.residual[: block[-1]])
                age = block[:, None] - 1 - np.arange(block[-1])  # (m, n), negative: still to come
                g = np.where(age < 0, 0.0, recency[age])
                read = self._read(earlier, memory.movie[block], g, weights)
                before[rows[block]] = read.correction
        return before

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        """Read the memory out for m movies (int [m])."""
        z = self._bits[memory.movie]  # (n, bits)
        penalised = z.T @ z + self.shrinkage_weights * np.eye(z.shape[1])
        weights = np.linalg.solve(penalised, z.T @ self._terms(memory))  # (bits, 3)
        g = self._recency(len(memory.movie))[None, ::-1]
        return self._read(memory, movie, g, weights[None])

    def _recency(self, n: int) -> np.ndarray:
        """g of a user's n ratings, float64 [n], the latest first."""
        return (1 + np.arange(n) / self.decay_after) ** -self.decay_power

    def _terms(self, memory: Memory) -> np.ndarray:
        """e, 1 and x of each rating, float64 [n, 3]: t is fitted to e − b_u·1 − s·x."""
        x = self._centred_baseline[memory.movie]
        return np.stack((memory.residual, np.ones(len(x)), x), axis=1)

    def _weights_before(self, memory: Memory, blocks: list[np.ndarray]) -> Iterator[np.ndarray]:
        """For each block of ratings, `weights` as `_read` has them before each: [m, bits, 3].

        Recursive least squares, a block at a time: with P = (Z'Z + τI)⁻¹ and W = P Z'Y of the
        ratings before the block, and L L' = Z P Z' + I of those in it, the rows of L⁻¹ Z P and
        L⁻¹ (Y − Z W) are what each adds to W as it comes.
        """
        terms = self._terms(memory)
        inverse = np.eye(self._bits.shape[1]) / self.shrinkage_weights  # (bits, bits)
        weights = np.zeros((len(inverse), terms.shape[1]))
        for block in blocks:
            z = self._bits[memory.movie[block]]  # (m, bits)
            root = np.linalg.cholesky(z @ inverse @ z.T + np.eye(len(block)))  # (m, m)
            gain = solve_triangular(root, z @ inverse, lower=True)  # (m, bits)
            news = solve_triangular(root, terms[block] - z @ weights, lower=True)  # (m, 3)
            after = weights + np.cumsum(gain[:, :, None] * news[:, None, :], axis=0)  # (m, bits, 3)
            yield np.concatenate((weights[None], after[:-1]))
            inverse, weights = inverse - gain.T @ gain, after[-1]

    def _read(
        self, memory: Memory, movie: np.ndarray, g: np.ndarray, weights: np.ndarray
    ) -> Recall:
        """The four steps above, for m movies.

        Args:
            g: float64 [m, n], or [1, n] for all alike.
            weights: float64 [m, bits, 3] or [1, bits, 3]: t, were it fitted to e, 1 or x alone.
        """
        e = memory.residual
        x = self._centred_baseline[memory.movie]  # (n,)
        bias = (g @ e) / (g.sum(axis=1) + self.shrinkage_bias)  # b_u, (m,) or (1,)
        slope = (g @ (x * e) - bias * (g @ x)) / (g @ (x * x) + self.shrinkage_slope)
        factors = np.stack((np.ones_like(bias), -bias, -slope), axis=1)  # (m, 3) or (1, 3)
        t = np.vecdot(weights, factors[:, None, :])  # (m, bits) or (1, bits)
        cross = self._points[movie] @ self._points[memory.movie].T  # (m, n)
        distance = self._square[movie][:, None] + self._square[memory.movie] - 2 * cross
        w = g * np.exp(-distance)  # (m, n)
        return Recall(
            user_bias=bias,
            slope=slope * self._centred_baseline[movie],
            features=t * self._bits[movie],
            kernel_weight=w / (w.sum(axis=1, keepdims=True) + self.shrinkage_kernel),
            final_residual=(
                e - bias[:, None] - slope[:, None] * x - t @ self._bits[memory.movie].T
            ),
        )

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        memory = self.memories.get(int(user), Memory(np.empty(0, np.int32), np.empty(0)))
        residual = np.float32(stars) - self.baseline[movie]
        self.memories[int(user)] = memory.without(movie).with_one(movie, residual)

    def forget_one(self, user: int, movie: int) -> None:
        memory = self.memories.get(int(user))
        if memory is None or movie not in memory.movie:
            raise KeyError(f"user {user} has no rating of movie {movie}")
        left = memory.without(movie)
        if len(left.movie):
            self.memories[int(user)] = left
        else:
            del self.memories[int(user)]

    def predict_one(self, user: int, movie: int) -> float:
        return self.explain_one(user, movie).stars

    def explain_one(self, user: int, movie: int) -> Explanation:
        """Item baseline, user bias, slope, feature weights of each channel of bits, then a part for
        each stored rating, the largest first."""
        parts = [Contribution("item baseline", float(self.baseline[movie]))]
        memory = self.memories.get(int(user))
        if memory is not None:
            recall = self.recall(memory, np.array([movie]))
            parts.append(Contribution("user bias", float(recall.user_bias[0])))
            parts.append(Contribution("slope on the item baseline", float(recall.slope[0])))
            starts = np.cumsum([0, *self._channels.values()])[:-1]
            of_channels = np.add.reduceat(recall.features[0], starts)  # (channels,)
            parts += [
                Contribution(f"feature weights: {channel}", float(stars))
                for channel, stars in zip(self._channels, of_channels, strict=True)
            ]
            each = recall.kernel_weight[0] * recall.final_residual[0]  # (n,)
            parts += [
                Contribution("rating of a similar movie", float(each[j]), int(memory.movie[j]))
                for j in np.argsort(-np.abs(each), kind="stable")
            ]
        stars = Explanation(tuple(parts)).stars
        if not MIN_STARS <= stars <= MAX_STARS:
            within = min(max(stars, MIN_STARS), MAX_STARS)
            back = math.fsum([within, *(-part.stars for part in parts)])
            if not MIN_STARS <= math.fsum([*(part.stars for part in parts), back]) <= MAX_STARS:
                back = math.nextafter(back, math.copysign(math.inf, back))  # it was rounded
            parts.append(Contribution("limit of the scale", back))
        return Explanation(tuple(parts))

    def state_bytes(self) -> int:
        return sum(m.movie.nbytes + m.residual.nbytes for m in self.memories.values())


def histories(train: Ratings) -> Iterator[tuple[int, np.ndarray]]:
    """Each user and the user's rows of `train` in the order of time; of a movie rated twice, the
    last."""
    order = np.lexsort((np.arange(len(train)), train.time, train.user))
    pair = train.user[order].astype(np.int64) * (2**32) + train.movie[order]
    _, from_the_end = np.unique(pair[::-1], return_index=True)
    order = order[np.sort(len(order) - 1 - from_the_end)]
    for user, places in _rows_by_user(train.user[order]):
        yield user, order[places]


def mean_of_means(user: np.ndarray, stars: np.ndarray) -> float:
    """The mean over users of the mean of each; of at least one rating."""
    _, whose = np.unique(user, return_inverse=True)
    return float((np.bincount(whose, stars) / np.bincount(whose)).mean())


def _rows_by_user(user: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each user present and the rows (int) of that user, in their order."""
    order = np.argsort(user, kind="stable")
    users, starts = np.unique(user[order], return_index=True)
    for one, rows in zip(users, np.split(order, starts[1:]), strict=False):
        yield int(one), rows
