"""`item_knn` and `user_knn`: nearest neighbours on residuals from baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from scipy import sparse

from Collaborative.bias import BiasModel
from Collaborative.rated import FEWER_MOVIES, check_square
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS, rows_of_each

BLOCK = 512  # rows of a table of similarities made at once


@dataclass(eq=False)
class NeighbourModel(Recommender):
    """r̂_ui = c_ui + Σ s (r − c) / (δ + Σ s) over the nearest neighbours, c_ui = o_i + b_u + b_i.

    Item-based, the sum is over the movies j that u has rated, s = s_ij, r − c = r_uj − c_uj;
    user-based, over the users v who have rated i, s = s_uv, r − c = r_vi − c_vi. It includes the
    `neighbours` most similar ones with s > 0 (Koren 2010, "Factor in the neighbors", sections 2.1
    and 2.2; `KNNBaseline` of Surprise, with the same result where δ = 0). The biases are those of
    `bias`.

    s is one of
        ρ_ij (n_ij − 1) / (n_ij − 1 + λ), ρ_ij the correlation of the residuals r − c over the n_ij
            users who have rated both movies ("pearson_baseline"), zero if n_ij < 2;
        1 / (1 + mean of (r_ui − r_uj)²) over the same users ("msd").
    User-based likewise, over the movies that both users have rated. A user's own rating of the
    movie counts, with s = 1. For an unknown user or movie, o and the bias of the other are
    predicted. Nothing is random.

    Args:
        neighbours: largest number of neighbours.
        similarity: s, "pearson_baseline" or "msd".
        shrinkage: λ, in ratings; only for "pearson_baseline".
        damping: δ, in units of similarity; with 0, a single neighbour counts fully even if
            dissimilar.
        damping_user, damping_movie: of the biases, in ratings, see `bias`.
        start: source of o, "item_baseline" or "mean", see `bias`.
        epochs: rounds of alternating least squares for the biases.

    The defaults are Surprise's, except s (there "msd") and o (there the mean).
    """

    by_user: ClassVar[bool]
    learns_from: ClassVar[str] = "all"
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

    neighbours: int = 29
    similarity: Literal["pearson_baseline", "msd"] = "pearson_baseline"
    shrinkage: float = 36.0
    damping_user: float = 2.9
    damping_movie: float = 6.1
    start: Start = "item_baseline"
    epochs: int = 10
    damping: float = 0.38

    def __post_init__(self) -> None:
        if self.similarity not in ("pearson_baseline", "msd"):
            raise ValueError(
                f"similarity is '{self.similarity}'. Expected 'pearson_baseline' or 'msd'"
            )

    def fit(self, training: Training) -> Self:
        train = training.all_ratings
        bias = BiasModel(self.epochs, self.damping_user, self.damping_movie, self.start)
        self._bias = bias.fit(training)
        rated = bias.rated
        if self.by_user:
            instead = "fewer users (--num-users, --background-users), or item_knn"
            check_square(self.name, len(rated.users), "users", instead)
        else:
            check_square(self.name, len(rated.movies), "movies", FEWER_MOVIES)
        residuals = rated.table(train, train.stars - bias.stars(train.user, train.movie))
        self._residuals = residuals if not self.by_user else residuals.T.tocsr()
        if self.similarity == "msd":
            stars = rated.table(train, train.stars)
            self._similarity = closeness(stars if self.by_user else stars.T.tocsr())
        else:
            self._similarity = correlations(self._residuals.T.tocsr(), self.shrinkage)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = self._bias.stars(user, movie)
        both, *pairs = self._bias.rated.both_rated(user, movie)
        row, column = pairs if self.by_user else reversed(pairs)
        stars[both] += neighbour_means(
            row, column, self._similarity, self._residuals, self.neighbours, self.damping
        )
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        residuals = self._residuals
        own = self._bias.state_bytes() + self.by_user * self._similarity.nbytes
        return own + residuals.data.nbytes + residuals.indices.nbytes + residuals.indptr.nbytes

    def shared_bytes(self) -> int:
        return self._bias.shared_bytes() + (not self.by_user) * self._similarity.nbytes


class ItemNeighbours(NeighbourModel):
    """See `NeighbourModel`: a user's ratings of the most similar movies."""

    name: ClassVar[str] = "item_knn"
    by_user: ClassVar[bool] = False


class UserNeighbours(NeighbourModel):
    """See `NeighbourModel`: the ratings of a movie by the most similar users."""

    name: ClassVar[str] = "user_knn"
    by_user: ClassVar[bool] = True


# "Rows" are users and "columns" movies for user-based neighbours, the reverse for item-based ones.


def correlations(table: sparse.csr_array, shrinkage: float) -> np.ndarray:
    """ρ_xy (n_xy − 1) / (n_xy − 1 + shrinkage), float64 [rows, rows]; see `NeighbourModel`.

    Args:
        table: residuals [rows, columns].
        shrinkage: in ratings.
    """

    def similarity(count: np.ndarray, product: np.ndarray, own: np.ndarray, other: np.ndarray):
        scale, support = np.sqrt(own * other), count - 1
        # With one rating in common the correlation is 1 or −1, whatever they are.
        enough = (count >= 2) & (scale > 0)
        return np.where(enough, product / scale * (support / (support + shrinkage)), 0.0)

    return _of_common_columns(table, similarity)


def closeness(table: sparse.csr_array) -> np.ndarray:
    """1 / (1 + mean squared difference), float64 [rows, rows], of stars [rows, columns]."""

    def similarity(count: np.ndarray, product: np.ndarray, own: np.ndarray, other: np.ndarray):
        # Exact: stars are multiples of a half.
        return np.where(count > 0, 1.0 / ((own + other - 2 * product) / count + 1.0), 0.0)

    return _of_common_columns(table, similarity)


def _of_common_columns(
    table: sparse.csr_array, similarity: Callable[..., np.ndarray]
) -> np.ndarray:
    """`similarity` of all pairs of rows, float64 [rows, rows]; 1 on the diagonal.

    Args:
        similarity: function of the number of common columns of two rows and, over these, the sums
            of products, of the first's squares and of the second's, float64 [some rows, rows] each.
    """
    ones = sparse.csr_array((np.ones_like(table.data), table.indices, table.indptr), table.shape)
    squares = table.power(2)
    found = np.empty((table.shape[0], table.shape[0]))
    for start in range(0, len(found), BLOCK):
        rows = slice(start, start + BLOCK)
        pairs = (ones, ones), (table, table), (squares, ones), (ones, squares)
        sums = [(one[rows] @ other.T).toarray() for one, other in pairs]
        with np.errstate(divide="ignore", invalid="ignore"):
            found[rows] = similarity(*sums)
    np.fill_diagonal(found, 1.0)
    return found


def neighbour_means(
    row: np.ndarray,
    column: np.ndarray,
    similarity: np.ndarray,
    residuals: sparse.csr_array,
    neighbours: int,
    damping: float = 0.0,
) -> np.ndarray:
    """The mean residual of the nearest rows in a column, weighted by similarity, float64 [n].

    Args:
        row, column: int64 [n], the pairs to predict.
        similarity: float64 [rows, rows].
        residuals: [columns, rows].
        neighbours: largest number of rows with positive similarity; of equally similar ones the
            first.
        damping: added to the sum of the weights.

    Returns:
        Float64 [n], 0 without such a row.
    """
    means = np.zeros(len(row))
    for pairs in rows_of_each(column):
        one = column[pairs[0]]
        entries = slice(residuals.indptr[one], residuals.indptr[one + 1])
        weights = similarity[row[pairs], residuals.indices[entries, None]]  # (entries, pairs)
        nearest = np.argsort(-weights, axis=0, kind="stable")[:neighbours]
        weights = np.take_along_axis(weights, nearest, axis=0).clip(0.0)
        total = weights.sum(axis=0)
        sums = (weights * residuals.data[entries][nearest]).sum(axis=0)
        np.divide(sums, total + damping, out=sums, where=total > 0)
        means[pairs] = sums
    return means
