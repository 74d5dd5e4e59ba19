"""`vb_all`: the factor model of the item table, trained on everybody."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import Recommender, Training
from recbench.models.item_table.learning import RANK, FactorModel, learn_factors
from recbench.models.item_table.making import ASIDE, ASIDE_AT_MOST
from recbench.ratings import MAX_STARS, MIN_STARS, places


class VbAll(Recommender):
    """r̂_ui = μ + b_i + w_i·x_u, learned from the ratings of all users by variational Bayes, see
    `recbench.models.item_table.learning.learn_factors`.

    `personal` folds its user into an item table learned without that user. Here tested users are in
    the training, too: it is the collaborative recommender with the same information. Some users are
    first set aside to choose the number of passes.

    Args:
        rank: length of the vectors of users and movies.
    """

    name: ClassVar[str] = "vb_all"
    learns_from: ClassVar[str] = "all"
    tuned: ClassVar[str] = "by hand, on development users"  # with the item table
    has_kernels: ClassVar[bool] = True
    search_space: ClassVar[dict] = {"rank": (4, 64, "int")}

    def __init__(self, rank: int = RANK) -> None:
        self.rank = rank

    def fit(self, training: Training) -> Self:
        train, movies, seed = training.all_ratings, training.movies, training.seed
        self._users, user = np.unique(train.user, return_inverse=True)
        order = np.random.default_rng([seed, 16]).permutation(len(self._users))
        aside = np.isin(user, order[: min(len(order) // ASIDE, ASIDE_AT_MOST)])
        self._w, self._x = np.zeros((len(movies), self.rank + 1)), np.zeros((0, self.rank))
        self._mean = float(train.stars.mean(dtype=np.float64)) if len(train) else 3.0
        if not len(train):
            return self
        others = train.take(~aside)
        passes = learn_factors(others, movies, seed, train.take(aside), rank=self.rank).iterations
        model = FactorModel(train, movies, seed, self.rank)
        for _ in range(passes):
            model.iterate()
        self._x, _ = model.users(model.rated, model.stars_of, model.prior_x)  # (users, rank)
        self._w = model.movies()  # (movies, rank + 1)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        w = self._w[movie]
        x = np.pad(self._x, ((0, 1), (0, 0)))[places(user, self._users)]  # last row: unknown
        stars = self._mean + w[:, -1] + np.vecdot(w[:, :-1], x)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._x.nbytes

    def shared_bytes(self) -> int:
        return self._w.nbytes
