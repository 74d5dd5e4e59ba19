"""`ease`: a linear item-item model in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from Collaborative.bias import BiasModel
from Collaborative.rated import FEWER_MOVIES, check_square
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS, rows_of_each


@dataclass(eq=False)
class EaseModel(Recommender):
    """r̂_ui = c_ui + α n_u^−p n_i^−q Σ_j x_uj B_ji, c_ui = o_i + b_u + b_i, x = r − c.

    B minimises ‖X − XB‖² + λ ‖B‖² with a zero diagonal, so that no movie predicts itself:
    B_ji = −P_ji / P_ii, P = (XᵀX + λ)⁻¹ (Steck 2019, "Embarrassingly shallow autoencoders for
    sparse data"). A missing rating is a residual of zero in X, both as input and, in XᵀX, as
    output. Predicted ratings are never missing, so the sum is too small, the more so the rarer the
    movie; and it grows with the user's number of ratings. Hence the powers, and a gain α ≥ 0,
    fitted by least squares to leave-one-out predictions of the training ratings: for each of them
    the user's whole row is left out of B, in closed form. The biases are those of `bias`. For an
    unknown user or movie, o and the bias of the other are predicted. Nothing is random.

    Args:
        regularisation: λ, in stars².
        user_exponent: p, of the user's number of ratings.
        movie_exponent: q, of the movie's number of ratings.
        damping_user, damping_movie: of the biases, in ratings, see `bias`.
        start: source of o, "item_baseline" or "mean", see `bias`.
        epochs: rounds of alternating least squares for the biases.

    Steck's λ is 200 to 1,000, with neither powers nor gain.
    """

    name: ClassVar[str] = "ease"
    learns_from: ClassVar[str] = "all"
    search_space: ClassVar[dict] = {
        "regularisation": (30.0, 30_000.0, "log"),
        "user_exponent": (0.0, 1.0, "linear"),
        "movie_exponent": (0.0, 1.0, "linear"),
        "damping_user": (0.5, 50.0, "log"),
        "damping_movie": (0.5, 50.0, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/references"

    regularisation: float = 2200.0
    user_exponent: float = 0.065
    movie_exponent: float = 0.24
    damping_user: float = 3.3
    damping_movie: float = 49.0
    start: Start = "item_baseline"
    epochs: int = 10

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        bias = BiasModel(self.epochs, self.damping_user, self.damping_movie, self.start)
        self._bias = bias.fit(training)
        check_square(self.name, len(bias.rated.movies), "movies", FEWER_MOVIES)
        residuals = train.stars - bias.stars(train.user, train.movie)
        x = self._x = bias.rated.table(train, residuals)  # (users, movies)
        inverse = inverse_of(x, self.regularisation)  # P
        # Of each user and movie, 1 or more: both have ratings.
        by_user = np.diff(x.indptr) ** -self.user_exponent
        by_movie = np.bincount(x.indices, minlength=x.shape[1]) ** -self.movie_exponent
        user = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
        feature = left_out(x, inverse) * by_user[user] * by_movie[x.indices]
        gain = max(feature @ x.data, 0.0) / (feature @ feature or 1.0)
        # Row i is what predicts movie i, so that a prediction reads one row.
        self._weights = inverse * (-gain * by_movie / np.diag(inverse))[:, None]
        np.fill_diagonal(self._weights, 0.0)
        self._scale = by_user
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self._bias.stars(user, movie)
        both, row, column = self._bias.rated.both_rated(user, movie)
        stars[both] += self._scale[row] * sums(row, column, self._x, self._weights)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        x = self._x
        of_users = (self._scale, x.data, x.indices, x.indptr)
        return self._bias.state_bytes() + sum(table.nbytes for table in of_users)

    def shared_bytes(self) -> int:
        return self._bias.shared_bytes() + self._weights.nbytes


def inverse_of(x: sparse.csr_array, regularisation: float) -> np.ndarray:
    """P = (XᵀX + λ)⁻¹, float64 [movies, movies], by Cholesky factorisation."""
    penalised = (x.T @ x).toarray(order="F")  # symmetric
    penalised[np.diag_indices_from(penalised)] += regularisation
    if not len(penalised):
        return penalised
    factor, failed = lapack.dpotrf(penalised, lower=True, overwrite_a=True)
    inverse, failed_too = lapack.dpotri(factor, lower=True, overwrite_c=True)
    if failed or failed_too:
        raise np.linalg.LinAlgError("XᵀX + λ is not positive definite")
    lower = np.tril(inverse)
    return lower + np.tril(lower, -1).T


def left_out(x: sparse.csr_array, inverse: np.ndarray) -> np.ndarray:
    """Σ_j x_uj B_ji for each entry (u, i) of X, with B fitted without the row of u: float64
    [entries].

    With y = P x_u, what is left of x_ui is y_i / P_ii, and the leverage of the row on the
    regression of movie i on the others is x_u·y − y_i² / P_ii. The residual without the row is the
    residual with it, divided by 1 − leverage.
    """
    user = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    y = sums(user, x.indices, x, inverse)
    total = np.bincount(user, x.data * y, minlength=x.shape[0])
    own = np.diag(inverse)[x.indices]
    return x.data - y / own / (1.0 - (total[user] - y**2 / own))


def sums(
    row: np.ndarray, column: np.ndarray, x: sparse.csr_array, matrix: np.ndarray
) -> np.ndarray:
    """Σ_j x[row, j] matrix[column, j] for each pair of row and column, float64 [n]."""
    totals = np.empty(len(row))
    for pairs in rows_of_each(row):
        one = row[pairs[0]]
        entries = slice(x.indptr[one], x.indptr[one + 1])
        weights = matrix[column[pairs], x.indices[entries, None]]  # (entries, pairs)
        totals[pairs] = (x.data[entries, None] * weights).sum(axis=0)
    return totals
