"""`fold_in` and `vb_all`: the linear model of the item table, by other means."""

from __future__ import annotations

import numpy as np
import pytest
from fitting import fit
from sklearn.linear_model import Ridge

from Collaborative.vb_all import VbAll
from PerUser.fold_in import FoldIn
from recbench.checks.toy_data import TRAIN, UNKNOWN_USER, toy_movies, toy_table
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings
from recbench.registry import load_recommender

MOVIES = toy_movies(23)
TABLE = toy_table(MOVIES)


def test_folding_in_is_ridge_regression_on_the_factors():
    model = fit(FoldIn(noise=0.6), TRAIN, MOVIES, item_tables=ItemTables.same_for_all(TABLE))
    every = np.arange(23)
    for user in np.unique(TRAIN.user):
        own = TRAIN.take(TRAIN.user == user)
        mean = TABLE.mean + TABLE.implicit_means(own.movie, every)
        ridge = Ridge(alpha=0.6, fit_intercept=False)
        ridge.fit(TABLE.factors[own.movie], own.stars - mean[own.movie])
        expected = (mean + ridge.predict(TABLE.factors)).clip(0.5, 5)
        found = model.predict(np.full(23, user), every)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    unknown = model.predict(np.full(23, UNKNOWN_USER), every)
    np.testing.assert_allclose(unknown, TABLE.mean.clip(0.5, 5), atol=1e-6)


@pytest.mark.parametrize("name", ["personal", "ntuple", "implicit_mean", "fold_in"])
def test_each_user_has_the_table_of_the_own_fold(name):
    """Users beyond the last have the first."""
    both, fold = (TABLE, toy_table(MOVIES, seed=8)), np.array([0, 1, 0, 0, 1])
    cls = load_recommender(name)
    model = fit(cls(), TRAIN, MOVIES, item_tables=ItemTables(both, fold))
    alone = [fit(cls(), TRAIN, MOVIES, item_tables=ItemTables.same_for_all(one)) for one in both]
    every = np.arange(23)
    for user in (0, 1, 2, 4, 5, UNKNOWN_USER):
        own, other = alone[::-1] if user < 5 and fold[user] else alone
        found = model.predict(np.full(23, user), every)
        np.testing.assert_array_equal(found, own.predict(np.full(23, user), every))
        assert (found != other.predict(np.full(23, user), every)).any()


def planted(seed: int = 0) -> tuple[Ratings, np.ndarray]:
    """120 users of 23 movies, about 15 each, of a model with two factors and noise of a quarter
    star: the ratings, and the stars without noise, [users, movies]."""
    rng = np.random.default_rng(seed)
    w, x = rng.standard_normal((23, 2)) * 0.5, rng.standard_normal((120, 2))
    truth = 3 + 0.3 * rng.standard_normal(23) + x @ w.T
    user, movie = np.nonzero(rng.random((120, 23)) < 0.65)
    stars = truth[user, movie] + 0.25 * rng.standard_normal(len(user))
    return Ratings(user, movie, stars.clip(0.5, 5), np.arange(len(user))), truth


def test_a_planted_model_is_found_from_everybody():
    train, truth = planted()
    model = fit(VbAll(rank=4), train, MOVIES)
    user, movie = (one.ravel() for one in np.indices(truth.shape))
    seen = np.zeros(truth.shape, dtype=bool)
    seen[train.user, train.movie] = True
    error = (model.predict(user, movie).reshape(truth.shape) - truth.clip(0.5, 5))[~seen]
    movie_mean = np.bincount(train.movie, train.stars) / np.bincount(train.movie)
    of_means = (movie_mean - truth)[~seen]
    assert np.sqrt((error**2).mean()) < 0.3 < 0.6 * np.sqrt((of_means**2).mean())


def test_users_who_are_unknown_are_predicted_the_movie_and_nobody_is_three():
    train, _ = planted()
    model = fit(VbAll(rank=3), train, MOVIES)
    stars = model.predict(np.array([UNKNOWN_USER] * 23), np.arange(23))
    movie_mean = np.bincount(train.movie, train.stars) / np.bincount(train.movie)
    assert np.corrcoef(stars, movie_mean)[0, 1] > 0.9
    nobody = fit(VbAll(), Ratings([], [], [], []), MOVIES)
    assert nobody.predict(np.array([0, 4]), np.array([1, 2])).tolist() == [3, 3]
