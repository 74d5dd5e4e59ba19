"""`ridge_recursive`: a ridge regression of each user's residuals, learned a rating at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from recbench.contract import ForgettingRecommender, Training
from recbench.ratings import DEFAULT_STARS, MAX_STARS, MIN_STARS, rows_of_each


@dataclass
class _User:
    """The state of one user.

    Attributes:
        inverse: float64 [f, f], P = (Λ + Z'Z)⁻¹.
        weights: float64 [f], w = P Z'y.
        stars: of each movie rated.
    """

    inverse: np.ndarray
    weights: np.ndarray
    stars: dict[int, float] = field(default_factory=dict)


@dataclass(eq=False)
class RecursiveRidge(ForgettingRecommender):
    """r̂_ui = c_i + m + w_u·z_i by recursive least squares (Plackett 1950).

    c is the item baseline, m the mean residual of all training ratings, and z_i a one, the
    movie's bits and c_i less their means over those ratings. w minimises Σ (r − c − m − w·z)² +
    κ w₀² + α ‖w₁‖². With P z = g, a further rating with the error e changes

        w ← w + g e / (1 + z·g)        P ← P − g g' / (1 + z·g)

    and a forgotten one does the reverse. `ridge` is the same regression with a recency weight,
    which cannot be updated one rating at a time. Nothing is random.

    Args:
        alpha: α, of the weights of bits and item baseline.
        damping: κ, of the user bias, in ratings.
    """

    name: ClassVar[str] = "ridge_recursive"
    learns_from: ClassVar[str] = "user+items"
    tuned: ClassVar[str] = "never"  # alpha and damping are those of `ridge`

    alpha: float = 25.0
    damping: float = 2.0

    def fit(self, training: Training) -> Self:
        train, sample, movies = training.ratings, training.sample, training.movies
        self._start = training.item_baseline.stars  # c, (movies,)
        residual = train.stars - self._start[train.movie]  # (ratings,)
        of_sample = sample.stars - self._start[sample.movie]
        self._mean = float(of_sample.mean()) if len(sample) else 0.0
        features = np.column_stack((movies.bits, self._start - DEFAULT_STARS))
        count = np.bincount(sample.movie, minlength=len(movies))
        features = features - count @ features / max(len(sample), 1)
        self._z = np.column_stack((np.ones(len(movies)), features))  # (movies, f)
        self._penalty = np.full(self._z.shape[1], self.alpha)
        self._penalty[0] = self.damping
        self._users: dict[int, _User] = {}
        for rows in rows_of_each(train.user):
            z = self._z[train.movie[rows]]  # (n, f)
            inverse = np.linalg.inv(z.T @ z + np.diag(self._penalty))
            weights = inverse @ (z.T @ (residual[rows] - self._mean))
            stars = dict(zip(train.movie[rows].tolist(), train.stars[rows].tolist(), strict=True))
            self._users[int(train.user[rows[0]])] = _User(inverse, weights, stars)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._start[movie] + self._mean  # (n,)
        for one in np.unique(user):
            if int(one) in self._users:
                rows = user == one
                stars[rows] += self._z[movie[rows]] @ self._users[int(one)].weights
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_one(self, user: int, movie: int) -> float:
        stars = self._start[movie] + self._mean
        if user in self._users:
            stars += self._z[movie] @ self._users[user].weights
        return float(min(max(stars, MIN_STARS), MAX_STARS))

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        new = _User(np.diag(1 / self._penalty), np.zeros(len(self._penalty)))
        known = self._users.setdefault(user, new)
        self._change(known, movie, stars, +1)
        known.stars[movie] = stars

    def forget_one(self, user: int, movie: int) -> None:
        """Remove a rating.

        Raises:
            KeyError: the user has no such rating.
        """
        known = self._users.get(user)
        if known is None or movie not in known.stars:
            raise KeyError(f"user {user} has no rating of movie {movie}")
        self._change(known, movie, known.stars.pop(movie), -1)
        if not known.stars:
            del self._users[user]

    def _change(self, known: _User, movie: int, stars: float, sign: int) -> None:
        """Add a rating (sign 1) or remove it (−1)."""
        z = self._z[movie]
        gain = known.inverse @ z  # (f,)
        error = stars - self._start[movie] - self._mean - z @ known.weights
        by = sign / (1 + sign * (z @ gain))
        known.weights += by * error * gain
        known.inverse -= by * np.outer(gain, gain)

    def state_bytes(self) -> int:
        return sum(one.inverse.nbytes + one.weights.nbytes for one in self._users.values())

    def shared_bytes(self) -> int:
        return self._z.nbytes + self._start.nbytes
