"""The hybrid: the mean of its two halves, each computed by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from fitting import fit
from plain_personal import plain_kernel, plainly

from Collaborative.bayesian_fm import BayesianFM
from Collaborative.hybrid import Hybrid, HybridImplicit
from PerUser.personal import Personal
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.contract import Options, Recommender, build, fit_on
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings
from recbench.registry import load_recommender

FILMS = 40
MOVIES = toy_movies(FILMS)
TABLE = toy_table(MOVIES)
TABLES = ItemTables.same_for_all(TABLE)
EVERY = np.arange(FILMS)
USERS = [0, 1, 2, 3, 9]
ASKED = np.repeat(USERS, FILMS), np.tile(EVERY, len(USERS))
NOBODY = Ratings([], [], [], [])


class OwnOpinion(Recommender):
    """Says something of its own of each pair, and remembers what it was fitted to."""

    fitted_on: ClassVar[list[Ratings]] = []

    def fit(self, train, movies):
        self.fitted_on.append(train)
        return self

    def predict(self, user, movie):
        stars = 2 + (7 * np.asarray(user) + 3 * np.asarray(movie)) % 11 / 4
        return stars.astype(np.float32)


@pytest.fixture(autouse=True)
def fitted_on():
    OwnOpinion.fitted_on.clear()
    return OwnOpinion.fitted_on


def ratings(seed: int = 4) -> Ratings:
    """User 3 has none; the rows are not in the order of time."""
    train = toy_ratings([20, 1, 30], FILMS, seed=seed)
    return train.take(np.random.default_rng(seed).permutation(len(train)))


def history(train: Ratings, user: int) -> Ratings:
    own = train.take(train.user == user)
    return own.take(np.argsort(own.time, kind="stable"))


def errors_expected(own: Ratings, said: np.ndarray, table, hybrid: Hybrid) -> np.ndarray:
    """What the errors of a person's ratings tell of every movie, by a dense solve with the kernel
    of the docstring."""
    scales, less, n = table.scales, hybrid.share_of_similarity, len(own)
    of_errors = Scales(
        less * scales.loading, less * scales.similarity, hybrid.share_of_metadata * scales.metadata,
        less * scales.slope, scales.drift, hybrid.noise * scales.noise,
    )  # fmt: skip
    k = plain_kernel("codes", replace(table, scales=of_errors), MOVIES)
    film = own.movie.tolist()
    among = np.array([[k(i, j, a - b) for b, j in enumerate(film)] for a, i in enumerate(film)])
    to = np.array([[k(i, j, n - b) for b, j in enumerate(film)] for i in range(FILMS)])
    return to @ np.linalg.solve(among + of_errors.noise * np.eye(n), own.stars - said)


def by_halves(hybrid: Hybrid, train: Ratings, tables=TABLES) -> np.ndarray:
    """(users, movies)"""
    said = OwnOpinion().predict(*ASKED).reshape(len(USERS), FILMS).astype(float)
    halves = []
    for row, user in enumerate(USERS):
        table, own = tables.tables[tables.fold_of(user)], history(train, user)
        rated = list(zip(own.movie.tolist(), own.stars.tolist(), strict=True))
        personal, _ = plainly("codes", table, MOVIES, rated, EVERY)
        modelled = said[row]
        if len(own):
            modelled = modelled + errors_expected(own, said[row, own.movie], table, hybrid)
        halves.append((personal + modelled) / 2)
    return np.array(halves).clip(0.5, 5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"share_of_similarity": 1.0, "noise": 0.5}, {"share_of_metadata": 3.0, "noise": 2.0}],
)
def test_it_is_the_mean_of_two_halves_computed_separately(settings):
    train = ratings()
    hybrid = fit(Hybrid(model=OwnOpinion, **settings), train, MOVIES, item_tables=TABLES)
    expected = by_halves(hybrid, train)
    np.testing.assert_allclose(hybrid.predict(*ASKED), expected.ravel(), atol=1e-5)


def test_each_user_has_the_table_of_the_own_fold():
    train = ratings()
    tables = ItemTables((TABLE, toy_table(MOVIES, seed=5)), np.array([1, 0, 1, 1]))
    hybrid = fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=tables)
    found = hybrid.predict(*ASKED)
    np.testing.assert_allclose(found, by_halves(hybrid, train, tables).ravel(), atol=1e-5)
    one_for_all = by_halves(hybrid, train).ravel()
    assert (np.abs(found - one_for_all) > 1e-3).reshape(len(USERS), FILMS).mean(axis=1) == (
        pytest.approx([1, 0, 1, 1, 0], abs=0.1)
    )


def test_errors_by_hand():
    """One rating of 5 stars where the model said 3 and people on average 3: the model's error is 2.
    With level alone of kernel 1 a quarter is kept, and the noise of 1 is 1.3 in errors; so of the
    same movie the model's half is 3 + 2 · ¼ / (¼ + 1.3), the personal one 3 + 2 · ½."""
    table = replace(
        TABLE,
        mean=np.full(FILMS, 3.0),
        factors=np.ones((FILMS, 1)),
        scales=Scales(loading=1, similarity=0, metadata=0, slope=0, drift=0, noise=1),
    )

    class Three(OwnOpinion):
        def predict(self, user, movie):
            return np.full(len(user), 3, np.float32)

    tables = ItemTables.same_for_all(table)
    hybrid = fit(Hybrid(model=Three), Ratings([0], [4], [5.0], [1]), MOVIES, item_tables=tables)
    expected = (3 + 2 * 0.25 / 1.55 + 3 + 2 * 0.5) / 2
    assert hybrid.predict([0, 0], [4, 9]) == pytest.approx([expected, expected], abs=1e-6)


def test_of_a_user_without_ratings_it_is_the_mean_of_model_and_table():
    hybrid = fit(Hybrid(model=OwnOpinion), ratings(), MOVIES, item_tables=TABLES)
    for user in (3, 50_000):
        asked = np.full(FILMS, user), EVERY
        expected = (OwnOpinion().predict(*asked) + TABLE.mean) / 2
        np.testing.assert_allclose(hybrid.predict(*asked), expected.clip(0.5, 5), atol=1e-6)
    empty = fit(Hybrid(model=OwnOpinion), NOBODY, MOVIES, item_tables=TABLES)
    asked = np.zeros(FILMS, int), EVERY
    expected = (OwnOpinion().predict(*asked) + TABLE.mean) / 2
    np.testing.assert_allclose(empty.predict(*asked), expected.clip(0.5, 5), atol=1e-6)


def test_what_is_predicted_stays_within_the_scale():
    for mean in (0.2, 6.5):
        tables = ItemTables.same_for_all(replace(TABLE, mean=np.full(FILMS, mean)))
        stars = fit(Hybrid(model="always_3"), NOBODY, MOVIES, item_tables=tables).predict(*ASKED)
        assert stars == pytest.approx(np.full(len(stars), (3 + mean) / 2), abs=1e-6)
    tables = ItemTables.same_for_all(replace(TABLE, mean=np.full(FILMS, 9.0)))
    assert (
        fit(Hybrid(model="always_3"), NOBODY, MOVIES, item_tables=tables).predict(*ASKED) == 5
    ).all()


def test_the_model_is_fitted_once_to_all_ratings(fitted_on):
    train = ratings()
    fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES)
    assert fitted_on == [train]


def test_a_fitted_base_takes_the_place_of_the_model(fitted_on):
    train = ratings()
    alone = fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES)
    base = OwnOpinion().fit(train, MOVIES)
    fitted_on.clear()
    shared = fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES, base=base)
    assert fitted_on == []
    np.testing.assert_array_equal(shared.predict(*ASKED), alone.predict(*ASKED))


def test_the_base_of_a_run_is_that_of_its_own_settings():
    """The same seed and background or not, as `build` has it; of another model it takes none."""
    train, few = ratings(), {"rank": 2, "samples": 8}
    for background in (True, False):
        options = Options(seed=3, background=background)
        hybrid = build(load_recommender("hybrid"), options)
        model = hybrid._fitted_model(train.take(np.arange(5)), MOVIES)
        expected = build(BayesianFM, options)
        for name in ("seed", "rank", "samples", "initial_deviation"):
            assert getattr(model, name) == getattr(expected, name)
    assert Hybrid().builds_on == Hybrid(model="bayes_fm").builds_on == "bayes_fm"
    assert HybridImplicit().builds_on == "bayes_fm_implicit"
    assert Hybrid(model="bias").builds_on == ""
    assert Hybrid(model=OwnOpinion).builds_on == ""
    base = fit(BayesianFM(**few), train, MOVIES)
    shared = fit(Hybrid(), train, MOVIES, item_tables=TABLES, base=base)
    asked = np.array([3, 9]), np.array([0, 1])  # users without ratings
    expected = (base.predict(*asked) + TABLE.mean[[0, 1]]) / 2
    np.testing.assert_allclose(shared.predict(*asked), expected.clip(0.5, 5), atol=1e-6)


def test_a_model_of_ones_own(tmp_path):
    """A class, a name, or a class in a file; one that starts from an item baseline gets one."""
    file = tmp_path / "my_models.py"
    file.write_text(
        "import numpy as np\n"
        "class Baseline:\n"
        "    starts_from_item_baseline = True\n"
        "    def fit(self, train, movies, item_baseline):\n"
        "        self.stars = item_baseline.stars.clip(0.5, 5).astype(np.float32)\n"
        "        return self\n"
        "    def predict(self, user, movie):\n"
        "        return self.stars[movie]\n"
    )
    train = ratings()
    hybrid = fit(Hybrid(model=f"{file}:Baseline"), train, MOVIES, item_tables=TABLES)
    stranger = np.full(FILMS, 9), EVERY
    expected = (ItemBaseline.fit(train, MOVIES).stars.clip(0.5, 5) + TABLE.mean) / 2
    np.testing.assert_allclose(hybrid.predict(*stranger), expected.clip(0.5, 5), atol=1e-5)
    assert (
        hybrid.state_bytes()
        == fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES).state_bytes()
    )
    named = fit(Hybrid(model="always_3"), train, MOVIES, item_tables=TABLES)
    expected = (3 + TABLE.mean) / 2
    np.testing.assert_allclose(named.predict(*stranger), expected, atol=1e-6)


class Clock(Recommender):
    """Says what time it is, in stars, and remembers whom it was asked about and when."""

    asks_for_time: ClassVar[bool] = True
    asked: ClassVar[list] = []

    def fit(self, train, movies):
        self.now = int(train.time.max(initial=0))
        return self

    def predict(self, user, movie, time=None):
        time = np.full(len(user), self.now) if time is None else np.asarray(time)
        self.asked += zip(user.tolist(), movie.tolist(), time.tolist(), strict=True)
        return (time / 10).clip(0.5, 5).astype(np.float32)


def test_a_model_that_asks_for_the_time_is_told_it():
    """Of a training rating its own time, of what is asked the time it is asked for."""
    train = Ratings([0, 0, 1], [4, 5, 4], [3.0, 4.0, 5.0], [12, 20, 35])
    hybrid = fit(Hybrid(model=Clock), train, MOVIES, item_tables=TABLES)
    assert hybrid.asks_for_time
    assert not Hybrid(model=OwnOpinion).asks_for_time
    Clock.asked.clear()
    user, movie = np.array([9, 0]), np.array([7, 7])
    late = hybrid.predict(user, movie, time=np.array([40, 40]))
    assert sorted(Clock.asked) == [(0, 4, 12), (0, 5, 20), (0, 7, 40), (9, 7, 40)]
    early = hybrid.predict(user, movie, time=np.array([20, 30]))
    np.testing.assert_allclose(late - early, [(4.0 - 2.0) / 2, (4.0 - 3.0) / 2], atol=1e-6)
    now = hybrid.predict(user, movie)
    np.testing.assert_array_equal(now, hybrid.predict(user, movie, time=np.array([35, 35])))


def test_a_movie_rated_twice_counts_once_the_latest():
    twice = Ratings([0, 0, 0], [4, 5, 4], [1.0, 3.0, 5.0], [10, 20, 30])
    once = Ratings([0, 0], [5, 4], [3.0, 5.0], [20, 30])
    asked = np.zeros(FILMS, int), EVERY
    first, second = (
        fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES).predict(*asked)
        for train in (twice, once)
    )
    np.testing.assert_array_equal(first, second)


def test_what_is_asked_together_is_what_is_asked_alone():
    hybrid = fit(Hybrid(model=OwnOpinion), ratings(), MOVIES, item_tables=TABLES)
    together = hybrid.predict(*ASKED)
    for place in range(0, len(together), 17):
        alone = hybrid.predict(ASKED[0][[place]], ASKED[1][[place]])
        assert alone[0] == pytest.approx(together[place], abs=1e-6)


def test_a_better_model_makes_a_better_hybrid():
    """One that knows the truth, against one that has a wrong opinion."""
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 11, (10, FILMS)) / 2

    class Oracle(OwnOpinion):
        def predict(self, user, movie):
            return truth[user, movie].astype(np.float32)

    user, movie = (
        np.repeat(np.arange(10), 20),
        np.concatenate([rng.permutation(FILMS)[:20] for _ in range(10)]),
    )
    train = Ratings(user, movie, truth[user, movie], np.arange(200))
    asked = np.repeat(np.arange(10), FILMS), np.tile(EVERY, 10)
    errors = [
        np.abs(
            fit_on(model, train, MOVIES, None, item_tables=TABLES).predict(*asked) - truth.ravel()
        )
        for model in (Hybrid(model=Oracle), Personal(), Hybrid(model=OwnOpinion))
    ]
    means = [error.mean() for error in errors]
    assert means[0] < 0.7 * means[1]
    assert means[0] < 0.7 * means[2]


def test_how_large_it_is():
    """The personal half, the number of each row, and the model."""
    train = ratings()
    hybrid = fit(Hybrid(model=OwnOpinion), train, MOVIES, item_tables=TABLES)
    personal = fit(Personal(), train, MOVIES, item_tables=TABLES)
    assert hybrid.state_bytes() == personal.state_bytes() + 4 * len(train)
    larger = fit(Hybrid(model="bias"), train, MOVIES, item_tables=TABLES)
    model = build(load_recommender("bias"), Options())
    fit_on(model, train, MOVIES, ItemBaseline.fit(train, MOVIES))
    assert larger.state_bytes() == hybrid.state_bytes() + model.state_bytes()
