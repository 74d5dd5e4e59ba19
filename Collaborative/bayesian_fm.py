"""`bayes_fm`: a Bayesian factorisation machine over users, movies, their bits and votes."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import SideFeatureRecommender

with warnings.catch_warnings():  # of a setuptools module that myFM 0.4 asks for its version
    warnings.simplefilter("ignore")
    from myfm import MyFMRegressor, RelationBlock

BURN_IN = 5  # first samples thrown away, as myFM does


class BayesianFM(SideFeatureRecommender):
    """A factorisation machine whose every parameter is averaged over its posterior, by myFM.

    r̂(x) = μ + w₀ + w·x + Σ_{j<k} (v_j·v_k) x_j x_k (Rendle 2010, "Factorization machines"), x being
    one-hot user, one-hot movie, the movie's bits and its vote average. The prior of w and v is a
    normal distribution for each group of features, whose mean and precision are sampled along by
    Gibbs sampling (Freudenthaler, Schmidt-Thieme & Rendle 2011, "Bayesian factorization
    machines"): how much to shrink is learned, not set. A group is: the users, the movies, one
    channel of bits, the vote average, the side feature. μ is the mean of the training ratings.

    The vote average enters as a number, standardised over the movies of the training ratings, with
    a bit that says whether it is known. An unknown user or movie is a feature of its group that
    no training rating has: its samples come from the group's prior.

    Args:
        seed: of the sampler.
        rank: numbers in v_j.
        samples: Gibbs sweeps; all but the first `BURN_IN` are kept and averaged.
        initial_deviation: standard deviation of the v that sampling starts from.
        with_bits: False for user and movie ids alone.

    The defaults are tuned; myFM's authors use ranks of 8 and 10, 200 samples and 0.1.
    """

    name: ClassVar[str] = "bayes_fm"
    learns_from_background: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("seed",)
    # The prior's width is learned, so there is little to tune.
    search_space: ClassVar[dict] = {
        "rank": (2, 16, "int"),
        "samples": (50, 400, "int"),
        "initial_deviation": (0.02, 0.5, "log"),
    }
    tuned: ClassVar[str] = "results/tuning/trials"

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

    def fit(self, train: Ratings, movies: Movies, side_feature: np.ndarray | None = None) -> Self:
        self._model = None
        self._mean = train.mean_stars()
        if not len(train):
            return self
        self._users, self._movies = np.unique(train.user), np.unique(train.movie)
        side, groups = self._side_information(movies)
        self._side = side
        group_shapes = [len(self._users) + 1, len(self._movies) + 1, *groups]
        if side_feature is not None:
            group_shapes.insert(0, 1)
        self._model = MyFMRegressor(
            rank=self.rank, init_stdev=self.initial_deviation, random_seed=self.seed
        )
        with redirect_stderr(io.StringIO()):  # it shows a progress bar there
            self._model.fit(
                self._columns(train.user, side_feature),
                train.stars.astype(np.float64) - self._mean,
                X_rel=[self._block(train.movie)],
                n_iter=self.samples,
                n_kept_samples=max(self.samples - BURN_IN, 1),
                group_shapes=group_shapes,
            )
        return self

    def predict(
        self, user: np.ndarray, movie: np.ndarray, side_feature: np.ndarray | None = None
    ) -> np.ndarray:
        stars = np.full(len(user), self._mean)
        if self._model is not None and len(user):
            columns = self._columns(np.asarray(user), side_feature)
            stars += self._model.predict(columns, X_rel=[self._block(np.asarray(movie))])
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def _side_information(self, movies: Movies) -> tuple[np.ndarray, list[int]]:
        """What is known of each movie, float64 [movies, features], and the sizes of its groups."""
        if not self.with_bits:
            return np.empty((len(movies), 0)), []
        votes = movies.vote_average.astype(np.float64)
        trained = votes[self._movies]
        trained = trained[~np.isnan(trained)]
        if not len(trained):
            return movies.bits.astype(np.float64), [*movies.channels.values()]
        known = ~np.isnan(votes)
        standard = np.where(known, (votes - trained.mean()) / (trained.std() or 1.0), 0.0)
        return (
            np.column_stack((movies.bits, standard, known)),  # (movies, bits + 2)
            [*movies.channels.values(), 1, 1],
        )

    def _columns(self, user: np.ndarray, side_feature: np.ndarray | None) -> sparse.csr_matrix:
        """The side feature, if any, and one-hot users: [n, 1 + users + 1] or [n, users + 1]."""
        users = _one_hot(user, self._users)
        if side_feature is None:
            return users
        return sparse.hstack((sparse.csr_matrix(side_feature[:, None]), users)).tocsr()

    def _block(self, movie: np.ndarray) -> RelationBlock:
        """The features of the distinct movies, written once, and which of them each row has."""
        distinct, place = np.unique(movie, return_inverse=True)
        features = sparse.hstack((_one_hot(distinct, self._movies), self._side[distinct]))
        return RelationBlock(place.tolist(), sparse.csr_matrix(features, dtype=np.float64))

    def state_bytes(self) -> int:
        if self._model is None:
            return 0
        samples = self._model.predictor_.samples
        return len(samples) * (samples[0].w.nbytes + samples[0].V.nbytes + 8)


class BayesianFMIds(BayesianFM):
    """`BayesianFM` on the ids of users and movies alone."""

    name: ClassVar[str] = "bayes_fm_ids"

    def __init__(
        self, seed: int = 0, rank: int = 15, samples: int = 217, initial_deviation: float = 0.036
    ) -> None:
        super().__init__(seed, rank, samples, initial_deviation, with_bits=False)


def _one_hot(ids: np.ndarray, known: np.ndarray) -> sparse.csr_matrix:
    """[n, known + 1]: a one at the place of each id in `known` (sorted), the last if unknown."""
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    place = np.where(known[place] == ids, place, len(known))
    ones, row_ends = np.ones(len(ids)), np.arange(len(ids) + 1)
    return sparse.csr_matrix((ones, place, row_ends), shape=(len(ids), len(known) + 1))
