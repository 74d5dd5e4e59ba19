"""The median read-out: by hand, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from few_samples import few_samples

from recbench.checks.toy_data import toy_movies, toy_tables
from recbench.contract import Options, Recommender, build, declared, fit_on
from recbench.errors import InputError
from recbench.models.item_baseline import ItemBaseline
from recbench.models.median import GRID, MedianReadOut
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, family_of, load_recommender


class Says(Recommender):
    """Predicts movie / 10 stars."""

    def fit(self, train, movies):
        return self

    def predict(self, user, movie):
        return (np.asarray(movie) / 10).clip(0.5, 5).astype(np.float32)


def fitted(stars: list[float], **settings) -> MedianReadOut:
    train = Ratings(np.zeros(len(stars)), np.arange(len(stars)), stars, np.arange(len(stars)))
    return MedianReadOut(Says(), **settings).fit(train, toy_movies(60))


def test_whoever_gives_two_kinds_of_stars_is_predicted_one_of_them():
    model = fitted([1.0, 5.0] * 500, prior=1e-6, width=1e6)
    stars = model.predict(np.zeros(4, int), np.array([20, 29, 31, 40]))
    assert stars.tolist() == [1.0, 1.0, 5.0, 5.0]  # a mean of 2.9 is a one more often than a five


def test_the_distribution_has_the_mean_that_was_predicted():
    model = fitted([1.0, 3.0, 3.5, 4.0, 4.0, 5.0], width=1.0)
    mean = np.array([0.8, 2.0, 3.3, 4.6])
    log_h = np.log(model._histogram[[0, 0, 1, 1]])
    pi = model._distribution(log_h, model._centre(log_h, mean))
    np.testing.assert_allclose(pi @ GRID, mean, atol=1e-6)


def test_the_distribution_is_the_histogram_through_a_window():
    model = fitted([1.0, 3.0, 3.5, 4.0, 4.0, 5.0], width=1.0)
    log_h = np.log(model._histogram[[0]])
    for z in (-3.0, 2.0, 3.3, 9.0):
        pi = model._distribution(log_h, np.array([z]))[0]
        by_hand = model._histogram[0] * np.exp(-((GRID - z) ** 2) / 2)
        np.testing.assert_allclose(pi, by_hand / by_hand.sum(), atol=1e-12)


@pytest.mark.parametrize("narrow", [0.3, 0.5])
def test_a_narrow_window_rounds(narrow):
    model = fitted([float(k) for k in GRID] * 20, width=narrow)
    asked = np.arange(8, 48)
    stars = model.predict(np.zeros(len(asked), int), asked)
    assert (np.abs(stars - asked / 10) < 0.31).all()
    assert (np.diff(stars) >= 0).all()


def test_extreme_predictions_stay_on_the_grid():
    model = fitted([3.0, 4.0, 4.5])
    stars = model.predict(np.array([0, 0, 7, 7]), np.array([0, 55, 0, 55]))
    assert set(stars) <= set(GRID.astype(np.float32))
    assert stars[0] < stars[1]
    assert stars[2] < stars[3]


def test_it_lowers_the_absolute_error_where_stars_are_skewed():
    rng = np.random.default_rng(0)
    stars = rng.choice([1.0, 4.0, 4.5], 400, p=[0.3, 0.4, 0.3])
    model = fitted(stars.tolist(), width=1e6)
    mean = round(10 * float(stars.mean()))
    said = model.predict(np.zeros(1, int), np.array([mean]))[0]
    assert np.abs(stars - said).mean() < np.abs(stars - mean / 10).mean() - 0.1


@pytest.mark.parametrize("name", sorted(RECOMMENDERS))
def test_every_recommender_has_one_under_a_name_of_its_own(name, train, movies):
    mean, median = load_recommender(name), load_recommender(f"{name}_median")
    needs = ("learns_from_background", "starts_from_item_baseline", "starts_from_item_table")
    for attribute in (*needs, "asks_for_time", "tuned"):
        assert declared(median, attribute) == declared(mean, attribute)
    assert {*median.options} == {*mean.options, "background"}  # the mean may have settings alone
    assert family_of(median) == family_of(mean)
    few, tables = few_samples(name), toy_tables(movies)
    item_baseline = ItemBaseline.fit(train, movies)
    asked = np.array([0, 3, 5]), np.array([1, 2, 22])
    model = build(median, Options(seed=3), **few)
    fit_on(model, train, movies, item_baseline, item_tables=tables)
    stars = model.predict(*asked)
    assert set(stars) <= set(GRID.astype(np.float32))
    by_hand = MedianReadOut(build(mean, Options(seed=3), **few))
    by_hand.fit(train, movies, item_baseline, item_tables=tables)
    assert by_hand.learns_from_background == mean.learns_from_background
    assert np.array_equal(stars, by_hand.predict(*asked))


def test_there_is_no_median_of_what_there_is_not():
    with pytest.raises(InputError, match="no recommender is named 'nonsense_median'"):
        load_recommender("nonsense_median")
