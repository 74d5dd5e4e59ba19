"""`river_baseline`, `river_biased_mf`: River's recommenders on the stream of all users' ratings."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from river import optim, reco

from recbench.contract import OnlineRecommender, Training
from recbench.ratings import DEFAULT_STARS, MAX_STARS, MIN_STARS


class _River(OnlineRecommender):
    """A recommender of River (Montiel et al. 2021), with its own settings.

    Ratings are learned one by one in time order, each once. River draws factors for an unknown user
    or movie when it predicts; here predictions change nothing, and factors are drawn when the first
    rating is learned. Predictions are clipped.
    """

    learns_from: ClassVar[str] = "all"
    tuned: ClassVar[str] = "never"

    def _new(self, training: Training) -> Any:
        raise NotImplementedError

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        self._model = self._new(training)
        for row in np.argsort(train.time, kind="stable"):
            self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        self._model.learn_one(user, movie, stars)

    def predict_one(self, user: int, movie: int) -> float:
        model = self._model
        stars = model.global_mean.get() if model.global_mean.n else DEFAULT_STARS
        stars += model.u_biases.get(user, 0.0) + model.i_biases.get(movie, 0.0)
        users, movies = getattr(model, "u_latents", {}), getattr(model, "i_latents", {})
        if user in users and movie in movies:
            stars += float(users[user] @ movies[movie])
        return float(min(max(stars, MIN_STARS), MAX_STARS))

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        pairs = zip(np.asarray(user).tolist(), np.asarray(movie).tolist(), strict=True)
        return np.array([self.predict_one(*pair) for pair in pairs], dtype=np.float32)

    def state_bytes(self) -> int:
        return self._bytes("u")

    def shared_bytes(self) -> int:
        return self._bytes("i")

    def _bytes(self, side: str) -> int:
        """Bytes of the biases, and of the factors if any, of users or of items."""
        model = self._model
        factors = getattr(model, "n_factors", 0) * len(getattr(model, f"{side}_latents", ()))
        return 8 * (len(getattr(model, f"{side}_biases")) + factors)


class RiverBaseline(_River):
    """r̂_ui = m + b_u + b_i: the running mean, and biases by stochastic gradient descent."""

    name: ClassVar[str] = "river_baseline"

    def _new(self, training: Training) -> Any:
        return reco.Baseline(optimizer=optim.SGD(0.01))


class RiverBiasedMF(_River):
    """r̂_ui = m + b_u + b_i + q_i·p_u with ten factors, by stochastic gradient descent."""

    name: ClassVar[str] = "river_biased_mf"

    def _new(self, training: Training) -> Any:
        return reco.BiasedMF(seed=training.seed)
