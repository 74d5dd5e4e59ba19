"""`lightgbm`: gradient-boosted regression trees on statistics of users and movies."""

from __future__ import annotations

from typing import ClassVar, Self

import lightgbm
import numpy as np
from sklearn.model_selection import KFold

from Collaborative.rating_statistics import RatingStatistics, out_of_fold
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import Recommender

# The same result whatever the number of cores.
REPRODUCIBLE = {"deterministic": True, "force_row_wise": True, "num_threads": 1}
BINS = 63  # of a feature: about as accurate here as LightGBM's 255, in less time
RATINGS_PER_TREE = 0.5  # each tree is grown on a random half of the ratings


class LightGBMTrees(Recommender):
    """r̂_ui = c_i + b_u + F(x_ui), F being a sum of regression trees by LightGBM.

    c and b are item baseline and user bias; x_ui are statistics of the user, of the movie, of how
    the user rates movies with the movie's bits and of what the users like who like the movie, the
    movie's bits and its external votes: see `RatingStatistics`. No user or movie is known by its
    number. F is fitted to r − c − b by gradient boosting with the squared error (Friedman 2001,
    "Greedy function approximation"; Ke et al. 2017, "LightGBM").

    c, b and x of a training rating are made out of fold, from the ratings of the other folds; for a
    prediction they are made from all training ratings. An unknown user or movie has the values that
    the statistics are shrunk to.

    Args:
        seed: of the folds, and of what a tree may look at, 0 or more.
        trees: how many.
        learning_rate: what a tree's step is multiplied by.
        leaves: of a tree, at most.
        ratings_per_leaf: of a tree, at least.
        features_per_tree: the part of x that a tree may look at.
        damping: κ of all statistics, in ratings.
        folds: 2 or more.

    LightGBM's own are 100 trees, 0.1, 31 leaves, 20 ratings in each and all features.
    """

    name: ClassVar[str] = "lightgbm"
    learns_from_background: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("seed",)
    search_space: ClassVar[dict] = {
        "trees": (20, 200, "int"),
        "learning_rate": (0.02, 0.3, "log"),
        "leaves": (4, 64, "int"),
        "ratings_per_leaf": (10, 200, "int"),
        "features_per_tree": (0.1, 1.0, "linear"),
        "damping": (2.0, 40.0, "log"),
        "folds": (2, 10, "int"),
    }
    tuned: ClassVar[str] = "results/tuning/references"

    def __init__(
        self,
        seed: int = 0,
        trees: int = 137,
        learning_rate: float = 0.035,
        leaves: int = 26,
        ratings_per_leaf: int = 126,
        features_per_tree: float = 0.21,
        damping: float = 10.0,
        folds: int = 3,
    ) -> None:
        self.seed = seed
        self.trees = trees
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.ratings_per_leaf = ratings_per_leaf
        self.features_per_tree = features_per_tree
        self.damping = damping
        self.folds = folds

    def fit(self, train: Ratings, movies: Movies) -> Self:
        users = int(train.user.max()) + 1 if len(train) else 0
        self._statistics = RatingStatistics.of(train, movies, users, self.damping)
        self._model = None
        if len(train) < self.folds:
            return self
        folds = KFold(self.folds, shuffle=True, random_state=self.seed)
        baseline, features = out_of_fold(train, movies, users, self.damping, folds)
        parameters = {
            "objective": "regression",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.ratings_per_leaf,
            "feature_fraction": self.features_per_tree,
            "bagging_fraction": RATINGS_PER_TREE,
            "bagging_freq": 1,
            "max_bin": BINS,
            "seed": self.seed,
            "verbosity": -1,
            **REPRODUCIBLE,
        }
        data = lightgbm.Dataset(features, train.stars - baseline, params=parameters)
        self._model = lightgbm.train(parameters, data, num_boost_round=self.trees)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._statistics.baseline(user, movie)
        if self._model is not None and len(user):
            features = self._statistics.features(user, movie)
            stars += self._model.predict(features, num_threads=1)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        trees = len(self._model.model_to_string().encode()) if self._model else 0
        return self._statistics.nbytes() + trees
