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
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings
from recbench.registry import load_recommender

FILMS = 40
MOVIES = toy_movies(FILMS)
TABLES = ItemTables((toy_table(MOVIES), toy_table(MOVIES, seed=5)), np.array([1, 0, 1, 1]))
USERS = [0, 1, 2, 3, 9]  # 3 has no ratings, 9 is unknown
QUERIES = np.repeat(USERS, FILMS), np.tile(np.arange(FILMS), len(USERS))


class OwnOpinion(Recommender):
    """Has a prediction of its own for each pair and time, and remembers what it was fitted to."""

    learns_from: ClassVar[str] = "all"
    fitted_on: ClassVar[list[Ratings]] = []

    def fit(self, training):
        self.fitted_on.append(training.all_ratings)
        return self

    def predict(self, user, movie, time=None):
        time = np.zeros(len(user)) if time is None else np.asarray(time)
        stars = 2 + (7 * np.asarray(user) + 3 * np.asarray(movie) + time) % 11 / 4
        return stars.astype(np.float32)


def fitted(train: Ratings, model=OwnOpinion, **more) -> HybridImplicit:
    return fit(HybridImplicit(model), train, MOVIES, item_tables=TABLES, **more)


def ratings(seed: int = 4) -> Ratings:
    return toy_ratings([20, 1, 30], FILMS, seed=seed)


@pytest.mark.parametrize("time", [None, np.arange(len(USERS) * FILMS)])
def test_it_is_the_mean_of_two_halves(time):
    train = ratings()
    personal = fit(Personal(), train, MOVIES, item_tables=TABLES)
    hybrid = fitted(train)
    assert "time" in time_for(hybrid, time)
    for _ in range(2):
        expected = (personal.predict(*QUERIES) + OwnOpinion().predict(*QUERIES, time)) / 2
        np.testing.assert_allclose(hybrid.predict(*QUERIES, time=time), expected, atol=1e-6)
        for one in (hybrid, personal):
            one.learn_one(3, 8, 5.0)
    assert personal.predict_one(3, 9) != pytest.approx(TABLES.tables[1].mean[9])


def test_the_model_is_fitted_once_to_all_ratings():
    train, background = ratings(), toy_ratings([0, 0, 0, 0, 7], FILMS)
    OwnOpinion.fitted_on.clear()
    fitted(train, background=background)
    (found,) = OwnOpinion.fitted_on
    assert np.array_equal(found.stars, np.concatenate((train.stars, background.stars)))


def test_the_model_of_the_cell_is_shared():
    train = ratings()
    shared = fitted(train, None, bayes_fm_implicit=fit(OwnOpinion(), train, MOVIES))
    np.testing.assert_array_equal(shared.predict(*QUERIES), fitted(train).predict(*QUERIES))


def test_a_model_of_ones_own(tmp_path):
    """A class in a file, which starts from the item baseline."""
    file = tmp_path / "my_models.py"
    file.write_text(
        "import numpy as np\n"
        "class Baseline:\n"
        "    learns_from = 'all'\n"
        "    def fit(self, training):\n"
        "        self.stars = training.item_baseline.stars.clip(0.5, 5).astype(np.float32)\n"
        "        return self\n"
        "    def predict(self, user, movie):\n"
        "        return self.stars[movie]\n"
    )
    train = ratings()
    baseline = ItemBaseline.fit(train, MOVIES)
    hybrid = fitted(train, f"{file}:Baseline", item_baseline=baseline)
    personal = fit(Personal(), train, MOVIES, item_tables=TABLES)
    expected = (baseline.stars.clip(0.5, 5)[QUERIES[1]] + personal.predict(*QUERIES)) / 2
    np.testing.assert_allclose(hybrid.predict(*QUERIES), expected, atol=1e-5)
    assert hybrid.state_bytes() == personal.state_bytes()


def test_how_large_it_is():
    train = ratings()
    baseline = ItemBaseline.fit(train, MOVIES)
    personal = fit(Personal(), train, MOVIES, item_tables=TABLES)
    bias = fit(load_recommender("bias")(), train, MOVIES, baseline)
    hybrid = fitted(train, "bias", item_baseline=baseline)
    assert hybrid.state_bytes() == personal.state_bytes() + bias.state_bytes()
    assert hybrid.shared_bytes() == personal.shared_bytes() + bias.shared_bytes()
