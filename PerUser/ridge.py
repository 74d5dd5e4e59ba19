"""A ridge regression for each user: how many stars more or less each bit of a movie is worth."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from PerUser.shrunk_means import shrunk_means
from PerUser.user_chunks import chunks_of_users
from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import Recommender


class PerUserRidge(Recommender):
    """r̂_ui = μ_u + w_u·(x_i − x̄_u), on the user's own ratings.

    w_u minimises Σ_i (r_ui − r̄_u − w·(x_i − x̄_u))² + α ‖w‖² (Hoerl & Kennard 1970, "Ridge
    regression"), so w_u = (X'X + αI)⁻¹ X'y with X and y centred on the user's means x̄_u and r̄_u.
    The intercept is shrunk apart from it: μ_u = (Σ r + κ m) / (n + κ), m being the mean of all
    training ratings. With κ = 0 this is scikit-learn's `Ridge`. A user without training ratings
    gets m. Nothing is random.

    Args:
        alpha: α. In a Bayesian reading, the variance of a rating around the line over that of a
            weight: ten if a rating strays by .9 stars and a bit is worth about .3.
        damping: κ, in ratings.
    """

    # What a tuner may choose from.
    search_space: ClassVar[dict] = {
        "alpha": (0.3, 300.0, "log"),
        "damping": (0.1, 30.0, "log"),
    }
    tuned: ClassVar[str] = "results/sample-tuning"  # where the trials of the defaults are

    def __init__(self, alpha: float = 10.0, damping: float = 5.0) -> None:
        self.alpha = alpha
        self.damping = damping

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._bits = movies.bits
        self._users = np.unique(train.user)
        means, self._otherwise = shrunk_means(train, self.damping)
        features = movies.bits.shape[1]
        self._weights = np.zeros((len(self._users), features))
        self._intercepts = np.empty(len(self._users))
        for chunk in chunks_of_users(train.user):
            mask = chunk.mask[:, :, None]  # (users, ratings, 1)
            count = mask.sum(axis=1, keepdims=True)  # (users, 1, 1)
            x = movies.bits[train.movie[chunk.rows]] * mask.astype(float)  # (users, ratings, bits)
            y = train.stars[chunk.rows][:, :, None] * mask.astype(float)  # (users, ratings, 1)
            x_mean = x.sum(axis=1, keepdims=True) / count  # (users, 1, bits)
            y_mean = y.sum(axis=1, keepdims=True) / count  # (users, 1, 1)
            x, y = (x - x_mean) * mask, (y - y_mean) * mask
            transposed = x.transpose(0, 2, 1)  # (users, bits, ratings)
            penalised = transposed @ x + self.alpha * np.eye(features)  # (users, bits, bits)
            w = np.linalg.solve(penalised, transposed @ y)  # (users, bits, 1)
            self._weights[chunk.users] = w[:, :, 0]
            self._intercepts[chunk.users] = means[chunk.users] - (x_mean @ w)[:, 0, 0]
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = np.full(len(user), self._otherwise)
        known = np.isin(user, self._users)
        whose = np.searchsorted(self._users, user[known])
        gain = np.einsum("nb,nb->n", self._weights[whose], self._bits[movie[known]])
        stars[known] = self._intercepts[whose] + gain
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._weights.nbytes + self._intercepts.nbytes
