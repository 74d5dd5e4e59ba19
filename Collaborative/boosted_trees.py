"""`boosted_trees`: gradient-boosted regression trees on statistics of users and movies."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold

from recbench.contract import Recommender, Training
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.threads import one_thread

BINS = 63  # of a feature: about as accurate here as 255, in less time
CHUNK = 50_000  # rows whose users' profiles are in memory at once
LEAST_VARIANCE = 1e-6  # so that nothing is divided by zero where all is alike


@dataclass(eq=False)
class BoostedTrees(Recommender):
    """r̂_ui = c_i + b_u + F(x_ui), F being a sum of regression trees.

    c and b are item baseline and user bias; x_ui are statistics of the user, of the movie, of how
    the user rates movies with the movie's bits and of what the users like who like the movie, the
    movie's bits and its external votes: see `RatingStatistics`. No id is among them. F is fitted
    to r − c − b by gradient boosting with the squared error (Friedman 2001, "Greedy function
    approximation"), by scikit-learn's `HistGradientBoostingRegressor`.

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

    trees: int = 154
    learning_rate: float = 0.027
    leaves: int = 27
    ratings_per_leaf: int = 202
    features_per_split: float = 0.039
    damping: float = 9.6
    folds: int = 3

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
        tables = self._statistics
        return tables.user_bias.nbytes + tables.of_user.nbytes + tables.profile.nbytes

    def shared_bytes(self) -> int:
        tables = self._statistics
        of_movies = (tables.start, tables.of_movie, tables.taste, tables.bits)
        return sum(table.nbytes for table in of_movies) + len(pickle.dumps(self._trees))


# --- the statistics ----------------------------------------------------------------------------


@dataclass(frozen=True)
class RatingStatistics:
    """Statistics of each user and movie, shrunk towards what they are without ratings.

    With c the item baseline fitted to the same ratings, e = r − c, x = c less its mean over the
    ratings, z the bits of a movie, n a number of ratings and κ the damping:

        b_u   Σ_i e / (n_u + κ), the user bias; f = e − b_u
        b_i   Σ_u f / (n_i + κ), what the baseline leaves of the movie
        σ_u   √((Σ_i f² + κ s²) / (n_u + κ)), the spread, s² being the mean of f²; σ_i likewise
        s_u   Σ_i f x / (Σ_i x² + κ mean x²), the slope on the item baseline
        a_uk  Σ_i f z_ik / (n_uk + κ), the affinity to bit k, of the movies that have it
        t_ik  Σ_u f a_uk / (Σ_u a_uk² + κ mean a_k²), the taste of those who like the movie: its
              slope on each number of a profile, which is a_u, b_u and s_u

    Attributes:
        start: float64 [movies], c.
        user_bias: float64 [users + 1], b; in all tables the last user stands for unknown ones.
        of_user: float32 [users + 1, features].
        of_movie: float32 [movies, features], its bits and external votes among them.
        profile: float32 [users + 1, bits + 2], a_u, b_u, s_u.
        taste: float32 [movies, bits + 2], t.
        bits: float32 [movies, bits], z.
        channel: float32 [bits, channels], 1 where the bit is of the channel.
    """

    start: np.ndarray
    user_bias: np.ndarray
    of_user: np.ndarray
    of_movie: np.ndarray
    profile: np.ndarray
    taste: np.ndarray
    bits: np.ndarray
    channel: np.ndarray

    @staticmethod
    def of(ratings: Ratings, movies: Movies, users: int, damping: float) -> RatingStatistics:
        """Of `users` users, above all indices in `ratings`; damping: κ, in ratings."""
        user, movie = ratings.user, ratings.movie
        shape = users + 1, len(movies)
        n_u, n_i = np.bincount(user, minlength=shape[0]), np.bincount(movie, minlength=shape[1])
        bits = movies.bits.astype(np.float32)

        def by_user(values: np.ndarray) -> np.ndarray:
            return np.bincount(user, values, shape[0])  # (users + 1,)

        def by_movie(values: np.ndarray) -> np.ndarray:
            return np.bincount(movie, values, shape[1])  # (movies,)

        def table(values: np.ndarray) -> sparse.csr_matrix:
            return sparse.csr_matrix((values, (user, movie)), shape=shape)

        c = ItemBaseline.fit(ratings, movies).stars
        e = ratings.stars - c[movie]  # (ratings,)
        b_u = by_user(e) / (n_u + damping)
        f = e - b_u[user]
        b_i = by_movie(f) / (n_i + damping)
        variance = damping * (np.mean(f**2) if len(f) else 1.0)
        spread_u = np.sqrt((by_user(f**2) + variance) / (n_u + damping))
        spread_i = np.sqrt((by_movie(f**2) + variance) / (n_i + damping))

        mean_c = n_i @ c / max(len(f), 1)
        x = c[movie] - mean_c
        slope = by_user(f * x) / (by_user(x**2) + damping * _mean_square(x))
        seen = by_user(x) / (n_u + damping)  # whether the user picks movies that are liked
        raters = by_movie(b_u[user]) / (n_i + damping)  # whether they are generous

        residuals, rated = table(f), table(np.ones(len(f)))
        affinity = residuals @ bits / (rated @ bits + damping)  # (users + 1, bits)
        profile = _columns(affinity, b_u, slope)
        squares = rated.T @ profile**2  # (movies, bits + 2)
        prior = squares.sum(axis=0) / max(len(f), 1) + LEAST_VARIANCE
        taste = residuals.T @ profile / (squares + damping * prior)

        sizes = list(movies.channels.values())
        channel = np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0)
        votes = np.nan_to_num(movies.vote_average), movies.vote_count  # 0: without votes
        return RatingStatistics(
            start=c,
            user_bias=b_u,
            of_user=_columns(b_u, spread_u, slope, seen, n_u),
            of_movie=_columns(c, b_i, spread_i, raters, n_i, *votes, bits),
            profile=profile,
            taste=taste.astype(np.float32),
            bits=bits,
            channel=channel,
        )

    def baseline(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """c_i + b_u, float64 [n]."""
        return self.start[movie] + self.user_bias[self._row(user)]

    def features(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """Features of each pair, float32 [n, features].

        c_i + b_u; a_u·t_i, the user's profile times the movie's taste; the mean affinity to the
        movie's bits, of all and of each channel; then those of the user or the movie alone.
        """
        row = self._row(user)
        channels = self.channel.shape[1]
        pair = np.empty((len(user), 3 + channels), dtype=np.float32)
        pair[:, 0] = self.baseline(user, movie)
        for first in range(0, len(user), CHUNK):
            part = slice(first, first + CHUNK)
            profile, has = self.profile[row[part]], self.bits[movie[part]]
            pair[part, 1] = (profile * self.taste[movie[part]]).sum(axis=1)
            affinity = profile[:, : has.shape[1]] * has  # (rows, bits)
            pair[part, 2] = affinity.sum(axis=1) / np.maximum(has.sum(axis=1), 1)
            pair[part, 3:] = affinity @ self.channel / np.maximum(has @ self.channel, 1)
        return _columns(pair, self.of_user[row], self.of_movie[movie])

    def _row(self, user: np.ndarray) -> np.ndarray:
        return np.minimum(user, len(self.user_bias) - 1)


def out_of_fold(
    train: Ratings, movies: Movies, users: int, damping: float, folds: KFold
) -> tuple[np.ndarray, np.ndarray]:
    """`baseline` and `features` of each row of `train`, from the statistics of the other folds.

    No row has a part in its own statistics, the item baseline among them. To leave out the row
    alone would not do: the mean of a user's other ratings falls as the rating itself rises, and
    trees that can tell users apart read the one from the other. The fewer folds, the less.

    Returns:
        float64 [ratings] and float32 [ratings, features].
    """
    parts = []
    for others, rows in folds.split(train.user):
        statistics = RatingStatistics.of(train.take(others), movies, users, damping)
        pairs = train.user[rows], train.movie[rows]
        parts.append((rows, statistics.baseline(*pairs), statistics.features(*pairs)))
    rows, baseline, features = map(np.concatenate, zip(*parts, strict=True))
    back = np.argsort(rows)
    return baseline[back], features[back]


def _mean_square(values: np.ndarray) -> float:
    return max(float(np.mean(values**2)) if len(values) else 1.0, LEAST_VARIANCE)


def _columns(*columns: np.ndarray) -> np.ndarray:
    return np.column_stack([np.asarray(column, dtype=np.float32) for column in columns])
