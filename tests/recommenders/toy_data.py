"""Toy data: rectangular and asymmetric, so that what is transposed or mixed up shows."""

from __future__ import annotations

import numpy as np

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
        title=np.array([f"Film {i}" for i in range(count)], dtype=object),
    )


def toy_ratings(lengths: list[int], movies: int, seed: int = 0) -> Ratings:
    """User k rates `lengths[k]` different movies, in half stars."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    movie = np.concatenate([rng.permutation(movies)[:n] for n in lengths]) if lengths else []
    stars = rng.integers(1, 11, len(user)) / 2
    return Ratings(user, movie, stars, np.arange(len(user)) + 1_000_000)
