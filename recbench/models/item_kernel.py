"""The kernel of two ratings, from the patterns of their movies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from recbench.models.gaussian_process import GaussianProcess
from recbench.models.item_table.scales import arcsine_kernel, drift_shape, metadata_shape
from recbench.models.item_table.table import ItemTable
from recbench.models.posteriors import Films, all_posteriors
from recbench.ratings import DEFAULT_STARS, Movies
from weightless import Patterns, pack
from weightless.compiled import compiled as numeric


class MovieKernel(ABC):
    """k(a, b) of ratings of movies a and b, see `recbench.models.item_table.scales.Scales`.

    Ratings are numbered in the order of their time; a query comes after all.

    Attributes:
        mean: float64 [movies], the mean function, stars.
        scales: of the table.
        patterns: uint64 [movies, words], what a memory stores of a movie: the first words the code,
            the others the metadata bits.
    """

    def __init__(self, table: ItemTable, movies: Movies) -> None:
        if len(table) != len(movies) or (table.movie_id != movies.movie_id).any():
            raise ValueError("the item table is of other movies: table.for_movies(movies)")
        self.mean = table.mean
        self.scales = table.scales
        metadata = pack(np.ascontiguousarray(movies.metadata_bits))
        code = self._code(table)
        self.patterns = np.ascontiguousarray(np.concatenate((code, metadata), axis=1))
        # of length one; zeros without factors, which agrees by half with everything
        self._unit = table.factors[:, 1:] / np.where(table.norm > 0, table.norm, 1.0)[:, None]
        self._norm = np.sqrt(self.scales.similarity) * table.norm
        # (movies, 2), of which the products add up
        loading = np.sqrt(self.scales.loading) * table.loading
        slope = np.sqrt(self.scales.slope) * (table.mean - DEFAULT_STARS)
        self._linear = np.column_stack((loading, slope))
        self._code_words = code.shape[1]
        differing = np.arange(64 * metadata.shape[1] + 1)  # bits
        self._metadata = self.scales.metadata * metadata_shape(differing)
        self._drift = self.scales.drift * drift_shape(np.arange(1))

    @property
    def nbytes(self) -> int:
        """Of all movies."""
        arrays = (self.mean, self.patterns, self._unit, self._norm, self._linear)
        return sum(one.nbytes for one in arrays)

    def stored(self, movie: np.ndarray) -> Patterns:
        """The patterns of movies (int [n]), the oldest first."""
        patterns = Patterns(64 * self.patterns.shape[1])
        patterns.restore(self.patterns.take(movie, axis=0).T)
        return patterns

    def process(
        self, movie: np.ndarray, patterns: Patterns, residual: np.ndarray
    ) -> GaussianProcess:
        """The process of ratings stored: their movies int [n], residuals float64 [n]."""
        process = GaussianProcess(self.scales.noise)
        process.learn_all(self.among(movie, patterns), residual)
        return process

    def posterior_mean(
        self, movie: np.ndarray, residual: np.ndarray, query: np.ndarray
    ) -> np.ndarray:
        """The residuals expected of queries, movies int [m], from those of movies rated, int [n],
        the latest last: float64 [m]."""
        return self._posterior(movie, residual, query)[0]

    def _posterior(
        self, movie: np.ndarray, residual: np.ndarray, query: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        patterns = self.stored(movie)
        process = self.process(movie, patterns, residual)
        return process.predict(self.with_stored(query, movie, patterns), self.variance(query))

    def posteriors(
        self,
        movie: list[np.ndarray],
        residual: list[np.ndarray],
        query: list[np.ndarray],
        variance: bool = True,
        threads: int = 1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Posteriors of the queries of many users.

        Args:
            movie, residual: of each user the movies rated, int [n], and their residuals, float64
                [n], the latest last.
            query: of each user the movies to predict, int [m].
            variance: False: the second result is empty.
            threads: how many share the users; the results do not depend on it.

        Returns:
            The mean of the residuals, and by how much their variance is less than without ratings,
            user after user, float64 [Σ m] each.
        """
        mean, explained = [np.empty(0)], [np.empty(0)]
        for rated, own, queries in zip(movie, residual, query, strict=True):
            expected, after = self._posterior(rated, own, queries)
            mean.append(expected)
            explained.append(self.variance(queries) + self.scales.noise - after)
        return np.concatenate(mean), np.concatenate(explained if variance else explained[:1])

    def among(self, movie: np.ndarray, patterns: Patterns) -> np.ndarray:
        """K of the ratings stored, float64 [n, n]; `movie`: int [n], their movies."""
        return self._parts(movie, movie, patterns, np.arange(len(movie)))

    def with_stored(self, query: np.ndarray, movie: np.ndarray, patterns: Patterns) -> np.ndarray:
        """k of m queries, int [m], with the ratings stored, float64 [m, n]."""
        return self._parts(query, movie, patterns, np.full(len(query), len(movie)))

    def between(self, movie: np.ndarray, other: np.ndarray) -> np.ndarray:
        """k between queries, of movies int [m] and int [n], all of the same moment: float64
        [m, n]."""
        kernel = self._parts(movie, other, self.stored(other), np.full(len(movie), len(other)))
        away = len(other) - np.arange(len(other))  # of each place from the one after all
        return kernel + (self._drift[0] - self._drift[away])

    def agreement(self, movie: int, others: np.ndarray) -> np.ndarray:
        """The part of those who rate both movies that is on the same side of the mean in both, as
        the factors estimate it: 1 − θ/π for two normal variables (Sheppard 1899). float64 [n]."""
        return (1 + arcsine_kernel(self._unit[[movie]], self._unit[others])[0]) / 2

    def variance(self, movie: np.ndarray) -> np.ndarray:
        """k of each rating with itself, float64 [m]."""
        return (
            self._norm[movie] ** 2
            + np.vecdot(self._linear[movie], self._linear[movie])
            + (self.scales.metadata + self.scales.drift)
        )

    def _parts(
        self, movie: np.ndarray, stored: np.ndarray, patterns: Patterns, place: np.ndarray
    ) -> np.ndarray:
        n = len(stored)
        if n >= len(self._drift):
            self._drift = self.scales.drift * drift_shape(np.arange(2 * n))
        query = self.patterns[movie]
        differing = patterns.distances(query, slice(self._code_words, None))
        kernel = self._similarity(movie, stored, patterns, query)
        _add_parts(
            kernel, differing, self._metadata, self._linear[movie], self._linear[stored],
            self._drift, place,
        )  # fmt: skip
        return kernel

    @abstractmethod
    def _code(self, table: ItemTable) -> np.ndarray:
        """What is stored of a movie beside its metadata, uint64 [movies, words]."""

    @abstractmethod
    def _similarity(
        self, movie: np.ndarray, stored: np.ndarray, patterns: Patterns, query: np.ndarray
    ) -> np.ndarray:
        """The similarity of movies, float64 [m, n], in squared stars."""


class CodeKernel(MovieKernel):
    """Similarity by the bits of codes that agree."""

    def _code(self, table: ItemTable) -> np.ndarray:
        bits = table.codes.shape[1]
        # by bits that differ
        self._agreement = 1.0 - 2.0 * np.arange(bits + 1) / bits if bits else np.zeros(1)
        self._same_and_step = (1.0, -2.0 / bits) if bits else (0.0, 0.0)
        return pack(np.ascontiguousarray(table.codes))

    def posteriors(
        self,
        movie: list[np.ndarray],
        residual: list[np.ndarray],
        query: list[np.ndarray],
        variance: bool = True,
        threads: int = 1,
    ) -> tuple[np.ndarray, np.ndarray]:
        arrays = Films(
            self.patterns, self._code_words, self._norm, self._linear, self._same_and_step,
            self._metadata,
        )  # fmt: skip
        return all_posteriors(arrays, self.scales, movie, residual, query, variance, threads)

    def _similarity(
        self, movie: np.ndarray, stored: np.ndarray, patterns: Patterns, query: np.ndarray
    ) -> np.ndarray:
        differing = patterns.distances(query, slice(self._code_words))
        return self._agreement[differing] * self._norm[movie][:, None] * self._norm[stored]


class FactorKernel(MovieKernel):
    """Similarity by the angle between real-valued factors: what codes approach with more bits."""

    def _code(self, table: ItemTable) -> np.ndarray:
        return np.empty((len(table), 0), dtype=np.uint64)

    def _similarity(
        self, movie: np.ndarray, stored: np.ndarray, patterns: Patterns, query: np.ndarray
    ) -> np.ndarray:
        angle = arcsine_kernel(self._unit[movie], self._unit[stored])
        return angle * self._norm[movie][:, None] * self._norm[stored]


@numeric
def _add_parts(
    kernel: Any, differing: Any, by_metadata: Any, linear: Any, linear_stored: Any,
    by_distance: Any, place: Any,
) -> None:  # fmt: skip
    """Metadata, loading, slope and drift; the j-th rating stored has the place j."""
    m, n = kernel.shape
    for i in range(m):
        for j in range(n):
            kernel[i, j] += (
                by_metadata[differing[i, j]]
                + linear[i, 0] * linear_stored[j, 0]
                + linear[i, 1] * linear_stored[j, 1]
                + by_distance[abs(place[i] - j)]
            )
