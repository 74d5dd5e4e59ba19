"""The personal model in plain Python: its kernel movie by movie, and a dense solve."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from recbench.models.item_kernel import CodeKernel, FactorKernel
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies

KERNELS = {"codes": CodeKernel, "factors": FactorKernel}


def number_of(bits: np.ndarray) -> int:
    return int("".join(map(str, bits.tolist())), 2)


def plain_kernel(kind: str, table: ItemTable, movies: Movies) -> Callable[[int, int, int], float]:
    """k of two movies that are so many ratings apart."""
    codes = [number_of(code) for code in table.codes]
    metadata = [number_of(bits) for bits in movies.metadata_bits]
    scales = table.scales

    def length(movie: int) -> float:
        return math.hypot(*table.factors[movie, 1:].tolist())

    def alike(i: int, j: int) -> float:
        if length(i) == 0 or length(j) == 0:
            return 0.0
        if kind == "codes":
            differ = bin(codes[i] ^ codes[j]).count("1")
            return 1 - 2 * differ / table.codes.shape[1]
        cosine = float(table.factors[i, 1:] @ table.factors[j, 1:]) / length(i) / length(j)
        return 2 / math.pi * math.asin(min(max(cosine, -1.0), 1.0))

    def k(i: int, j: int, apart: int) -> float:
        return (
            scales.loading * float(table.factors[i, 0] * table.factors[j, 0])
            + scales.similarity * length(i) * length(j) * alike(i, j)
            + scales.metadata * math.exp(-0.33 * bin(metadata[i] ^ metadata[j]).count("1"))
            + scales.slope * float((table.mean[i] - 3) * (table.mean[j] - 3))
            + scales.drift * (1 + abs(apart) / 3.4) ** -0.5
        )

    return k


def plainly(
    kind: str, table: ItemTable, movies: Movies, rated: list[tuple[int, float]], asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean, not clipped, and variance of a person's ratings of the movies `asked`; `rated`: movies
    and stars, the latest last."""
    k, n = plain_kernel(kind, table, movies), len(rated)
    movie = [movie for movie, _ in rated]
    y = np.array([stars - table.mean[movie] for movie, stars in rated])
    among = np.array([[k(movie[a], movie[b], a - b) for b in range(n)] for a in range(n)])
    among = among.reshape(n, n) + table.scales.noise * np.eye(n)
    to = np.array([[k(i, movie[b], n - b) for b in range(n)] for i in asked]).reshape(len(asked), n)
    mean = table.mean[asked] + to @ np.linalg.solve(among, y)
    own = np.array([k(i, i, 0) for i in asked]) + table.scales.noise
    return mean, own - np.vecdot(to, np.linalg.solve(among, to.T).T)
