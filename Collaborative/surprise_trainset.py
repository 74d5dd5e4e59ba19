"""The training ratings in the form that Surprise's algorithms read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from surprise import BaselineOnly, Trainset

from recbench.contract import Training
from recbench.models.item_baseline import Start, starting_stars
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings


class ListedTrainset(Trainset):
    """A `surprise.Trainset` that puts its ratings into a list once, not anew in every epoch."""

    def all_ratings(self) -> Iterator[tuple[int, int, float]]:
        if not hasattr(self, "_rows"):
            self._rows = list(super().all_ratings())
        return iter(self._rows)


@dataclass(frozen=True)
class Known:
    """The users and movies with training ratings, and where each stands in a model's tables.

    Attributes:
        users: int [u], sorted.
        movies: int [m], sorted.
        level: float64 [all movies], stars: what residuals are taken from.
    """

    users: np.ndarray
    movies: np.ndarray
    level: np.ndarray

    @staticmethod
    def of(training: Training, start: Start) -> Known:
        """
        Args:
            start: what residuals are taken from, see `starting_stars`; their mean is added.
        """
        train = training.all_ratings
        item_baseline = None if start == "mean" else training.item_baseline
        level = starting_stars(start, item_baseline, training.movies)
        if len(train):
            level = level + (train.stars - level[train.movie]).mean(dtype=np.float64)
        return Known(np.unique(train.user), np.unique(train.movie), level)

    def trainset(self, train: Ratings) -> Trainset:
        """A `surprise.Trainset` of at least one rating, less the level, made from sorted columns.

        Surprise's own way goes through text ids and a dictionary look-up for each rating.
        """
        user = np.searchsorted(self.users, train.user)
        movie = np.searchsorted(self.movies, train.movie)
        stars = train.stars - self.level[train.movie]  # (ratings,)
        return ListedTrainset(
            ur=_lists_by(user, movie, stars),
            ir=_lists_by(movie, user, stars),
            n_users=len(self.users),
            n_items=len(self.movies),
            n_ratings=len(train),
            rating_scale=(MIN_STARS, MAX_STARS),
            raw2inner_id_users={},
            raw2inner_id_items={},
        )

    def biases(
        self, train: Ratings, epochs: int, damping_user: float, damping_movie: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """b_u and b_i, float64 [u] and [m], stars, from Surprise's `BaselineOnly`; see `bias`."""
        if not len(train):
            return np.empty(0), np.empty(0)
        options = {
            "method": "als",
            "n_epochs": epochs,
            "reg_u": damping_user,
            "reg_i": damping_movie,
        }
        model = BaselineOnly(bsl_options=options, verbose=False).fit(self.trainset(train))
        return model.bu, model.bi

    def residuals(
        self, train: Ratings, user_bias: np.ndarray, movie_bias: np.ndarray
    ) -> np.ndarray:
        """Stars less the level and the biases, float64 [ratings]."""
        user = look_up(user_bias, self.users, train.user)
        movie = look_up(movie_bias, self.movies, train.movie)
        return train.stars - (self.level[train.movie] + user + movie)

    def table(self, train: Ratings, values: np.ndarray) -> sparse.csr_array:
        """`values` [ratings] as float64 [u, m]; the movies of a user in ascending order."""
        user = np.searchsorted(self.users, train.user)
        movie = np.searchsorted(self.movies, train.movie)
        order = np.lexsort((movie, user))
        start = np.searchsorted(user[order], np.arange(len(self.users) + 1))
        columns = values[order].astype(np.float64), movie[order], start
        return sparse.csr_array(columns, shape=(len(self.users), len(self.movies)))

    def both_known(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which pairs are of a known user and a known movie, and where these are in the tables."""
        both = np.flatnonzero(np.isin(user, self.users) & np.isin(movie, self.movies))
        users = np.searchsorted(self.users, user[both])
        return both, users, np.searchsorted(self.movies, movie[both])


def look_up(table: np.ndarray, known: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Rows of `table` [k, ...] (one for each of `known`, sorted) for `ids`; zeros for others."""
    if not len(known):
        return np.zeros((len(ids), *table.shape[1:]))
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    met = known[place] == ids
    return table[place] * met.reshape(-1, *[1] * (table.ndim - 1))


def _lists_by(key: np.ndarray, other: np.ndarray, stars: np.ndarray) -> dict:
    """{key: [(other, stars), ...]}, the rows of each key in the table's order."""
    by_key = np.argsort(key, kind="stable")
    pairs = list(zip(other[by_key].tolist(), stars[by_key].tolist(), strict=True))
    ends = np.cumsum(np.bincount(key)).tolist()
    starts = [0, *ends[:-1]]
    return {k: pairs[start:end] for k, (start, end) in enumerate(zip(starts, ends, strict=True))}
