"""One user's stars as a Gaussian process, learned a rating at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from weightless.compiled import compiled as numeric


class GaussianProcess:
    """y ~ N(0, K + σ² I): the residuals y of one user's ratings, and predictions from them.

    Held are L, the Cholesky factor of K + σ² I, and z = L⁻¹ y (Rasmussen & Williams 2006,
    algorithm 2.1). One more rating adds a row to either, at a cost of n²; taking one out does over
    again the rows after it. So after any sequence of both they are those of what is left, learned
    in its order.

    Args:
        noise: σ², squared stars.
    """

    def __init__(self, noise: float) -> None:
        self.noise = noise
        self._root = np.zeros((0, 0))  # L, room for more rows
        self._z = np.zeros(0)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def learn_all(self, kernel: np.ndarray, residual: np.ndarray) -> None:
        """Start afresh with n ratings: K float64 [n, n] and y float64 [n]."""
        n = len(residual)
        covariance = kernel.copy()
        covariance[np.arange(n), np.arange(n)] += self.noise
        root = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        self._root = np.ascontiguousarray(root)
        self._z = solve_triangular(self._root, residual, lower=True, check_finite=False)
        self._count = n

    def learn(self, kernel: np.ndarray, variance: float, residual: float) -> None:
        """One more rating.

        Args:
            kernel: float64 [n], with each rating before.
            variance: of the rating with itself, without noise.
            residual: y.
        """
        n = self._count
        if n == len(self._root):
            room = max(2 * n, 16)
            root, z = np.zeros((room, room)), np.zeros(room)
            root[:n, :n], z[:n] = self.root, self.z
            self._root, self._z = root, z
        _append(self._root, self._z, n, kernel, variance + self.noise, residual)
        self._count = n + 1

    def forget(self, at: int, kernel: np.ndarray, residual: np.ndarray) -> None:
        """Take out rating `at`: rows before stay, those after are computed again.

        Args:
            kernel, residual: K float64 [n − 1, n − 1] and y float64 [n − 1] of the others.
        """
        self._root[at:], self._z[at:] = 0.0, 0.0
        for row in range(at, self._count - 1):
            _append(
                self._root, self._z, row, kernel[row, :row],
                kernel[row, row] + self.noise, residual[row],
            )  # fmt: skip
        self._count -= 1

    def predict(self, kernel: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior of m ratings.

        Args:
            kernel: float64 [m, n], with each rating learned.
            variance: float64 [m], of each with itself, without noise.

        Returns:
            mean of y, and variance of a rating, noise included, float64 [m] each.
        """
        if len(kernel) == 1:
            mean, explained = _predict_one(self._root, self._z, self._count, kernel[0])
            return np.array([mean]), variance + self.noise - explained
        v = self.solved(kernel)  # (n, m)
        return self.z @ v, variance + self.noise - np.vecdot(v.T, v.T)

    def shares(self, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The share of each rating learned in one prediction.

        Args:
            kernel: float64 [n], of the query with each rating learned.

        Returns:
            share: float64 [n], w_j y_j with w = (K + σ² I)⁻¹ k; their sum is the predicted mean.
            if_forgotten: float64 [n], by how much the mean would change without rating j,
                −w_j (K⁻¹ y)_j / (K⁻¹)_jj, all else in its place.
        """
        half = solve_triangular(self.root, np.eye(len(self)), lower=True, check_finite=False)
        y = self.root @ self.z
        inverse = half.T @ half
        w = inverse @ kernel
        return w * y, -w * (inverse @ y) / np.diagonal(inverse)

    def linear_shares(self, kernel: np.ndarray) -> np.ndarray:
        """The shares of `shares` alone, at n² operations: float64 [n]."""
        half = solve_triangular(self.root, kernel, lower=True, check_finite=False)
        w = solve_triangular(self.root, half, lower=True, trans="T", check_finite=False)
        return w * (self.root @ self.z)

    @property
    def root(self) -> np.ndarray:
        """L, float64 [n, n]."""
        return self._root[: self._count, : self._count]

    @property
    def z(self) -> np.ndarray:
        """L⁻¹ y, float64 [n]."""
        return self._z[: self._count]

    def solved(self, kernel: np.ndarray) -> np.ndarray:
        """V = L⁻¹ k' of m ratings (k: float64 [m, n]), float64 [n, m]; V'V is how much
        covariance they explain."""
        return solve_triangular(self.root, kernel.T, lower=True, check_finite=False)


@numeric
def _forward(root: Any, n: Any, right: Any) -> Any:
    """L⁻¹ b, row after row."""
    solved = np.empty(n)
    for row in range(n):
        solved[row] = (right[row] - np.dot(root[row, :row], solved[:row])) / root[row, row]
    return solved


@numeric
def _append(root: Any, z: Any, n: Any, kernel: Any, variance: Any, residual: Any) -> None:
    row = _forward(root, n, kernel)
    root[n, :n] = row
    root[n, n] = np.sqrt(variance - np.dot(row, row))
    z[n] = (residual - np.dot(row, z[:n])) / root[n, n]


@numeric
def _predict_one(root: Any, z: Any, n: Any, kernel: Any) -> Any:
    v = _forward(root, n, kernel)
    return np.dot(v, z[:n]), np.dot(v, v)
