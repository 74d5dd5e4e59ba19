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


@pytest.mark.parametrize("start", ["mean", "item_baseline"])
@pytest.mark.parametrize("power", [0.0, 0.8])
def test_it_is_scikit_learns_ridge_with_sample_weights(start, power):
    """On stars, or on residuals from the item baseline, which is an input, too."""
    movies = toy_movies(90)
    train = toy_ratings([12, 1, 7, 0, 30, 85, 2], movies=90, seed=1)
    before = np.random.default_rng(2).uniform(2, 4, 90)
    settings = {"alpha": 3.0, "damping": 0.0, "decay_after": 4.0, "decay_power": power}
    shuffled = train.take(np.random.default_rng(4).permutation(len(train)))
    model = fit(PerUserRidge(start=start, **settings), shuffled, movies, ItemBaseline(before))
    features = np.column_stack((movies.bits, before)) if start != "mean" else movies.bits
    before = before if start != "mean" else np.full(90, 3.0)
    for user in np.unique(train.user):
        own = train.take(train.user == user)  # in order of time
        weight = (1 + np.arange(len(own))[::-1] / 4.0) ** -power
        x, y = features[own.movie].astype(float), own.stars - before[own.movie]
        ridge = Ridge(alpha=3.0).fit(x, y, sample_weight=weight)
        expected = (before + ridge.predict(features.astype(float))).clip(0.5, 5)
        stars = model.predict(np.full(90, user), np.arange(90))
        np.testing.assert_allclose(stars, expected, atol=1e-5)
    unknown = before + (train.stars - before[train.movie]).mean()
    found = model.predict(np.full(90, 77), np.arange(90))
    np.testing.assert_allclose(found, unknown.clip(0.5, 5), atol=1e-5)


def test_the_intercept_is_shrunk_to_the_mean_of_all_ratings():
    """Two ratings of 5 beside two of 2: m = 3.5, and (5 + 5 + 2 · 3.5) / (2 + 2) = 4.25."""
    train = Ratings(
        np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5, 5, 2, 2]), np.zeros(4)
    )
    model = fit(PerUserRidge(damping=2.0, decay_power=0.0, start="mean"), train, toy_movies(3))
    assert model.predict(np.array([0, 1, 9]), np.array([2, 2, 2])).tolist() == [4.25, 2.75, 3.5]
