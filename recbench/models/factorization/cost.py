"""What sampling a factorization machine costs, said before it starts."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np

from recbench.models.factorization.features import one_hot
from recbench.models.factorization.sampling import Design, NormalFM, block_of

RATINGS, USERS, FILMS = 500_000, 20_000, 20_000  # of the trial; more than a processor's cache holds
BYTES_OF_A_RATING = 150  # features and target, here and in myFM


def expected_cost(
    rank: int, samples: int, ratings: int, users: int, films: int
) -> tuple[float, float]:
    """Processor seconds and bytes of fitting: a sweep goes through all ratings once for each
    factor, and each sample is kept. Measured on this machine, a few sweeps over made-up ratings.

    Large data is slower than that by what the processor's cache no longer holds.
    """
    seconds = _seconds_of_a_rating_and_factor() * ratings * (rank + 1) * samples
    kept = 8.0 * (rank + 1) * (users + films) * samples
    return seconds, kept + BYTES_OF_A_RATING * ratings


@lru_cache(maxsize=1)
def _seconds_of_a_rating_and_factor() -> float:
    rng = np.random.default_rng(0)
    user, film = rng.integers(0, USERS, RATINGS), rng.integers(0, FILMS, RATINGS)
    stars = rng.integers(1, 11, RATINGS) / 2
    design = Design(one_hot(user, USERS), [block_of(film, one_hot(np.arange(FILMS), FILMS))])
    rank, taken = 8, []
    for sweeps in (1, 4):
        started = time.process_time()
        NormalFM(rank, sweeps, 0.1, 0).fit(design, stars, [USERS, FILMS])
        taken.append(time.process_time() - started)
    return max(taken[1] - taken[0], 1e-9) / (3 * RATINGS * (rank + 1))
