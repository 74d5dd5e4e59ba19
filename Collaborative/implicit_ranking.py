"""Recommenders that rank movies and predict no stars, for `compare_all.py --ranking`: rivals of the
field for lists of movies, beside recommenders whose predicted stars are ranked.

They learn from pairs of a user and a movie, "positives": ratings of at least `least_stars`. They
know neither the number of stars nor the movies with lower ratings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from Collaborative.ease import inverse_of
from Collaborative.rated import FEWER_MOVIES, check_square
from recbench.contract import Training
from recbench.ratings import places, rows_of_each

LAST = float(np.finfo(np.float32).min)  # the score of a movie without positives


class RankingModel(ABC):
    """The common part: the matrix of positives, and users and movies outside it.

    For a user without positives, movies are ranked by popularity; a movie without positives comes
    last.
    """

    name: ClassVar[str]
    learns_from: ClassVar[str] = "all"
    tuned: ClassVar[str] = "results/tuning/ranking"
    least_stars: float

    def fit(self, training: Training) -> Self:
        """Learn from the positives among all training ratings, including those of background
        users."""
        ratings = training.all_ratings
        positive = ratings.take(ratings.stars >= self.least_stars)
        self._users, row = np.unique(positive.user, return_inverse=True)
        self._movies, column = np.unique(positive.movie, return_inverse=True)
        ones, shape = np.ones(len(positive), np.float32), (len(self._users), len(self._movies))
        self._x = sparse.csr_matrix((ones, (row, column)), shape)
        self._x.sort_indices()
        self._count = np.bincount(positive.movie, minlength=len(training.movies))
        if len(positive):
            self._learn(training.seed)
        return self

    @abstractmethod
    def _learn(self, seed: int) -> None:
        """Learn from the matrix of positives, which is not empty."""

    @abstractmethod
    def _scores(self, row: int, columns: np.ndarray) -> np.ndarray:
        """Scores of a row of the matrix for some columns (int [n]): float [n]."""

    def rank_scores(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Scores to rank movies by, highest first; comparable only within a user.

        Args:
            user, movie: int [n], as in `Recommender.predict`.

        Returns:
            float64 [n], finite.
        """
        found = self._count[movie].astype(np.float64)
        row, column = places(user, self._users), places(movie, self._movies)
        for pairs in rows_of_each(row):
            one = int(row[pairs[0]])
            if one < len(self._users):
                there = column[pairs] < len(self._movies)
                found[pairs] = LAST
                found[pairs[there]] = self._scores(one, column[pairs[there]])
        return found

    def state_bytes(self) -> int:
        """Bytes of all users' positives."""
        return self._users.nbytes + self._x.indices.nbytes + self._x.indptr.nbytes

    def shared_bytes(self) -> int:
        """Bytes that serve all users: the counts of movies."""
        return self._movies.nbytes + self._count.nbytes


@dataclass(eq=False)
class MostPopular(RankingModel):
    """Ranks the movies with the most positives first, the same for all users.

    Args:
        least_stars: of a positive.
    """

    name: ClassVar[str] = "most_popular"

    least_stars: float = 4.0

    def _learn(self, seed: int) -> None:
        pass

    def _scores(self, row: int, columns: np.ndarray) -> np.ndarray:
        return self._count[self._movies[columns]]


@dataclass(eq=False)
class ImplicitEase(RankingModel):
    """score_ui = Σ_j x_uj B_ji, x = 1 for a positive, else 0.

    B minimises ‖X − XB‖² + λ ‖B‖² with a zero diagonal: B_ji = −P_ji / P_ii, P = (XᵀX + λ)⁻¹
    (Steck 2019, "Embarrassingly shallow autoencoders for sparse data"). Nothing is random.

    Args:
        least_stars: of a positive.
        regularisation: λ.
    """

    name: ClassVar[str] = "ease_implicit"

    least_stars: float = 4.0
    regularisation: float = 300.0

    def _learn(self, seed: int) -> None:
        check_square(self.name, len(self._movies), "movies", FEWER_MOVIES)
        inverse = inverse_of(sparse.csr_array(self._x, dtype=np.float64), self.regularisation)
        self._weights = inverse / -np.diag(inverse)
        np.fill_diagonal(self._weights, 0.0)

    def _scores(self, row: int, columns: np.ndarray) -> np.ndarray:
        own = self._x.indices[self._x.indptr[row] : self._x.indptr[row + 1]]
        return self._weights[own].sum(axis=0)[columns]

    def shared_bytes(self) -> int:
        return super().shared_bytes() + self._weights.nbytes


class FactorRanking(RankingModel):
    """score_ui = p_u·q_i, learned by the library `implicit` (Frederickson) on one thread, so that
    the same seed gives the same digits."""

    def _learn(self, seed: int) -> None:
        model = self._model(num_threads=1, random_state=seed)
        model.fit(self._x, show_progress=False)
        self._p, self._q = model.user_factors, model.item_factors

    @abstractmethod
    def _model(self, **common: Any) -> Any:
        """The library's model, unfitted."""

    def _scores(self, row: int, columns: np.ndarray) -> np.ndarray:
        return (self._q @ self._p[row])[columns]

    def state_bytes(self) -> int:
        return super().state_bytes() + self._p.nbytes

    def shared_bytes(self) -> int:
        return super().shared_bytes() + self._q.nbytes


@dataclass(eq=False)
class ImplicitAls(FactorRanking):
    """Weighted least squares on all pairs, positives with weight α, others with weight 1 and target
    0 (Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit feedback datasets"), by
    alternating least squares with conjugate gradients.

    Args:
        least_stars: of a positive.
        factors: of p and q.
        weight: α.
        regularisation: of the squared lengths of p and q.
        epochs: rounds over users and movies.
    """

    name: ClassVar[str] = "ials"

    least_stars: float = 4.0
    factors: int = 64
    weight: float = 1.0
    regularisation: float = 10.0
    epochs: int = 15

    def _model(self, **common: Any) -> Any:
        from implicit.cpu.als import AlternatingLeastSquares  # takes half a second

        return AlternatingLeastSquares(
            factors=self.factors,
            regularization=self.regularisation,
            alpha=self.weight,
            iterations=self.epochs,
            **common,
        )


@dataclass(eq=False)
class ImplicitBpr(FactorRanking):
    """Stochastic gradient descent on −log σ(score_ui − score_uj), where i is a positive of the user
    and j is not, drawn in proportion to its positives (Rendle, Freudenthaler, Gantner and
    Schmidt-Thieme 2009, "BPR: Bayesian personalized ranking from implicit feedback"). q has a bias
    of the movie.

    Args:
        least_stars: of a positive.
        factors: of p and q, the bias not counted.
        learning_rate, regularisation: of a step. They are the best on average of two datasets; on
            MovieLens 1M alone a rate of .003 is better.
        epochs: each has as many steps as there are positives.
    """

    name: ClassVar[str] = "bpr"

    least_stars: float = 4.0
    factors: int = 64
    learning_rate: float = 0.01
    regularisation: float = 0.001
    epochs: int = 100

    def _model(self, **common: Any) -> Any:
        from implicit.cpu.bpr import BayesianPersonalizedRanking  # takes half a second

        return BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularisation,
            iterations=self.epochs,
            **common,
        )
