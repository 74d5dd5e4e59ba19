"""The median read-out: by hand, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from few_samples import few_samples
from fitting import fit

from recbench.checks.toy_data import toy_movies, toy_tables
from recbench.contract import Recommender, declared
from recbench.models.item_baseline import ItemBaseline
from recbench.models.median import GRID, MedianReadOut, median_of
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, family_of, load_recommender


class Tenth(Recommender):
    """Predicts movie / 10 stars."""

    def fit(self, training):
        return self

    def predict(self, user, movie):
        return (np.asarray(movie) / 10).clip(0.5, 5).astype(np.float32)


def fitted(stars: list[float], **settings) -> MedianReadOut:
    train = Ratings(np.zeros(len(stars)), np.arange(len(stars)), stars, np.arange(len(stars)))
    return fit(median_of(Tenth)(**settings), train, toy_movies(60))


def test_of_two_kinds_of_stars_one_is_predicted():
    model = fitted([1.0, 5.0] * 500, prior=1e-6, width=1e6)
    stars = model.predict(np.zeros(4, int), np.array([20, 29, 31, 40]))
    assert stars.tolist() == [1.0, 1.0, 5.0, 5.0]  # a mean of 2.9 is a one more often than a five


def test_the_distribution_is_the_histogram_through_a_window_and_has_the_mean_that_was_predicted():
    model = fitted([1.0, 3.0, 3.5, 4.0, 4.0, 5.0], width=1.0)
    mean = np.array([0.8, 2.0, 3.3, 4.6])
    histogram = model._histogram[[0, 0, 1, 1]]
    z = model._centre(np.log(histogram), mean)
    pi = model._distribution(np.log(histogram), z)
    np.testing.assert_allclose(pi @ GRID, mean, atol=1e-6)
    by_hand = histogram * np.exp(-((GRID - z[:, None]) ** 2) / 2)
    np.testing.assert_allclose(pi, by_hand / by_hand.sum(axis=1, keepdims=True), atol=1e-12)


@pytest.mark.parametrize("name", sorted(RECOMMENDERS))
def test_every_recommender_has_one_under_a_name_of_its_own(name, train, movies):
    mean, median = load_recommender(name), load_recommender(f"{name}_median")
    for attribute in ("learns_from", "has_kernels", "tuned"):
        assert declared(median, attribute) == declared(mean, attribute)
    assert (family_of(median), median.builds_on) == (family_of(mean), name)
    fits = {"item_baseline": ItemBaseline.fit(train, movies), "item_tables": toy_tables(movies)}
    base = fit(mean(**few_samples(name)), train, movies, **fits, seed=3)
    model = fit(median(), train, movies, **fits, **{name: base})
    stars = model.predict(np.array([0, 3, 5]), np.array([1, 2, 22]))
    assert set(stars) <= set(GRID.astype(np.float32))
