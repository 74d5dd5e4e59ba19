"""One user's stars as a Gaussian process, learned a rating at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtrs

from weightless.compiled import compiled as numeric


class GaussianProcess:
    """y ~ N(0, K): the residuals y of one user's ratings, noise in K, and predictions from them.

    y = C a is linear in fixed columns C, while a changes with later ratings. The state is L, the
    Cholesky factor of K, and Z = L⁻¹ C (Rasmussen & Williams 2006, algorithm 2.1). Learning a
    rating adds a row to each, at a cost of n²; forgetting one recomputes the rows after it. So
    after any sequence of both, the state equals that of learning the remaining ratings in order.

    Args:
        covariance: K float64 [n, n], its lower triangle.
        columns: C, float64 [n, c].

    Raises:
        LinAlgError: K is not positive definite.
    """

    def __init__(self, covariance: np.ndarray, columns: np.ndarray) -> None:
        root, failed = dpotrf(covariance, lower=True, clean=True)
        if failed:
            message = "the covariance of a user's ratings is not positive definite"
            raise np.linalg.LinAlgError(message)
        self._root = np.ascontiguousarray(root)  # L, room for more rows
        self._z = np.ascontiguousarray(_solved(self._root, columns))
        self._count = len(columns)

    def __len__(self) -> int:
        return self._count

    @property
    def root(self) -> np.ndarray:
        """L, float64 [n, n]."""
        return self._root[: self._count, : self._count]

    @property
    def z(self) -> np.ndarray:
        """Z = L⁻¹ C, float64 [n, c]."""
        return self._z[: self._count]

    def learn(self, kernel: np.ndarray, variance: float, column: np.ndarray) -> None:
        """One more rating.

        Args:
            kernel: float64 [n], covariance with each earlier rating.
            variance: of the rating, noise included.
            column: its row of C, float64 [c].
        """
        n = self._count
        if n == len(self._root):
            room = max(2 * n, 16)
            root, z = np.zeros((room, room)), np.zeros((room, self._z.shape[1]))
            root[:n, :n], z[:n] = self.root, self.z
            self._root, self._z = root, z
        _append(self._root, self._z, n, kernel, variance, column)
        self._count = n + 1

    def forget(self, at: int, covariance: np.ndarray, columns: np.ndarray) -> None:
        """Remove rating `at`: earlier rows stay, later ones are recomputed.

        Args:
            covariance, columns: K float64 [n − 1, n − 1] and C float64 [n − 1, c] of the others.
        """
        self._root[at:], self._z[at:] = 0.0, 0.0
        for row in range(at, self._count - 1):
            own = covariance[row, row]
            _append(self._root, self._z, row, covariance[row, :row], own, columns[row])
        self._count -= 1

    def predict(self, kernel: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior of m residuals.

        Args:
            kernel: float64 [m, n], covariance with each learned rating.
            a: float64 [c], of y = C a.

        Returns:
            Mean, and the reduction of the variance, float64 [m] each.
        """
        y = self.z @ a
        if len(kernel) == 1:
            v = _forward(self._root, self._count, kernel[0])
            return np.array([v @ y]), np.array([v @ v])
        v = self.solved(kernel)  # (n, m)
        return y @ v, np.vecdot(v.T, v.T)

    def solved(self, kernel: np.ndarray) -> np.ndarray:
        """V = L⁻¹ k' of m ratings (k: float64 [m, n]), float64 [n, m]; V'V is the reduction of
        their covariance."""
        return _solved(self.root, kernel.T)

    def weights(self, kernel: np.ndarray) -> np.ndarray:
        """w = K⁻¹ k of one prediction w·y (k: float64 [n]): float64 [n]."""
        return self.back(self.solved(kernel[None])[:, 0])

    def back(self, solved: np.ndarray) -> np.ndarray:
        """L'⁻¹ v, float64 [n]."""
        return _solved(self.root, solved[:, None], transposed=True)[:, 0]


def _solved(root: np.ndarray, right: np.ndarray, transposed: bool = False) -> np.ndarray:
    """L⁻¹ b, or L'⁻¹ b: [n, m]."""
    # LAPACK's rows are columns: L as it lies in memory is its L'
    return dtrtrs(root.T, right, lower=0, trans=int(not transposed))[0]


@numeric
def _forward(root: Any, n: Any, right: Any) -> Any:
    """L⁻¹ b, row by row."""
    solved = np.empty(n)
    for row in range(n):
        solved[row] = (right[row] - np.dot(root[row, :row], solved[:row])) / root[row, row]
    return solved


@numeric
def _append(root: Any, z: Any, n: Any, kernel: Any, variance: Any, column: Any) -> None:
    row = _forward(root, n, kernel)
    root[n, :n] = row
    root[n, n] = np.sqrt(variance - np.dot(row, row))
    for c in range(len(column)):
        total = column[c]
        for j in range(n):
            total -= row[j] * z[j, c]
        z[n, c] = total / root[n, n]
