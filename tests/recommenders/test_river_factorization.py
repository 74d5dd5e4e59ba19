"""`river_mf`: the same as River, rating by rating; the order of time; a truth to find again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from Collaborative.river_factorization import RiverFactorization
from river import optim, reco

from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import DEFAULT_STARS, Ratings

USERS, MOVIES = 14, 11


@pytest.fixture
def train() -> Ratings:
    """Users and movies with gaps in their numbers, and rows that are not in the order of time."""
    rng = np.random.default_rng(3)
    user, movie = np.nonzero(rng.random((USERS, MOVIES)) < 0.6)
    keep = (user != 5) & (movie != 7)
    user, movie = user[keep], movie[keep]
    return Ratings(user, movie, rng.integers(1, 11, len(user)) / 2, rng.integers(0, 40, len(user)))


@pytest.mark.parametrize("epochs", [1, 7])
@pytest.mark.parametrize("factors", [2, 5])
@pytest.mark.parametrize("start", ["mean", "item_baseline"])
def test_it_is_river(train, epochs, factors, start):
    rates, l2 = {"bias": 0.02, "latent": 0.05}, {"bias": 0.1, "latent": 0.03}
    river = reco.BiasedMF(
        n_factors=factors,
        bias_optimizer=optim.SGD(rates["bias"]),
        latent_optimizer=optim.SGD(rates["latent"]),
        l2_bias=l2["bias"],
        l2_latent=l2["latent"],
        seed=4,
    )
    c = np.linspace(2.5, 3.5, MOVIES) if start == "item_baseline" else np.full(MOVIES, 3.0)
    level = c + (train.stars - c[train.movie]).mean(dtype=np.float64)
    for _ in range(epochs):
        for row in np.argsort(train.time, kind="stable").tolist():
            user, movie = int(train.user[row]), int(train.movie[row])
            river.learn_one(user, movie, float(train.stars[row]) - level[movie])

    ours = RiverFactorization(
        4, factors, epochs, rates["bias"], rates["latent"], l2["bias"], l2["latent"], start
    ).fit(train, toy_movies(MOVIES), ItemBaseline(c))
    users, movies = np.unique(train.user).tolist(), np.unique(train.movie).tolist()
    pairs = [(user, movie) for user in users for movie in movies]
    expected = np.array([level[m] + river.predict_one(u, m) for u, m in pairs]).clip(0.5, 5)
    asked = np.array(pairs).T
    np.testing.assert_allclose(ours.predict(*asked), expected, rtol=0, atol=1e-6)
    factors_of_users = [river.u_latents[user] for user in users]
    np.testing.assert_allclose(ours._user_factors, factors_of_users, rtol=0, atol=1e-12)


def test_of_the_unknown_nothing_is_assumed(train):
    c = np.linspace(2.5, 3.5, MOVIES)
    model = RiverFactorization(epochs=3).fit(train, toy_movies(MOVIES), ItemBaseline(c))
    level = c + (train.stars - c[train.movie]).mean(dtype=np.float64)
    stranger, unrated = model.predict([5, 99], [7, 7])
    assert stranger == unrated == pytest.approx(level[7] + model._mean, abs=1e-6)


def test_without_ratings_the_start_is_predicted():
    train, movies = toy_ratings([], movies=3), toy_movies(3)
    assert RiverFactorization(start="mean").fit(train, movies).predict([0], [1]) == DEFAULT_STARS


def test_the_order_of_time_counts_and_that_of_rows_does_not(train):
    train = replace(train, time=np.random.default_rng(1).permutation(len(train)))
    shuffled = train.take(np.random.default_rng(0).permutation(len(train)))
    backwards = replace(train, time=-train.time)
    asked = np.repeat(np.arange(USERS), MOVIES), np.tile(np.arange(MOVIES), USERS)

    def stars(ratings: Ratings) -> np.ndarray:
        model = RiverFactorization(start="mean", learning_rate_bias=0.02)
        return model.fit(ratings, toy_movies(MOVIES)).predict(*asked)

    np.testing.assert_allclose(stars(train), stars(shuffled), atol=1e-6)
    assert np.abs(stars(train) - stars(backwards)).max() > 0.01


def test_it_finds_an_interaction_that_biases_cannot():
    """Half the users love even movies and hate odd ones, the other half the reverse."""
    rng = np.random.default_rng(1)
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(60), np.arange(44)))
    truth = np.where((user + movie) % 2 == 0, 4.5, 1.5)
    seen = rng.random(len(user)) < 0.6
    train = Ratings(user, movie, truth, rng.permutation(len(user))).take(seen)
    model = RiverFactorization(factors=5, epochs=40, learning_rate=0.02, l2=0.01, start="mean")
    stars = model.fit(train, toy_movies(44)).predict(user[~seen], movie[~seen])
    assert np.abs(stars - truth[~seen]).mean() < 0.2
