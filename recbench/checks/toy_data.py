"""Toy data: rectangular and asymmetric, so that what is transposed or mixed up shows."""

from __future__ import annotations

from functools import cache

import numpy as np

from recbench.models.item_table.making import choose_codes
from recbench.models.item_table.scales import EVEN, Scales
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings

CHANNELS = {"genres": 10, "vote_average": 3, "language": 3, "vote_count": 10}


def toy_movies(count: int, seed: int = 0) -> Movies:
    """`count` movies with random bits; every third has no external votes."""
    rng = np.random.default_rng(seed)
    names = tuple(f"{channel}:{i}" for channel, n in CHANNELS.items() for i in range(n))
    average = rng.uniform(1, 5, count).astype(np.float32)
    average[::3] = np.nan
    return Movies(
        bits=rng.integers(0, 2, (count, len(names)), dtype=np.uint8),
        bit_names=names,
        vote_average=average,
        vote_count=np.where(np.isnan(average), 0, 50).astype(np.float32),
        movie_id=np.arange(count) * 10 + 3,
        title=np.array([f"Movie {i}" for i in range(count)], dtype=object),
    )


def toy_ratings(lengths: list[int], movies: int, seed: int = 0) -> Ratings:
    """User k rates `lengths[k]` different movies, in half stars."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    own = [rng.permutation(movies)[:n] for n in lengths]
    movie = np.concatenate(own) if lengths else np.array([], dtype=int)
    stars = rng.integers(1, 11, len(user)) / 2
    return Ratings(user, movie, stars, np.arange(len(user)) + 1_000_000)


def toy_table(movies: Movies, seed: int = 0, scales: Scales | None = None) -> ItemTable:
    """An item table as it might have been made of these movies: the factors of a movie, from its
    row number alone, are smaller one after another, and codes of 256 bits are chosen from them."""
    mean, factors, codes = _columns(len(movies), seed)
    return ItemTable(movies.movie_id, mean, factors, codes, scales or Scales(), EVEN)


def toy_tables(movies: Movies) -> ItemTables:
    """`toy_table` for everybody."""
    return ItemTables.same_for_all(toy_table(movies))


@cache
def _columns(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, 9])
    factors = rng.standard_normal((count, 6)) * [0.1, 0.3, 0.2, 0.15, 0.1, 0.1]
    factors[:, 0] += 0.6
    return rng.uniform(2, 4.5, count), factors, choose_codes(factors[:, 1:], np.ones(count), 256, 0)
