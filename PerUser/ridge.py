"""`ridge`: for each user a ridge regression of residuals on the bits of a movie."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start, mean_of_all, shrunk_means, starting_stars
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings, place_within, rows_of_each


class PerUserRidge(Recommender):
    """r̂_ui = o_i + μ_u + w_u·(x_i − x̄_u), on the user's own ratings.

    x_i are the movie's bits and the item baseline c_i in stars, and o_i = c_i, so the regression
    learns the user's residuals from it. With `start` "mean", x_i are the bits only and o_i = 3.

    With e = r − o, w_u minimises Σ_i g_i (e_ui − ē_u − w·(x_i − x̄_u))² + α ‖w‖² (Hoerl & Kennard
    1970, "Ridge regression"), so w_u = (X'GX + αI)⁻¹ X'Gy with X and y centred on the user's
    weighted means x̄_u and ē_u. The recency weight is g_i = (1 + a_i / h)^−q, where a_i ratings of
    the user follow rating i (Wixted & Ebbesen 1991). The intercept is shrunk separately: μ_u = (Σ g
    e + κ m) / (Σ g + κ), where m is the mean of e over all training ratings. With κ = 0 and q = 0
    this is scikit-learn's `Ridge`. For a user without training ratings, o_i + m is predicted.
    Nothing is random.

    Args:
        alpha: α. In a Bayesian view, the noise variance of a rating divided by the prior variance
            of a weight: 50 if their standard deviations are .9 and .13 stars.
        damping: κ, in ratings.
        decay_after: h, in ratings.
        decay_power: q; 0: no time decay.
        start: o_i, "item_baseline" or "mean".
    """

    name: ClassVar[str] = "ridge"
    learns_from: ClassVar[str] = "user+items"
    search_space: ClassVar[dict] = {
        "alpha": (0.3, 300.0, "log"),
        "damping": (0.1, 30.0, "log"),
        "decay_after": (0.5, 100.0, "log"),
        "decay_power": (0.0, 2.0, "linear"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/references"

    def __init__(
        self,
        alpha: float = 25.0,
        damping: float = 2.0,
        decay_after: float = 14.0,
        decay_power: float = 0.2,
        start: Start = "item_baseline",
    ) -> None:
        self.alpha = alpha
        self.damping = damping
        self.decay_after = decay_after
        self.decay_power = decay_power
        self.start: Start = start

    def fit(self, training: Training) -> Self:
        train, movies = training.ratings, training.movies
        baseline = training.item_baseline if self.start == "item_baseline" else None
        self._start = starting_stars(self.start, baseline, movies)  # o, (movies,)
        self._features = movies.bits.astype(np.float64)  # (movies, features)
        if self.start == "item_baseline":
            self._features = np.column_stack((movies.bits, self._start))
        residual = train.stars - self._start[train.movie]  # (ratings,)
        self._users = np.unique(train.user)
        weight = (1 + ratings_after(train) / self.decay_after) ** -self.decay_power  # (ratings,)
        sample = training.sample
        self._otherwise = mean_of_all(sample.stars - self._start[sample.movie])  # m
        means = shrunk_means(train.user, residual, self.damping, self._otherwise, weight)
        penalty = self.alpha * np.eye(self._features.shape[1])
        self._weights = np.zeros((len(self._users), len(penalty)))
        self._intercepts = np.empty(len(self._users))
        for place, rows in enumerate(rows_of_each(train.user)):
            g, x, y = weight[rows], self._features[train.movie[rows]], residual[rows]
            x_mean, y_mean = g @ x / g.sum(), g @ y / g.sum()  # (features,), one
            x, y = x - x_mean, y - y_mean
            transposed = (g[:, None] * x).T  # (features, ratings)
            w = np.linalg.solve(transposed @ x + penalty, transposed @ y)  # (features,)
            self._weights[place] = w
            self._intercepts[place] = means[place] - x_mean @ w
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._start[movie] + self._otherwise  # (n,)
        known = np.isin(user, self._users)
        owner = np.searchsorted(self._users, user[known])
        x = self._features[movie[known]]  # (known, features)
        own = self._intercepts[owner] + np.vecdot(self._weights[owner], x)
        stars[known] = self._start[movie[known]] + own
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._weights.nbytes + self._intercepts.nbytes

    def shared_bytes(self) -> int:
        return self._features.nbytes + self._start.nbytes


def ratings_after(ratings: Ratings) -> np.ndarray:
    """Number of later ratings of the same user, int [n]; equal times are in the order of the
    rows."""
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    _, owner, count = np.unique(ratings.user, return_inverse=True, return_counts=True)
    return count[owner] - 1 - place_within(ratings.user, order)
