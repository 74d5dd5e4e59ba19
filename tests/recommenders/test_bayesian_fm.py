"""The Bayesian factorisation machine: truths it must find, and what it does without an id."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitting import fit

from Collaborative.bayesian_fm import BayesianFM
from recbench.checks.toy_data import toy_movies
from recbench.ratings import Movies, Ratings

USERS, MOVIES, RATED = 50, 340, 300


def ratings_of(effect: np.ndarray, seed: int = 0, share: float = 0.2) -> Ratings:
    """Noisy ratings 3 + b_u + effect_ui [users, movies] of a share of all pairs."""
    rng = np.random.default_rng(seed)
    stars = 3 + rng.normal(0, 0.3, (USERS, 1)) + effect + rng.normal(0, 0.3, effect.shape)
    user, movie = np.nonzero(rng.random(effect.shape) < share)
    return Ratings(user, movie, stars.clip(0.5, 5)[user, movie], np.zeros(len(user)))


@pytest.fixture
def movies() -> Movies:
    return toy_movies(MOVIES, seed=2)


def fitted(cls, effect: np.ndarray, movies: Movies):
    train = ratings_of(np.broadcast_to(effect, (USERS, MOVIES)))
    return fit(cls(samples=100, rank=2), train.take(train.movie < RATED), movies)


def assert_found(stars: np.ndarray, effect: np.ndarray) -> None:
    slope, _ = np.polyfit(effect, stars, 1)
    assert np.corrcoef(effect, stars)[0, 1] > 0.9
    assert 0.7 < slope < 1.15


NEW = np.arange(RATED, MOVIES)  # movies without ratings
UNKNOWN = np.full(len(NEW), USERS + 7)


def test_it_finds_the_effect_of_a_bit_on_movies_never_rated(movies):
    effect = np.where(movies.bits[:, 2] == 1, 0.8, -0.8)
    assert_found(fitted(BayesianFM, effect, movies).predict(UNKNOWN, NEW), effect[NEW])


def test_it_finds_a_users_weight_of_a_bit(movies):
    """Users of even number like what bit 4 marks, the others dislike it."""
    sign = np.where(np.arange(USERS) % 2 == 0, 1.0, -1.0)[:, None]
    effect = sign * (2.0 * movies.bits[None, :, 4] - 1)
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(USERS), NEW))
    stars = fitted(BayesianFM, effect, movies).predict(user, movie)
    assert_found(stars, effect[user, movie])


def test_it_learns_the_slope_on_the_vote_average(movies):
    effect = np.nan_to_num((movies.vote_average - 3) * 0.7)
    blank = replace(movies, bits=np.zeros_like(movies.bits))
    assert_found(fitted(BayesianFM, effect, blank).predict(UNKNOWN, NEW), effect[NEW])
