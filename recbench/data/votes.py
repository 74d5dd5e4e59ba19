"""The external votes of movies: those of the metadata, or counted over some users' ratings."""

from __future__ import annotations

import numba
import numpy as np

from recbench.data.dataset import Dataset


def external_votes(
    dataset: Dataset, background: np.ndarray | None = None, cutoff: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """How many voted for each movie, and their average on TMDB's scale of 0 .. 10.

    Those of the metadata, or where it has none, counted over the ratings of the `background`
    users (bool [users]; None: nobody), before the time `cutoff` if there is one. No votes: 0 and
    0. Missing in the metadata: nan.
    """
    if dataset.source.has_votes:
        count, average = dataset.table["vote_count"], dataset.table["vote_average"]
        return count.to_numpy().astype(float), average.to_numpy().astype(float)
    ratings = dataset.ratings
    votes, stars = _counted(
        ratings.movie,
        ratings.stars,
        ratings.time,
        dataset.first_row,
        np.zeros(dataset.n_users, bool) if background is None else background,
        np.iinfo(np.int64).max if cutoff is None else cutoff,
        len(dataset.table),
    )
    return votes, 2 * stars / np.maximum(votes, 1)


@numba.njit(cache=True)
def _counted(
    movie: np.ndarray,
    stars: np.ndarray,
    time: np.ndarray,
    first_row: np.ndarray,
    background: np.ndarray,
    cutoff: int,
    movies: int,
) -> tuple[np.ndarray, np.ndarray]:
    """How many of the `background` rated each movie before `cutoff`, and the sum of their stars,
    float64 [movies]. No rating of anybody else is looked at."""
    votes, sums = np.zeros(movies), np.zeros(movies)
    for user in range(len(background)):
        if background[user]:
            for row in range(first_row[user], first_row[user + 1]):
                if time[row] < cutoff:
                    votes[movie[row]] += 1
                    sums[movie[row]] += stars[row]
    return votes, sums
