"""What was tried in place of parts of `wnn_vote` and `hybrid`, each a recommender of its own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from Collaborative.bayesian_fm import BayesianFM
from crowd_opinion import MIDDLE_STARS, crowd_opinion
from PerUser.hybrid import Hybrid
from PerUser.ridge import PerUserRidge
from PerUser.wnn_vote import CHANNEL_WEIGHT, Memory, Recall, WnnVote, histories
from ratings import Movies, Ratings

NEVER = 1e9  # a prior so strong that the step it belongs to adds nothing


# --- the crowd's opinion -----------------------------------------------------------------------


class OtherCrowd(WnnVote):
    """`wnn_vote` with another opinion of the crowd: `opinion(train, movies)`, float64 [movies]."""

    def fit(self, train: Ratings, movies: Movies) -> OtherCrowd:
        return super().fit(train, replace(movies, crowd_opinion=self.opinion(train, movies)))

    def opinion(self, train: Ratings, movies: Movies) -> np.ndarray:
        raise NotImplementedError


class HalfTheAverage(OtherCrowd):
    def opinion(self, train: Ratings, movies: Movies) -> np.ndarray:
        return np.nan_to_num(movies.crowd_stars.astype(np.float64), nan=MIDDLE_STARS)


class VotesAlone(OtherCrowd):
    def opinion(self, train: Ratings, movies: Movies) -> np.ndarray:
        return crowd_opinion(train, replace(movies, bits=np.zeros_like(movies.bits)), False)


class VotesAndBits(OtherCrowd):
    def opinion(self, train: Ratings, movies: Movies) -> np.ndarray:
        return crowd_opinion(train, movies, with_ratings=False)


class RatingsOfTheSample(OtherCrowd):
    def opinion(self, train: Ratings, movies: Movies) -> np.ndarray:
        return crowd_opinion(train, movies)


class WithOpinion(BayesianFM):
    """The rival with the crowd's opinion as a number in place of the average vote."""

    def fit(self, train: Ratings, movies: Movies, told: np.ndarray | None = None) -> WithOpinion:
        return super().fit(train, replace(movies, crowd_stars=movies.crowd_opinion), told)


# --- the distance ------------------------------------------------------------------------------


class AllBitsAlike(WnnVote):
    """Every bit counts the same: the plain Hamming distance, over τ = 3."""

    def start(self, movies: Movies, crowd: np.ndarray, usual: np.ndarray) -> None:
        self.channel_weight = {channel: bits / 3 for channel, bits in movies.channels.items()}
        super().start(movies, crowd, usual)


def without_channel(channel: str) -> WnnVote:
    return WnnVote(channel_weight=CHANNEL_WEIGHT | {channel: 0.0})


class Informative(WnnVote):
    """Each bit weighted by how much of the person's own surprises it explains, shrunk.

    The weight of a bit is multiplied by 1 + strength · n r² / (n + 50) · 10, r being the
    correlation of the bit with the surprise over the n remembered ratings.
    """

    strength = 1.0

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        points, square = self._points, self._square
        x = self._points[memory.movie]
        x = x - x.mean(axis=0)
        e = memory.surprise - memory.surprise.mean()
        spread = np.sqrt((x**2).sum(axis=0) * (e**2).sum()) + 1e-9
        n = len(e)
        factor = 1 + self.strength * 10 * n / (n + 50) * ((e @ x) / spread) ** 2  # (bits,)
        self._points = points * np.sqrt(factor / factor.mean())
        self._square = (self._points**2).sum(axis=1)
        recall = super().recall(memory, movie)
        self._points, self._square = points, square
        return recall


# --- the read-out ------------------------------------------------------------------------------


class OtherReadOut(WnnVote):
    """The same steps, the weights of the vote by `weights(distance)`, [m, n] -> [m, n]."""

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        first = super().recall(memory, movie)
        n = len(memory.movie)
        g = (1 + np.arange(n - 1, -1, -1) / self.fade_after) ** -self.fade_power
        w = g * self.weights(memory, movie)
        share = w / (w.sum(axis=1, keepdims=True) + self.prior_vote)
        return replace(first, share=share)

    def distance(self, memory: Memory, movie: np.ndarray) -> np.ndarray:
        cross = self._points[movie] @ self._points[memory.movie].T
        d = self._square[movie][:, None] + self._square[memory.movie] - 2 * cross
        return np.maximum(d, 0.0)

    def weights(self, memory: Memory, movie: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class PowerReadOut(OtherReadOut):
    """w = (1 − d / d_max)^p."""

    power = 13.5

    def weights(self, memory: Memory, movie: np.ndarray) -> np.ndarray:
        farthest = sum(self.channel_weight.values())
        return (1 - self.distance(memory, movie) / farthest).clip(0, 1) ** self.power


class Nearest(OtherReadOut):
    """The k nearest alone, all with the same weight."""

    k = 10

    def weights(self, memory: Memory, movie: np.ndarray) -> np.ndarray:
        d = self.distance(memory, movie)
        k = min(self.k, d.shape[1]) - 1
        return (d <= np.partition(d, k, axis=1)[:, [k]] + 1e-9) * 0.1


class Tuples(OtherReadOut):
    """WISARD's: of 128 random tuples of bits, the share that agrees in all its bits, cubed."""

    tuples, size = 128, 5

    def start(self, movies: Movies, crowd: np.ndarray, usual: np.ndarray) -> None:
        super().start(movies, crowd, usual)
        rng = np.random.default_rng(0)
        bits = movies.bits.shape[1]
        chosen = np.stack([rng.permutation(bits)[: self.size] for _ in range(self.tuples)])
        powers = 2 ** np.arange(self.size)
        self._addresses = (movies.bits[:, chosen] @ powers).astype(np.uint8)  # (movies, tuples)

    def weights(self, memory: Memory, movie: np.ndarray) -> np.ndarray:
        agree = np.zeros((len(movie), len(memory.movie)))
        for asked, stored in zip(
            self._addresses[movie].T, self._addresses[memory.movie].T, strict=True
        ):
            agree += asked[:, None] == stored
        return (agree / self.tuples) ** 3


class KernelRidge(OtherReadOut):
    """The upper reference: the same kernel, solved for (a Gaussian process per person).

    K = .06 + .15 x x' + .3 exp(−d / 2) and noise .57 / g: what the vote approximates without
    solving n equations. The scales are those of the largest marginal likelihood on training rows.
    """

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        n = len(memory.movie)
        g = (1 + np.arange(n - 1, -1, -1) / (20 * self.fade_after)) ** -self.fade_power
        x = self._beyond_usual

        def kernel(rows: np.ndarray) -> np.ndarray:
            near = np.exp(-self.distance(memory, rows) / 2)
            return 0.06 + 0.15 * x[rows][:, None] * x[memory.movie] + 0.3 * near

        noisy = kernel(memory.movie) + np.diag(0.57 / g)
        share = np.linalg.solve(noisy, kernel(movie).T).T
        none = np.zeros(len(movie))
        return Recall(np.zeros(1), none, none[:, None], share, memory.surprise[None])


class TasteFades(WnnVote):
    """Taste, too, is made of what is fresh, as kindness, bent and vote are."""

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        z = self._bits[memory.movie]  # (n, bits)
        fresh = self._freshness(len(z))[::-1, None]  # (n, 1)
        penalised = z.T @ (fresh * z) + self.prior_taste * np.eye(z.shape[1])
        worth = np.linalg.solve(penalised, z.T @ (fresh * self._terms(memory)))  # (bits, 3)
        return self._read(memory, movie, fresh.T, worth[None])


class ThirdOfRidge(WnnVote):
    """A third of what `ridge` says, two thirds of `wnn_vote`."""

    def fit(self, train: Ratings, movies: Movies) -> ThirdOfRidge:
        self._ridge = PerUserRidge().fit(train, movies)
        return super().fit(train, movies)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        both = 2 * super().predict(user, movie) + self._ridge.predict(user, movie)
        return (both / 3).astype(np.float32)


# --- forgetting, and settings found by each person ---------------------------------------------


class ExponentialFade(WnnVote):
    """g = 2^(−a / half-life)."""

    half_life = 40.0

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        rate = np.log(2) / self.half_life
        power, self.fade_power = self.fade_power, 1e6  # (1 + a / h)^−q with q → ∞, h = q / rate
        after, self.fade_after = self.fade_after, 1e6 / rate
        recall = super().recall(memory, movie)
        self.fade_power, self.fade_after = power, after
        return recall


class OwnSettings(WnnVote):
    """λ and the sharpness that would have foretold the person's own ratings best, one after
    another (prequential loss); with fewer than ten ratings those of everybody."""

    grid = ((2.0, 1.0), (1.0, 1.0), (5.0, 1.0), (15.0, 1.0), (2.0, 0.5), (2.0, 2.0), (5.0, 0.5))

    def fit(self, train: Ratings, movies: Movies) -> OwnSettings:
        super().fit(train, movies)
        bits = self._points
        self._of: dict[int, tuple[float, float]] = {}
        for user, rows in histories(train):
            if len(rows) >= 10:
                memory = self.memories[user]
                losses = [self._loss(memory, *choice, bits) for choice in self.grid]
                self._of[id(memory)] = self.grid[int(np.argmin(losses))]
        self._use(self.grid[0], bits)
        self._all_points = bits
        return self

    def recall(self, memory: Memory, movie: np.ndarray) -> Recall:
        self._use(self._of.get(id(memory), self.grid[0]), self._all_points)
        recall = super().recall(memory, movie)
        self._use(self.grid[0], self._all_points)
        return recall

    def _use(self, choice: tuple[float, float], bits: np.ndarray) -> None:
        self.prior_vote, sharpness = choice
        self._points = bits * np.sqrt(sharpness)
        self._square = (self._points**2).sum(axis=1)

    def _loss(self, memory: Memory, vote: float, sharpness: float, bits: np.ndarray) -> float:
        self._use((vote, sharpness), bits)
        n, loss = len(memory.movie), 0.0
        for seen in range(max(5, n - 60), n):  # the last sixty: time enough to tell
            before = Memory(memory.movie[:seen], memory.surprise[:seen])
            recall = WnnVote.recall(self, before, memory.movie[[seen]])
            loss += (recall.correction[0] - memory.surprise[seen]) ** 2
        return loss


# --- the hybrid --------------------------------------------------------------------------------


class FixedShares(Hybrid):
    """γ is given, so one fit will do."""

    def __init__(self, base: type, shares: tuple[float, ...]) -> None:
        super().__init__(base=base)
        self.shares = np.array(shares)

    def fit(self, train: Ratings, movies: Movies) -> FixedShares:
        self._fit_parts(train, movies, self.samples)
        return self


class OverTheMemory(FixedShares):
    """The third part is the model of what the memory leaves over, in place of one that is told."""

    def _fit_parts(self, train: Ratings, movies: Movies, samples: int | None) -> None:
        super()._fit_parts(train, movies, samples)
        crowd = self._personal.crowd[train.movie]
        said = crowd + self._personal.corrections_before(train, train.stars - crowd)
        left = Ratings(train.user, train.movie, train.stars - said + MIDDLE_STARS, train.time)
        self._over = self._base(seed=self.seed).fit(left, movies)

    def _parts(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        parts = super()._parts(user, movie)
        parts[:, 2] = parts[:, 0] + self._over.predict(user, movie) - MIDDLE_STARS
        return parts


class CrossFitted(Hybrid):
    """Surprises over a model that has not seen the rating; m is the mean of all the models.

    The training ratings are dealt out at random to some parts, and a model is fitted without each.
    """

    def __init__(self, base: type, parts: int, samples: int) -> None:
        super().__init__(base=base)
        self._models = [base(seed=k, samples=samples) for k in range(parts)]

    def _fit_parts(self, train: Ratings, movies: Movies, samples: int | None) -> None:
        super()._fit_parts(train, movies, samples)
        part = np.random.default_rng(0).permutation(len(train)) % len(self._models)
        unseen = np.empty(len(train))
        for k, model in enumerate(self._models):
            out = part == k
            model.fit(train.take(~out), movies)
            unseen[out] = model.predict(train.user[out], train.movie[out])
        self._model = MeanOf(self._models)
        self._errors.start(movies, self._personal.crowd, train.movie)
        self._errors.remember(train, train.stars - unseen)


class MeanOf:
    """What several models say on average."""

    def __init__(self, models: list) -> None:
        self._models = models

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return np.mean([model.predict(user, movie) for model in self._models], axis=0)

    def state_bytes(self) -> None:
        return None
