"""The personal model in plain Python: its mean and kernel movie by movie, and a dense solve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from recbench.checks.toy_data import toy_table
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies, Ratings


def table_of(movies: Movies, factors: list, mean: float = 3.0, **scales: float) -> ItemTable:
    """A table with this mean and these factors; scales and all else are 0 unless given."""
    factors, m = np.array(factors, dtype=float), len(movies)
    return replace(
        toy_table(movies),
        mean=np.full(m, mean),
        factors=factors,
        implicit=np.zeros(factors.shape),
        implicit_mean=np.zeros(factors.shape[1]),
        uncertainty=np.zeros(m),
        scales=Scales(**(dict.fromkeys(Scales().__dict__, 0.0) | scales)),
    )


def own_ratings(train: Ratings, user: int) -> list[tuple[int, float]]:
    """Movies and stars of a user in the order of time."""
    own = train.take(train.user == user)
    own = own.take(np.argsort(own.time, kind="stable"))
    return list(zip(own.movie.tolist(), own.stars.tolist(), strict=True))


def plain_mean(table: ItemTable, known: list[int], movie: int) -> float:
    """mean_u(i) of a user who has rated or watched the movies `known`, N."""
    mean = float(table.mean[movie])
    if known:
        for w, b, b_mean in zip(
            table.factors[movie], table.implicit.T, table.implicit_mean, strict=True
        ):
            of_others = sum(float(b[j]) for j in known if j != movie)
            mean += float(w) * (of_others / math.sqrt(len(known)) - float(b_mean))
    return mean


def plain_kernel(table: ItemTable, movies: Movies) -> Callable[[int, int, int], float]:
    """k of ratings of two movies that are so many ratings apart."""
    metadata, scales = movies.metadata_bits.tolist(), table.scales

    def k(i: int, j: int, apart: int) -> float:
        f, g = table.factors[i, 1:].tolist(), table.factors[j, 1:].tolist()
        lengths = math.hypot(*f) * math.hypot(*g)
        cosine = float(np.dot(f, g)) / lengths if lengths else 0.0
        differ = sum(a != b for a, b in zip(metadata[i], metadata[j], strict=True))
        return (
            scales.loading * float(table.factors[i, 0] * table.factors[j, 0])
            + scales.similarity * lengths * 2 / math.pi * math.asin(min(max(cosine, -1), 1))
            + scales.metadata * math.exp(-0.33 * differ)
            + scales.slope * float((table.mean[i] - 3) * (table.mean[j] - 3))
            + scales.drift * (1 + abs(apart) / 3.4) ** -0.5
        )

    return k


def plainly(
    table: ItemTable,
    movies: Movies,
    rated: list[tuple[int, float]],
    query: Iterable[int],
    watched: Iterable[int] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Mean, not clipped, and variance of a user's ratings of the movies `query`.

    Args:
        rated: movies and stars, the latest last.
        watched: other movies that the user has watched.
    """
    k, n, query = plain_kernel(table, movies), len(rated), list(query)
    rated_movies = [movie for movie, _ in rated]
    known = [*rated_movies, *watched]

    def mean_of(which: list[int]) -> np.ndarray:
        return np.array([plain_mean(table, known, i) for i in which])

    def noise(i: int) -> float:
        return table.scales.noise + table.scales.uncertainty * float(table.uncertainty[i])

    places = [*enumerate(rated_movies)]
    among = [[k(i, j, a - b) + (a == b) * noise(i) for b, j in places] for a, i in places]
    with_stored = [[k(i, j, n - b) for b, j in places] for i in query]
    among, with_stored = np.reshape(among, (n, n)), np.reshape(with_stored, (len(query), n))
    residual = np.array([stars for _, stars in rated]) - mean_of(rated_movies)
    mean = mean_of(query) + with_stored @ np.linalg.solve(among, residual)
    own = np.array([k(i, i, 0) + noise(i) for i in query])
    return mean, own - np.vecdot(with_stored, np.linalg.solve(among, with_stored.T).T)
