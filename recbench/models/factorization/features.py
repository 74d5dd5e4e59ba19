"""Features of users and movies for factorisation machines."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recbench.ratings import Movies


def places(ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The place of each id in `known` (sorted, not empty), int [n]; len(known) if unknown."""
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[place] == ids, place, len(known))


def one_hot(place: np.ndarray, width: int) -> sparse.csr_matrix:
    """[n, width]: a one in each row, at its place."""
    ones, row_ends = np.ones(len(place)), np.arange(len(place) + 1)
    return sparse.csr_matrix((ones, place, row_ends), shape=(len(place), width))


def movie_features(movies: Movies, rated: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """What is known of each movie, float64 [movies, features], and the sizes of its groups.

    Bits, a group for each channel; the vote average, standardised over the movies `rated`; and a
    bit that says whether it is known.
    """
    votes = movies.vote_average.astype(np.float64)
    trained = votes[rated]
    trained = trained[~np.isnan(trained)]
    if not len(trained):
        return movies.bits.astype(np.float64), [*movies.channels.values()]
    known = ~np.isnan(votes)
    standard = np.where(known, (votes - trained.mean()) / (trained.std() or 1.0), 0.0)
    return (
        np.column_stack((movies.bits, standard, known)),  # (movies, bits + 2)
        [*movies.channels.values(), 1, 1],
    )


def implicit_features(
    whose: np.ndarray, what: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_matrix:
    """Which movies a user rated, whatever the stars, or which users a movie: 1/√n at each of n.

    Args:
        whose: int [ratings], a row of the result.
        what: int [ratings], the column rated.
        shape: of the result. One row more than there are users says nothing: of an unknown one.
    """
    rated = sparse.csr_matrix((np.ones(len(whose)), (whose, what)), shape=shape)
    rated.data[:] = 1.0  # a pair rated twice counts once
    count = np.diff(rated.indptr)
    rated.data /= np.sqrt(np.repeat(count, count))
    return rated
