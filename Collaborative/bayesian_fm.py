"""`bayes_fm`: a Bayesian factorisation machine over users, movies, their bits and votes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from recbench.contract import Recommender, Training
from recbench.evaluation.holdouts import hold_out_tail
from recbench.models.factorization import (
    Design,
    NormalFM,
    OrdinalFM,
    block_of,
    movie_features,
    one_hot,
)
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings, places

HELD_OUT = 0.2  # of each user's training ratings, the last, to choose settings on
SAMPLES_TO_CHOOSE = 40


class FactorizationMachine(Recommender):
    """The common part of `BayesianFM` and `BayesianFMImplicit`: sampling and prediction."""

    learns_from: ClassVar[str] = "all"
    samples: int
    initial_deviation: float
    with_bits: bool
    ordinal: bool

    def _groups(self, train: Ratings, side_groups: list[int]) -> list[int]:
        """Sizes of the groups of features, in the order of `_design`.

        Args:
            side_groups: those of bits and votes.
        """
        raise NotImplementedError

    def _design(self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None) -> Design:
        raise NotImplementedError

    def _sample(self, train: Ratings, movies: Movies, rank: int, samples: int, seed: int) -> Self:
        self._model = None
        self._mean = train.mean_stars()
        if not len(train):
            return self
        self._users, self._movies = np.unique(train.user), np.unique(train.movie)
        self._side, side_groups = np.empty((len(movies), 0)), list[int]()
        if self.with_bits:
            self._side, side_groups = movie_features(movies, self._movies)
        groups = self._groups(train, side_groups)
        kind = OrdinalFM if self.ordinal else NormalFM
        self._model = kind(rank, samples, self.initial_deviation, seed)
        self._model.fit(self._design(train.user, train.movie, train.time), train.stars, groups)
        return self

    def _predict(self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None) -> np.ndarray:
        stars = np.full(len(user), self._mean)
        if self._model is not None and len(user):
            design = self._design(np.asarray(user), np.asarray(movie), time)
            stars = self._model.predict(design)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)


def last_of_each_user(train: Ratings) -> np.ndarray:
    """Mask of the last fifth in time of each user's ratings, rounded down: bool [n]."""
    order = np.lexsort((np.arange(len(train)), train.time, train.user))
    return hold_out_tail(train, order, lambda count: (HELD_OUT * count + 1e-9).astype(int))


@dataclass(eq=False)
class BayesianFM(FactorizationMachine):
    """A factorisation machine with every parameter averaged over its posterior, by myFM.

    r̂(x) = μ + w₀ + w·x + Σ_{j<k} (v_j·v_k) x_j x_k (Rendle 2010, "Factorization machines"), where
    x is one-hot user, one-hot movie, the movie's bits and its vote average. The prior of w and v is
    a normal distribution for each group of features; its mean and precision are sampled, too, by
    Gibbs sampling (Freudenthaler, Schmidt-Thieme & Rendle 2011, "Bayesian factorization machines"):
    so the amount of shrinkage is learned. A group is: the users, the movies, one channel of bits,
    the vote average. μ is the mean of the training ratings.

    The vote average enters as a number, standardised over the movies of the training ratings, with
    a bit for whether it is known. An unknown user or movie is a feature of its group without
    training ratings, so its samples come from the group's prior.

    Args:
        rank: length of v_j.
        samples: Gibbs sweeps; all but the first five are averaged.
        initial_deviation: standard deviation of the initial v.
        with_bits: False for user and movie ids alone.
        ordinal: model stars as ordered steps (`OrdinalFM`) instead of numbers with normal noise.

    The defaults are tuned; myFM's authors use ranks of 8 and 10, 200 samples and 0.1.
    """

    name: ClassVar[str] = "bayes_fm"
    # The prior's width is learned, so there is little to tune.
    search_space: ClassVar[dict] = {
        "rank": (2, 32, "int"),
        "samples": (50, 400, "int"),
        "initial_deviation": (0.02, 0.5, "log"),
    }
    tuned: ClassVar[str] = "results/tuning/trials"
    defaults_without_background: ClassVar[dict] = {
        "rank": 2,
        "samples": 103,
        "initial_deviation": 0.047,
    }

    rank: int = 14
    samples: int = 113
    initial_deviation: float = 0.021
    with_bits: bool = True
    ordinal: bool = False

    def fit(self, training: Training) -> Self:
        train, movies = training.all_ratings, training.movies
        return self._sample(train, movies, self.rank, self.samples, training.seed)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self._predict(user, movie, None)

    def _groups(self, train: Ratings, side_groups: list[int]) -> list[int]:
        return [len(self._users) + 1, len(self._movies) + 1, *side_groups]

    def _design(self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None) -> Design:
        """One-hot users; a block of the movies."""
        columns = one_hot(places(user, self._users), len(self._users) + 1)
        distinct, row = np.unique(movie, return_inverse=True)
        known = one_hot(places(distinct, self._movies), len(self._movies) + 1)
        return Design(columns, [block_of(row, sparse.hstack((known, self._side[distinct])))])

    def state_bytes(self) -> int:
        return 0 if self._model is None else self._model.state_bytes(len(self._users))

    def shared_bytes(self) -> int:
        if self._model is None:
            return 0
        return self._model.state_bytes() - self.state_bytes() + self._side.nbytes


@dataclass(eq=False)
class BayesianFMIds(BayesianFM):
    """`BayesianFM` on the ids of users and movies alone."""

    name: ClassVar[str] = "bayes_fm_ids"
    defaults_without_background: ClassVar[dict] = {
        "rank": 12,
        "samples": 139,
        "initial_deviation": 0.038,
    }

    rank: int = 15
    samples: int = 217
    initial_deviation: float = 0.036
    with_bits: bool = False


@dataclass(eq=False)
class BayesianFMOrdinal(BayesianFM):
    """`BayesianFM` with an ordered probit for the stars, see `OrdinalFM`.

    The prediction is the posterior mean over the stars that occur in training. Settings are those
    tuned for `bayes_fm`.
    """

    name: ClassVar[str] = "bayes_fm_ordinal"
    defaults_without_background: ClassVar[dict] = {}
    tuned: ClassVar[str] = "never"  # its settings are those of `bayes_fm`

    ordinal: bool = True
