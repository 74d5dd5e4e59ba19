"""Recommenders that rank movies and predict no stars."""

from dataclasses import replace

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse

from recbench.contract import Training
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import RANKERS, load_recommender
from recbench.threads import one_thread


@pytest.fixture(scope="module")
def cell(synthetic):
    return make_cell(synthetic, PROTOCOLS["strict"], 20, 20)


@pytest.fixture(scope="module")
def training(cell):
    return Training(cell.personal.train, cell.movies, background=cell.personal.background, seed=3)


def every_pair(training):
    users, movies = np.unique(training.all_ratings.user), np.arange(len(training.movies))
    return np.repeat(users, len(movies)), np.tile(movies, len(users))


def scores(name, training, rows=slice(None)):
    user, movie = every_pair(training)
    with one_thread():
        return load_recommender(name)().fit(training).rank_scores(user[rows], movie[rows])


def test_ease_is_the_regression_of_each_movie_on_the_others(training):
    """A plain ridge regression for each movie, its own column left out."""
    ratings, penalty = training.all_ratings, 7.0
    x = np.zeros((ratings.user.max() + 1, len(training.movies)))
    x[ratings.user, ratings.movie] = ratings.stars >= 4
    model = load_recommender("ease_implicit")(regularisation=penalty).fit(training)
    for movie in np.flatnonzero(x.any(axis=0))[:10]:
        others = np.delete(x, movie, axis=1)
        gram = others.T @ others + penalty * np.eye(others.shape[1])
        expected = others @ np.linalg.solve(gram, others.T @ x[:, movie])
        users = np.flatnonzero(x.any(axis=1))
        found = model.rank_scores(users, np.full(len(users), movie))
        np.testing.assert_allclose(found, expected[users], atol=1e-10)


def test_als_is_the_librarys(training):
    ratings = training.all_ratings.take(training.all_ratings.stars >= 4)
    users, row = np.unique(ratings.user, return_inverse=True)
    movies, column = np.unique(ratings.movie, return_inverse=True)
    x = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)))
    with one_thread():
        model = load_recommender("ials")().fit(training)
        library = AlternatingLeastSquares(
            factors=model.factors, regularization=model.regularisation, alpha=model.weight,
            iterations=model.epochs, num_threads=1, random_state=3,
        )  # fmt: skip
        library.fit(x, show_progress=False)
    ids, found = library.recommend(0, x[0], N=10)
    own = model.rank_scores(np.full(10, users[0]), movies[ids])
    np.testing.assert_allclose(own, found, rtol=1e-5)


def test_popularity_counts_who_liked_a_movie(training):
    ratings = training.all_ratings
    count = np.bincount(ratings.movie[ratings.stars >= 4], minlength=len(training.movies))
    movie = every_pair(training)[1]
    ranked = scores("most_popular", training)
    rated = count[movie] > 0
    assert np.array_equal(ranked[rated], count[movie][rated])
    assert (ranked[~rated] <= 0).all()


@pytest.mark.parametrize("name", RANKERS)
def test_the_same_seed_gives_the_same_digits(name, training):
    """Whatever the order of the ratings, and however many are ranked at a time."""
    first = scores(name, training)
    assert np.isfinite(first).all()
    order = np.random.default_rng(0).permutation(len(training.ratings))
    assert np.array_equal(
        scores(name, replace(training, ratings=training.ratings.take(order))), first
    )
    few = np.random.default_rng(1).integers(0, len(first), 50)
    assert np.array_equal(scores(name, training, few), first[few])


@pytest.mark.parametrize("name", RANKERS)
def test_users_and_movies_without_positives(name, training):
    nobody = training.all_ratings.user.max() + 1
    model = load_recommender(name)().fit(training)
    movies = np.arange(len(training.movies))
    assert np.array_equal(model.rank_scores(np.full(len(movies), nobody), movies), model._count)
    none = training.ratings.take(training.ratings.stars < 4)
    empty = load_recommender(name)().fit(Training(none, training.movies))
    assert not empty.rank_scores(np.zeros(5, int), np.arange(5)).any()


@pytest.mark.parametrize("name", RANKERS)
def test_what_is_held_out_changes_no_score(name, cell):
    """Its stars and its movies: the order is made of training ratings alone."""
    made = []

    def measured(cell):
        made.append(load_recommender(name)())
        return measure(lambda: made[-1], cell, rank=True)

    row = measured(cell).row
    test = cell.personal.test
    shuffled = replace(test, movie=test.movie[::-1].copy(), stars=5.5 - test.stars)
    split = replace(cell.personal, test=shuffled)
    measured(replace(cell, personal=split, collaborative=split))
    users, movies = (
        np.repeat(np.arange(20), len(cell.movies)),
        np.tile(np.arange(len(cell.movies)), 20),
    )
    first, second = (model.rank_scores(users, movies) for model in made)
    assert np.array_equal(first, second)
    assert row["ranking_users"]
    assert row["rmse"] is row["accuracy_mean"] is row["coverage"] is None


def test_they_show_popular_movies(cell):
    """A random order has a mean percentile of one half."""
    for name in RANKERS:
        row = measure(load_recommender(name), cell, rank=True).row
        assert row["ranking_popularity"] > 0.6, name
