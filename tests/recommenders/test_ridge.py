"""Ridge regression of every user against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from fitting import fit
from sklearn.linear_model import Ridge

from PerUser.ridge import PerUserRidge
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings


@pytest.mark.parametrize("alpha", [0.5, 20.0])
def test_it_is_scikit_learns_ridge(alpha):
    movies = toy_movies(90)
    train = toy_ratings([12, 1, 7, 0, 30, 85, 2], movies=90, seed=1)
    model = fit(
        PerUserRidge(alpha=alpha, damping=0.0, decay_power=0.0, start="mean"), train, movies
    )
    for user in np.unique(train.user):
        own = train.take(train.user == user)
        ridge = Ridge(alpha=alpha).fit(movies.bits[own.movie].astype(float), own.stars)
        expected = ridge.predict(movies.bits.astype(float)).clip(0.5, 5)
        stars = model.predict(np.full(90, user), np.arange(90))
        np.testing.assert_allclose(stars, expected, atol=1e-5)


def test_from_an_item_baseline_it_is_scikit_learns_ridge_on_residuals():
    movies = toy_movies(90)
    baseline = np.random.default_rng(2).uniform(2, 4, 90)
    train = toy_ratings([12, 1, 40], movies=90, seed=1)
    model = PerUserRidge(alpha=3.0, damping=0.0, decay_power=0.0, start="item_baseline")
    fit(model, train, movies, ItemBaseline(baseline))
    features = np.column_stack((movies.bits, baseline))
    for user in np.unique(train.user):
        own = train.take(train.user == user)
        ridge = Ridge(alpha=3.0).fit(features[own.movie], own.stars - baseline[own.movie])
        expected = (baseline + ridge.predict(features)).clip(0.5, 5)
        stars = model.predict(np.full(90, user), np.arange(90))
        np.testing.assert_allclose(stars, expected, atol=1e-5)
    unknown = model.predict(np.full(90, 77), np.arange(90))  # the baseline, and the mean residual
    np.testing.assert_allclose(
        unknown, (baseline + (train.stars - baseline[train.movie]).mean()).clip(0.5, 5), atol=1e-5
    )


def test_the_intercept_is_shrunk_to_the_mean_of_all_ratings():
    """Two ratings of 5 beside two of 2: m = 3.5, and (5 + 5 + 2 · 3.5) / (2 + 2) = 4.25."""
    train = Ratings(
        np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5, 5, 2, 2]), np.zeros(4)
    )
    model = fit(PerUserRidge(damping=2.0, decay_power=0.0, start="mean"), train, toy_movies(3))
    assert model.predict(np.array([0, 1, 9]), np.array([2, 2, 2])).tolist() == [4.25, 2.75, 3.5]


def test_it_finds_the_weights_of_bits():
    movies = toy_movies(400)
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 0.3, (3, 26))  # of each bit to each of three users
    user, movie = np.repeat(np.arange(3), 300), np.tile(np.arange(300), 3)
    truth = 3 + (weight[user] * (movies.bits[movie] - 0.5)).sum(axis=1)
    train = Ratings(user, movie, (truth + rng.normal(0, 0.2, 900)).clip(0.5, 5), np.zeros(900))
    model = fit(PerUserRidge(alpha=1.0, start="mean"), train, movies)
    user, movie = np.repeat(np.arange(3), 100), np.tile(np.arange(300, 400), 3)
    truth = (3 + (weight[user] * (movies.bits[movie] - 0.5)).sum(axis=1)).clip(0.5, 5)
    assert np.sqrt(((model.predict(user, movie) - truth) ** 2).mean()) < 0.15


def test_the_time_decay_is_scikit_learns_sample_weight():
    movies = toy_movies(90)
    train = toy_ratings([12, 1, 40], movies=90, seed=1)
    shuffled = np.random.default_rng(4).permutation(len(train))
    model = PerUserRidge(alpha=3.0, damping=0.0, decay_after=4.0, decay_power=0.8, start="mean")
    fit(model, train.take(shuffled), movies)
    for user in np.unique(train.user):
        own = train.take(train.user == user)  # in order of time
        weight = (1 + np.arange(len(own))[::-1] / 4.0) ** -0.8
        ridge = Ridge(alpha=3.0).fit(
            movies.bits[own.movie].astype(float), own.stars, sample_weight=weight
        )
        stars = model.predict(np.full(90, user), np.arange(90))
        expected = ridge.predict(movies.bits.astype(float)).clip(0.5, 5)
        np.testing.assert_allclose(stars, expected, atol=1e-5)
