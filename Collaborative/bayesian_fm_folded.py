"""`bayes_fm_folded`: users folded into a factorisation machine that was trained without them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from Collaborative.bayesian_fm import BayesianFM
from recbench.contract import NO_RATINGS, OnlineRecommender, Training
from recbench.models.factorization import movie_vectors, one_hot
from recbench.models.item_table.making import ENOUGH, FEWEST_USERS, fold_of_each
from recbench.models.memories import histories
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings, places

CACHED = 200  # users with vectors in memory: one has as many numbers as a small item table

# Of (v_u, w_u) given the user's ratings, in each sample: the mean of its normal distribution,
# float64 [samples, rank + 1], and the covariance, float64 [samples, rank + 1, rank + 1].
_Vectors = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class FrozenMachine:
    """The samples of a factorisation machine, without its users.

    Attributes:
        offset: o, float64 [movies, samples], stars.
        q: movie vectors, float64 [movies, samples, rank + 1].
        noise: σ², float64 [samples].
        prior_mean, prior_variance: of the vector of a user, float64 [samples, rank + 1].
    """

    offset: np.ndarray
    q: np.ndarray
    noise: np.ndarray
    prior_mean: np.ndarray
    prior_variance: np.ndarray

    @classmethod
    def of_mean(cls, mean: float, n_movies: int) -> FrozenMachine:
        """One sample of rank 0: the same mean for all movies, and a user bias."""
        one = np.ones((1, 1))
        offset = np.full((n_movies, 1), mean)
        return cls(offset, np.ones((n_movies, 1, 1)), one[0], 0 * one, one)

    @classmethod
    def of(cls, machine: BayesianFM, n_movies: int) -> FrozenMachine:
        """Of a fitted machine."""
        users = len(machine._users) + 1
        own = one_hot(places(np.arange(n_movies), machine._movies), len(machine._movies) + 1)
        features = sparse.hstack((own, machine._side)).tocsr()
        offsets, vectors = [], []
        for offset, w, v in machine._model.kept_samples():
            of_movie, q = movie_vectors(features, w[users:], v[users:])
            offsets.append(machine._model.mean + offset + of_movie)
            vectors.append(q)
        noise, mean, variance = zip(*machine._model.kept_priors(), strict=True)
        return cls(
            np.stack(offsets, axis=1),
            np.stack(vectors, axis=1),
            np.array(noise),
            np.stack([of_group[0] for of_group in mean]),  # group 0: the users
            np.stack([of_group[0] for of_group in variance]),
        )

    def folded_in(self, movie: np.ndarray, stars: np.ndarray) -> _Vectors:
        """The user's vectors after ratings of movies int [n], float64 [n]; without ratings, the
        prior."""
        q = self.q[movie].transpose(1, 0, 2)  # (samples, n, rank + 1)
        weighted = q / self.noise[:, None, None]
        precision = weighted.transpose(0, 2, 1) @ q  # (samples, rank + 1, rank + 1)
        diagonal = np.arange(q.shape[2])
        precision[:, diagonal, diagonal] += 1 / self.prior_variance
        residual = stars[:, None] - self.offset[movie]  # (n, samples)
        right = np.vecmat(residual.T, weighted) + self.prior_mean / self.prior_variance
        covariance = np.linalg.inv(precision)
        return np.matvec(covariance, right), covariance

    def learn(self, vectors: _Vectors, movie: int, stars: float) -> None:
        """Update by one rating, in place."""
        mean, covariance = vectors
        q = self.q[movie]  # (samples, rank + 1)
        gain = np.matvec(covariance, q)
        error = stars - self.offset[movie] - np.vecdot(q, mean)  # (samples,)
        spread = self.noise + np.vecdot(q, gain)
        mean += gain * (error / spread)[:, None]
        gain /= np.sqrt(spread)[:, None]
        covariance -= gain[:, :, None] * gain[:, None, :]

    def stars(self, vectors: _Vectors, movie: np.ndarray) -> np.ndarray:
        """Predicted stars, the mean over samples: float64 [n], not clipped."""
        return (self.offset[movie] + np.vecdot(self.q[movie], vectors[0])).mean(axis=1)


class BayesianFMFolded(BayesianFM, OnlineRecommender):
    """`bayes_fm` trained on other users; each user is folded in, rating by rating.

    With movie vectors q, the noise σ² and the users' prior of one sample, (v_u, w_u) is normal
    given the user's ratings (Bayesian linear regression; the same step by which Gibbs sampling
    draws it, Freudenthaler, Schmidt-Thieme & Rendle 2011), and each further rating changes it by

        g = S q    e = r − o − q·m    m ← m + g e / (σ² + q·g)    S ← S − g g' / (σ² + q·g)

    The prediction is the mean over samples of o + q·m. So a user who is new after `fit` has a
    vector from the first rating on; a new movie has none, and movie vectors never change.

    No machine is trained on the users it predicts, as with the item table of `personal`: it is
    trained on the background users, if these have at least four times as many ratings as the
    others. Otherwise there is one for each of four folds of users, trained on the other folds and
    the background, and for users who come after `fit` one trained on everybody, made when the
    first of them comes. With fewer than ten users only a mean is learned.

    Args:
        rank, samples, initial_deviation: see `BayesianFM`.
    """

    name: ClassVar[str] = "bayes_fm_folded"
    search_space: ClassVar[dict] = {}
    defaults_without_background: ClassVar[dict] = {}
    tuned: ClassVar[str] = "never"  # its settings are those of `bayes_fm`

    def fit(self, training: Training) -> Self:
        train, background = training.ratings, training.background
        self._fold, self._later = np.empty(0, dtype=np.int64), 0
        if len(background) >= ENOUGH * max(len(train), 1):
            self._machines = [self._trained_on(background, training)]
        else:
            users = int(train.user.max(initial=-1)) + 1
            self._fold = fold_of_each(np.arange(users), training.seed)
            of_rating = self._fold[train.user]
            self._machines = [
                self._trained_on(
                    Ratings.concatenate([train.take(of_rating != k), background]), training
                )
                for k in range(int(self._fold.max(initial=0)) + 1)
            ]
            # not a partial of a method: self in a cycle would keep its gigabytes after its last use
            self._for_later_users = Ratings.concatenate([train, background]), training
            self._later = len(self._machines)
        self._histories = {
            user: list(zip(train.movie[rows].tolist(), train.stars[rows].tolist(), strict=True))
            for user, rows in histories(train)
        }
        self._vectors: dict[int, _Vectors] = {}
        return self

    def _trained_on(self, others: Ratings, training: Training) -> FrozenMachine:
        n_movies = len(training.movies)
        if len(np.unique(others.user)) < FEWEST_USERS:  # too few to learn a prior of users
            return FrozenMachine.of_mean(others.mean_stars(), n_movies)
        machine = BayesianFM(self.rank, self.samples, self.initial_deviation)
        machine.fit(replace(training, ratings=others, background=NO_RATINGS))
        return FrozenMachine.of(machine, n_movies)

    def _machine(self, user: int) -> FrozenMachine:
        if user < len(self._fold):
            return self._machines[self._fold[user]]
        if self._later == len(self._machines):
            self._machines.append(self._trained_on(*self._for_later_users))
        return self._machines[self._later]

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self._machine(user).learn(self._vectors_of(user), movie, stars)
        self._histories.setdefault(user, []).append((movie, stars))

    def _vectors_of(self, user: int) -> _Vectors:
        """The user's vectors, from the cache or computed from the user's ratings; for a new user,
        the prior."""
        vectors = self._vectors.pop(user, None)  # put in again as the latest
        if vectors is None:
            vectors = self._folded_in(user)
            if len(self._vectors) >= CACHED:
                del self._vectors[next(iter(self._vectors))]
        self._vectors[user] = vectors
        return vectors

    def _folded_in(self, user: int) -> _Vectors:
        history = self._histories.get(user, [])
        movie = np.array([movie for movie, _ in history], dtype=np.int64)
        stars = np.array([stars for _, stars in history])
        return self._machine(user).folded_in(movie, stars)

    def predict_one(self, user: int, movie: int) -> float:
        stars = self._machine(user).stars(self._vectors_of(user), np.array([movie]))
        return min(max(float(stars[0]), MIN_STARS), MAX_STARS)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = np.empty(len(user))
        for one in np.unique(user):
            rows, vectors = user == one, self._folded_in(int(one))
            stars[rows] = self._machine(int(one)).stars(vectors, movie[rows])
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return sum(8 * 2 * len(history) for history in self._histories.values())

    def shared_bytes(self) -> int:
        """Bytes of the largest machine: each user needs one."""
        return max(one.offset.nbytes + one.q.nbytes for one in self._machines)
