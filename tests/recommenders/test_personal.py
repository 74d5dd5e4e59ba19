"""`personal` and `personal_exact`: against a dense solve, learning on, and forgetting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_personal import plainly

from PerUser.personal import Personal, PersonalExact
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table, toy_tables
from recbench.models.item_table.scales import Scales, Steps
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Ratings

FILMS = 40
MOVIES = toy_movies(FILMS)
TABLE = toy_table(MOVIES)
TABLES = ItemTables.same_for_all(TABLE)
EVERY = np.arange(FILMS)
KINDS = [Personal, PersonalExact]
NAMES = {Personal: "codes", PersonalExact: "factors"}
NOBODY = Ratings([], [], [], [])


def shuffled_ratings(lengths: list[int], seed: int = 4) -> Ratings:
    """The rows not in the order of time, and some times equal."""
    train = toy_ratings(lengths, FILMS, seed=seed)
    rng = np.random.default_rng(seed)
    mixed = train.take(rng.permutation(len(train)))
    return replace(mixed, time=rng.integers(0, 30, len(train)))


def history(train: Ratings, user: int) -> list[tuple[int, float]]:
    own = train.take(train.user == user)
    order = np.argsort(own.time, kind="stable")
    return list(zip(own.movie[order].tolist(), own.stars[order].tolist(), strict=True))


def all_movies(model: Personal, user: int) -> tuple[np.ndarray, np.ndarray]:
    return model.predict_normal(np.full(FILMS, user), EVERY)


def same(first: Personal, second: Personal, users: int, atol: float = 1e-8) -> None:
    """What they say of everything is the same."""
    for user in range(users):
        for a, b in zip(all_movies(first, user), all_movies(second, user), strict=True):
            np.testing.assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_those_of_a_dense_solve(kind):
    train = shuffled_ratings([12, 1, 30, 0, 4])
    model = kind().fit(train, MOVIES, TABLES)
    for user in range(5):
        mean, variance = plainly(NAMES[kind], TABLE, MOVIES, history(train, user), EVERY)
        found = all_movies(model, user)
        np.testing.assert_allclose(found[0], mean, atol=1e-8)
        np.testing.assert_allclose(found[1], variance, atol=1e-8)
        stars = model.predict(np.full(FILMS, user), EVERY)
        np.testing.assert_allclose(stars, mean.clip(0.5, 5), atol=1e-6)
        one_by_one = [model.predict_one(user, movie) for movie in EVERY]
        np.testing.assert_allclose(one_by_one, found[0].clip(0.5, 5), atol=1e-10)


def test_users_asked_about_in_turn_are_not_mixed_up():
    train = shuffled_ratings([12, 1, 30, 0, 4])
    model = Personal().fit(train, MOVIES, TABLES)
    user = np.random.default_rng(0).integers(0, 7, 200)
    movie = np.random.default_rng(1).integers(0, FILMS, 200)
    alone = [model.predict_one(*pair) for pair in zip(user, movie, strict=True)]
    np.testing.assert_allclose(model.predict(user, movie), alone, atol=1e-6)


def by_hand_table(**scales: float) -> ItemTable:
    """Two movies of 3 stars, with factors (1, 2) and (½, 1) and codes 1100 and 1101."""
    movies = toy_movies(2)
    only = Scales(**(dict.fromkeys(Scales().__dict__, 0.0) | scales))
    return ItemTable(
        movies.movie_id, [3.0, 3.0], [[1.0, 2.0], [0.5, 1.0]], [[1, 1, 0, 0], [1, 1, 0, 1]],
        only, toy_table(movies).steps,
    )  # fmt: skip


def test_one_rating_by_hand():
    """By level: k = 1 with itself, ½ with the other movie; with the noise 1 a residual of 2 counts
    by a half: 3 + ½ · ½ · 2 = 3.5. By likeness: three bits of four agree, (3 − 1) / 4 = ½; k = 4
    with itself, 2 · 1 · ½ = 1 with the other movie; noise 4: 3 + ⅛ · 2 = 3.25."""
    train = Ratings([0], [0], [5.0], [9])
    for table, expected, variance in (
        (by_hand_table(level=1, noise=1), 3.5, 0.25 + 1 - 0.25 / 2),
        (by_hand_table(likeness=1, noise=4), 3.25, 1 + 4 - 1 / 8),
    ):
        model = Personal().fit(train, toy_movies(2), ItemTables.same_for_all(table))
        assert model.predict_one(0, 1) == pytest.approx(expected)
        assert model.predict_normal([0], [1])[1] == pytest.approx([variance])


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_without_ratings_is_predicted_the_mean(kind):
    model = kind().fit(shuffled_ratings([3, 0, 2]), MOVIES, TABLES)
    for user in (1, 3, 50_000):
        mean, variance = all_movies(model, user)
        assert (mean == TABLE.mean).all()
        expected = plainly(NAMES[kind], TABLE, MOVIES, [], EVERY)[1]
        np.testing.assert_allclose(variance, expected, atol=1e-8)
        assert model.predict_one(user, 5) == TABLE.mean[5]


def test_a_mean_outside_the_scale_is_cut_off():
    high = replace(TABLE, mean=np.full(FILMS, 5.3))
    model = Personal().fit(NOBODY, MOVIES, ItemTables.same_for_all(high))
    assert model.predict_one(0, 3) == 5.0
    assert model.predict([0], [3]).tolist() == [5.0]
    assert model.predict_normal([0], [3])[0].tolist() == [5.3]


def test_the_first_rating_moves_it_a_little():
    model = Personal().fit(NOBODY, MOVIES, TABLES)
    before = [model.predict_one(0, movie) for movie in (4, 5)]
    model.learn_one(0, 4, 5.0)
    after = [model.predict_one(0, movie) for movie in (4, 5)]
    assert before[0] < after[0] < 5.0
    assert 0 < after[1] - before[1] < after[0] - before[0]
    assert model.predict_normal([0], [4])[1] < model.predict_normal([1], [4])[1]


def test_what_is_recent_weighs_more():
    """The same ratings, first low then high, or first high then low; without drift it is one."""
    stars = np.repeat([1.0, 5.0], 10)
    rising = Ratings(np.zeros(20), EVERY[:20], stars, EVERY[:20])
    falling = replace(rising, time=rising.time[::-1])
    none = replace(TABLE, scales=replace(TABLE.scales, drift=0.0))
    for table, least in ((TABLE, 0.02), (none, 0.0)):
        tables = ItemTables.same_for_all(table)
        up, down = (
            Personal().fit(train, MOVIES, tables).predict_one(0, 30) for train in (rising, falling)
        )
        assert up - down > least if least else up == pytest.approx(down, abs=1e-9)


# --- learning on, and forgetting ---------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_learning_one_after_another_is_fitting(kind):
    train = shuffled_ratings([12, 1, 30, 0, 4])
    model, other = kind().fit(train, MOVIES, TABLES), kind().fit(NOBODY, MOVIES, TABLES)
    for row in np.argsort(train.time, kind="stable"):
        other.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
    same(model, other, 6)
    assert model.state_bytes() == other.state_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_fitting_a_part_and_learning_the_rest_is_fitting_all(kind):
    train = shuffled_ratings([20, 9])
    order = np.argsort(train.time, kind="stable")
    model = kind().fit(train.take(order[:15]), MOVIES, TABLES)
    for row in order[15:]:
        model.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
    same(model, kind().fit(train, MOVIES, TABLES), 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("asked_before", [False, True])
def test_forgetting_is_fitting_what_is_left(kind, asked_before):
    train = shuffled_ratings([12, 1, 30])
    model = kind().fit(train, MOVIES, TABLES)
    if asked_before:  # then there is a process to forget from
        for user in range(3):
            model.predict_one(user, 0)
    gone = np.random.default_rng(0).permutation(len(train))[:15]
    for row in gone:
        model.forget_one(int(train.user[row]), int(train.movie[row]))
    left = train.take(np.setdiff1d(np.arange(len(train)), gone))
    same(model, kind().fit(left, MOVIES, TABLES), 4)
    assert model.state_bytes() == kind().fit(left, MOVIES, TABLES).state_bytes()


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_whatever_is_learned_and_forgotten_what_is_left_counts(kind, data):
    """In whatever order; a movie rated again counts once, as the latest."""
    model = kind().fit(NOBODY, MOVIES, TABLES)
    kept: dict[int, dict[int, float]] = {0: {}, 1: {}}
    for _ in range(data.draw(st.integers(0, 25))):
        user, movie = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 11))
        own = kept[user]
        if movie in own and data.draw(st.booleans()):
            model.forget_one(user, movie)
            del own[movie]
        else:
            stars = data.draw(st.integers(1, 10)) / 2
            model.learn_one(user, movie, stars)
            own.pop(movie, None)
            own[movie] = stars
    for user, own in kept.items():
        mean, variance = plainly(NAMES[kind], TABLE, MOVIES, list(own.items()), EVERY)
        found = all_movies(model, user)
        np.testing.assert_allclose(found[0], mean, atol=1e-8)
        np.testing.assert_allclose(found[1], variance, atol=1e-8)


def test_of_a_rating_forgotten_nothing_is_left():
    """No array that is kept of the person differs from one that never had it."""
    train = Ratings(np.zeros(20), EVERY[:20], np.arange(20) % 10 / 2 + 0.5, EVERY[:20])
    model = Personal().fit(train, MOVIES, TABLES)
    model.predict_one(0, 30)
    model.forget_one(0, 7)
    left = Personal().fit(train.take(train.movie != 7), MOVIES, TABLES)
    left.predict_one(0, 30)
    one, other = model.memories[0], left.memories[0]
    assert one.movie.tolist() == other.movie.tolist()
    assert one.residual.tolist() == other.residual.tolist()
    assert (one.patterns.columns == other.patterns.columns).all()
    gone = model._kernels[0].patterns[7].tolist()
    assert set(gone).isdisjoint(one.patterns.array.ravel().tolist())
    np.testing.assert_allclose(one.process.root, other.process.root, atol=1e-12)
    np.testing.assert_allclose(one.process.z, other.process.z, atol=1e-12)
    for movie in train.movie[train.movie != 7]:
        model.forget_one(0, int(movie))
    assert model.memories == {}
    assert model.state_bytes() == 0


def test_a_movie_rated_again_counts_once_the_latest():
    twice = Ratings([0, 0, 0], [4, 5, 4], [1.0, 3.0, 5.0], [10, 20, 30])
    once = Ratings([0, 0], [5, 4], [3.0, 5.0], [20, 30])
    expected = Personal().fit(once, MOVIES, TABLES)
    same(Personal().fit(twice, MOVIES, TABLES), expected, 1, atol=0)
    mixed = twice.take(np.array([2, 0, 1]))
    same(Personal().fit(mixed, MOVIES, TABLES), expected, 1, atol=0)
    learned = Personal().fit(NOBODY, MOVIES, TABLES)
    for movie, stars in ((4, 1.0), (5, 3.0), (4, 5.0)):
        learned.learn_one(0, movie, stars)
    same(learned, expected, 1, atol=1e-12)
    assert len(learned.memories[0]) == 2
    again = Personal().fit(NOBODY, MOVIES, TABLES)
    again.learn_one(0, 4, 1.0)
    again.learn_one(0, 4, 5.0)  # the only one
    same(again, Personal().fit(once.take(np.array([1])), MOVIES, TABLES), 1, atol=1e-12)


def test_what_was_never_rated_cannot_be_forgotten():
    train = shuffled_ratings([12, 1, 30])
    model = Personal().fit(train, MOVIES, TABLES)
    before = [all_movies(model, user) for user in range(3)]
    rated = train.movie[train.user == 0]
    not_rated = int(np.setdiff1d(EVERY, rated)[0])
    for user, movie in ((0, not_rated), (3, 0), (99, 5)):
        with pytest.raises(KeyError, match="has no rating"):
            model.forget_one(user, movie)
    model.forget_one(0, int(rated[0]))
    with pytest.raises(KeyError):  # forgotten once is forgotten
        model.forget_one(0, int(rated[0]))
    model.learn_one(0, int(rated[0]), 3.0)
    for user in (1, 2):
        for a, b in zip(all_movies(model, user), before[user], strict=True):
            assert (a == b).all()


def test_learning_about_one_user_leaves_the_others_alone():
    model = Personal().fit(shuffled_ratings([12, 1, 0, 30]), MOVIES, TABLES)
    others = np.repeat([0, 1, 2], FILMS), np.tile(EVERY, 3)
    before = model.predict(*others)
    for movie in (3, 8, 21):
        model.learn_one(3, movie, 0.5)
        model.learn_one(77, movie, 5.0)
    model.forget_one(3, 8)
    np.testing.assert_array_equal(model.predict(*others), before)
    assert model.predict_one(77, 4) > model.predict_one(2, 4)


def test_a_rating_takes_its_pattern_and_two_numbers():
    """256 bits of the code and 26 of metadata are five words; the movie takes 4 bytes, the residual
    8. An exact one needs the metadata alone: its factors are the table's."""
    train = shuffled_ratings([12, 1, 30])
    for kind, words in ((Personal, 5), (PersonalExact, 1)):
        model = kind().fit(train, MOVIES, TABLES)
        assert model.state_bytes() == 43 * (8 * words + 4 + 8)
        model.predict_one(0, 0)
        model.learn_one(0, 0, 3.0)
        model.forget_one(0, 0)
        assert model.state_bytes() in (43 * (8 * words + 12), 42 * (8 * words + 12))


# --- whose table -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_user_has_the_table_of_the_own_fold(kind):
    train = shuffled_ratings([12, 5, 20, 7])
    steps = Steps(TABLE.steps.cuts - 0.5, 1.5)
    tables = (TABLE, replace(toy_table(MOVIES, seed=8), steps=steps))
    model = kind().fit(train, MOVIES, ItemTables(tables, np.array([1, 0, 1, 0])))
    alone = [kind().fit(train, MOVIES, ItemTables.same_for_all(table)) for table in tables]
    user, movie = np.tile([2, 3, 0, 1, 9], FILMS), np.repeat(EVERY, 5)
    learned = (0, 17, 4.5), (1, 17, 1.0)
    for one in (model, *alone):
        for rating in learned:
            one.learn_one(*rating)
    fold = np.isin(user, [0, 2])  # user 9, of no fold, has the first
    expected = np.where(fold, *(one.predict(user, movie) for one in alone[::-1]))
    np.testing.assert_allclose(model.predict(user, movie), expected, atol=1e-6)
    assert (alone[0].predict(user, movie) != alone[1].predict(user, movie)).mean() > 0.9
    distributions = [one.predict_distribution(user, movie)[1] for one in alone]
    expected = np.where(fold[:, None], distributions[1], distributions[0])
    np.testing.assert_allclose(model.predict_distribution(user, movie)[1], expected, atol=1e-9)


def test_without_a_table_it_does_not_start():
    with pytest.raises(ValueError, match="made without the users it is for"):
        Personal().fit(NOBODY, MOVIES)
    with pytest.raises(ValueError, match="for_movies"):
        Personal().fit(NOBODY, toy_movies(FILMS + 1), TABLES)
    larger = toy_movies(FILMS + 1)
    fitted = Personal().fit(NOBODY, larger, ItemTables.same_for_all(TABLE.for_movies(larger)))
    assert fitted.predict_one(0, FILMS) == pytest.approx(TABLE.mean.mean())


def test_without_any_likeness_metadata_take_its_place():
    """The table of metadata has no factors at all, and still one learns."""
    tables = ItemTables.same_for_all(ItemTable.of_metadata(MOVIES))
    for kind in KINDS:
        model = kind().fit(shuffled_ratings([12]), MOVIES, tables)
        mean, variance = all_movies(model, 0)
        assert np.abs(mean - tables.tables[0].mean).max() > 0.05
        assert (variance < all_movies(model, 1)[1]).all()


# --- the distribution --------------------------------------------------------------------------


def test_the_distribution_sums_to_one_and_has_the_mean_predicted():
    model = Personal().fit(shuffled_ratings([12, 1, 30, 0, 4]), MOVIES, TABLES)
    user, movie = np.repeat(np.arange(5), FILMS), np.tile(EVERY, 5)
    stars, p = model.predict_distribution(user, movie)
    assert stars.tolist() == [k / 2 for k in range(1, 11)]
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert (p > 0).all()
    mean, variance = model.predict_normal(user, movie)
    middle = (mean > 2.5) & (mean < 3.0) & (variance < 1)
    assert middle.sum() > 5
    assert p[middle] @ stars == pytest.approx(mean[middle], abs=0.1)
    empty = model.predict_distribution(np.empty(0, int), np.empty(0, int))
    assert empty[1].shape == (0, 10)


def test_its_mean_rises_with_the_mean():
    """Nothing but the mean of a movie differs: slope is off, nobody has rated."""
    flat = replace(TABLE, scales=replace(TABLE.scales, slope=0.0))
    means = []
    for more in np.linspace(-1, 1, 9):
        tables = ItemTables.same_for_all(replace(flat, mean=TABLE.mean + more))
        model = Personal().fit(NOBODY, MOVIES, tables)
        stars, p = model.predict_distribution(np.zeros(FILMS, int), EVERY)
        means.append(p @ stars)
    assert (np.diff(means, axis=0) > 0).all()


def test_the_toy_tables_are_for_everybody(train, movies):
    """And what they say is not the mean alone."""
    model = Personal().fit(train, movies, toy_tables(movies))
    said = model.predict_normal(np.repeat([0, 5], 23), np.tile(np.arange(23), 2))[0]
    assert np.abs(said.reshape(2, 23) - toy_table(movies).mean).mean() > 0.1
