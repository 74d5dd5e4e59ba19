"""Any recommender read out by the median: what to predict when the absolute error counts."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from recbench.contract import (
    Options,
    Recommender,
    build,
    bytes_of,
    declared,
    fit_on,
    time_for,
)
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.tables import ItemTables
from recbench.ratings import Movies, Ratings

GRID = np.arange(1, 11) / 2  # the stars that can be given
WIDTH, PRIOR = 1.5, 10.0  # stars, ratings
HALVINGS = 40  # of an interval 30 stars wide: to a billionth


class MedianReadOut(Recommender):
    """The median of the predictive distribution of stars whose mean is r̂.

        π_k ∝ h_k exp(−(k − z)² / 2σ²), k = 0.5 .. 5, z such that Σ k π_k = r̂

    h is the user's own histogram of stars, with κ ratings of all users' added: some users never
    give half stars, or never less than three. r̂ is the prediction of another recommender, a mean.
    With σ = ∞, π is the distribution with that mean which is nearest to h in relative entropy, an
    exponential tilt (Csiszár 1975). The median is on the grid of half stars. It suits the absolute
    error and costs squared error: a recommender with a name of its own, not a better form of the
    first.

    Args:
        mean: the recommender read out.
        width: σ, stars.
        prior: κ, in ratings.
    """

    def __init__(self, mean: Any, width: float = WIDTH, prior: float = PRIOR) -> None:
        self._mean = mean
        self.learns_from_background = declared(mean, "learns_from_background")  # type: ignore[misc]
        self.starts_from_item_baseline = declared(mean, "starts_from_item_baseline")  # type: ignore[misc]
        self.starts_from_item_table = declared(mean, "starts_from_item_table")  # type: ignore[misc]
        self.asks_for_time = declared(mean, "asks_for_time")  # type: ignore[misc]
        self.has_kernels = declared(mean, "has_kernels")  # type: ignore[misc]
        self.width = width
        self.prior = prior

    def fit(
        self,
        train: Ratings,
        movies: Movies,
        item_baseline: ItemBaseline | None = None,
        base: Recommender | None = None,
        item_tables: ItemTables | None = None,
    ) -> Self:
        """`base`: the recommender read out, fitted to the same ratings already."""
        if base is None:
            base = fit_on(self._mean, train, movies, item_baseline, item_tables=item_tables)
        self._mean = base
        self._users, whose = np.unique(train.user, return_inverse=True)
        histogram = np.zeros((len(self._users) + 1, len(GRID)))  # the last row: no ratings
        np.add.at(histogram, (whose, np.rint(2 * train.stars).astype(int) - 1), 1)
        of_all = histogram.sum(axis=0) + 1
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
        """The stars that can be given, float64 [10], and π of each pair, float64 [n, 10]."""
        mean = self._mean.predict(user, movie, **time_for(self._mean, time)).astype(np.float64)
        place = np.searchsorted(self._users, user)
        known = np.isin(user, self._users)
        log_h = np.log(self._histogram[np.where(known, place, len(self._users))])  # (n, 10)
        return GRID, self._distribution(log_h, self._centre(log_h, mean))

    def _centre(self, log_h: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """z of each pair, float64 [n], by bisection: the mean of π rises with it."""
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
        """Of the recommender read out."""
        return getattr(self._mean, "user_notes", {})

    def state_bytes(self) -> int:
        return (bytes_of(self._mean, "state_bytes") or 0) + self._histogram.nbytes

    def shared_bytes(self) -> int | None:
        return bytes_of(self._mean, "shared_bytes")


def median_of(cls: type) -> type[MedianReadOut]:
    """The recommender that reads `cls` out by the median; it takes the options of `cls`."""

    def __init__(self: MedianReadOut, **given: Any) -> None:
        options = {name: given.pop(name) for name in options_of_mean if name in given}
        MedianReadOut.__init__(self, build(cls, Options(**options), **given))

    options_of_mean = tuple(dict.fromkeys((*declared(cls, "options"), "background")))
    copied = (
        *("learns_from_background", "starts_from_item_baseline", "starts_from_item_table"),
        *("asks_for_time", "has_kernels", "tuned"),
    )
    described: dict[str, Any] = {
        "__init__": __init__,
        "__module__": cls.__module__,  # it belongs to the same family
        "__doc__": f"`{cls.__name__}`, read out by the median.",
        "builds_on": declared(cls, "name"),
        "fitted_together": "it reads out another recommender, which is fitted once for both",
        "options": options_of_mean,
        **{attribute: declared(cls, attribute) for attribute in copied},
    }
    return type(f"{cls.__name__}Median", (MedianReadOut,), described)
