"""Bayesian factorisation machine: users, movies, the movies' bits and what the crowd says."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recommender import Recommender

with warnings.catch_warnings():  # of a setuptools module that myFM 0.4 asks for its version
    warnings.simplefilter("ignore")
    from myfm import MyFMRegressor, RelationBlock

NO_RATINGS = 3.0  # stars, where nobody has rated anything
BURN_IN = 5  # first samples thrown away, as myFM does


class BayesianFM(Recommender):
    """A factorisation machine whose every parameter is averaged over its posterior, by myFM.

    r̂(x) = μ + w₀ + w·x + Σ_{j<k} (v_j·v_k) x_j x_k (Rendle 2010, "Factorization machines"), x being
    one-hot user, one-hot movie, the movie's bits and the crowd's stars. The prior of w and v is a
    normal distribution for each group of features, whose mean and precision are sampled along by
    Gibbs sampling (Freudenthaler, Schmidt-Thieme & Rendle 2011, "Bayesian factorization
    machines"): how much to shrink is learned, not set. A group is: the users, the movies, one
    channel of bits, the crowd's stars. μ is the mean of the training ratings.

    The crowd's stars enter as a number, standardised over the movies of the training ratings, with
    a bit that says whether they are known. An unknown user or movie is a feature of its group that
    no training rating has: its samples come from the group's prior.

    Args:
        seed: of the sampler.
        rank: numbers in v_j.
        samples: Gibbs sweeps; all but the first `BURN_IN` are kept and averaged.
        initial_deviation: standard deviation of the v that sampling starts from.
        with_bits: False for user and movie ids alone.

    The defaults are tuned; myFM's authors use ranks of 8 and 10, 200 samples and 0.1.
    """

    learns_from_others: ClassVar[bool] = True

    # What a tuner may choose from. The prior's width is learned, so there is little to tune.
    search_space: ClassVar[dict] = {
        "rank": (2, 16, "int"),
        "samples": (50, 400, "int"),
        "initial_deviation": (0.02, 0.5, "log"),
    }
    tuned: ClassVar[str] = "results/sample-tuning"  # where the trials of the defaults are

    def __init__(
        self,
        seed: int = 0,
        rank: int = 14,
        samples: int = 113,
        initial_deviation: float = 0.021,
        with_bits: bool = True,
    ) -> None:
        self.seed = seed
        self.rank = rank
        self.samples = samples
        self.initial_deviation = initial_deviation
        self.with_bits = with_bits

    def fit(self, train: Ratings, movies: Movies, told: np.ndarray | None = None) -> Self:
        """`told`: float64 [ratings], what somebody else says of each rating in a number, a feature
        with a group of its own. Such numbers must then be given to `predict` as well, and must not
        have been found with the help of the rating itself."""
        self._model = None
        self._mean = float(train.stars.mean(dtype=np.float64)) if len(train) else NO_RATINGS
        if not len(train):
            return self
        self._users, self._movies = np.unique(train.user), np.unique(train.movie)
        side, groups = self._side_information(movies)
        self._side = side
        group_shapes = [len(self._users) + 1, len(self._movies) + 1, *groups]
        if told is not None:
            group_shapes.insert(0, 1)
        self._model = MyFMRegressor(
            rank=self.rank, init_stdev=self.initial_deviation, random_seed=self.seed
        )
        with redirect_stderr(io.StringIO()):  # it shows a progress bar there
            self._model.fit(
                _column(told),
                train.stars.astype(np.float64) - self._mean,
                X_rel=self._blocks(train.user, train.movie),
                n_iter=self.samples,
                n_kept_samples=max(self.samples - BURN_IN, 1),
                group_shapes=group_shapes,
            )
        return self

    def predict(
        self, user: np.ndarray, movie: np.ndarray, told: np.ndarray | None = None
    ) -> np.ndarray:
        stars = np.full(len(user), self._mean)
        if self._model is not None and len(user):
            blocks = self._blocks(np.asarray(user), np.asarray(movie))
            stars += self._model.predict(_column(told), X_rel=blocks)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _side_information(self, movies: Movies) -> tuple[np.ndarray, list[int]]:
        """What is known of each movie, float64 [movies, features], and the sizes of its groups."""
        if not self.with_bits:
            return np.empty((len(movies), 0)), []
        crowd = movies.crowd_stars.astype(np.float64)
        trained = crowd[self._movies]
        trained = trained[~np.isnan(trained)]
        if not len(trained):
            return movies.bits.astype(np.float64), [*movies.channels.values()]
        known = ~np.isnan(crowd)
        standard = np.where(known, (crowd - trained.mean()) / (trained.std() or 1.0), 0.0)
        return (
            np.column_stack((movies.bits, standard, known)),  # (movies, bits + 2)
            [*movies.channels.values(), 1, 1],
        )

    def _blocks(self, user: np.ndarray, movie: np.ndarray) -> list[RelationBlock]:
        """The design matrix of the pairs, each user and each movie written down once."""
        return [
            _block(user, lambda users: _one_hot(users, self._users)),
            _block(
                movie,
                lambda rows: sparse.hstack((_one_hot(rows, self._movies), self._side[rows])),
            ),
        ]

    def state_bytes(self) -> int:
        if self._model is None:
            return 0
        samples = self._model.predictor_.samples
        return len(samples) * (samples[0].w.nbytes + samples[0].V.nbytes + 8)


class BayesianFMIds(BayesianFM):
    """`BayesianFM` on the ids of users and movies alone."""

    def __init__(
        self, seed: int = 0, rank: int = 15, samples: int = 217, initial_deviation: float = 0.036
    ) -> None:
        super().__init__(seed, rank, samples, initial_deviation, with_bits=False)


def _column(told: np.ndarray | None) -> sparse.csr_matrix | None:
    return None if told is None else sparse.csr_matrix(told[:, None])


def _one_hot(ids: np.ndarray, known: np.ndarray) -> sparse.csr_matrix:
    """[n, known + 1]: a one at the place of each id in `known` (sorted), the last if unknown."""
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    place = np.where(known[place] == ids, place, len(known))
    ones, row_ends = np.ones(len(ids)), np.arange(len(ids) + 1)
    return sparse.csr_matrix((ones, place, row_ends), shape=(len(ids), len(known) + 1))


def _block(ids: np.ndarray, features: Callable[[np.ndarray], sparse.csr_matrix]) -> RelationBlock:
    """`features` of the distinct ids, written once, and which of them each row has."""
    distinct, place = np.unique(ids, return_inverse=True)
    return RelationBlock(place.tolist(), sparse.csr_matrix(features(distinct), dtype=np.float64))
