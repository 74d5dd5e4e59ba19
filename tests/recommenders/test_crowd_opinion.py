"""What the crowd thinks of a movie: found again, by hand, and kept from what it must not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from toy_data import toy_movies, toy_ratings

from recbench.evaluation.cells import make_cell, validation_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.item_baseline import crowd_opinion, known_opinion
from recbench.ratings import Ratings


def without_bits(movies):
    return replace(movies, bits=np.zeros_like(movies.bits))


def test_what_votes_mean_is_found_again():
    movies = without_bits(toy_movies(500))
    movies = replace(movies, crowd_votes=np.random.default_rng(1).integers(1, 5000, 500))
    known = ~np.isnan(movies.crowd_stars)
    truth = (
        3.4
        + 0.6 * (np.nan_to_num(movies.crowd_stars) - 3)
        + 0.1 * (np.log1p(movies.crowd_votes) - 5)
    )
    truth = np.where(known, truth, 2.5)
    rated = np.tile(np.arange(400), 20)
    noise = np.random.default_rng(0).normal(0, 0.3, len(rated))
    train = Ratings(np.repeat(np.arange(20), 400), rated, truth[rated] + noise, np.zeros(8000))
    opinion = crowd_opinion(train, movies, with_ratings=False)
    np.testing.assert_allclose(opinion, truth, atol=0.05)


def plainly(train, movies, with_ratings):
    """Rating by rating, with scikit-learn's ridge regressions."""
    known = ~np.isnan(movies.crowd_stars)
    average = np.where(known, movies.crowd_stars, 3.0) - 3
    features = np.stack(
        [known, ~known, average, known * (np.log1p(movies.crowd_votes) - 5)], axis=1
    ).astype(float)
    prior = np.array([3.0, 3.0, 1.0, 0.0])
    ridge = Ridge(alpha=10.0, fit_intercept=False)
    ridge.fit(features[train.movie], train.stars - features[train.movie] @ prior)
    opinion = features @ (prior + ridge.coef_)
    left = np.array([r - opinion[m] for r, m in zip(train.stars, train.movie, strict=True)])
    for user in np.unique(train.user):
        own = train.user == user
        left[own] -= left[own].sum() / (own.sum() + 5)
    bits = movies.bits - movies.bits[train.movie].mean(axis=0)
    ridge = Ridge(alpha=100.0, fit_intercept=False).fit(bits[train.movie], left)
    opinion = opinion + bits @ ridge.coef_
    left -= (bits @ ridge.coef_)[train.movie]
    for movie in range(len(movies)) if with_ratings else ():
        of_movie = train.movie == movie
        opinion[movie] += left[of_movie].sum() / (of_movie.sum() + 40)
    return opinion


@pytest.mark.parametrize("with_ratings", [True, False])
def test_the_fast_way_is_the_plain_way(with_ratings):
    for seed in range(5):
        movies, train = toy_movies(70, seed), toy_ratings([30, 1, 0, 12, 60], 60, seed)
        opinion = crowd_opinion(train, movies, with_ratings)
        np.testing.assert_allclose(opinion, plainly(train, movies, with_ratings), atol=1e-6)


def test_before_any_rating_the_crowd_means_what_it_says():
    movies = toy_movies(23)
    opinion = crowd_opinion(toy_ratings([], 1), movies)
    np.testing.assert_allclose(opinion, np.nan_to_num(movies.crowd_stars, nan=3), atol=1e-6)


def test_what_bits_and_movies_are_worth_whoever_rates_them():
    """Kind people rate the first half of the movies, unkind ones the other: it is not the movies'
    merit. One bit is worth a star, and one movie is better than its bits."""
    movies = replace(
        toy_movies(60), crowd_stars=np.full(60, np.nan, np.float32), crowd_votes=np.zeros(60)
    )
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(200), 20)
    rated = np.concatenate([rng.permutation(60)[:20] for _ in range(200)])
    kindness = rng.normal(0, 0.5, 200)
    truth = 3 + (movies.bits[:, 4] - 0.5) + np.where(np.arange(60) == 7, 0.8, 0.0)
    stars = truth[rated] + kindness[user] + rng.normal(0, 0.3, len(user))
    train = Ratings(user, rated, stars, np.zeros(len(user)))
    opinion = crowd_opinion(train, movies)
    with_bit = movies.bits[:, 4] == 1
    others = np.arange(60) != 7
    gap = opinion[with_bit & others].mean() - opinion[~with_bit & others].mean()
    assert gap == pytest.approx(1, abs=0.15)
    without = crowd_opinion(train, movies, with_ratings=False)
    error = (opinion - truth) - (opinion - truth)[others].mean()
    assert abs(error[7]) < 0.45
    assert abs((without - truth)[7]) > abs(error[7])


def test_a_movies_own_ratings_by_hand():
    """No votes, no bits: 3 stars to start with. One user gives 4, 4 and 1: votes fit
    3 + (9 − 9) / (3 + 10) = 3; kindness 0 / 8 = 0; so b = 1 / 41, 1 / 41 and −2 / 41."""
    movies = without_bits(toy_movies(4))
    movies = replace(movies, crowd_stars=np.full(4, np.nan), crowd_votes=np.zeros(4))
    train = Ratings([0, 0, 0], [0, 1, 2], [4.0, 4.0, 1.0], np.zeros(3))
    expected = [3 + 1 / 41, 3 + 1 / 41, 3 - 2 / 41, 3]
    np.testing.assert_allclose(crowd_opinion(train, movies), expected, atol=1e-9)
    np.testing.assert_allclose(crowd_opinion(train, movies, with_ratings=False), 3, atol=1e-9)


def test_the_opinion_that_movies_bring_goes_before():
    movies, train = toy_movies(23), toy_ratings([5, 9], 23)
    assert np.array_equal(known_opinion(train, movies), crowd_opinion(train, movies))
    brought = np.linspace(1, 5, 23)
    assert known_opinion(train, replace(movies, crowd_opinion=brought)) is brought


def test_a_cell_asks_all_whose_ratings_are_learned_from(synthetic):
    protocol = PROTOCOLS["strict"]
    cell = make_cell(synthetic, protocol, 20, 0, 3)
    asked = crowd_opinion(cell.collaborative.train, cell.movies)
    np.testing.assert_array_equal(cell.movies.crowd_opinion, asked)
    inner = validation_cell(cell, protocol, 3)
    asked = crowd_opinion(inner.collaborative.train, cell.movies)
    np.testing.assert_array_equal(inner.movies.crowd_opinion, asked)
    alone = make_cell(synthetic, protocol.changed(other_users=0), 20, 0, 3)
    asked = crowd_opinion(alone.personal.train, cell.movies)
    np.testing.assert_array_equal(alone.movies.crowd_opinion, asked)


def test_under_the_published_holdout_no_test_rating_of_anybody_is_asked(synthetic):
    """Collaborative models learn there from rows that personal ones are tested on."""
    protocol = PROTOCOLS["published"].changed(join="links", other_users=30)
    cell = make_cell(synthetic, protocol, 20, 0, 3)
    train, test = cell.collaborative.train, cell.personal.test
    asked = train.take(~np.isin(train.user * 10_000 + train.movie, test.user * 10_000 + test.movie))
    assert len(asked) < len(train)
    expected = crowd_opinion(asked, cell.movies)
    np.testing.assert_allclose(cell.movies.crowd_opinion, expected, atol=1e-12)


def test_without_a_crowd_no_movie_is_known_by_its_ratings(synthetic):
    cell = make_cell(synthetic, PROTOCOLS["strict"].changed(crowd=False), 20, 0, 3)
    train = cell.collaborative.train
    expected = crowd_opinion(train, cell.movies, with_ratings=False)
    np.testing.assert_array_equal(cell.movies.crowd_opinion, expected)
    assert len(np.unique(expected.round(9))) <= len(np.unique(cell.movies.bits, axis=0))
