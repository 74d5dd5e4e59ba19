"""The item baseline: truths found again, by hand, and what it must not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.evaluation.cells import make_cell, validation_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_baseline import ItemBaseline, starting_stars
from recbench.ratings import Ratings


def plainly(train, movies, item_bias):
    """Rating by rating, with scikit-learn's ridge regressions."""
    known = ~np.isnan(movies.vote_average)
    average = np.where(known, movies.vote_average, 3.0) - 3
    features = np.stack(
        [known, ~known, average, known * (np.log1p(movies.vote_count) - 5)], axis=1
    ).astype(float)
    prior = np.array([3.0, 3.0, 1.0, 0.0])
    ridge = Ridge(alpha=10.0, fit_intercept=False)
    ridge.fit(features[train.movie], train.stars - features[train.movie] @ prior)
    baseline = features @ (prior + ridge.coef_)
    left = np.array([r - baseline[m] for r, m in zip(train.stars, train.movie, strict=True)])
    for user in np.unique(train.user):
        own = train.user == user
        left[own] -= left[own].sum() / (own.sum() + 5)
    bits = movies.bits - movies.bits[train.movie].mean(axis=0)
    ridge = Ridge(alpha=100.0, fit_intercept=False).fit(bits[train.movie], left)
    baseline = baseline + bits @ ridge.coef_
    left -= (bits @ ridge.coef_)[train.movie]
    for movie in range(len(movies)) if item_bias else ():
        of_movie = train.movie == movie
        baseline[movie] += left[of_movie].sum() / (of_movie.sum() + 40)
    return baseline


@pytest.mark.parametrize("item_bias", [True, False])
def test_the_fast_way_is_the_plain_way(item_bias):
    for seed in range(5):
        movies, train = toy_movies(70, seed), toy_ratings([30, 1, 0, 12, 60], 60, seed)
        baseline = ItemBaseline.fit(train, movies, item_bias).stars
        np.testing.assert_allclose(baseline, plainly(train, movies, item_bias), atol=1e-6)


def test_before_any_rating_it_is_the_vote_average():
    movies = toy_movies(23)
    baseline = ItemBaseline.fit(toy_ratings([], 1), movies).stars
    np.testing.assert_allclose(baseline, np.nan_to_num(movies.vote_average, nan=3), atol=1e-6)


def test_a_movies_own_ratings_by_hand():
    """No votes, no bits: 3 stars to start with. One user gives 4, 4 and 1: votes fit
    3 + (9 − 9) / (3 + 10) = 3; user_bias 0 / 8 = 0; so b = 1 / 41, 1 / 41 and −2 / 41."""
    movies, unknown = toy_movies(4), np.full(4, np.nan)
    bits = np.zeros_like(movies.bits)
    movies = replace(movies, bits=bits, vote_average=unknown, vote_count=np.zeros(4))
    train = Ratings([0, 0, 0], [0, 1, 2], [4.0, 4.0, 1.0], np.zeros(3))
    expected = [3 + 1 / 41, 3 + 1 / 41, 3 - 2 / 41, 3]
    np.testing.assert_allclose(ItemBaseline.fit(train, movies).stars, expected, atol=1e-9)
    np.testing.assert_allclose(ItemBaseline.fit(train, movies, item_bias=False).stars, 3, atol=1e-9)


def test_nothing_is_fitted_where_none_is_handed_over():
    movies, train = toy_movies(23), toy_ratings([5, 9], 23)
    given = ItemBaseline.fit(train, movies)
    assert starting_stars("item_baseline", given, movies) is given.stars
    assert (starting_stars("mean", None, movies) == 3).all()
    with pytest.raises(ValueError, match="there is none"):
        starting_stars("item_baseline", None, movies)
    with pytest.raises(ValueError, match="start is 'votes'"):
        starting_stars("votes", given, movies)


def test_that_of_a_cell_is_fitted_to_all_training_ratings(synthetic):
    strict = PROTOCOLS["strict"]
    cell, alone = (
        make_cell(synthetic, protocol, 20, 0, 3)
        for protocol in (strict, strict.changed(background_users=0))
    )
    for one in (cell, validation_cell(cell, strict, 3), alone):
        expected = ItemBaseline.fit(one.train_and_test(True)[0], cell.movies).stars
        np.testing.assert_array_equal(one.item_baseline.stars, expected)
    np.testing.assert_array_equal(alone.train_and_test(True)[0].stars, alone.personal.train.stars)


def test_under_the_published_holdout_it_sees_no_test_rating_of_any_recommender(synthetic):
    """Collaborative models learn there from rows that personal ones are tested on."""
    protocol = PROTOCOLS["published"].changed(join="links", background_users=30)
    cell = make_cell(synthetic, protocol, 20, 0, 3)
    (train, _), test = cell.train_and_test(True), cell.personal.test
    asked = train.take(~np.isin(train.user * 10_000 + train.movie, test.user * 10_000 + test.movie))
    assert len(asked) < len(train)
    expected = ItemBaseline.fit(asked, cell.movies).stars
    np.testing.assert_allclose(cell.item_baseline.stars, expected, atol=1e-12)


def test_without_item_bias_no_movie_is_known_by_its_ratings(synthetic):
    protocol = PROTOCOLS["strict"].changed(votes=False, item_baseline=False)
    cell = make_cell(synthetic, protocol, 20, 0, 3)
    train, _ = cell.train_and_test(True)
    expected = ItemBaseline.fit(train, cell.movies, item_bias=False).stars
    np.testing.assert_array_equal(cell.item_baseline.stars, expected)
    assert len(np.unique(expected.round(9))) <= len(np.unique(cell.movies.bits, axis=0))
