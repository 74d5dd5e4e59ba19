"""`bayes_fm_implicit`: the Bayesian factorisation machine with implicit feedback and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from Collaborative.bayesian_fm import SAMPLES_TO_CHOOSE, FactorizationMachine, last_of_each_user
from recbench.contract import Training
from recbench.evaluation.metrics import rmse
from recbench.models.factorization import Design, block_of, implicit_features, one_hot
from recbench.ratings import Ratings, places

DAY = 86_400  # seconds


@dataclass(eq=False)
class BayesianFMImplicit(FactorizationMachine):
    """The model of `BayesianFM` with three more groups of features.

    - of a user u: 1/√n_u for each movie that u rated in training, whatever the stars: the implicit
      feedback of SVD++ (Koren 2008, "Factorization meets the neighborhood").
    - of a movie i: 1/√n_i for each user who rated it in training.
    - of a rating: the time bin (days) in which it was given, or is to be predicted (Koren 2009,
      "Collaborative filtering with temporal dynamics"). A day outside all bins with training
      ratings belongs to the nearest of these, so a later day belongs to the last.

    So x is that of `timesvdpp_flipped` in myFM's examples (Rendle, Zhang & Koren 2019, "On the
    difficulty of evaluating baselines"), plus our bits and votes. Test ratings enter nowhere.

    Args:
        rank, samples, initial_deviation: see `BayesianFM`.
        rank_of_many: a second rank, suited to thousands of users. It is used if, learned from the
            other training ratings, it predicts each user's last fifth better; 0: none.
        days: length of a time bin; 0: no time, for data with made-up dates. It matters little: a
            user's next ratings are mostly on days with few training ratings.
        with_bits: False for no bits and votes.
        ordinal: model stars as ordered steps (`OrdinalFM`) instead of numbers with normal noise.
    """

    name: ClassVar[str] = "bayes_fm_implicit"
    # A sample costs more than with `bayes_fm`, so the largest number is smaller.
    search_space: ClassVar[dict] = {
        "rank": (2, 32, "int"),
        "samples": (50, 200, "int"),
        "initial_deviation": (0.02, 0.5, "log"),
        "days": (0, 1, 7, 30),
    }
    tuned: ClassVar[str] = "results/tuning/implicit"

    rank: int = 4
    samples: int = 106
    initial_deviation: float = 0.049
    rank_of_many: int = 14
    days: int = 0
    with_bits: bool = True
    ordinal: bool = False

    def fit(self, training: Training) -> Self:
        rank = self._better_rank(training) if self.rank_of_many else self.rank
        train = training.all_ratings
        return self._sample(train, training.movies, rank, self.samples, training.seed)

    def _better_rank(self, training: Training) -> int:
        """The rank that predicts validation rows better: each user's last in time."""
        train = training.all_ratings
        later = last_of_each_user(train)
        if not later.any():
            return self.rank
        rest, later_ratings = train.take(~later), train.take(later)

        def error(rank: int) -> float:
            self._sample(rest, training.movies, rank, SAMPLES_TO_CHOOSE, training.seed)
            predicted = self.predict(later_ratings.user, later_ratings.movie, later_ratings.time)
            return rmse(later_ratings.stars, predicted, later_ratings.user)

        return min((self.rank, self.rank_of_many), key=error)

    def _groups(self, train: Ratings, side_groups: list[int]) -> list[int]:
        n_users, n_movies = len(self._users), len(self._movies)
        user, movie = places(train.user, self._users), places(train.movie, self._movies)
        self._bins = np.unique(self._bin(train.time)) if self.days else np.empty(0, int)
        self._rated_by_user = implicit_features(user, movie, (n_users + 1, n_movies))
        self._raters_of_movie = implicit_features(movie, user, (n_movies + 1, n_users))
        groups = [len(self._bins)] if self.days else []
        return [*groups, n_users + 1, n_movies, n_movies + 1, *side_groups, n_users]

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        return self._predict(user, movie, time)

    def _design(self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None) -> Design:
        """One-hot bins of time; a block of the users, one of the movies."""
        users, of_user = np.unique(user, return_inverse=True)
        movies, of_movie = np.unique(movie, return_inverse=True)
        user_place, movie_place = places(users, self._users), places(movies, self._movies)
        user_features = sparse.hstack(
            (one_hot(user_place, len(self._users) + 1), self._rated_by_user[user_place])
        )
        features = sparse.hstack(
            (
                one_hot(movie_place, len(self._movies) + 1),
                self._side[movies],
                self._raters_of_movie[movie_place],
            )
        )
        return Design(
            self._time_columns(time, len(user)),
            [block_of(of_user, user_features), block_of(of_movie, features)],
        )

    def _time_columns(self, time: np.ndarray | None, n: int) -> sparse.csr_matrix:
        """[n, bins], a one at the nearest bin with training ratings; without a time, at the
        last."""
        if not self.days:
            return sparse.csr_matrix((n, 0))
        last = len(self._bins) - 1
        if time is None:
            return one_hot(np.full(n, last), len(self._bins))
        bins = self._bin(np.asarray(time))
        after = np.searchsorted(self._bins, bins).clip(0, last)
        before = (after - 1).clip(0)
        # Of two equally near bins the earlier.
        nearer = bins - self._bins[before] <= self._bins[after] - bins
        return one_hot(np.where(nearer, before, after), len(self._bins))

    def _bin(self, time: np.ndarray) -> np.ndarray:
        return time // (DAY * self.days)

    def state_bytes(self) -> int:
        """Two features of each user in all samples (as a user, and as a rater of movies), and the
        movies rated."""
        if self._model is None:
            return 0
        return self._model.state_bytes(2 * len(self._users)) + _bytes(self._rated_by_user)

    def shared_bytes(self) -> int:
        """All other features, and the users who rated each movie."""
        if self._model is None:
            return 0
        others = self._model.state_bytes() - self._model.state_bytes(2 * len(self._users))
        return others + _bytes(self._raters_of_movie) + self._side.nbytes


def _bytes(table: sparse.csr_matrix) -> int:
    return table.data.nbytes + table.indices.nbytes
