"""`personal` in numpy and scipy, user by user: what the compiled code must give."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from recbench.models.item_table.scales import drift_shape, metadata_shape
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.models.memories import histories, rows_by_user
from recbench.ratings import Movies, Ratings


def numpy_loop(
    train: Ratings, test: Ratings, movies: Movies, tables: ItemTables, with_variance: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What `Personal` predicts, as one writes it in numpy: user by user, bits as numbers ±1, whose
    matrix product says how many agree. Mean, not clipped, and variance, float64 [n] each."""
    of_tables = [_Movies(table, movies) for table in tables.tables]
    ratings_of = dict(histories(train))
    mean, variance = np.empty(len(test)), np.empty(len(test))
    for user, rows in rows_by_user(test.user):
        items = of_tables[tables.fold_of(user)]
        own = ratings_of.get(user, np.empty(0, dtype=np.int64))
        rated, asked, n = train.movie[own], test.movie[rows], len(own)
        mean[rows], variance[rows] = items.mean[asked], items.variance[asked]
        if not n:
            continue
        place = np.arange(n)
        covariance = items.kernel(rated, rated, place[:, None] - place)
        covariance[place, place] += items.scales.noise
        root = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        residual = train.stars[own] - items.mean[rated]
        with_asked = items.kernel(asked, rated, n - place)  # (asked, rated)
        if with_variance:
            z = solve_triangular(root, residual, lower=True, check_finite=False)
            v = solve_triangular(root, with_asked.T, lower=True, check_finite=False)
            mean[rows] += z @ v
            variance[rows] -= (v**2).sum(axis=0)
        else:
            mean[rows] += with_asked @ cho_solve((root, True), residual, check_finite=False)
    return mean, variance


class _Movies:
    """What the loop reads of an item table, made once."""

    def __init__(self, table: ItemTable, movies: Movies) -> None:
        bits, metadata = table.codes, movies.metadata_bits
        self.scales = scales = table.scales
        self.mean, self.norm, self.loading = table.mean, table.norm, table.loading
        self.codes = (1 - 2.0 * bits).astype(np.float32)  # sums of few bits: exact
        self.metadata = (1 - 2.0 * metadata).astype(np.float32)
        self.variance = (
            scales.similarity * self.norm**2
            + scales.loading * self.loading**2
            + scales.slope * (self.mean - 3) ** 2
            + scales.metadata
            + scales.drift
            + scales.noise
        )

    def kernel(self, movie: np.ndarray, other: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """float64 [m, n]; `apart`: int, to be broadcast to that."""
        scales, bits = self.scales, self.metadata.shape[1]
        differing = (bits - (self.metadata[movie] @ self.metadata[other].T).astype(np.float64)) / 2
        similarity = scales.similarity / max(self.codes.shape[1], 1)
        norms = np.outer(similarity * self.norm[movie], self.norm[other])
        return (
            norms * (self.codes[movie] @ self.codes[other].T)
            + np.outer(scales.loading * self.loading[movie], self.loading[other])
            + np.outer(scales.slope * (self.mean[movie] - 3), self.mean[other] - 3)
            + scales.metadata * metadata_shape(differing)
            + scales.drift * drift_shape(apart)
        )
