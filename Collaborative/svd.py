"""`svd`: matrix factorisation by stochastic gradient descent, the model of the Netflix prize."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from surprise import SVD

from Collaborative.rated import Rated, look_up
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS


@dataclass(eq=False)
class SvdModel(Recommender):
    """r̂_ui = o_i + b_u + b_i + q_i·p_u, from Surprise's `SVD`.

    o_i is the item baseline in stars plus the mean residual from it, or the mean of all ratings. It
    minimises Σ (r_ui − r̂_ui)² + λ (b_u² + b_i² + ‖q_i‖² + ‖p_u‖²) over the ratings by stochastic
    gradient descent, user by user (Koren, Bell & Volinsky 2009, "Matrix factorization techniques
    for recommender systems"). Biases and factors of an unknown user or movie are zero.

    Args:
        factors: length of p_u and q_i.
        epochs: passes over all ratings.
        learning_rate: of all parameters.
        regularisation: λ.
        start: source of o, "item_baseline" or "mean".

    The defaults are tuned; Surprise's are 100, 20, 0.005 and 0.02.
    """

    name: ClassVar[str] = "svd"
    learns_from: ClassVar[str] = "all"
    search_space: ClassVar[dict] = {
        "factors": (2, 128, "int"),
        "epochs": (5, 80, "int"),
        "learning_rate": (0.001, 0.03, "log"),
        "regularisation": (0.01, 0.3, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/trials"
    defaults_without_background: ClassVar[dict] = {
        "factors": 23,
        "learning_rate": 0.001,
        "regularisation": 0.083,
    }

    factors: int = 8
    epochs: int = 73
    learning_rate: float = 0.0012
    regularisation: float = 0.17
    start: Start = "item_baseline"

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        self._rated = Rated.of(training, self.start)
        if not len(train):
            self._user_bias = self._movie_bias = np.empty(0)
            self._user_factors = self._movie_factors = np.empty((0, self.factors))
            return self
        model = SVD(
            n_factors=self.factors,
            n_epochs=self.epochs,
            lr_all=self.learning_rate,
            reg_all=self.regularisation,
            random_state=training.seed,
        ).fit(self._rated.trainset(train))
        self._user_bias, self._movie_bias = model.bu, model.bi  # (users,), (movies,)
        self._user_factors, self._movie_factors = model.pu, model.qi  # (users or movies, factors)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        users = self._rated.users, np.asarray(user)
        movies = self._rated.movies, np.asarray(movie)
        p = look_up(self._user_factors, *users)  # (rows, factors)
        q = look_up(self._movie_factors, *movies)  # (rows, factors)
        biases = look_up(self._user_bias, *users) + look_up(self._movie_bias, *movies)
        stars = self._rated.offset[movie] + biases + (p * q).sum(axis=1)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._user_bias.nbytes + self._user_factors.nbytes

    def shared_bytes(self) -> int:
        of_movies = (self._movie_bias, self._movie_factors, self._rated.offset)
        return sum(table.nbytes for table in of_movies)
