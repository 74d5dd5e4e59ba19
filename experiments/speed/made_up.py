"""Made-up inputs of the right shape, where values make no difference to speed."""

from __future__ import annotations

import numpy as np

from recbench import Movies


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] of independent bits, as many ones as zeros."""
    return rng.integers(0, 2, (n, 26), np.uint8)


def made_up_movies(bits: np.ndarray) -> Movies:
    n, width = bits.shape
    return Movies(
        bits=bits,
        bit_names=tuple(f"bits:{k}" for k in range(width)),
        vote_average=np.full(n, np.nan),
        vote_count=np.zeros(n),
        movie_id=np.arange(n),
        title=np.full(n, "made up"),
    )
