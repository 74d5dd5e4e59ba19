"""What a sampled factorisation machine says of each movie, whoever is asked."""

from __future__ import annotations

import numpy as np
from scipy import sparse


class MovieFeatures:
    """The features x of each movie, [movies, f], of which a model has a weight w and a vector v
    each.

    A user with (v_u, w_u) gives a movie w₀ + o + q·(v_u, w_u) stars: o = w·x + Σ_{j<k} (v_j·v_k)
    x_j x_k are the terms of the movie alone, q = (Σ_j v_j x_j, 1) is what its features add up to.
    """

    def __init__(self, features: sparse.csr_matrix) -> None:
        self._features = features
        self._squared = features.multiply(features).tocsr()

    def vectors(self, w: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """o float64 [movies] and q float64 [movies, rank + 1], of w float64 [f] and v float64
        [f, rank]."""
        sums = self._features @ v  # (movies, rank)
        within = (sums**2 - self._squared @ v**2).sum(axis=1) / 2
        return self._features @ w + within, np.column_stack((sums, np.ones(len(sums))))
