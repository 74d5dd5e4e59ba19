"""Any recommender read out by the median: what to say when the absolute error counts."""

from __future__ import annotations

from typing import Self

import numpy as np

from ratings import Movies, Ratings
from recommender import Recommender, build

GRID = np.arange(1, 11) / 2  # the stars that can be given
WIDTH, PRIOR = 1.5, 10.0  # stars, ratings
HALVINGS = 40  # of an interval 30 stars wide: to a billionth


class MedianReadOut(Recommender):
    """The median of the stars that the person is likely to give, if the mean is r̂.

        π_k ∝ h_k exp(−(k − z)² / 2σ²), k = 0.5 .. 5, z such that Σ k π_k = r̂

    h is the person's own histogram of stars, with κ ratings of everybody's added: some people never
    give half stars, or never less than three. r̂ is the prediction of another recommender, a mean.
    With σ = ∞, π is the distribution with that mean which is nearest to h in relative entropy, an
    exponential tilt (Csiszár 1975). The answer is on the grid of half stars. It suits the absolute
    error, and costs squared error: a recommender of its own, never a better form of the first.

    Args:
        mean: the recommender read out.
        width: σ, stars.
        prior: κ, in ratings.
    """

    def __init__(self, mean: Recommender, width: float = WIDTH, prior: float = PRIOR) -> None:
        self._mean = mean
        self.learns_from_others = getattr(mean, "learns_from_others", False)
        self.width = width
        self.prior = prior

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._mean.fit(train, movies)
        self._users, whose = np.unique(train.user, return_inverse=True)
        histogram = np.zeros((len(self._users) + 1, len(GRID)))  # the last row: who has no ratings
        np.add.at(histogram, (whose, np.rint(2 * train.stars).astype(int) - 1), 1)
        everybody = histogram.sum(axis=0) + 1
        self._histogram = histogram + self.prior * everybody / everybody.sum()
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        mean = self._mean.predict(user, movie).astype(np.float64)
        place = np.searchsorted(self._users, user)
        known = np.isin(user, self._users)
        log_h = np.log(self._histogram[np.where(known, place, len(self._users))])  # (n, 10)
        cumulated = np.cumsum(self._likely(log_h, self._place(log_h, mean)), axis=1)  # (n, 10)
        return GRID[(cumulated >= 0.5).argmax(axis=1)].astype(np.float32)

    def _place(self, log_h: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """z of each pair, float64 [n], by bisection: the mean of π rises with it."""
        low, high = np.full(len(mean), -12.0), np.full(len(mean), 18.0)
        for _ in range(HALVINGS):
            z = (low + high) / 2
            too_low = self._likely(log_h, z) @ GRID < mean
            low, high = np.where(too_low, z, low), np.where(too_low, high, z)
        return (low + high) / 2

    def _likely(self, log_h: np.ndarray, z: np.ndarray) -> np.ndarray:
        """π of each pair, float64 [n, 10]."""
        log_pi = log_h - (GRID - z[:, None]) ** 2 / (2 * self.width**2)
        pi = np.exp(log_pi - log_pi.max(axis=1, keepdims=True))
        return pi / pi.sum(axis=1, keepdims=True)

    def state_bytes(self) -> int:
        return (self._mean.state_bytes() or 0) + self._histogram.nbytes


def median_of(cls: type[Recommender]) -> type[MedianReadOut]:
    """The recommender that reads `cls` out by the median; it takes the options of `cls`."""

    def __init__(self: MedianReadOut, **options: object) -> None:
        MedianReadOut.__init__(self, build(cls, **options))

    described = {
        "__init__": __init__,
        "__module__": cls.__module__,  # it belongs to the same family
        "__doc__": f"`{cls.__name__}`, read out by the median.",
        "learns_from_others": getattr(cls, "learns_from_others", False),
        "tuned": getattr(cls, "tuned", "never"),
    }
    return type(f"{cls.__name__}Median", (MedianReadOut,), described)
