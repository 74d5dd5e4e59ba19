"""The hybrid: the mean of its two halves, each computed by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from fitting import fit
from plain_personal import own_ratings, plainly

from Collaborative.hybrid import Hybrid, HybridImplicit
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.contract import Recommender, time_for
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings

FILMS = 40
MOVIES = toy_movies(FILMS)
TABLE = toy_table(MOVIES)
TABLES = ItemTables.same_for_all(TABLE)
EVERY = np.arange(FILMS)
USERS = [0, 1, 2, 3, 9]
QUERIES = np.repeat(USERS, FILMS), np.tile(EVERY, len(USERS))
NOBODY = Ratings([], [], [], [])


class OwnOpinion(Recommender):
    """Has a prediction of its own for each pair, and remembers what it was fitted to."""

    learns_from: ClassVar[str] = "all"
    fitted_on: ClassVar[list[Ratings]] = []

    def fit(self, training):
        self.fitted_on.append(training.all_ratings)
        return self

    def predict(self, user, movie):
        return (2 + (7 * np.asarray(user) + 3 * np.asarray(movie)) % 11 / 4).astype(np.float32)


def fitted(train=NOBODY, tables=TABLES, model=OwnOpinion, **settings) -> Hybrid:
    tables = tables if isinstance(tables, ItemTables) else ItemTables.same_for_all(tables)
    return fit(Hybrid(model=model, **settings), train, MOVIES, item_tables=tables)


def ratings(seed: int = 4) -> Ratings:
    """User 3 has none; the rows are not in the order of time."""
    train = toy_ratings([20, 1, 30], FILMS, seed=seed)
    return train.take(np.random.default_rng(seed).permutation(len(train)))


def by_halves(hybrid: Hybrid, train: Ratings, tables=TABLES) -> np.ndarray:
    """(users, movies)"""
    of_model = OwnOpinion().predict(*QUERIES).reshape(len(USERS), FILMS).astype(float)
    halves, less = [], hybrid.share_of_similarity
    for modelled, user in zip(of_model, USERS, strict=True):
        table, rated = tables.tables[tables.fold_of(user)], own_ratings(train, user)
        scales = table.scales
        of_errors = Scales(
            less * scales.loading, less * scales.similarity,
            hybrid.share_of_metadata * scales.metadata, less * scales.slope, scales.drift,
            hybrid.noise * scales.uncertainty, hybrid.noise * scales.noise,
        )  # fmt: skip
        errors = [(movie, stars - modelled[movie]) for movie, stars in rated]
        error, _ = plainly(replace(table, scales=of_errors), MOVIES, errors, EVERY, with_mean=False)
        personal, _ = plainly(table, MOVIES, rated, EVERY)
        halves.append((personal + modelled + error) / 2)
    return np.array(halves).clip(0.5, 5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"share_of_similarity": 1.0, "noise": 0.5}, {"share_of_metadata": 3.0, "noise": 2.0}],
)
def test_it_is_the_mean_of_two_halves_computed_separately(settings):
    train = ratings()
    hybrid = fitted(train, **settings)
    together = hybrid.predict(*QUERIES)
    np.testing.assert_allclose(together, by_halves(hybrid, train).ravel(), atol=1e-5)
    for place in range(0, len(together), 37):  # each alone as all together
        alone = hybrid.predict(QUERIES[0][[place]], QUERIES[1][[place]])
        assert alone[0] == pytest.approx(together[place], abs=1e-6)


def test_each_user_has_the_table_of_the_own_fold():
    train = ratings()
    tables = ItemTables((TABLE, toy_table(MOVIES, seed=5)), np.array([1, 0, 1, 1]))
    hybrid = fitted(train, tables)
    found = hybrid.predict(*QUERIES)
    np.testing.assert_allclose(found, by_halves(hybrid, train, tables).ravel(), atol=1e-5)
    one_for_all = by_halves(hybrid, train).ravel()
    assert (np.abs(found - one_for_all) > 1e-3).reshape(len(USERS), FILMS).mean(axis=1) == (
        pytest.approx([1, 0, 1, 1, 0], abs=0.1)
    )


def test_the_model_is_fitted_once_to_all_ratings():
    train, background = ratings(), toy_ratings([0, 0, 0, 0, 7], FILMS)
    OwnOpinion.fitted_on.clear()
    fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES, background=background)
    (found,) = OwnOpinion.fitted_on
    assert np.array_equal(found.stars, np.concatenate((train.stars, background.stars)))


def test_the_model_of_the_cell_is_shared_and_no_other_takes_its_place():
    train = ratings()
    base = fit(OwnOpinion(), train, MOVIES)
    shared = fit(Hybrid(), train, MOVIES, item_tables=TABLES, bayes_fm=base)
    np.testing.assert_array_equal(shared.predict(*QUERIES), fitted(train).predict(*QUERIES))
    assert Hybrid().builds_on == Hybrid(model="bayes_fm").builds_on == "bayes_fm"
    assert HybridImplicit().builds_on == "bayes_fm_implicit"
    assert Hybrid(model="bias").builds_on == Hybrid(model=OwnOpinion).builds_on == ""


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
    hybrid = fit(Hybrid(model=f"{file}:Baseline"), train, MOVIES, baseline, item_tables=TABLES)
    expected = (baseline.stars.clip(0.5, 5) + TABLE.mean) / 2
    found = hybrid.predict(np.full(FILMS, 9), EVERY)
    np.testing.assert_allclose(found, expected.clip(0.5, 5), atol=1e-5)
    assert hybrid.state_bytes() == fitted(train).state_bytes()


class Clock(Recommender):
    """Predicts the time, in stars, and remembers its queries and their times."""

    queries: ClassVar[list] = []

    def fit(self, training):
        self.now = int(training.all_ratings.time.max(initial=0))
        return self

    def predict(self, user, movie, time=None):
        time = np.full(len(user), self.now) if time is None else np.asarray(time)
        self.queries += zip(user.tolist(), movie.tolist(), time.tolist(), strict=True)
        return (time / 10).clip(0.5, 5).astype(np.float32)


def test_a_model_that_needs_the_time_gets_it():
    """Of a training rating its own time, of a query that of the query."""
    train = Ratings([0, 0, 1], [4, 5, 4], [3.0, 4.0, 5.0], [12, 20, 35])
    hybrid = fitted(train, model=Clock)
    assert "time" in time_for(hybrid, None)
    Clock.queries.clear()
    user, movie = np.array([9, 0]), np.array([7, 7])
    late = hybrid.predict(user, movie, time=np.array([40, 40]))
    assert sorted(Clock.queries) == [(0, 4, 12), (0, 5, 20), (0, 7, 40), (9, 7, 40)]
    early = hybrid.predict(user, movie, time=np.array([20, 30]))
    np.testing.assert_allclose(late - early, [(4.0 - 2.0) / 2, (4.0 - 3.0) / 2], atol=1e-6)
    now = hybrid.predict(user, movie)
    np.testing.assert_array_equal(now, hybrid.predict(user, movie, time=np.array([35, 35])))


def test_a_movie_rated_twice_counts_once_the_latest():
    twice = fitted(Ratings([0, 0, 0], [4, 5, 4], [1.0, 3.0, 5.0], [10, 20, 30]))
    once = fitted(Ratings([0, 0], [5, 4], [3.0, 5.0], [20, 30]))
    queries = np.zeros(FILMS, int), EVERY
    np.testing.assert_array_equal(twice.predict(*queries), once.predict(*queries))
