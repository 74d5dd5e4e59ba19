"""`ease`: the closed forms, beside a ridge regression for each movie, and for each row left out."""

from __future__ import annotations

import numpy as np
import pytest
from fitting import fit
from scipy import sparse

from Collaborative import rated
from Collaborative.bias import BiasModel
from Collaborative.ease import EaseModel, inverse_of, left_out
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.errors import InputError
from recbench.ratings import Ratings

USERS, MOVIES = 17, 11


def residuals(seed: int) -> np.ndarray:
    """float64 [users, movies], with zeros; movie 3 is like movie 2."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (USERS, MOVIES)) * (rng.random((USERS, MOVIES)) < 0.5)
    x[:, 3] = x[:, 2] + 0.1 * x[:, 4]
    return x


def ridge_of_each_movie(x: np.ndarray, regularisation: float) -> np.ndarray:
    """B, column by column: a ridge regression on all other movies."""
    b = np.zeros((MOVIES, MOVIES))
    for movie in range(MOVIES):
        others = np.delete(np.arange(MOVIES), movie)
        inputs = x[:, others]
        penalised = inputs.T @ inputs + regularisation * np.eye(len(others))
        b[others, movie] = np.linalg.solve(penalised, inputs.T @ x[:, movie])
    return b


@pytest.mark.parametrize("regularisation", [0.3, 5.0])
def test_the_closed_form_is_a_ridge_regression_of_each_movie(regularisation):
    x = residuals(0)
    p = inverse_of(sparse.csr_array(x), regularisation)
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0.0)
    np.testing.assert_allclose(b, ridge_of_each_movie(x, regularisation), atol=1e-10)


@pytest.mark.parametrize("regularisation", [0.3, 5.0])
def test_leaving_a_row_out_is_fitting_without_it(regularisation):
    x = residuals(1)
    table = sparse.csr_array(x)
    expected = np.zeros_like(x)
    for user in range(USERS):
        without = np.delete(x, user, axis=0)
        expected[user] = x[user] @ ridge_of_each_movie(without, regularisation)
    found = left_out(table, inverse_of(table, regularisation))
    np.testing.assert_allclose(found, expected[x != 0], atol=1e-10)


@pytest.mark.parametrize(("p", "q"), [(0.0, 0.0), (0.25, 0.5)])
def test_predictions_are_those_of_the_plain_formula(p, q):
    rng = np.random.default_rng(2)
    train = toy_ratings(list(rng.integers(4, MOVIES + 1, USERS)), MOVIES, seed=3)
    taste = 0.6 * (-1.0) ** (train.user + train.movie)
    train = Ratings(train.user, train.movie, 2.5 + train.stars / 6 + taste, train.time)
    settings = {"damping_user": 3.0, "damping_movie": 2.0, "start": "mean", "epochs": 6}
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(USERS), np.arange(MOVIES)))
    movies = toy_movies(MOVIES)
    bias = fit(BiasModel(**settings), train, movies)
    x = np.zeros((USERS, MOVIES))
    x[train.user, train.movie] = train.stars - bias.predict(train.user, train.movie)
    by_user = np.bincount(train.user) ** -p
    by_movie = np.bincount(train.movie) ** -q
    feature = np.zeros_like(x)
    for one in range(USERS):
        b = ridge_of_each_movie(np.delete(x, one, axis=0), 2.0)
        feature[one] = x[one] @ b * by_user[one] * by_movie
    feature, own = feature[train.user, train.movie], x[train.user, train.movie]
    gain = feature @ own / (feature @ feature)
    assert gain > 0.1
    from_others = x @ ridge_of_each_movie(x, 2.0) * by_user[:, None] * by_movie
    expected = bias.predict(user, movie) + gain * from_others[user, movie]
    assert ((expected > 0.5) & (expected < 5)).all()  # nothing is clipped
    stars = fit(EaseModel(2.0, p, q, **settings), train, movies).predict(user, movie)
    np.testing.assert_allclose(stars, expected, atol=1e-5)


def test_weights_that_do_not_fit_in_memory_are_refused(monkeypatch):
    train, movies = toy_ratings([9, 4, 2], movies=9), toy_movies(9)
    monkeypatch.setattr(rated, "LARGEST", 8 * 9**2 - 1)
    with pytest.raises(InputError, match=r"ease: a table of 9 × 9 movies needs 648 bytes"):
        fit(EaseModel(start="mean"), train, movies)
