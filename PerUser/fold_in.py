"""`fold_in`: a user's vector by ridge regression on the factors of an item table."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from recbench.contract import OnlineRecommender, Training
from recbench.models.item_table.table import ItemTable
from recbench.models.memories import histories
from recbench.ratings import MAX_STARS, MIN_STARS


class FoldIn(OnlineRecommender):
    """r̂_ui = mean_u(i) + w_i·x_u,  x_u = (W'W + noise I)⁻¹ W'(r − mean_u)

    over the movies that the user has rated. W are their factors in the item table, and mean_u is
    the table's mean, which depends on which movies these are. It is the factor model of the table
    with its movies frozen. Unlike `personal` it has no angles of factors, metadata, slope or drift,
    so the difference of the two shows what these contribute. A rating is learned at once: the
    user's vector is solved for again when it is next needed.

    Args:
        noise: the noise variance of a rating, in squared stars.
    """

    name: ClassVar[str] = "fold_in"
    learns_from: ClassVar[str] = "user+items"
    tuned: ClassVar[str] = "by hand, on development users"  # see results/ablation/fold-in-noise
    search_space: ClassVar[dict] = {"noise": (0.2, 3.0, "log")}

    def __init__(self, noise: float = 0.8) -> None:
        self.noise = noise

    def fit(self, training: Training) -> Self:
        self._tables, train = training.item_tables, training.ratings
        self._rated = {
            user: (train.movie[rows], train.stars[rows]) for user, rows in histories(train)
        }
        self._vectors: dict[int, np.ndarray] = {}  # of users predicted since their last rating
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        movies, before = self._rated.get(user, (np.empty(0, dtype=np.int64), np.empty(0)))
        self._rated[user] = np.append(movies, movie), np.append(before, stars)
        self._vectors.pop(user, None)

    def _vector(self, user: int, table: ItemTable) -> np.ndarray:
        if user not in self._vectors:
            movie, stars = self._rated[user]
            w = table.factors[movie]  # (n, k)
            residual = stars - table.mean[movie] - table.implicit_means(movie, movie)
            precision = w.T @ w + self.noise * np.eye(w.shape[1])
            self._vectors[user] = np.linalg.solve(precision, w.T @ residual)
        return self._vectors[user]

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = np.empty(len(user))
        for one in np.unique(user).tolist():
            rows, table = user == one, self._tables.tables[self._tables.fold_of(one)]
            query = movie[rows]
            stars[rows] = table.mean[query]
            if one in self._rated:
                rated, x = self._rated[one][0], self._vector(one, table)
                stars[rows] += table.implicit_means(rated, query) + table.factors[query] @ x
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return sum(movie.nbytes + stars.nbytes for movie, stars in self._rated.values())

    def shared_bytes(self) -> int:
        return max(
            t.mean.nbytes + t.factors.nbytes + t.implicit.nbytes for t in self._tables.tables
        )
