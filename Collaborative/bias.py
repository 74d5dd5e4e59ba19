"""`bias`: damped biases of users and movies, without interactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from surprise import BaselineOnly

from Collaborative.rated import Rated, look_up
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS


@dataclass(eq=False)
class BiasModel(Recommender):
    """r̂_ui = o_i + b_u + b_i, from Surprise's `BaselineOnly`.

    o_i is the item baseline in stars plus the mean residual from it, or the mean of all ratings.
    The biases minimise Σ (r_ui − o_i − b_u − b_i)² + λ_u Σ b_u² + λ_i Σ b_i² (Koren 2010, "Factor
    in the neighbors", section 2.1), by alternating least squares: b_i = Σ_u (r_ui − o_i − b_u) /
    (λ_i + n_i), then b_u likewise. The bias of an unknown user or movie is zero. Nothing is random.

    Args:
        epochs: rounds of alternating least squares.
        damping_user: λ_u, in ratings.
        damping_movie: λ_i, in ratings.
        start: source of o, "item_baseline" or "mean".

    The defaults are tuned; Surprise's are 10, 15 and 10.
    """

    name: ClassVar[str] = "bias"
    learns_from: ClassVar[str] = "all"
    search_space: ClassVar[dict] = {
        "epochs": (2, 40, "int"),
        "damping_user": (0.5, 50.0, "log"),
        "damping_movie": (0.5, 50.0, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/trials"

    epochs: int = 38
    damping_user: float = 3.7
    damping_movie: float = 45.0
    start: Start = "item_baseline"

    def fit(self, training: Training) -> Self:
        self.rated = Rated.of(training, self.start)
        self._user_bias = self._movie_bias = np.empty(0)  # (users,), (movies,)
        if len(training.all_ratings):
            options = {
                "method": "als",
                "n_epochs": self.epochs,
                "reg_u": self.damping_user,
                "reg_i": self.damping_movie,
            }
            model = BaselineOnly(bsl_options=options, verbose=False)
            model.fit(self.rated.trainset(training.all_ratings))
            self._user_bias, self._movie_bias = model.bu, model.bi
        return self

    def stars(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The prediction before clipping, float64 [n]."""
        user_bias = look_up(self._user_bias, self.rated.users, np.asarray(user))
        movie_bias = look_up(self._movie_bias, self.rated.movies, np.asarray(movie))
        return self.rated.offset[movie] + user_bias + movie_bias

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return self.stars(user, movie).clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._user_bias.nbytes

    def shared_bytes(self) -> int:
        return self._movie_bias.nbytes + self.rated.offset.nbytes
