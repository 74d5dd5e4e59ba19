"""What a factorisation machine of other users' ratings says of movies: mean stars and likeness."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recbench.models.factorization.features import movie_features, one_hot, places
from recbench.models.factorization.movie_vectors import MovieFeatures
from recbench.models.factorization.sampling import Design, NormalFM, block_of
from recbench.ratings import Movies, Ratings

INITIAL_DEVIATION = 0.021


def mean_and_factors(
    ratings: Ratings, movies: Movies, seed: int, rank: int, samples: int, factors: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mean over users of a movie's stars, and factors of their covariance between movies.

    A factorisation machine (Rendle 2010) of users and of movies with their bits and votes is
    sampled as in Freudenthaler, Schmidt-Thieme & Rendle (2011). In a sample s a movie is a vector q
    of `rank` + 1 numbers, the sum of v over its features and a one; a user is (v_u, w_u). Over
    users these have a mean ū and a covariance C. So over users the stars of two movies have the
    covariance qᵢ·C qⱼ and the mean w₀ + w·x + Σ_{j<k} (v_j·v_k) x_j x_k + q·ū, sums over the
    features of the movie alone. Both are averaged over samples; neither depends on the rotation of
    a sample.

    Args:
        ratings: of background users; at least one.
        rank, samples: see `Collaborative.bayesian_fm`.
        factors: how many numbers of each movie are kept, at most.

    Returns:
        stars float64 [movies], not clipped; F float64 [movies, ≤ factors] with F F' the covariance:
        its principal axes, a movie weighing as many ratings as it has, the largest first.
    """
    users, rated = np.unique(ratings.user), np.unique(ratings.movie)
    side, groups = movie_features(movies, rated)
    own = one_hot(places(np.arange(len(movies)), rated), len(rated) + 1)  # the last: nobody rated
    row = places(ratings.movie, rated)
    design = Design(
        one_hot(places(ratings.user, users), len(users)),
        [block_of(row, sparse.hstack((own[rated, :-1], side[rated])))],
    )
    model = NormalFM(rank, samples, INITIAL_DEVIATION, seed)
    model.fit(design, ratings.stars, [len(users), len(rated), *groups])

    films = MovieFeatures(sparse.hstack((own, side)).tocsr())
    kept = list(model.kept_samples())
    stars = np.full(len(movies), model.mean)
    parts = []  # (movies, rank + 1) of each sample, its outer product the covariance of that sample
    for offset, w, v in kept:
        of_users = np.column_stack((v[: len(users)], w[: len(users)]))  # (users, rank + 1)
        v_movie, w_movie = (_with_mean(of_all[len(users) :], len(rated)) for of_all in (v, w))
        of_film, q = films.vectors(w_movie, v_movie)  # (movies,), (movies, rank + 1)
        stars += (offset + of_film + q @ of_users.mean(axis=0)) / len(kept)
        parts.append(q @ _root(np.cov(of_users.T, bias=True)) / np.sqrt(len(kept)))
    count = np.bincount(ratings.movie, minlength=len(movies))
    return stars, _leading(np.hstack(parts), count, factors)


def _with_mean(of_features: np.ndarray, rated: int) -> np.ndarray:
    """A movie that nobody rated is expected to be like the mean of those that somebody did: that
    row is put in after the `rated` ones. The prior of a movie has this mean, which is not 0."""
    return np.insert(of_features, rated, of_features[:rated].mean(axis=0), axis=0)


def _root(covariance: np.ndarray) -> np.ndarray:
    """R with R R' the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(values.clip(0))


def _leading(wide: np.ndarray, count: np.ndarray, factors: int) -> np.ndarray:
    """`wide` (movies, k) projected on its principal axes, the `factors` largest first. Each is
    turned so that its largest number is positive: a solver may return either sign."""
    weighted = wide * np.sqrt(count)[:, None]
    values, axes = np.linalg.eigh(weighted.T @ weighted)
    narrow = wide @ axes[:, np.argsort(-values, kind="stable")[:factors]]  # (movies, factors)
    largest = narrow[np.abs(narrow).argmax(axis=0), np.arange(narrow.shape[1])]
    return narrow * np.where(largest < 0, -1.0, 1.0)
