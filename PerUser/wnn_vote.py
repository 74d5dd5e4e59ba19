"""`wnn_vote`: a memory of one person's ratings that answers by a soft vote of what is similar."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import solve_triangular

from crowd_opinion import known_opinion
from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import ContinualRecommender, Contribution, Explanation

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
PAIRS_AT_ONCE = 200_000  # asked × remembered in one block, so that it stays in the cache


@dataclass
class Memory:
    """The ratings of one person, the latest last.

    Attributes:
        movie: int32 [n], whose bits are the pattern that was stored.
        surprise: float64 [n], e = stars − c(movie): what was stored with it.
    """

    movie: np.ndarray
    surprise: np.ndarray

    def without(self, movie: int) -> Memory:
        kept = self.movie != movie
        return Memory(self.movie[kept], self.surprise[kept])

    def with_one(self, movie: int, surprise: float) -> Memory:
        return Memory(
            np.append(self.movie, np.int32(movie)), np.append(self.surprise, float(surprise))
        )


@dataclass(frozen=True)
class Recall:
    """What a memory says of m movies.

    Attributes:
        kindness: float64 [m], or [1] where it is the same for all: μ, stars.
        bent: float64 [m], s (c(movie) − c̄), stars.
        taste: float64 [m, bits], t z(movie) of each bit, stars.
        share: float64 [m, n], what part of each remembered rating's rest is added, 0 .. 1.
        rest: float64 [m, n] or [1, n], what μ, s and t leave unexplained of each remembered
            rating, stars.
    """

    kindness: np.ndarray
    bent: np.ndarray
    taste: np.ndarray
    share: np.ndarray
    rest: np.ndarray

    @property
    def correction(self) -> np.ndarray:
        """All of it together, float64 [m], stars."""
        vote = np.vecdot(self.share, self.rest)
        return self.kindness + self.bent + self.taste.sum(axis=1) + vote


class WnnVote(ContinualRecommender):
    """r̂ = c + μ + s (c − c̄) + t·(z − z̄) + Σ_j w_j ε_j / (Σ_j w_j + λ)

    A weightless memory (Aleksander, Thomas & Bowden 1984, "WISARD": learn by storing, answer from
    what is similar): each rating stores one pattern, the movie's bits z, with the surprise
    e_j = r_j − c_j, c being the crowd's opinion in stars, see `crowd_opinion`, and the mean of what
    the people fitted to give beyond it (each counting once). There is one pass, no gradient, and
    nothing is ever unlearned but by `forget_one`. To answer, the memory is read out softly, in four
    steps, each shrunk towards the one before:

        g_j = (1 + a_j / h)^−q          how fresh a memory is, a_j ratings having come after it
        μ   = Σ g e / (Σ g + κ)          kindness: what the person gives beyond the crowd
        s   = Σ g (e − μ) x / (Σ g x² + b), x_j = c_j − c̄    bent: for what the crowd likes
        t   = (Z'Z + τI)⁻¹ Z'(e − μ − s x), rows of Z z_j − z̄    taste: what each bit is worth
        ε_j = e_j − μ − s x_j − t·(z_j − z̄)    what is left of each memory
        w_j = g_j exp(−d_j), d_j = Σ_channels α · (bits that differ) / (bits of the channel)

    Taste is a ridge regression (Hoerl & Kennard 1970), the vote a kernel regression (Nadaraya 1964;
    Watson 1964) whose d is a Hamming distance weighted by channel. Forgetting follows a power law
    (Wixted & Ebbesen 1991); taste does not fade, for that proved better. c̄ and z̄ are means over
    what is usually rated. Somebody without ratings is predicted c. Nothing is random.

    `learn_one` over the training rows in the order of time gives the same state as `fit`, but for
    c, c̄ and z̄: these are the population's, fitted once on the training rows of all, and kept.

    Args:
        prior_mean: κ, in ratings.
        prior_bent: b, in squared stars.
        prior_taste: τ, in ratings; the variance of a rating over that of what a bit is worth.
        prior_vote: λ, in ratings of an identical movie.
        fade_after: h, in ratings.
        fade_power: q; 0: nothing fades.
        sharpness: a factor on all distances.
        channel_weight: α by channel; `CHANNEL_WEIGHT` by default.
    """

    tuned: ClassVar[str] = "results/sample-tuning"  # where the trials of the defaults are

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {
        "prior_mean": (0.5, 30.0, "log"),
        "prior_bent": (1.0, 100.0, "log"),
        "prior_taste": (10.0, 300.0, "log"),
        "prior_vote": (0.2, 20.0, "log"),
        "fade_after": (0.5, 100.0, "log"),
        "fade_power": (0.0, 2.0, "linear"),
        "sharpness": (0.3, 3.0, "log"),
    }

    def __init__(
        self,
        prior_mean: float = 4.0,
        prior_bent: float = 4.3,
        prior_taste: float = 60.0,
        prior_vote: float = 2.0,
        fade_after: float = 2.8,
        fade_power: float = 0.7,
        sharpness: float = 1.0,
        channel_weight: dict[str, float] | None = None,
    ) -> None:
        self.prior_mean = prior_mean
        self.prior_bent = prior_bent
        self.prior_taste = prior_taste
        self.prior_vote = prior_vote
        self.fade_after = fade_after
        self.fade_power = fade_power
        self.sharpness = sharpness
        self.channel_weight = CHANNEL_WEIGHT if channel_weight is None else channel_weight

    def fit(self, train: Ratings, movies: Movies) -> Self:
        crowd = known_opinion(train, movies)  # (movies,)
        if len(train):  # the crowd's ratings are mostly those of few who rate much
            crowd = crowd + mean_of_means(train.user, train.stars - crowd[train.movie])
        self.start(movies, crowd, train.movie)
        self.remember(train, train.stars - crowd[train.movie])
        return self

    def remember(self, ratings: Ratings, surprise: np.ndarray) -> None:
        """Store all `ratings`, each with its surprise (float64 [n], stars)."""
        for user, rows in histories(ratings):
            self.memories[user] = Memory(ratings.movie[rows], surprise[rows])

    def start(self, movies: Movies, crowd: np.ndarray, usual: np.ndarray) -> None:
        """Know the movies and the crowd's opinion of each, and nobody's ratings.

        Args:
            crowd: float64 [movies], stars.
            usual: int [n], movies as often as they are rated: what is usual is their mean; with
                none, that of all movies.
        """
        if not len(usual):
            usual = np.arange(len(movies))
        self.crowd = crowd
        self._beyond_usual = crowd - crowd[usual].mean()  # x, (movies,)
        self._bits = movies.bits - movies.bits[usual].mean(axis=0)  # z, (movies, bits)
        self._channels = movies.channels
        self.memories: dict[int, Memory] = {}
        scale = [
            self.sharpness * self.channel_weight.get(channel, OTHER_CHANNEL) / bits
            for channel, bits in movies.channels.items()
        ]
        bit_weight = np.repeat(scale, list(movies.channels.values()))  # (bits,)
        # |x − y| of bits is (x − y)², so a weighted Hamming distance is a squared Euclidean one
        self._points = movies.bits * np.sqrt(bit_weight)  # (movies, bits)
        self._square = (self._points**2).sum(axis=1)  # (movies,)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self.crowd[np.asarray(movie)] + self.correction(user, movie)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def correction(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """What each person's memory adds to the stars that its surprises are measured from,
        float64 [n]; 0 for somebody without ratings."""
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

    def corrections_before(self, ratings: Ratings, surprise: np.ndarray) -> np.ndarray:
        """What each person's memory would have added when it held his earlier `ratings` alone.

        As if each of them, in the order of time, had first been asked for and then learned, but
        without storing anything (the prequential way, Dawid 1984).

        Args:
            surprise: float64 [n], of `ratings`, stars.

        Returns:
            float64 [n]; 0 for a person's first, and for a rating that a later one has replaced.
        """
        before = np.zeros(len(ratings))
        for _, rows in histories(ratings):
            memory = Memory(ratings.movie[rows], surprise[rows])
            fresh = self._freshness(len(rows))  # of the rating before, of the one before that ..
            at_once = max(PAIRS_AT_ONCE // len(rows), 1)
            blocks = np.split(np.arange(len(rows)), range(at_once, len(rows), at_once))
            for block, worth in zip(blocks, self._worth_before(memory, blocks), strict=True):
                earlier = Memory(memory.movie[: block[-1]], memory.surprise[: block[-1]])
                age = block[:, None] - 1 - np.arange(block[-1])  # (m, n), negative: still to come
                g = np.where(age < 0, 0.0, fresh[age])
                before[rows[block]] = self._read(earlier, memory.movie[block], g, worth).correction
        return before

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        """Read the memory out for m movies (int [m])."""
        z = self._bits[memory.movie]  # (n, bits)
        penalised = z.T @ z + self.prior_taste * np.eye(z.shape[1])
        worth = np.linalg.solve(penalised, z.T @ self._terms(memory))  # (bits, 3)
        g = self._freshness(len(memory.movie))[None, ::-1]
        return self._read(memory, movie, g, worth[None])

    def _freshness(self, n: int) -> np.ndarray:
        """g of a person's n ratings, float64 [n], the latest first."""
        return (1 + np.arange(n) / self.fade_after) ** -self.fade_power

    def _terms(self, memory: Memory) -> np.ndarray:
        """e, 1 and x of each rating, float64 [n, 3]: what taste explains is e − μ·1 − s·x."""
        x = self._beyond_usual[memory.movie]
        return np.stack((memory.surprise, np.ones(len(x)), x), axis=1)

    def _worth_before(self, memory: Memory, blocks: list[np.ndarray]) -> Iterator[np.ndarray]:
        """For each block of ratings, `worth` as `_read` has it before each: float64 [m, bits, 3].

        Recursive least squares, a block at a time: with P = (Z'Z + τI)⁻¹ and W = P Z'Y of the
        ratings before the block, and L L' = Z P Z' + I of those in it, the rows of L⁻¹ Z P and
        L⁻¹ (Y − Z W) are what each adds to W as it comes.
        """
        terms = self._terms(memory)
        inverse = np.eye(self._bits.shape[1]) / self.prior_taste  # (bits, bits)
        worth = np.zeros((len(inverse), terms.shape[1]))
        for block in blocks:
            z = self._bits[memory.movie[block]]  # (m, bits)
            root = np.linalg.cholesky(z @ inverse @ z.T + np.eye(len(block)))  # (m, m)
            gain = solve_triangular(root, z @ inverse, lower=True)  # (m, bits)
            news = solve_triangular(root, terms[block] - z @ worth, lower=True)  # (m, 3)
            after = worth + np.cumsum(gain[:, :, None] * news[:, None, :], axis=0)  # (m, bits, 3)
            yield np.concatenate((worth[None], after[:-1]))
            inverse, worth = inverse - gain.T @ gain, after[-1]

    def _read(self, memory: Memory, movie: np.ndarray, g: np.ndarray, worth: np.ndarray) -> Recall:
        """The four steps above, for m movies.

        Args:
            g: float64 [m, n], or [1, n] for all alike.
            worth: float64 [m, bits, 3] or [1, bits, 3]: t, were e, 1 or x what it explains.
        """
        e = memory.surprise
        x = self._beyond_usual[memory.movie]  # (n,)
        kindness = (g @ e) / (g.sum(axis=1) + self.prior_mean)  # (m,) or (1,)
        bent = (g @ (x * e) - kindness * (g @ x)) / (g @ (x * x) + self.prior_bent)
        explains = np.stack((np.ones_like(kindness), -kindness, -bent), axis=1)  # (m, 3) or (1, 3)
        taste = np.vecdot(worth, explains[:, None, :])  # (m, bits) or (1, bits)
        cross = self._points[movie] @ self._points[memory.movie].T  # (m, n)
        distance = self._square[movie][:, None] + self._square[memory.movie] - 2 * cross
        w = g * np.exp(-distance)  # (m, n)
        return Recall(
            kindness=kindness,
            bent=bent * self._beyond_usual[movie],
            taste=taste * self._bits[movie],
            share=w / (w.sum(axis=1, keepdims=True) + self.prior_vote),
            rest=e - kindness[:, None] - bent[:, None] * x - taste @ self._bits[memory.movie].T,
        )

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        memory = self.memories.get(int(user), Memory(np.empty(0, np.int32), np.empty(0)))
        surprise = np.float32(stars) - self.crowd[movie]
        self.memories[int(user)] = memory.without(movie).with_one(movie, surprise)

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
        """The crowd, kindness, bent, taste in each channel of bits, then a part for each remembered
        rating, the largest first."""
        parts = [Contribution("the crowd", float(self.crowd[movie]))]
        memory = self.memories.get(int(user))
        if memory is not None:
            recall = self.recall(memory, np.array([movie]))
            parts.append(Contribution("what you give beyond the crowd", float(recall.kindness[0])))
            parts.append(Contribution("your bent for what the crowd likes", float(recall.bent[0])))
            starts = np.cumsum([0, *self._channels.values()])[:-1]
            of_channels = np.add.reduceat(recall.taste[0], starts)  # (channels,)
            parts += [
                Contribution(f"your taste in {channel}", float(stars))
                for channel, stars in zip(self._channels, of_channels, strict=True)
            ]
            each = recall.share[0] * recall.rest[0]  # (n,)
            parts += [
                Contribution("your rating of a similar movie", float(each[j]), int(memory.movie[j]))
                for j in np.argsort(-np.abs(each), kind="stable")
            ]
        stars = Explanation(tuple(parts)).stars
        if not MIN_STARS <= stars <= MAX_STARS:
            within = min(max(stars, MIN_STARS), MAX_STARS)
            back = math.fsum([within, *(-part.stars for part in parts)])
            if not MIN_STARS <= math.fsum([*(part.stars for part in parts), back]) <= MAX_STARS:
                back = math.nextafter(back, math.copysign(math.inf, back))  # it was rounded
            parts.append(Contribution("no rating goes beyond the scale", back))
        return Explanation(tuple(parts))

    def state_bytes(self) -> int:
        return sum(m.movie.nbytes + m.surprise.nbytes for m in self.memories.values())


def histories(train: Ratings) -> Iterator[tuple[int, np.ndarray]]:
    """Each user and his rows of `train` in the order of time; of a movie rated twice, the last."""
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
    """Each user present and the rows (int) that are his, in their order."""
    order = np.argsort(user, kind="stable")
    users, starts = np.unique(user[order], return_index=True)
    for one, rows in zip(users, np.split(order, starts[1:]), strict=False):
        yield int(one), rows
