"""Every setting that a tuner may choose changes the result."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from fitting import fit

from recbench.checks.toy_data import toy_movies, toy_tables
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, load_recommender


def spaces() -> list:
    """One case for each setting of each recommender."""
    return [
        pytest.param(cls, setting, space, id=f"{name}-{setting}")
        for name in RECOMMENDERS
        for cls in (load_recommender(name),)
        for setting, space in getattr(cls, "search_space", {}).items()
    ]


def ends(space: tuple) -> tuple:
    return space[:2] if space[-1] in ("log", "linear", "int") else (space[0], space[-1])


@pytest.fixture(scope="module")
def data():
    """Ratings with something to learn: users differ in their bias and in the bit they like."""
    rng = np.random.default_rng(0)
    movies = toy_movies(50)
    user, movie = np.nonzero(rng.random((80, 50)) < 0.5)
    stars = 3 + rng.normal(0, 0.5, 80)[user] + movies.bits[movie, user % 26] - 0.5
    stars = np.round(2 * (stars + rng.normal(0, 0.4, len(user)))).clip(1, 10) / 2
    return Ratings(user, movie, stars, np.zeros(len(user))), movies


@pytest.mark.parametrize(("cls", "setting", "space"), spaces())
def test_a_setting_changes_the_result(cls, setting, space, data):
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(20), np.arange(50)))
    few = {"samples": 10} if "samples" in inspect.signature(cls).parameters else {}
    fits = {"item_baseline": ItemBaseline.fit(*data), "item_tables": toy_tables(data[1])}
    low, high = (
        fit(cls(**few | {setting: end}), *data, **fits).predict(user, movie) for end in ends(space)
    )
    assert (low != high).any()
