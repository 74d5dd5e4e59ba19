"""A recommender that predicts the median, made from one that predicts a mean."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from recbench.contract import Recommender, Training, bytes_of, declared, time_for
from recbench.ratings import places

GRID = np.arange(1, 11) / 2  # all stars there are
HALVINGS = 40  # of an interval 30 stars wide: to a billionth


class MedianReadOut(Recommender):
    """The median of the predictive distribution of stars whose mean is r̂.

        π_k ∝ h_k exp(−(k − z)² / 2σ²), k = 0.5 .. 5, z such that Σ k π_k = r̂

    h is the user's histogram of stars with κ ratings of all users added: some users never give half
    stars, or never less than three. r̂ is the prediction of the other recommender, a mean. With σ =
    ∞, π is the distribution with that mean closest to h in relative entropy, an exponential tilt
    (Csiszár 1975). The median is on the grid of half stars. It lowers the absolute error and raises
    the squared error, so it is a recommender with its own name.

    Args:
        width: σ, stars.
        prior: κ, in ratings.

    Attributes:
        mean: the class whose prediction is the mean, see `median_of`.
    """

    mean: ClassVar[type]

    def __init__(self, width: float = 1.5, prior: float = 10.0) -> None:
        self.width = width
        self.prior = prior

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        self._mean = training.fitted(self.mean)
        self._users, owner = np.unique(train.user, return_inverse=True)
        histogram = np.zeros((len(self._users) + 1, len(GRID)))  # the last row: no ratings
        np.add.at(histogram, (owner, _place(train.stars)), 1)
        everyone = np.concatenate((training.sample.stars, training.background.stars))
        of_all = np.bincount(_place(everyone), minlength=len(GRID)) + 1
        self._histogram = histogram + self.prior * of_all / of_all.sum()
        return self

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        grid, pi = self.predict_distribution(user, movie, time)
        return grid[(np.cumsum(pi, axis=1) >= 0.5).argmax(axis=1)].astype(np.float32)

    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """All stars, float64 [10], and π of each pair, float64 [n, 10]."""
        mean = self._mean.predict(user, movie, **time_for(self._mean, time)).astype(np.float64)
        log_h = np.log(self._histogram[places(user, self._users)])  # (n, 10)
        return GRID, self._distribution(log_h, self._centre(log_h, mean))

    def _centre(self, log_h: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """z of each pair, float64 [n], by bisection, since the mean of π increases with z."""
        low, high = np.full(len(mean), -12.0), np.full(len(mean), 18.0)
        for _ in range(HALVINGS):
            z = (low + high) / 2
            too_low = self._distribution(log_h, z) @ GRID < mean
            low, high = np.where(too_low, z, low), np.where(too_low, high, z)
        return (low + high) / 2

    def _distribution(self, log_h: np.ndarray, z: np.ndarray) -> np.ndarray:
        """π of each pair, float64 [n, 10]."""
        log_pi = log_h - (GRID - z[:, None]) ** 2 / (2 * self.width**2)
        pi = np.exp(log_pi - log_pi.max(axis=1, keepdims=True))
        return pi / pi.sum(axis=1, keepdims=True)

    @property
    def user_notes(self) -> dict[str, int]:
        """Of the recommender that predicts the mean."""
        return getattr(self._mean, "user_notes", {})

    def state_bytes(self) -> int:
        return (bytes_of(self._mean, "state_bytes") or 0) + self._histogram[:-1].nbytes

    def shared_bytes(self) -> int | None:
        of_mean = bytes_of(self._mean, "shared_bytes")
        return None if of_mean is None else of_mean + self._histogram[-1].nbytes


def _place(stars: np.ndarray) -> np.ndarray:
    """Index of each in the grid."""
    return np.rint(2 * stars).astype(int) - 1


def median_of(cls: type) -> type[MedianReadOut]:
    """The recommender that predicts the median where `cls` predicts a mean."""
    described: dict[str, Any] = {
        "__module__": cls.__module__,  # it belongs to the same family
        "__doc__": f"`{cls.__name__}`, but for predicting the median.",
        "builds_on": declared(cls, "name"),
        "mean": cls,
        **{name: declared(cls, name) for name in ("learns_from", "has_kernels", "tuned")},
    }
    return type(f"{cls.__name__}Median", (MedianReadOut,), described)
