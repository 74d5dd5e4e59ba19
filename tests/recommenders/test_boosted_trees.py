"""`boosted_trees`: its statistics by hand, that none knows its own rating, and truths to find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitting import fit
from sklearn.model_selection import KFold

from Collaborative.boosted_trees import BoostedTrees, RatingStatistics, out_of_fold
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.registry import load_recommender, name_of

USERS, MOVIES, DAMPING = 9, 20, 4.0


@pytest.fixture
def many() -> Ratings:
    return toy_ratings([12, 1, 7, 0, 3, 19, 20, 2, 11], movies=MOVIES)


def with_stars(ratings: Ratings, row: int, stars: float) -> Ratings:
    changed = ratings.stars.copy()
    changed[row] = stars
    return replace(ratings, stars=changed)


def grid(users: int, movies: int) -> tuple[np.ndarray, np.ndarray]:
    user, movie = np.meshgrid(np.arange(users), np.arange(movies))
    return user.ravel(), movie.ravel()


# --- out of fold -------------------------------------------------------------------------------


@pytest.mark.parametrize("folds", [2, 10])
def test_no_statistic_of_a_row_knows_its_stars(many, folds):
    """Changed: all statistics of the rating's user and movie in other folds, none of its own."""
    movies, folds = toy_movies(MOVIES), KFold(folds, shuffle=True, random_state=2)
    before = out_of_fold(many, movies, USERS, DAMPING, folds)
    for row in range(len(many)):
        other = with_stars(many, row, 5.5 - many.stars[row])
        after = out_of_fold(other, movies, USERS, DAMPING, folds)
        (rows,) = (rows for _, rows in folds.split(many.user) if row in rows)
        own = np.isin(np.arange(len(many)), rows)
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old[own], new[own])
        same_movie = (many.movie == many.movie[row]) & ~own
        assert (before[0][same_movie] != after[0][same_movie]).all()


def test_out_of_fold_is_what_the_other_folds_say(many):
    movies, folds = toy_movies(MOVIES), KFold(3, shuffle=True, random_state=2)
    baseline, features = out_of_fold(many, movies, USERS, DAMPING, folds)
    for others, rows in folds.split(many.user):
        statistics = RatingStatistics.of(many.take(others), movies, USERS, DAMPING)
        asked = many.user[rows], many.movie[rows]
        np.testing.assert_allclose(statistics.baseline(*asked), baseline[rows], rtol=1e-12)
        np.testing.assert_allclose(statistics.features(*asked), features[rows], rtol=1e-5)


def test_where_there_is_nothing_to_learn_nothing_is_learned():
    """Stars at random: with statistics that knew a row's own stars, trees would be far worse."""
    rng = np.random.default_rng(0)
    user, movie = grid(100, 60)
    train = Ratings(user, movie, rng.choice([2.0, 4.0], len(user)), np.zeros(len(user)))
    seen = rng.random(len(user)) < 0.3
    model = fit(BoostedTrees(trees=30), train.take(seen), toy_movies(60))
    error = model.predict(user[~seen], movie[~seen]) - train.stars[~seen]
    assert np.sqrt((error**2).mean()) < 1.05  # 1 is the standard deviation


# --- the statistics ----------------------------------------------------------------------------


def test_statistics_by_hand(many):
    movies = toy_movies(MOVIES)
    statistics = RatingStatistics.of(many, movies, USERS, DAMPING)
    c = ItemBaseline.fit(many, movies).stars
    of_user = {u: many.take(many.user == u) for u in range(USERS)}
    b = {u: float((r.stars - c[r.movie]).sum() / (len(r) + DAMPING)) for u, r in of_user.items()}
    for u, r in of_user.items():
        np.testing.assert_allclose(statistics.user_bias[u], b[u], atol=1e-9)
        f = r.stars - c[r.movie] - b[u]
        has = movies.bits[r.movie, 4] == 1
        affinity = f[has].sum() / (has.sum() + DAMPING)
        np.testing.assert_allclose(statistics.profile[u, 4], affinity, atol=1e-6)

    i = int(many.movie[0])
    raters = many.take(many.movie == i)
    f = raters.stars - c[i] - np.array([b[u] for u in raters.user.tolist()])
    a = statistics.profile[raters.user, 4].astype(float)
    mean_square = (statistics.profile[many.user, 4].astype(float) ** 2).mean()
    taste = (f * a).sum() / ((a**2).sum() + DAMPING * mean_square)
    np.testing.assert_allclose(statistics.taste[i, 4], taste, rtol=1e-3)

    first = statistics.features(np.array([5]), np.array([i]))[0]
    assert first[0] == pytest.approx(c[i] + b[5], abs=1e-6)
    on = np.flatnonzero(movies.bits[i])
    assert first[2] == pytest.approx(statistics.profile[5, on].mean(), abs=1e-6)
    genres = on[on < 10]
    assert first[3] == pytest.approx(statistics.profile[5, genres].mean(), abs=1e-6)


# --- the trees ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def movies() -> Movies:
    return toy_movies(60)


def test_it_finds_that_users_differ_in_the_bit_they_like(movies):
    rng = np.random.default_rng(0)
    user, movie = grid(200, 60)
    truth = np.where(movies.bits[movie, user % 10] == 1, 4.5, 2.0)
    seen = rng.random(len(user)) < 0.5
    train = Ratings(user, movie, truth, np.zeros(len(user))).take(seen)
    model = fit(BoostedTrees(features_per_split=0.2), train, movies)
    stars = model.predict(user[~seen], movie[~seen])
    assert np.abs(truth[~seen] - train.mean_stars()).mean() > 1.1
    assert np.abs(stars - truth[~seen]).mean() < 0.6


def test_too_few_ratings_for_folds_leave_the_baseline(movies):
    train = Ratings([0, 1], [3, 4], [5.0, 1.0], [0, 1])
    model = fit(BoostedTrees(folds=3), train, movies)
    expected = RatingStatistics.of(train, movies, 2, model.damping).baseline(*grid(3, 60))
    np.testing.assert_allclose(model.predict(*grid(3, 60)), expected.clip(0.5, 5), atol=1e-6)


def test_the_former_name_still_loads_it():
    assert load_recommender("lightgbm") is BoostedTrees
    assert name_of("lightgbm") == "boosted_trees"
