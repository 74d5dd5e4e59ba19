"""`bayes_fm_folded`: the factorisation machine with each user's vector updated by each rating."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy import sparse

from Collaborative.bayesian_fm import BayesianFM
from recbench.contract import OnlineRecommender, Training
from recbench.models.factorization import MovieFeatures, one_hot, places
from recbench.ratings import MAX_STARS, MIN_STARS

CACHED = 200  # users with vectors in memory: one has as many numbers as a small item table


# Of (v_u, w_u) given the user's ratings, in each sample: the mean of its normal distribution,
# float64 [samples, rank + 1], and the covariance, float64 [samples, rank + 1, rank + 1].
_Vectors = tuple[np.ndarray, np.ndarray]


class BayesianFMFolded(BayesianFM, OnlineRecommender):
    """`bayes_fm` into which a user is folded with each rating.

    All but the user's own vector stays as it was sampled in `fit`. With movie vectors q, the noise
    σ² and the users' prior of one sample, (v_u, w_u) is normal given the user's ratings (Bayesian
    linear regression; the same step by which Gibbs sampling draws it, Freudenthaler,
    Schmidt-Thieme & Rendle 2011), and one more rating changes it by

        g = S q    e = r − o − q·m    m ← m + g e / (σ² + q·g)    S ← S − g g' / (σ² + q·g)

    The prediction is the mean over samples of o + q·m. So a user who is new after `fit` has an own
    vector from the first rating on; a new movie has none, and no rating changes that of a movie.

    Args:
        rank, samples, initial_deviation: see `BayesianFM`.
    """

    name: ClassVar[str] = "bayes_fm_folded"
    search_space: ClassVar[dict] = {}
    defaults_without_background: ClassVar[dict] = {}
    tuned: ClassVar[str] = "never"  # its settings are those of `bayes_fm`

    def fit(self, training: Training) -> Self:
        super().fit(training)
        train = training.all_ratings
        self._histories: dict[int, list[tuple[int, float]]] = {}  # movies and stars of each user
        self._vectors: dict[int, _Vectors] = {}
        for user, movie, stars in zip(
            train.user.tolist(), train.movie.tolist(), train.stars.tolist(), strict=True
        ):
            self._histories.setdefault(user, []).append((movie, stars))
        if self._model is not None:
            self._read_samples(len(training.movies))
        return self

    def _read_samples(self, n_movies: int) -> None:
        """Movie vectors, noise and the prior of users of every sample."""
        users = len(self._users) + 1
        own = one_hot(places(np.arange(n_movies), self._movies), len(self._movies) + 1)
        features = MovieFeatures(sparse.hstack((own, self._side)).tocsr())
        offsets, vectors = [], []
        for offset, w, v in self._model.kept_samples():
            of_movie, q = features.vectors(w[users:], v[users:])
            offsets.append(self._model.mean + offset + of_movie)
            vectors.append(q)
        self._offset = np.stack(offsets, axis=1)  # o, (movies, samples)
        self._q = np.stack(vectors, axis=1)  # (movies, samples, rank + 1)
        priors = list(self._model.kept_priors())
        self._noise = np.array([noise for noise, _, _ in priors])  # σ², (samples,)
        self._prior_mean = np.stack([mean[0] for _, mean, _ in priors])  # of group 0, the users
        self._prior_variance = np.stack([variance[0] for _, _, variance in priors])

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        vectors = self._vectors_of(user) if self._model is not None else None
        self._histories.setdefault(user, []).append((movie, stars))
        if vectors is not None:
            mean, covariance = vectors
            q = self._q[movie]  # (samples, rank + 1)
            gain = np.matvec(covariance, q)
            error = stars - self._offset[movie] - np.vecdot(q, mean)  # (samples,)
            spread = self._noise + np.vecdot(q, gain)
            mean += gain * (error / spread)[:, None]
            gain /= np.sqrt(spread)[:, None]
            covariance -= gain[:, :, None] * gain[:, None, :]

    def _vectors_of(self, user: int) -> _Vectors:
        """From the cache, or computed from the user's ratings; of a new user, the prior."""
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
        q = self._q[movie].transpose(1, 0, 2)  # (samples, n, rank + 1)
        weighted = q / self._noise[:, None, None]
        precision = weighted.transpose(0, 2, 1) @ q  # (samples, rank + 1, rank + 1)
        diagonal = np.arange(q.shape[2])
        precision[:, diagonal, diagonal] += 1 / self._prior_variance
        residual = stars[:, None] - self._offset[movie]  # (n, samples)
        right = np.vecmat(residual.T, weighted) + self._prior_mean / self._prior_variance
        covariance = np.linalg.inv(precision)
        return np.matvec(covariance, right), covariance

    def predict_one(self, user: int, movie: int) -> float:
        if self._model is None:
            return min(max(self._mean, MIN_STARS), MAX_STARS)
        mean = self._vectors_of(user)[0] if user in self._histories else self._prior_mean
        stars = float((self._offset[movie] + np.vecdot(self._q[movie], mean)).mean())
        return min(max(stars, MIN_STARS), MAX_STARS)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = np.full(len(user), self._mean)
        if self._model is not None:
            for one in np.unique(user):
                rows = user == one
                known = int(one) in self._histories
                mean = self._folded_in(int(one))[0] if known else self._prior_mean
                of_samples = self._offset[movie[rows]] + np.vecdot(self._q[movie[rows]], mean)
                stars[rows] = of_samples.mean(axis=1)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return sum(8 * 2 * len(history) for history in self._histories.values())

    def shared_bytes(self) -> int:
        return 0 if self._model is None else self._offset.nbytes + self._q.nbytes
