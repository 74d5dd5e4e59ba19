"""`wnn_vote`: a memory of one person's ratings that answers by a soft vote of what is similar."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from PerUser.crowd_opinion import CrowdOpinion
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
PAIRS_AT_ONCE = 2_000_000  # asked × remembered in one block


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
        kindness: μ, stars.
        bent: float64 [m], s (c(movie) − c̄), stars.
        share: float64 [m, n], what part of each remembered rating's rest is added, 0 .. 1.
        rest: float64 [n], what μ and s leave unexplained of each remembered rating, stars.
    """

    kindness: float
    bent: np.ndarray
    share: np.ndarray
    rest: np.ndarray


class WnnVote(ContinualRecommender):
    """r̂ = c + μ + s (c − c̄) + Σ_j w_j ε_j / (Σ_j w_j + λ)

    A weightless memory (Aleksander, Thomas & Bowden 1984, "WISARD": learn by storing, answer from
    what is similar): each rating stores one pattern, the movie's bits, with the surprise
    e_j = r_j − c_j, c being the crowd's opinion in stars, see `CrowdOpinion`. There is one pass, no
    gradient, and nothing is ever unlearned but by `forget_one`. To answer, the memory is read out
    softly, as in kernel regression (Nadaraya 1964; Watson 1964), in three steps, each shrunk
    towards the one before:

        g_j = (1 + a_j / h)^−q          how fresh a memory is, a_j ratings having come after it
        μ   = Σ g e / (Σ g + κ)          kindness: what the person gives beyond the crowd
        s   = Σ g (e − μ) x / (Σ g x² + b), x_j = c_j − c̄    bent: for what the crowd likes
        ε_j = e_j − μ − s x_j            what is left of each memory
        w_j = g_j exp(−d_j), d_j = Σ_channels α · (bits that differ) / (bits of the channel)

    d is a Hamming distance weighted by channel. Forgetting follows a power law (Wixted & Ebbesen
    1991). Somebody without ratings is predicted c. Nothing is random.

    `learn_one` over the training rows in the order of time gives the same state as `fit`, but for
    c and c̄: these are the population's, fitted once on the training rows of all, and kept.

    Args:
        prior_mean: κ, in ratings.
        prior_bent: b, in squared stars.
        prior_vote: λ, in ratings of an identical movie.
        fade_after: h, in ratings.
        fade_power: q; 0: nothing fades.
        sharpness: a factor on all distances.
        channel_weight: α by channel; `CHANNEL_WEIGHT` by default.
    """

    tuned: ClassVar[str] = "results/sample-personal-model-research"

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {
        "prior_mean": (0.5, 30.0, "log"),
        "prior_bent": (1.0, 100.0, "log"),
        "prior_vote": (0.05, 5.0, "log"),
        "fade_after": (0.5, 100.0, "log"),
        "fade_power": (0.0, 2.0, "linear"),
        "sharpness": (0.3, 3.0, "log"),
    }

    def __init__(
        self,
        prior_mean: float = 4.0,
        prior_bent: float = 4.3,
        prior_vote: float = 0.6,
        fade_after: float = 2.8,
        fade_power: float = 0.7,
        sharpness: float = 1.0,
        channel_weight: dict[str, float] | None = None,
    ) -> None:
        self.prior_mean = prior_mean
        self.prior_bent = prior_bent
        self.prior_vote = prior_vote
        self.fade_after = fade_after
        self.fade_power = fade_power
        self.sharpness = sharpness
        self.channel_weight = CHANNEL_WEIGHT if channel_weight is None else channel_weight

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self.start(movies, CrowdOpinion.fit(train, movies))
        self.remember(train, train.stars - self.crowd.stars[train.movie])
        return self

    def remember(self, ratings: Ratings, surprise: np.ndarray) -> None:
        """Store all `ratings`, each with its surprise (float64 [n], stars)."""
        for user, rows in histories(ratings):
            self.memories[user] = Memory(ratings.movie[rows], surprise[rows])

    def start(self, movies: Movies, crowd: CrowdOpinion) -> None:
        """Know the movies and the crowd's opinion, and nobody's ratings."""
        self.crowd = crowd
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
        stars = self.crowd.stars[np.asarray(movie)] + self.correction(user, movie)
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
                recall = self.recall(memory, movie[block])
                stars[block] = recall.kindness + recall.bent + recall.share @ recall.rest
        return stars

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        """Read the memory out for m movies (int [m]): the three steps above."""
        e = memory.surprise
        x = self.crowd.stars[memory.movie] - self.crowd.mean  # (n,)
        age = np.arange(len(e) - 1, -1, -1)
        g = (1 + age / self.fade_after) ** -self.fade_power  # (n,)
        kindness = (g @ e) / (g.sum() + self.prior_mean)
        bent = (g * x) @ (e - kindness) / ((g * x) @ x + self.prior_bent)
        cross = self._points[movie] @ self._points[memory.movie].T  # (m, n)
        distance = self._square[movie][:, None] + self._square[memory.movie] - 2 * cross
        w = g * np.exp(-distance)  # (m, n)
        return Recall(
            kindness=float(kindness),
            bent=bent * (self.crowd.stars[movie] - self.crowd.mean),
            share=w / (w.sum(axis=1, keepdims=True) + self.prior_vote),
            rest=e - kindness - bent * x,
        )

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        memory = self.memories.get(int(user), Memory(np.empty(0, np.int32), np.empty(0)))
        surprise = np.float32(stars) - self.crowd.stars[movie]
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
        """The crowd, kindness, bent, then a part for each remembered rating, the largest first."""
        parts = [Contribution("the crowd", float(self.crowd.stars[movie]))]
        memory = self.memories.get(int(user))
        if memory is not None:
            recall = self.recall(memory, np.array([movie]))
            parts.append(Contribution("what you give beyond the crowd", recall.kindness))
            parts.append(Contribution("your bent for what the crowd likes", float(recall.bent[0])))
            each = recall.share[0] * recall.rest  # (n,)
            parts += [
                Contribution("your rating of a similar movie", float(each[j]), int(memory.movie[j]))
                for j in np.argsort(-np.abs(each), kind="stable")
            ]
        stars = Explanation(tuple(parts)).stars
        if not MIN_STARS <= stars <= MAX_STARS:
            within = min(max(stars, MIN_STARS), MAX_STARS)
            beyond = math.fsum([*(part.stars for part in parts), -within])
            parts.append(Contribution("no rating goes beyond the scale", -beyond))
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


def _rows_by_user(user: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each user present and the rows (int) that are his, in their order."""
    order = np.argsort(user, kind="stable")
    users, starts = np.unique(user[order], return_index=True)
    for one, rows in zip(users, np.split(order, starts[1:]), strict=False):
        yield int(one), rows
