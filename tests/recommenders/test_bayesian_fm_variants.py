"""Implicit features, time and ordered stars: what each must find, and what it must not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitting import fit
from scipy import sparse
from scipy.stats import norm

from Collaborative.bayesian_fm import BayesianFM, BayesianFMIds, BayesianFMOrdinal
from Collaborative.bayesian_fm_implicit import DAY, BayesianFMImplicit
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.models.factorization import MyFMRegressor
from recbench.ratings import Ratings

FEW = {"samples": 60, "rank": 2, "initial_deviation": 0.1}
ONE_RANK = {**FEW, "rank_of_many": 0}
SIZE = 60  # users, and movies


def pairs(share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """User and movie of a random share of all pairs."""
    return np.nonzero(np.random.default_rng(seed).random((SIZE, SIZE)) < share)


def of_two_kinds() -> tuple[Ratings, np.ndarray]:
    """Users of even number give 4.5 stars, the others 1.5, to movies 0 .. 59. Of movies 60 .. 79,
    which get random stars from everybody, the first kind rates half of the even ones, the second
    of the odd ones. Users 60 .. 99 have no other ratings; which movies they are tells their kind.
    """
    user, movie = pairs(0.3)
    rng = np.random.default_rng(1)
    kind = np.arange(100) % 2
    theirs = (rng.random((100, 20)) < 0.5) & (kind[:, None] == kind[:20])
    more_user, more_movie = np.nonzero(theirs)
    stars = np.r_[np.where(user % 2 == 0, 4.5, 1.5), rng.choice([1.5, 4.5], len(more_user))]
    user, movie = np.r_[user, more_user], np.r_[movie, 60 + more_movie]
    return Ratings(user, movie, stars, 0 * user), np.arange(60, 100)


def error(stars: np.ndarray) -> float:
    """RMSE where even ones get 4.5 and odd ones 1.5."""
    return float(np.sqrt(((stars - np.tile([4.5, 1.5], len(stars) // 2)) ** 2).mean()))


@pytest.mark.parametrize("ordinal", [False, True])
def test_what_a_user_rated_says_how_the_user_rates(ordinal):
    train, new = of_two_kinds()
    asked, movies = (new, np.full(len(new), 5)), toy_movies(100)
    model = BayesianFMImplicit(**ONE_RANK, with_bits=False, days=0, ordinal=ordinal)
    found = error(fit(model, train, movies).predict(*asked))
    assert found < 0.7
    assert found < 0.9 * error(fit(BayesianFMIds(**FEW), train, movies).predict(*asked))


# --- time --------------------------------------------------------------------------------------


def stars_by_day(days: int = 1) -> BayesianFMImplicit:
    """Ratings of days 10 .. 19 and 40 .. 49 of a calendar: 2 stars then, 4 stars later."""
    user, movie = pairs(0.4)
    day = np.random.default_rng(1).integers(0, 20, len(user))
    day += np.where(day < 10, 10, 30)
    train = Ratings(user, movie, np.where(day < 30, 2.0, 4.0), DAY * day + 3600)
    return fit(BayesianFMImplicit(**ONE_RANK, days=days), train, toy_movies(SIZE))


def asked(model: BayesianFMImplicit, *days: float) -> np.ndarray:
    n = len(days)
    return model.predict(np.full(n, 3), np.full(n, 4), time=(DAY * np.array(days)).astype(np.int64))


def test_the_day_of_a_rating_is_a_feature():
    """And a day without training ratings counts to the nearest."""
    model = stars_by_day()
    expected = pytest.approx([2, 2, 4, 4], abs=0.3)
    assert asked(model, 12, 15.9, 42, 48) == expected
    stars = asked(model, -500, 10, 19, 20, 29.5, 30, 40, 49, 50, 90_000)
    expected = asked(model, 10, 10, 19, 19, 19, 40, 40, 49, 49, 49)
    np.testing.assert_array_equal(stars, expected)
    assert stars[4] < 3 < stars[5]


def test_it_says_what_the_plain_design_matrix_says():
    """The same samples from relation blocks and from one row of features a rating."""
    train, movies = toy_ratings([12, 1, 7, 0, 3, 19], movies=20), toy_movies(20)
    train = replace(train, time=DAY * (np.arange(len(train)) % 3))
    few = {"samples": 20, "rank": 2, "initial_deviation": 0.1}
    model = BayesianFMImplicit(**few, days=1, with_bits=False)
    stars = fit(model, train, movies, seed=3).predict(train.user, train.movie, train.time)

    users, user = np.unique(train.user, return_inverse=True)
    rated_movies, movie = np.unique(train.movie, return_inverse=True)
    rated = np.zeros((len(users), len(rated_movies)))
    rated[user, movie] = 1
    no_user, no_movie = np.zeros((len(train), 1)), np.zeros((len(train), 1))  # unknown ones
    by_user, by_movie = (m / np.sqrt(m.sum(axis=1, keepdims=True)) for m in (rated, rated.T))
    blocks = (np.eye(3)[np.arange(len(train)) % 3], np.eye(len(users))[user], no_user)
    blocks += (by_user[user], np.eye(len(rated_movies))[movie], no_movie, by_movie[movie])
    plain = MyFMRegressor(rank=2, random_seed=3)
    n, m = len(users), len(rated_movies)
    mean = train.stars.mean(dtype=np.float64)
    rows = sparse.csr_matrix(np.hstack(blocks))
    plain.fit(rows, train.stars - mean, n_iter=20, group_shapes=[3, n + 1, m, m + 1, n])
    np.testing.assert_allclose(stars, (plain.predict(rows) + mean).clip(0.5, 5), atol=1e-3)


# --- ordered stars -----------------------------------------------------------------------------


def test_expected_stars_of_an_ordered_probit_are_found():
    """Stars 1, 4.5 and 5 by the cutpoints −.5 and .5 of a latent scale on which users and movies
    add up. On the scale of stars they do not: who is at 5 cannot go further."""
    rng = np.random.default_rng(0)
    latent = rng.normal(0, 1.5, (SIZE, 1)) + rng.normal(0, 1.5, SIZE)
    step = np.digitize(latent + rng.normal(0, 1, latent.shape), [-0.5, 0.5])
    kinds = np.array([1, 4.5, 5])
    expected = 5 - 0.5 * norm.cdf(0.5 - latent) - 3.5 * norm.cdf(-0.5 - latent)
    user, movie = pairs(0.5)
    train = Ratings(user, movie, kinds[step[user, movie]], 0 * user)
    unseen = np.ones((SIZE, SIZE), bool)
    unseen[user, movie] = False
    errors = {}
    for cls in (BayesianFM, BayesianFMOrdinal):
        stars = fit(cls(**FEW), train, toy_movies(SIZE)).predict(*np.nonzero(unseen))
        errors[cls] = np.sqrt(((stars - expected[unseen]) ** 2).mean())
    assert errors[BayesianFMOrdinal] < 0.4
    assert errors[BayesianFMOrdinal] < 0.8 * errors[BayesianFM]


# --- the rank -----------------------------------------------------------------------------------


class Measured(BayesianFMImplicit):
    """Predicts as far off as `error` says of the rank; records what it would be fitted to."""

    def __init__(self, error, **settings):
        super().__init__(**settings)
        self.error, self.fits = error, []

    def _sample(self, train, movies, rank, samples, seed):
        self.fits.append((train, rank, samples))
        return self

    def predict(self, user, movie, time=None):
        return np.full(len(user), 3.0 + self.error[self.fits[-1][1]], dtype=np.float32)


@pytest.mark.parametrize(("error", "best"), [({2: 0.5, 9: 0.1}, 9), ({2: 0.1, 9: 0.5}, 2)])
def test_the_rank_is_the_one_that_is_better_on_each_users_last_ratings(error, best):
    user = np.repeat([0, 1], 10)
    train = Ratings(user, np.tile(np.arange(10), 2), np.full(20, 3.0), np.tile(np.arange(10), 2))
    model = fit(Measured(error, rank=2, rank_of_many=9), train, toy_movies(10))
    rest, ranks = model.fits[0][0], [rank for _, rank, _ in model.fits]
    assert ranks == [2, 9, best]
    assert rest.time.max() == 7  # the last two of ten are what it is chosen on
    assert model.fits[-1][0] is train
    assert model.fits[-1][2] == model.samples
