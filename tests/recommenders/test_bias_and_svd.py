"""The models from Surprise: the fast training set, and truths they must find again."""

from __future__ import annotations

import numpy as np
import pytest
import surprise
from fitting import fit
from surprise_reference import dense_ratings, surprise_predictions

from Collaborative.bias import BiasModel
from Collaborative.rated import look_up
from Collaborative.svd import SvdModel
from recbench.checks.toy_data import all_pairs, toy_movies
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings

TRAIN = dense_ratings(14, 9, seed=3)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            BiasModel(epochs=7, damping_user=3.0, damping_movie=2.0, start="mean"),
            surprise.BaselineOnly({"n_epochs": 7, "reg_u": 3.0, "reg_i": 2.0}, verbose=False),
        ),
        (
            SvdModel(factors=5, epochs=30, learning_rate=0.02, regularisation=0.05, start="mean"),
            surprise.SVD(n_factors=5, n_epochs=30, lr_all=0.02, reg_all=0.05, random_state=4),
        ),
    ],
)
def test_it_is_surprise(ours, theirs):
    user, movie = all_pairs(range(16), 11)
    expected = surprise_predictions(theirs, TRAIN, user, movie)  # 14, 15 and 9, 10 are unknown
    stars = fit(ours, TRAIN, toy_movies(11), seed=4).predict(user, movie)
    np.testing.assert_allclose(stars, expected, atol=1e-5)


@pytest.mark.parametrize("cls", [BiasModel, SvdModel])
def test_from_an_item_baseline_it_is_fitted_to_residuals(cls):
    """The same ratings, a baseline added to each, and that baseline known: the same biases."""
    movies = toy_movies(11)
    baseline = np.linspace(-0.5, 0.5, 11)
    lifted = TRAIN.stars + baseline[TRAIN.movie]
    lifted = Ratings(TRAIN.user, TRAIN.movie, lifted, TRAIN.time)
    user, movie = all_pairs(range(16), 11)
    plain = fit(cls(start="mean"), TRAIN, movies).predict(user, movie)
    lifted_model = fit(cls(), lifted, movies, ItemBaseline(baseline))
    inside = (plain > 1) & (plain < 4.5)  # nothing is clipped
    assert inside.sum() > 50
    stars = lifted_model.predict(user, movie) - baseline[movie]
    np.testing.assert_allclose(stars[inside], plain[inside], atol=1e-3)


def test_look_up_of_unknown_ids_is_zero():
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    found = look_up(table, np.array([2, 5, 9]), np.array([9, 0, 5, 10, 3, 2]))
    assert found.tolist() == [[5, 6], [0, 0], [3, 4], [0, 0], [0, 0], [1, 2]]
