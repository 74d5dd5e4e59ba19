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


def plain_votes(train, movies, voters_from):
    """Rating by rating, each κ by scikit-learn's ridge regression; an own vote is taken out."""
    prior = np.array([3.0, 3.0, 1.0, 0.0])

    def features(average, count, shrinkage):
        if np.isnan(average) or count == 0:
            return [0.0, 1.0, 0.0, 0.0]
        part = count / (count + shrinkage)
        return [1.0, 0.0, part * (average - 3), part * (np.log1p(count) - 5)]

    def without_own(user, movie, stars):
        average, count = float(movies.vote_average[movie]), float(movies.vote_count[movie])
        if voters_from is None or user < voters_from:
            return average, count
        return (average * count - stars) / (count - 1) if count > 1 else np.nan, count - 1

    rows = [without_own(*row) for row in zip(train.user, train.movie, train.stars, strict=True)]
    best, found = np.inf, np.empty(0)
    for shrinkage in (1, 3, 10, 30, 100, 300):
        x = np.array([features(*row, shrinkage) for row in rows])
        ridge = Ridge(alpha=10.0, fit_intercept=False).fit(x, train.stars - x @ prior)
        beta = prior + ridge.coef_
        error = ((train.stars - x @ beta) ** 2).sum()
        if error < best - 1e-9:
            votes = zip(movies.vote_average, movies.vote_count, strict=True)
            best, found = error, np.array([features(*one, shrinkage) for one in votes]) @ beta
    return found


def plainly(train, movies, item_bias, voters_from=None):
    baseline = plain_votes(train, movies, voters_from)
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
        counts = np.random.default_rng(seed).integers(1, 40, 70) * ~np.isnan(movies.vote_average)
        movies = replace(movies, vote_count=counts)
        baseline = ItemBaseline.fit(train, movies, item_bias).stars
        np.testing.assert_allclose(baseline, plainly(train, movies, item_bias), atol=1e-6)


def counted_votes(movies, train, voters_from):
    """The movies with the votes of the users from `voters_from` on."""
    votes = train.take(train.user >= voters_from)
    count = np.bincount(votes.movie, minlength=len(movies))
    average = np.bincount(votes.movie, votes.stars, len(movies)) / np.where(count, count, np.nan)
    return replace(movies, vote_average=average, vote_count=count)


def test_votes_that_are_ratings_of_the_training_rows():
    for seed in range(5):
        train = toy_ratings([30, 1, 0, 12, 60, 20, 44], 60, seed)
        movies = counted_votes(toy_movies(70, seed), train, 3)
        baseline = ItemBaseline.fit(train, movies, voters_from=3).stars
        np.testing.assert_allclose(baseline, plainly(train, movies, True, 3), atol=1e-6)


def test_before_any_rating_it_is_the_vote_average_shrunk_by_ten_votes():
    movies = toy_movies(23)
    baseline = ItemBaseline.fit(toy_ratings([], 1), movies).stars
    expected = 3 + (movies.vote_average - 3) * movies.vote_count / (movies.vote_count + 10)
    np.testing.assert_allclose(baseline, np.nan_to_num(expected, nan=3), atol=1e-6)


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
        train = one.train_and_test(True)[0]
        expected = ItemBaseline.fit(train, cell.movies, voters_from=one.voters_from).stars
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
