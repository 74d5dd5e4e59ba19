"""`boosted_trees`: gradient-boosted regression trees on statistics of users and movies."""

from __future__ import annotations

import pickle
from typing import ClassVar, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold

from Collaborative.rating_statistics import RatingStatistics, out_of_fold
from recbench.contract import Recommender, Training
from recbench.ratings import MAX_STARS, MIN_STARS
from recbench.threads import one_thread

BINS = 63  # of a feature: about as accurate here as 255, in less time


class BoostedTrees(Recommender):
    """r̂_ui = c_i + b_u + F(x_ui), F being a sum of regression trees.

    c and b are item baseline and user bias; x_ui are statistics of the user, of the movie, of how
    the user rates movies with the movie's bits and of what the users like who like the movie, the
    movie's bits and its external votes: see `RatingStatistics`. No user or movie is known by its
    number. F is fitted to r − c − b by gradient boosting with the squared error (Friedman 2001,
    "Greedy function approximation"), by scikit-learn's `HistGradientBoostingRegressor`.

    c, b and x of a training rating are made out of fold, from the ratings of the other folds; for a
    prediction they are made from all training ratings. An unknown user or movie has the values that
    the statistics are shrunk to.

    Args:
        trees: how many.
        learning_rate: what a tree's step is multiplied by.
        leaves: of a tree, at most.
        ratings_per_leaf: of a tree, at least.
        features_per_split: the part of x that a split may look at, above 0 to 1.
        damping: κ of all statistics, in ratings.
        folds: 2 or more.

    scikit-learn's own are 100 trees, 0.1, 31 leaves, 20 ratings in each and all features.
    """

    name: ClassVar[str] = "boosted_trees"
    learns_from: ClassVar[str] = "all"
    search_space: ClassVar[dict] = {
        "trees": (20, 200, "int"),
        "learning_rate": (0.02, 0.3, "log"),
        "leaves": (4, 64, "int"),
        "ratings_per_leaf": (20, 400, "int"),
        "features_per_split": (0.03, 1.0, "log"),
        "damping": (2.0, 40.0, "log"),
        "folds": (2, 10, "int"),
    }
    tuned: ClassVar[str] = "results/tuning/boosted-trees"

    def __init__(
        self,
        trees: int = 154,
        learning_rate: float = 0.027,
        leaves: int = 27,
        ratings_per_leaf: int = 202,
        features_per_split: float = 0.039,
        damping: float = 9.6,
        folds: int = 3,
    ) -> None:
        self.trees = trees
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.ratings_per_leaf = ratings_per_leaf
        self.features_per_split = features_per_split
        self.damping = damping
        self.folds = folds

    @one_thread()  # of small trees several take ten times the processor time
    def fit(self, training: Training) -> Self:
        train, movies = training.all_ratings, training.movies
        users = int(train.user.max()) + 1 if len(train) else 0
        self._statistics = RatingStatistics.of(train, movies, users, self.damping)
        self._trees = None
        if len(train) < self.folds:
            return self
        folds = KFold(self.folds, shuffle=True, random_state=training.seed)
        baseline, features = out_of_fold(train, movies, users, self.damping, folds)
        self._trees = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.ratings_per_leaf,
            max_features=self.features_per_split,
            max_bins=BINS,
            early_stopping=False,
            random_state=training.seed,
        ).fit(features, train.stars - baseline)
        return self

    @one_thread()
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._statistics.baseline(user, movie)
        if self._trees is not None and len(user):
            stars += self._trees.predict(self._statistics.features(user, movie))
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._statistics.bytes_of_users()

    def shared_bytes(self) -> int:
        return self._statistics.bytes_of_movies() + len(pickle.dumps(self._trees))
