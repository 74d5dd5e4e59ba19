"""How far a difference rests on the movies that happened to be rated: users *and* movies are drawn.

The pigeonhole bootstrap (Owen 2007, "The pigeonhole bootstrap"): each resample draws users with
replacement and, apart from them, movies with replacement; a rating counts as often as its user
times as often as its movie. It is conservative: its variance holds that of users and that of
movies. Beside the bootstrap over users alone it shows whether a conclusion would hold for other
movies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

RESAMPLES = 2_000
LEVEL = 0.95
AT_ONCE = 200  # resamples of a block


def two_way_interval(
    ours: pd.DataFrame, theirs: pd.DataFrame, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95 % percentile interval of RMSE(ours) − RMSE(theirs), stars.

    The RMSE is the root of the mean over users of their mean squared error; a user's iterations
    count alike, and a user none of whose movies is drawn is left out of that resample.

    Args:
        ours, theirs: predictions of the same test ratings in the same order: user_id, movie_id,
            iteration, stars, predicted.

    Raises:
        ValueError: they are not of the same ratings.
    """
    key = ["iteration", "user_id", "movie_id"]
    if not np.array_equal(ours[key].to_numpy(), theirs[key].to_numpy()):
        raise ValueError("the two sides are not predictions of the same ratings")
    user, _ = pd.factorize(ours["user_id"])
    movie, _ = pd.factorize(ours["movie_id"])
    shape = (user.max() + 1, movie.max() + 1)
    count = ours.groupby(["iteration", "user_id"])["stars"].transform("count").to_numpy()
    weight = 1.0 / count  # of a rating in its user's mean; iterations have the same total

    def by_user_and_movie(values: np.ndarray) -> sparse.csr_matrix:
        return sparse.csr_matrix((values, (user, movie)), shape=shape)

    weights = by_user_and_movie(weight)
    errors = [
        by_user_and_movie(
            weight * (side["predicted"] - side["stars"]).astype(float).to_numpy() ** 2
        )
        for side in (ours, theirs)
    ]
    rng = np.random.default_rng([seed, 7])
    differences = np.empty(resamples)
    for start in range(0, resamples, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, resamples))
        size = part.stop - part.start
        users = _times_drawn(rng, shape[0], size)  # (users, resamples)
        movies = _times_drawn(rng, shape[1], size)  # (movies, resamples)
        total = weights @ movies  # (users, resamples)
        there = (total > 0) * users
        rmse = [
            np.sqrt((there * (error @ movies / np.where(total > 0, total, 1))).sum(axis=0))
            / np.sqrt(there.sum(axis=0))
            for error in errors
        ]
        differences[part] = rmse[0] - rmse[1]
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _times_drawn(rng: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """How often each of n is among n drawn with replacement, float64 [n, resamples]."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).T.astype(np.float64)
