"""The autoencoder: against plain numpy on whole matrices, and on a truth it must find."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fitting import fit

from Collaborative import autorec
from Collaborative.autorec import SHUFFLE, Autoencoder, AutoRecModel
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings

USERS, MOVIES, UNITS = 13, 17, 11  # units: eight and some more
REGULARISATION, DAMPING_USER = 1.4, 2.0


# --- the same in plain numpy, on matrices of movies × users ---------------------------------------


def dense(ratings: Ratings, values: np.ndarray) -> np.ndarray:
    """float64 [movies, users], nan where there is no rating."""
    table = np.full((MOVIES, USERS), np.nan)
    table[ratings.movie, ratings.user] = values
    return table


def gradients_of(parameters, given, wanted, share):
    """Of half the loss.

    Args:
        given, wanted: float64 [movies, users], nan where there is no rating.
        share: of the penalty.
    """
    v, m, w, b = parameters
    rated = ~np.isnan(given)
    x = np.where(rated, given, 0.0)
    s = 1 / (1 + np.exp(-(x @ v + m)))  # (movies, units)
    h = s - 0.5
    error = np.where(rated, b + h @ w.T - wanted, 0.0)  # (movies, users)
    d = (error @ w) * s * (1 - s)
    return (
        x.T @ d + share * REGULARISATION / 2 * v,
        d.sum(axis=0),
        error.T @ h + share * REGULARISATION / 2 * w,
        error.sum(axis=0) + share * DAMPING_USER * b,
    )


def trained(parameters, given, wanted, orders, batch, rates):
    """`parameters` after Adam on those orders of the movies, a learning rate for each."""
    parameters = [one.astype(np.float64) for one in parameters]
    first, second = ([np.zeros_like(one) for one in parameters] for _ in range(2))
    step = 0
    for order, learning_rate in zip(orders, rates, strict=True):
        for start in range(0, len(order), batch):
            movies = order[start : start + batch]
            share = len(movies) / len(order)
            gradients = gradients_of(parameters, given[movies], wanted[movies], share)
            step += 1
            for p, g, mean, square in zip(parameters, gradients, first, second, strict=True):
                mean[:] = 0.9 * mean + 0.1 * g
                square[:] = 0.999 * square + 0.001 * g**2
                corrected = np.sqrt(square / (1 - 0.999**step)) + 1e-8
                p[:] = p - learning_rate * mean / (1 - 0.9**step) / corrected
    return parameters


@pytest.mark.parametrize("batch", [5, 512])
def test_training_is_that_of_whole_matrices(batch, monkeypatch):
    """Of movies with every number of raters down to one."""
    monkeypatch.setattr(autorec, "BATCH", batch)
    train = toy_ratings([16, 1, 9, 14, 2, 16, 7, 12, 3, 16, 10, 5, 8], movies=MOVIES, seed=4)
    train = train.take(np.argsort(train.movie, kind="stable"))  # one movie's after another's
    rng = np.random.default_rng(8)
    shapes = ((USERS, UNITS), (UNITS,), (USERS, UNITS), (USERS,))
    parameters = [rng.normal(0, 0.3, shape).astype(np.float32) for shape in shapes]
    given, wanted = (dense(train, values) for values in (train.stars, train.stars - 3))
    shuffling = np.random.default_rng([2, SHUFFLE])
    orders = [shuffling.permutation(MOVIES) for _ in range(20)]
    rates = [0.02 * (1 - epoch / 20) for epoch in range(20)]
    expected = trained(parameters, given, wanted, orders, batch, rates)
    model = AutoRecModel(
        epochs=20, learning_rate=0.02, regularisation=REGULARISATION, damping_user=DAMPING_USER
    )
    encoder, encoder_bias, decoder, user_bias = map(torch.tensor, parameters)
    network = Autoencoder(encoder, decoder, user_bias)
    network.encoder_bias.data = encoder_bias
    stars, count = torch.tensor(train.stars), torch.tensor(np.bincount(train.movie))
    model._train(network, torch.tensor(train.user).long(), stars, stars - 3, count, seed=2)
    learned = network.encoder, network.encoder_bias, network.decoder, network.user_bias
    for found, correct in zip(learned, expected, strict=True):
        np.testing.assert_allclose(found.detach(), correct, atol=2e-3)


def test_the_unknown_get_what_is_known_of_the_other():
    """An unknown movie the user bias beyond the baseline, an unknown user the baseline."""
    movies = toy_movies(20)
    train = toy_ratings([15, 6, 18], movies=18)
    baseline = ItemBaseline(np.linspace(2.5, 3.5, 20))
    model = fit(AutoRecModel(), train, movies, baseline)
    residual = train.stars - baseline.stars[train.movie]
    level = baseline.stars + residual.mean()
    strangers = model.predict(np.full(20, 77), np.arange(20))
    np.testing.assert_allclose(strangers, level, atol=1e-5)
    beyond = model.predict(np.full(2, 2), np.array([18, 19])) - level[[18, 19]]
    assert beyond[0] == pytest.approx(beyond[1], abs=1e-5)
    assert beyond[0] != 0
