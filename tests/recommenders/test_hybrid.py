"""The hybrid: the mean of its two halves, each computed by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from fitting import fit

from Collaborative.hybrid import HybridImplicit
from PerUser.personal import Personal
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.contract import Recommender, time_for
from recbench.models.item_table.table import ItemTables

FILMS = 40
MOVIES = toy_movies(FILMS)
TRAIN = toy_ratings([20, 1, 30], FILMS, seed=4)
TABLES = ItemTables((toy_table(MOVIES), toy_table(MOVIES, seed=5)), np.array([1, 0, 1, 1]))
USERS = [0, 1, 2, 3, 9]  # 3 has no ratings, 9 is unknown
QUERIES = np.repeat(USERS, FILMS), np.tile(np.arange(FILMS), len(USERS))


class OwnOpinion(Recommender):
    """Has a prediction of its own for each pair and time."""

    learns_from: ClassVar[str] = "all"

    def fit(self, training):
        return self

    def predict(self, user, movie, time=None):
        time = np.zeros(len(user)) if time is None else np.asarray(time)
        stars = 2 + (7 * np.asarray(user) + 3 * np.asarray(movie) + time) % 11 / 4
        return stars.astype(np.float32)


def fitted(model=OwnOpinion, **more) -> HybridImplicit:
    return fit(HybridImplicit(model), TRAIN, MOVIES, item_tables=TABLES, **more)


@pytest.mark.parametrize("time", [None, np.arange(len(USERS) * FILMS)])
def test_it_is_the_mean_of_two_halves(time):
    personal = fit(Personal(), TRAIN, MOVIES, item_tables=TABLES)
    hybrid = fitted()
    assert "time" in time_for(hybrid, time)
    for _ in range(2):
        expected = (personal.predict(*QUERIES) + OwnOpinion().predict(*QUERIES, time)) / 2
        np.testing.assert_allclose(hybrid.predict(*QUERIES, time=time), expected, atol=1e-6)
        for one in (hybrid, personal):
            one.learn_one(3, 8, 5.0)
    assert personal.predict_one(3, 9) != pytest.approx(TABLES.tables[1].mean[9])


def test_the_model_of_the_cell_is_shared():
    shared = fitted(None, bayes_fm_implicit=fit(OwnOpinion(), TRAIN, MOVIES))
    np.testing.assert_array_equal(shared.predict(*QUERIES), fitted().predict(*QUERIES))
