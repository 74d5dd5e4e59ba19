"""`personal`: by hand, against a dense solve, learning on, forgetting, and movies watched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitting import fit, shuffled_ratings
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_personal import own_ratings, plain_mean, plainly, table_of

from PerUser.ntuple import ImplicitMean, NTuple
from PerUser.personal import Personal
from recbench.checks.toy_data import toy_movies, toy_table
from recbench.models.item_table.scales import Steps
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings

MOVIES = toy_movies(40)
TABLE = toy_table(MOVIES)
EVERY = np.arange(40)
NOBODY = Ratings([], [], [], [])


def fitted(train: Ratings = NOBODY, table=TABLE, movies=MOVIES) -> Personal:
    tables = table if isinstance(table, ItemTables) else ItemTables.same_for_all(table)
    return fit(Personal(), train, movies, item_tables=tables)


def all_movies(model: Personal, user: int) -> tuple[np.ndarray, np.ndarray]:
    return model.predict_normal(np.full(40, user), EVERY)


def test_predictions_are_those_of_a_dense_solve():
    train = shuffled_ratings([12, 1, 30, 0, 4])
    model = fitted(train)
    for user in range(5):
        expected = plainly(TABLE, MOVIES, own_ratings(train, user), EVERY)
        found = all_movies(model, user)
        np.testing.assert_allclose(found, expected, atol=1e-8)
        stars = model.predict(np.full(40, user), EVERY)
        np.testing.assert_allclose(stars, expected[0].clip(0.5, 5), atol=1e-6)
        one_by_one = [model.predict_one(user, movie) for movie in EVERY]
        np.testing.assert_allclose(one_by_one, found[0].clip(0.5, 5), atol=1e-8)
        np.testing.assert_allclose(all_movies(model, user), expected, atol=1e-8)  # of a process
    user, movie = (np.random.default_rng(0).integers(0, most, 200) for most in (7, 40))
    alone = [model.predict_one(*pair) for pair in zip(user, movie, strict=True)]
    np.testing.assert_allclose(fitted(train).predict(user, movie), alone, atol=1e-6)


@pytest.mark.parametrize("make", [Personal, NTuple, ImplicitMean])
def test_in_another_session_less_is_left_of_what_the_ratings_say(make):
    table, hour = replace(TABLE, persistence=0.7), 3600
    train = replace(shuffled_ratings([12, 4]), time=np.arange(16) * 60)
    model, alike = (fit(make(), train, MOVIES, item_tables=ItemTables.same_for_all(one))
                    for one in (table, TABLE))  # fmt: skip
    user, movie = np.repeat([0, 1, 2], 40), np.tile(EVERY, 3)
    latest = np.array([train.time[train.user == one].max(initial=0) for one in (0, 1, 2)])
    soon, later = (np.repeat(latest, 40) + hours * hour for hours in (5, 7))
    before = alike.predict(user, movie)
    assert (model.predict(user, movie) == before).all()  # no time: as soon as the last rating
    assert (model.predict(user, movie, soon) == before).all()
    assert (alike.predict(user, movie, later) == before).all()
    mean = np.concatenate([plain_means(table, own_ratings(train, one)) for one in (0, 1, 2)])
    inside = (mean + (before - mean) / 0.7 > 0.5) & (mean + (before - mean) / 0.7 < 5)
    expected = (mean + 0.7 * (before - mean)).clip(0.5, 5)
    np.testing.assert_allclose(
        model.predict(user, movie, later)[inside], expected[inside], atol=1e-5
    )
    assert (expected != before)[:80].mean() > 0.9
    model.learn_one(0, 39, 4.0)  # as every rating learned one by one: when, is not known
    alike.learn_one(0, 39, 4.0)
    now = model.predict(user[:40], movie[:40], later[:40])
    assert (now == alike.predict(user[:40], movie[:40])).all()


@pytest.mark.parametrize("make", [Personal, NTuple, ImplicitMean])
def test_the_time_of_a_forgotten_rating_is_forgotten(make):
    """Of the latest rating; that of another tells nothing."""
    tables = ItemTables.same_for_all(replace(TABLE, persistence=0.7))
    train = replace(shuffled_ratings([12]), time=np.arange(12) * 60)
    asked, later = (np.zeros(40, int), EVERY), np.full(40, 10**9)
    for gone, known in ((train.movie[0], True), (train.movie[-1], False)):
        model = fit(make(), train, MOVIES, item_tables=tables)
        model.forget_one(0, int(gone))
        assert (model.predict(*asked, later) != model.predict(*asked)).any() == known
    if make is Personal:
        for gone, known in ((train.movie[:2], True), (train.movie[-2:], False)):
            model = fit(make(), train, MOVIES, item_tables=tables)
            model.forget(0, gone.tolist())
            assert (model.predict(*asked, later) != model.predict(*asked)).any() == known


def plain_means(table, own) -> np.ndarray:
    known = [movie for movie, _ in own]
    return np.array([plain_mean(table, known, movie) for movie in EVERY])


def test_the_variance_grows_with_what_is_forgotten_between_sessions():
    table = replace(TABLE, persistence=0.7)
    model = fitted(shuffled_ratings([12]), table)
    asked, later = (np.zeros(40, int), EVERY), np.full(40, 10**9)
    (mean, soon), (moved, variance) = (
        model.predict_normal(*asked),
        model.predict_normal(*asked, later),
    )
    prior = fitted(table=table).predict_normal(*asked)[1]
    np.testing.assert_allclose(prior - variance, 0.49 * (prior - soon), atol=1e-9)
    assert (mean != moved).all()
    grid, found = model.predict_distribution(*asked, later)
    _, expected = Personal.predict_distribution(model, *asked)
    assert found.shape == (40, len(grid))
    assert (found != expected).any()


def test_the_example_of_the_documentation():
    """docs/personal-model.md: user 0 rated A 5 and C 3; what of B?"""
    movies = toy_movies(3)
    movies = replace(movies, bits=np.zeros_like(movies.bits))
    angles = np.deg2rad([0, 22.5, 135])
    factors = np.column_stack((np.full(3, 0.5), np.cos(angles), np.sin(angles)))
    table = table_of(movies, factors, loading=1, similarity=1, noise=0.75)
    model = fitted(Ratings([0, 0], [0, 2], [5, 3], [1, 2]), table, movies)
    mean, variance = model.predict_normal(np.array([0]), np.array([1]))
    assert mean[0] == pytest.approx(3 + 64 / 63)
    assert variance[0] == pytest.approx(1.25 + 0.75 - 32 / 63)
    of_all, of_a, *_ = parts = model.explain_one(0, 1).contributions
    assert (of_all.movie, of_all.stars) == (None, 3)
    assert (of_a.movie, of_a.stars) == (0, pytest.approx(64 / 63))
    assert of_a.if_forgotten == pytest.approx(-64 / 63)
    (of_c,) = (part for part in parts if part.movie == 2 and "gave" in part.reason)
    assert of_c.stars == pytest.approx(0, abs=1e-12)
    assert of_c.if_forgotten == pytest.approx(4 - (3 + 64 / 63))
    model.forget_one(0, 2)
    assert model.predict_one(0, 1) == pytest.approx(4.0)


def test_a_user_without_ratings_is_predicted_the_mean():
    model = fitted(shuffled_ratings([3, 0, 2]))
    for user in (1, 3, 50_000):
        mean, variance = all_movies(model, user)
        assert (mean == TABLE.mean).all()
        np.testing.assert_allclose(variance, plainly(TABLE, MOVIES, [], EVERY)[1], atol=1e-8)
        assert model.predict_one(user, 5) == TABLE.mean[5]
    high = fitted(table=replace(TABLE, mean=np.full(40, 5.3)))
    assert high.predict_one(0, 3) == 5.0  # within the scale
    assert high.predict([0], [3]).tolist() == [5.0]
    assert high.predict_normal([0], [3])[0].tolist() == [5.3]


# --- learning on, and forgetting ---------------------------------------------------------------


@settings(max_examples=40)
@given(st.data())
def test_whatever_is_learned_and_forgotten_what_is_left_counts(data):
    """In whatever order, after whatever was fitted; a movie rated again counts once, as the latest;
    one that was watched counts as rated alone once it is rated."""
    train = shuffled_ratings(data.draw(st.lists(st.integers(0, 30), min_size=2, max_size=2)))
    model = fitted(train)
    left = {user: dict(own_ratings(train, user)) for user in (0, 1)}
    watched: dict[int, set[int]] = {0: set(), 1: set()}
    some_movies = st.lists(st.integers(0, 14), max_size=4)
    for _ in range(data.draw(st.integers(0, 25))):
        user, movie = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 11))
        own, what = left[user], data.draw(st.sampled_from(["learn", "forget", "watch", "predict"]))
        if what == "predict":  # from then on there is a process
            model.predict_one(user, movie)
        elif what == "watch":
            watched[user] = set(data.draw(some_movies)) - {*own}
            model.watch(user, np.array([*own, *watched[user]], dtype=int))
        elif what == "forget" and own:
            gone = data.draw(st.lists(st.sampled_from([*own]), max_size=3, unique=True))
            if len(gone) == 1:
                model.forget_one(user, gone[0])
            else:
                model.forget(user, gone)
            for one in gone:
                del own[one]
        else:
            stars = data.draw(st.integers(1, 10)) / 2
            model.learn_one(user, movie, stars)
            own.pop(movie, None)
            own[movie] = stars
            watched[user].discard(movie)
    for user, own in left.items():
        expected = plainly(TABLE, MOVIES, [*own.items()], EVERY, watched[user])
        np.testing.assert_allclose(all_movies(model, user), expected, atol=1e-8)
        alone = model.predict_one(user, 12)
        assert alone == pytest.approx(expected[0][12].clip(0.5, 5), abs=1e-8)
        explained = model.explain_one(user, 12, if_forgotten=False)
        assert explained.stars == pytest.approx(alone, abs=1e-12)
        assert model.ask_next(user, EVERY[20:22], EVERY) in (20, 21)
        assert (user in model.memories) == bool(own or watched[user])
    everybody = np.repeat([0, 1], 40), np.tile(EVERY, 2)
    together = model.predict_normal(*everybody)
    one_by_one = np.hstack([all_movies(model, user) for user in (0, 1)])
    np.testing.assert_allclose(together, one_by_one, atol=1e-12)


def test_of_a_movie_rated_twice_the_latest_is_fitted():
    twice = Ratings([0, 0, 0], [4, 5, 4], [1.0, 3.0, 5.0], [10, 20, 30])
    once = Ratings([0, 0], [5, 4], [3.0, 5.0], [20, 30])
    for rows in ([0, 1, 2], [2, 0, 1]):
        found = all_movies(fitted(twice.take(np.array(rows))), 0)
        np.testing.assert_array_equal(found, all_movies(fitted(once), 0))


def test_the_likelihood_is_that_of_one_prediction_after_another():
    table = replace(TABLE, implicit=TABLE.implicit * 0, implicit_mean=TABLE.implicit_mean * 0)
    model, total = fitted(table=table), 0.0
    for movie, stars in own_ratings(shuffled_ratings([20]), 0):
        mean, variance = (x[0] for x in model.predict_normal(np.array([0]), np.array([movie])))
        total -= ((stars - mean) ** 2 / variance + np.log(variance)) / 2
        model.learn_one(0, movie, stars)
    assert model.memories.log_likelihood(0) == pytest.approx(total)
    assert model.memories.log_likelihood(1) == 0


def test_each_user_has_the_table_of_the_own_fold():
    train = shuffled_ratings([12, 5, 20, 7])
    steps = Steps(TABLE.steps.cuts - 0.5, 1.5)
    tables = (TABLE, replace(toy_table(MOVIES, seed=8), steps=steps))
    model = fitted(train, ItemTables(tables, np.array([1, 0, 1, 0])))
    alone = [fitted(train, table) for table in tables]
    user, movie = np.tile([2, 3, 0, 1, 9], 40), np.repeat(EVERY, 5)
    for one in (model, *alone):
        one.learn_one(0, 17, 4.5)
        one.learn_one(1, 17, 1.0)
    fold = np.isin(user, [0, 2])  # user 9, of no fold, has the first
    expected = np.where(fold, *(one.predict(user, movie) for one in alone[::-1]))
    np.testing.assert_allclose(model.predict(user, movie), expected, atol=1e-6)
    assert (alone[0].predict(user, movie) != alone[1].predict(user, movie)).mean() > 0.9
    first, second = (one.predict_distribution(user, movie)[1] for one in alone)
    expected = np.where(fold[:, None], second, first)
    np.testing.assert_allclose(model.predict_distribution(user, movie)[1], expected, atol=1e-9)
