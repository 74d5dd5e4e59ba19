"""The users and movies that have training ratings, their tables, and Surprise's training set."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse
from surprise import Trainset

from recbench.contract import Training
from recbench.errors import InputError
from recbench.models.item_baseline import Start, starting_stars
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings, places

# The same on every machine, so a run has the same results everywhere; several run at a time.
LARGEST = 2 * 2**30  # bytes of a table of all pairs: 16,384 users or movies
FEWER_MOVIES = "fewer movies (--top-percentile), or another recommender"


@dataclass(frozen=True)
class Rated:
    """Users and movies with training ratings; each has a row in a model's tables.

    Attributes:
        users: int [u], sorted.
        movies: int [m], sorted.
        offset: float64 [all movies], stars: the item baseline of each movie, or one value for all,
            plus the mean residual of the training ratings.
    """

    users: np.ndarray
    movies: np.ndarray
    offset: np.ndarray

    @staticmethod
    def of(training: Training, start: Start) -> Rated:
        """`start` is the source of the offset, see `starting_stars`."""
        train = training.all_ratings
        item_baseline = None if start == "mean" else training.item_baseline
        offset = starting_stars(start, item_baseline, training.movies)
        if len(train):
            offset = offset + (train.stars - offset[train.movie]).mean(dtype=np.float64)
        return Rated(np.unique(train.user), np.unique(train.movie), offset)

    def rows_of(self, train: Ratings) -> tuple[np.ndarray, np.ndarray]:
        """Table rows of the user and of the movie of each training rating, int64 [n] each."""
        return np.searchsorted(self.users, train.user), np.searchsorted(self.movies, train.movie)

    def trainset(self, train: Ratings) -> Trainset:
        """A `surprise.Trainset` of the ratings (at least one) minus the offset, made from columns.

        Surprise's own constructor uses text ids and a dictionary look-up per rating.
        """
        user, movie = self.rows_of(train)
        stars = train.stars - self.offset[train.movie]  # (ratings,)
        return Trainset(
            ur=_lists_by(user, movie, stars),
            ir=_lists_by(movie, user, stars),
            n_users=len(self.users),
            n_items=len(self.movies),
            n_ratings=len(train),
            rating_scale=(MIN_STARS, MAX_STARS),
            raw2inner_id_users={},
            raw2inner_id_items={},
        )

    def table(self, train: Ratings, values: np.ndarray) -> sparse.csr_array:
        """`values` [ratings] as float64 [u, m]; the movies of a user in ascending order."""
        user, movie = self.rows_of(train)
        order = np.lexsort((movie, user))
        start = np.searchsorted(user[order], np.arange(len(self.users) + 1))
        columns = values[order].astype(np.float64), movie[order], start
        return sparse.csr_array(columns, shape=(len(self.users), len(self.movies)))

    def both_rated(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mask of the pairs whose user and movie have ratings, and the rows of both."""
        both = np.flatnonzero(np.isin(user, self.users) & np.isin(movie, self.movies))
        users = np.searchsorted(self.users, user[both])
        return both, users, np.searchsorted(self.movies, movie[both])


def look_up(table: np.ndarray, known: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Rows of `table` [k, ...] (one per entry of `known`, sorted) for `ids`; zeros for unknown
    ones."""
    nothing = np.zeros_like(table, shape=(1, *table.shape[1:]))
    return np.append(table, nothing, 0)[places(ids, known)]


def check_square(name: str, count: int, what: str, instead: str) -> None:
    """
    Args:
        name: of the recommender.
        count: of `what`, "users" or "movies".
        instead: what to do if there are too many.

    Raises:
        InputError: a number for each pair would take more than `LARGEST` bytes.
    """
    size = 8 * count**2
    if size > LARGEST:
        raise InputError(
            f"{name}: a table of {count:,} × {count:,} {what} needs {size:,} bytes; the limit "
            f"is {LARGEST:,}. Use {instead}"
        )


def _lists_by(key: np.ndarray, other: np.ndarray, stars: np.ndarray) -> dict:
    """{key: [(other, stars), ...]}, the rows of each key in the table's order."""
    by_key = np.argsort(key, kind="stable")
    pairs = list(zip(other[by_key].tolist(), stars[by_key].tolist(), strict=True))
    ends = np.cumsum(np.bincount(key)).tolist()
    return {k: pairs[start:end] for k, (start, end) in enumerate(pairwise([0, *ends]))}
