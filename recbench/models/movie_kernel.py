"""The kernel of two ratings, from their movies' rows in the item table."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbench.models.item_table.scales import drift_shape, metadata_shape
from recbench.models.item_table.table import ItemTable
from recbench.ratings import DEFAULT_STARS, Movies
from weightless.compiled import compiled as numeric


class MovieKernel:
    """k(a, b) of ratings of movies a and b, see `recbench.models.item_table.scales.Scales`.

    Ratings are numbered in time order; a query comes after all of them.

    Args:
        table: its scales, factors and means.
        movies: those of the table, for their metadata bits.
    """

    def __init__(self, table: ItemTable, movies: Movies) -> None:
        if len(table) != len(movies) or (table.movie_id != movies.movie_id).any():
            raise ValueError("the item table is of other movies")
        self.table, self.scales = table, table.scales
        # ±1 and few: sums in 32 bits are exact
        self._signs = (1 - 2.0 * movies.metadata_bits).astype(np.float32)  # (movies, bits)
        norm = np.linalg.norm(table.factors[:, 1:], axis=1)
        self._unit = table.factors[:, 1:] / np.where(norm > 0, norm, 1.0)[:, None]
        loading = np.sqrt(self.scales.loading) * table.loading
        slope = np.sqrt(self.scales.slope) * (table.mean - DEFAULT_STARS)
        # (movies, 3): of similarity the length, then two whose products add up
        self._linear = np.column_stack((np.sqrt(self.scales.similarity) * norm, loading, slope))
        self._metadata = self.scales.metadata * metadata_shape(np.arange(self._signs.shape[1] + 1))
        self._drift = self.scales.drift * drift_shape(np.arange(64))
        # of a rating about all that the kernel explains
        self.noise = self.scales.noise + self.scales.uncertainty * table.uncertainty

    @property
    def nbytes(self) -> int:
        """Of all movies."""
        arrays = (self.table.mean, self._signs, self._unit, self._linear, self.noise)
        return sum(one.nbytes for one in (*arrays, self.table.implicit, self.table.factors))

    def variance(self, movie: np.ndarray) -> np.ndarray:
        """k of each rating with itself, without noise, float64 [m]."""
        linear = self._linear[movie]
        return np.vecdot(linear, linear) + (self.scales.metadata + self.scales.drift)

    def among(self, movie: np.ndarray) -> np.ndarray:
        """K + noise of ratings of movies int [n] in time order: float64 [n, n], lower triangle
        only."""
        place = np.arange(len(movie))
        kernel = self._parts(movie, movie, place, lower=True)
        kernel[place, place] = self.variance(movie) + self.noise[movie]
        return kernel

    def with_stored(self, query: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """k of m queries, int [m], with ratings of movies int [n], the latest last: [m, n]."""
        return self._parts(query, movie, np.full(len(query), len(movie)))

    def between(self, movie: np.ndarray, other: np.ndarray) -> np.ndarray:
        """k between simultaneous queries of movies int [m] and int [n]: [m, n]."""
        kernel = self._parts(movie, other, np.full(len(movie), len(other)))
        away = len(other) - np.arange(len(other))  # of each place from the one after all
        return kernel + (self._drift[0] - self._drift[away])

    def correlation(self, movie: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Prior correlation of a user's ratings of two movies, int [m] and int [n]: k divided by
        the square roots of both variances, float64 [m, n], −1 .. 1."""
        deviation = np.sqrt(np.outer(self.variance(movie), self.variance(other)))
        return self.between(movie, other) / deviation

    def _parts(
        self, movie: np.ndarray, other: np.ndarray, place: np.ndarray, lower: bool = False
    ) -> np.ndarray:
        """[m, n]; `place`: int [m], of each of `movie` where 0 .. n − 1 are those of `other`."""
        if len(other) >= len(self._drift):
            self._drift = self.scales.drift * drift_shape(np.arange(2 * len(other)))
        kernel = self._unit[movie] @ self._unit[other].T  # cosines
        np.arcsin(np.clip(kernel, -1, 1, out=kernel), out=kernel)
        _add_parts(
            kernel, self._signs[movie] @ self._signs[other].T, self._metadata,
            self._linear[movie], self._linear[other], self._drift, place, lower,
        )  # fmt: skip
        return kernel


@numeric
def _add_parts(
    kernel: Any, agreement: Any, by_metadata: Any, linear: Any, of_other: Any, by_distance: Any,
    place: Any, lower: Any,
) -> None:  # fmt: skip
    """Turn angles, and sums of ±1 over metadata bits, into k, in place."""
    m, n = kernel.shape
    bits = len(by_metadata) - 1
    for i in range(m):
        for j in range(i + 1 if lower else n):
            kernel[i, j] = (
                2 / np.pi * kernel[i, j] * linear[i, 0] * of_other[j, 0]
                + linear[i, 1] * of_other[j, 1]
                + linear[i, 2] * of_other[j, 2]
                + by_metadata[(bits - int(agreement[i, j])) // 2]
                + by_distance[abs(place[i] - j)]
            )
