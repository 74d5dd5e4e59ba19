"""`item_knn` and `user_knn`: nearest neighbours on residuals from baselines."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from scipy import sparse

from Collaborative.neighbour_sums import closeness, correlations, neighbour_means
from Collaborative.square_matrix import check_square
from Collaborative.surprise_trainset import Known, look_up
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings


class NeighbourModel(Recommender):
    """r̂_ui = c_ui + Σ s (r − c) / (δ + Σ s) over the nearest neighbours, c_ui = o_i + b_u + b_i.

    Item-based, the sum is over the movies j that u has rated, s = s_ij, r − c = r_uj − c_uj;
    user-based, over the users v who have rated i, s = s_uv, r − c = r_vi − c_vi. It has the
    `neighbours` most similar ones with s > 0 (Koren 2010, "Factor in the neighbors", sections 2.1
    and 2.2; `KNNBaseline` of Surprise, with the same result where δ = 0). The biases
    are those of `bias`.

    s is one of
        ρ_ij (n_ij − 1) / (n_ij − 1 + λ), ρ_ij the correlation of the residuals r − c over the n_ij
            users who have rated both movies ("pearson_baseline"), zero if n_ij < 2;
        1 / (1 + mean of (r_ui − r_uj)²) over the same users ("msd").
    User-based likewise, over the movies that both users have rated. What a user said of the movie
    asked for counts, with s = 1. An unknown user or movie gets o and what bias is known. Nothing
    is random.

    Args:
        neighbours: how many at most.
        similarity: what s is, "pearson_baseline" or "msd".
        shrinkage: λ, in ratings; of "pearson_baseline" alone.
        damping: δ, in similarities: with 0, a lone neighbour counts in full, however unlike.
        damping_user, damping_movie: of the biases, in ratings, see `bias`.
        start: what o is, "item_baseline" or "mean", see `bias`.
        epochs: rounds of alternating least squares for the biases.

    The defaults are Surprise's, but for s, there "msd", and o, there the mean.
    """

    by_user: ClassVar[bool]
    learns_from: ClassVar[str] = "all"
    has_kernels: ClassVar[bool] = True
    search_space: ClassVar[dict] = {
        "neighbours": (5, 100, "int"),
        "similarity": ("pearson_baseline", "msd"),
        "shrinkage": (1.0, 500.0, "log"),
        "damping": (0.0, 2.0, "linear"),
        "damping_user": (0.5, 50.0, "log"),
        "damping_movie": (0.5, 50.0, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/references"

    def __init__(
        self,
        neighbours: int = 29,
        similarity: Literal["pearson_baseline", "msd"] = "pearson_baseline",
        shrinkage: float = 36.0,
        damping_user: float = 2.9,
        damping_movie: float = 6.1,
        start: Start = "item_baseline",
        epochs: int = 10,
        damping: float = 0.38,
    ) -> None:
        if similarity not in ("pearson_baseline", "msd"):
            raise ValueError(f"similarity is '{similarity}'. Expected 'pearson_baseline' or 'msd'")
        self.neighbours = neighbours
        self.similarity = similarity
        self.shrinkage = shrinkage
        self.damping_user = damping_user
        self.damping_movie = damping_movie
        self.start: Start = start
        self.epochs = epochs
        self.damping = damping

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        known = self._known = Known.of(training, self.start)
        what, instead = (
            ("users", "fewer users (--num-users, --background-users), or item_knn")
            if self.by_user
            else ("movies", "fewer movies (--top-percentile), or another recommender")
        )
        check_square(self.name, self._rows, what, instead)
        biases = known.biases(train, self.epochs, self.damping_user, self.damping_movie)
        self._user_bias, self._movie_bias = biases  # (users,), (movies,)
        by_row, self._residuals = self._both_ways(train, known.residuals(train, *biases))
        self._similarity = (
            closeness(*self._both_ways(train, train.stars))
            if self.similarity == "msd"
            else correlations(by_row, self._residuals, self.shrinkage)
        )
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        known, user, movie = self._known, np.asarray(user), np.asarray(movie)
        biases = look_up(self._user_bias, known.users, user)
        biases += look_up(self._movie_bias, known.movies, movie)
        stars = known.level[movie] + biases
        both, *asked = known.both_known(user, movie)
        row, column = asked if self.by_user else reversed(asked)
        stars[both] += neighbour_means(
            row, column, self._similarity, self._residuals, self.neighbours, self.damping
        )
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        residuals, similarity = self._residuals, self._similarity
        of_users = (self._user_bias, residuals.data, residuals.indices, residuals.indptr)
        return sum(one.nbytes for one in of_users) + self.by_user * similarity.nbytes

    def shared_bytes(self) -> int:
        of_movies = self._movie_bias.nbytes + self._known.level.nbytes
        return of_movies + (not self.by_user) * self._similarity.nbytes

    @property
    def _rows(self) -> int:
        """How many there are of what has neighbours: users or movies."""
        return len(self._known.users if self.by_user else self._known.movies)

    def _both_ways(
        self, train: Ratings, values: np.ndarray
    ) -> tuple[sparse.csr_array, sparse.csr_array]:
        """`values` [ratings] of what has neighbours, row by row, and the transpose of that."""
        by_user = self._known.table(train, values)
        by_movie = by_user.T.tocsr()
        return (by_user, by_movie) if self.by_user else (by_movie, by_user)


class ItemNeighbours(NeighbourModel):
    """See `NeighbourModel`: a user's ratings of the most similar movies."""

    name: ClassVar[str] = "item_knn"
    by_user: ClassVar[bool] = False


class UserNeighbours(NeighbourModel):
    """See `NeighbourModel`: the ratings of a movie by the most similar users."""

    name: ClassVar[str] = "user_knn"
    by_user: ClassVar[bool] = True
