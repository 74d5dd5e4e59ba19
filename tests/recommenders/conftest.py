"""The toy data that the tests of recommenders share."""

from __future__ import annotations

import pytest

from recbench.checks.toy_data import MOVIES, TRAIN
from recbench.ratings import Movies, Ratings


@pytest.fixture
def movies() -> Movies:
    return MOVIES


@pytest.fixture
def train() -> Ratings:
    """Users 0, 1, 2, 4 and 5 with 12, 1, 7, 3 and 19 ratings of movies 0 .. 19; user 3 has none."""
    return TRAIN
