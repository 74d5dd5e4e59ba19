"""The toy data that the tests of recommenders share."""

from __future__ import annotations

import numpy as np
import pytest

from recbench.checks.toy_data import MOVIES, TRAIN, toy_movies
from recbench.ratings import Movies, Ratings


@pytest.fixture
def movies() -> Movies:
    return MOVIES


@pytest.fixture
def train() -> Ratings:
    """Users 0, 1, 2, 4 and 5 with 12, 1, 7, 3 and 19 ratings of movies 0 .. 19; user 3 has none."""
    return TRAIN


@pytest.fixture
def interaction() -> tuple[Ratings, Movies, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Half the users love even movies and hate odd ones, the other half the reverse: ratings,
    movies, the pairs that are held out, and their stars."""
    rng = np.random.default_rng(1)
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(60), np.arange(44)))
    truth = np.where((user + movie) % 2 == 0, 4.5, 1.5)
    seen = rng.random(len(user)) < 0.6
    train = Ratings(user, movie, truth, np.zeros(len(user))).take(seen)
    return train, toy_movies(44), (user[~seen], movie[~seen]), truth[~seen]
