"""`ntuple` and `implicit_mean`: against plain Python, learning on, forgetting, shares, draws."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from fitting import fit
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_personal import own_ratings, plain_mean

from PerUser.ntuple import ImplicitMean, NTuple
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.models.item_table.codes import spelled
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Ratings

MOVIES = toy_movies(40)
# B as tables are saved: in whole 10⁻⁵
TABLE = replace(toy_table(MOVIES), implicit=toy_table(MOVIES).implicit.round(5))
EVERY = np.arange(40)
SMALL = {"n": 3, "tuples": 20, "weight": 0.3}


def fitted(model, train: Ratings, table=TABLE, seed: int = 0):
    tables = table if isinstance(table, ItemTables) else ItemTables.same_for_all(table)
    return fit(model, train, MOVIES, item_tables=tables, seed=seed)


def both() -> list:
    return [ImplicitMean(), NTuple(**SMALL)]


def ratings(lengths: list[int], seed: int = 4) -> Ratings:
    """The rows not in the order of time, and some times equal."""
    train, rng = toy_ratings(lengths, 40, seed=seed), np.random.default_rng(seed)
    mixed = train.take(rng.permutation(len(train)))
    return replace(mixed, time=rng.integers(0, 30, len(train)))


def state(model) -> dict:
    """All that is held of each user, counters among it."""
    found = {}
    for user, memory in model._users.items():
        counters = memory.counters
        rows = None if counters is None else [part.tolist() for part in counters.items()]
        held = list(memory.ratings.items()), memory.implicit.tolist(), memory.total
        found[user] = (*held, rows)
    return found


def residuals(table: ItemTable, own: list[tuple[int, float]]) -> list[int]:
    """Of each rating, from the mean of the movies rated before, in sixteenths of a star."""
    known = [movie for movie, _ in own]
    return [
        round(16 * (stars - plain_mean(table, known[:place], movie)))
        for place, (movie, stars) in enumerate(own)
    ]


def plainly(own: list[tuple[int, float]], movie: int, counted: bool) -> float:
    """The prediction for one movie, not clipped, by counters in a dictionary."""
    mean = plain_mean(TABLE, [one for one, _ in own], movie)
    if not own:
        return mean
    units = residuals(TABLE, own)
    bias = sum(units) / (len(units) + 16)
    weights = [round(16 * (1 + age / 3.4) ** -0.5) for age in range(16)]
    latest = list(zip(weights, units[::-1], strict=False))
    drift = sum(v * (e - bias) for v, e in latest) / (sum(v for v, _ in latest) + 960)
    rows: dict = defaultdict(lambda: [0, 0])
    addresses = spelled(TABLE, MOVIES.metadata_bits, SMALL["n"], SMALL["tuples"], 0)
    for (stored, _), e in zip(own, units, strict=True):
        for row in enumerate(addresses[stored].tolist()):
            rows[row][0] += e
            rows[row][1] += 1
    met = [rows[row] for row in enumerate(addresses[movie].tolist())]
    total, count = sum(one[0] for one in met), sum(one[1] for one in met)
    similar = (total - bias * count) / (count + 6) if counted else 0.0  # λT = 6
    return mean + (bias + drift + similar) / 16


@pytest.mark.parametrize("counted", [False, True])
def test_predictions_are_those_of_plain_python(counted):
    train = ratings([12, 1, 30, 0, 4])
    model = fitted(both()[counted], train)
    for user in range(6):
        own = own_ratings(train, user)
        expected = np.clip([plainly(own, movie, counted) for movie in EVERY], 0.5, 5)
        np.testing.assert_allclose(model.predict(np.full(40, user), EVERY), expected, atol=1e-6)
        alone = [model.predict_one(user, movie) for movie in EVERY]
        np.testing.assert_allclose(alone, expected, atol=1e-9)


def test_a_user_without_ratings_is_predicted_the_mean():
    for model in both():
        fitted(model, ratings([3, 0, 2]))
        assert [model.predict_one(1, movie) for movie in EVERY] == TABLE.mean.tolist()
        assert model.predict([50_000], [3]) == np.float32(TABLE.mean[3])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_whatever_is_learned_and_forgotten_what_is_left_counts(data):
    """In whatever order, before or after there are counters: the state is, bit for bit, that of a
    fit to the ratings that are left; a movie rated again counts once, as the latest."""
    train = ratings(data.draw(st.lists(st.integers(0, 20), min_size=2, max_size=2)))
    left = {user: dict(own_ratings(train, user)) for user in (0, 1)}
    model = fitted(NTuple(**SMALL), train)
    for _ in range(data.draw(st.integers(0, 12))):
        user, movie = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 39))
        match data.draw(st.sampled_from(["learn", "forget", "predict"])):
            case "learn":
                stars = data.draw(st.integers(1, 10)) / 2
                model.learn_one(user, movie, stars)
                left[user].pop(movie, None)
                left[user][movie] = stars
            case "forget" if movie in left[user]:
                model.forget_one(user, movie)
                del left[user][movie]
            case "forget":
                with pytest.raises(KeyError, match=f"user {user} has no rating of movie {movie}"):
                    model.forget_one(user, movie)
            case "predict":
                model.predict_one(user, movie)
    rows = [(user, movie, one) for user in (0, 1) for movie, one in left[user].items()]
    user, movie, stars = (np.array([row[at] for row in rows]) for at in range(3))
    again = fitted(NTuple(**SMALL), Ratings(user, movie, stars, np.arange(len(rows))))
    asked = np.repeat([0, 1], 40), np.tile(EVERY, 2)
    assert (model.predict(*asked) == again.predict(*asked)).all()
    for user in (0, 1):
        assert model.predict_one(user, 7) == again.predict_one(user, 7)  # counters of both
    assert state(model) == state(again)


def test_what_forgetting_has_to_mend_is_the_mean_of_later_ratings():
    """The number that was learned is taken out again. What then differs from never having learned
    it is what it said, as a movie known, of the means of later ratings, and nothing else."""
    train = ratings([30])
    own = own_ratings(train, 0)
    gone, _ = own[12]
    model, without = fitted(NTuple(**SMALL), train), fitted(NTuple(**SMALL), train)
    without.forget_one(0, gone)
    memory = model._users[0]
    model.predict_one(0, 0)
    model._take_out(memory, gone)
    _, _, kept = memory.arrays()
    _, _, mended = without._users[0].arrays()
    assert kept.tolist() == [e for e, (movie, _) in zip(residuals(TABLE, own), own, strict=True)
                             if movie != gone]  # fmt: skip
    assert (kept[:12] == mended[:12]).all()
    assert (kept[12:] != mended[12:]).any()
    assert memory.total == kept.sum()
    assert (memory.implicit == without._users[0].implicit).all()
    addresses = spelled(TABLE, MOVIES.metadata_bits, SMALL["n"], SMALL["tuples"], 0)
    sums = sum(
        int(e) * int((addresses[movie] == addresses[5]).sum())
        for movie, e in zip(memory.ratings, kept, strict=True)
    )
    assert model._counted(memory, 5)[0] == sums
    assert gone not in memory.ratings
    nobody = replace(TABLE, implicit=np.zeros_like(TABLE.implicit))  # N says nothing: exact at once
    model, rest = fitted(NTuple(**SMALL), train, nobody), train.take(train.movie != gone)
    model._take_out(model._users[0], gone)
    assert state(model) == state(fitted(NTuple(**SMALL), rest, nobody))


@pytest.mark.parametrize("counted", [False, True])
def test_shares_are_what_the_stored_residuals_add(counted):
    """A share is linear in its residual; those of all, of watching and the mean are the
    prediction."""
    model = fitted(both()[counted], ratings([25]))
    stored, _, units = model._users[0].arrays()
    parts = model.explain_one(0, 8)
    assert parts.stars == pytest.approx(model.predict_one(0, 8), abs=1e-12)
    share = {part.movie: part.stars for part in parts.contributions if "you gave" in part.reason}
    assert sorted(share) == sorted(stored.tolist())
    for movie, e in zip(stored.tolist(), units.tolist(), strict=True):
        memory = model._of(0, stored, model._users[0].arrays()[1])
        memory.ratings[movie] = memory.ratings[movie][0], 0
        memory.total -= e
        query = np.array([8])
        changed = model._stars(memory, query, *model._sums(memory, query))[0]
        whole = model._stars(model._users[0], query, *model._sums(model._users[0], query))[0]
        assert share[movie] == pytest.approx(whole - changed, abs=1e-9)


def test_the_change_if_a_rating_were_forgotten_is_what_forgetting_it_changes():
    train = ratings([9])
    for cls in (ImplicitMean, lambda: NTuple(**SMALL)):
        model = fitted(cls(), train)
        before = model.predict_one(0, 3)
        for part in model.explain_one(0, 3).contributions:
            if "you gave" in part.reason:
                other = fitted(cls(), train)
                other.forget_one(0, part.movie)
                change = other.predict_one(0, 3) - before
                assert part.if_forgotten == pytest.approx(change, abs=1e-9)


def test_tuples_are_drawn_by_the_seed_and_many_draw_nearer_to_one_another():
    train, asked = ratings([30]), (np.zeros(40, int), EVERY)

    def spread(tuples: int) -> float:
        found = [
            fitted(NTuple(3, tuples, 0.3), train, seed=seed).predict(*asked) for seed in range(5)
        ]
        return float(np.std(found, axis=0).mean())

    same = [fitted(NTuple(**SMALL), train, seed=3).predict(*asked) for _ in range(2)]
    assert (same[0] == same[1]).all()
    assert 0 < spread(800) < spread(20) / 3


def test_without_similarity_it_is_the_implicit_mean():
    train, asked = ratings([30, 5]), (np.repeat([0, 1, 2], 40), np.tile(EVERY, 3))
    mean = fitted(ImplicitMean(), train).predict(*asked)
    found = fitted(NTuple(3, 20, weight=1e9), train).predict(*asked)
    np.testing.assert_allclose(found, mean, atol=1e-5)
    counted = fitted(NTuple(**SMALL), train).predict(*asked)
    assert (counted != found)[:80].mean() > 0.9


@pytest.mark.parametrize("reads", ["factors", "codes", "bits"])
def test_without_factors_tuples_are_of_the_bits_of_movies(reads):
    train = ratings([20])
    of_nobody = ItemTable.of_metadata(MOVIES)
    by_bits = fitted(NTuple(**SMALL, reads="bits"), train, of_nobody)._addresses[0]
    model = fitted(NTuple(**SMALL, reads=reads, code_bits=32), train, of_nobody)
    assert (model._addresses[0] == by_bits).all()
    with_factors = fitted(NTuple(**SMALL, reads=reads, code_bits=32), train)._addresses[0]
    assert with_factors.shape == (40, 20)
    assert (with_factors == by_bits).all() == (reads == "bits")


def test_each_user_has_the_table_of_the_own_fold():
    train = ratings([10, 10])
    other = replace(TABLE, mean=TABLE.mean[::-1].copy(), factors=TABLE.factors[::-1].copy())
    tables = ItemTables((TABLE, other), np.array([0, 1]))
    model = fitted(NTuple(**SMALL), train, tables)
    for user, table in ((0, TABLE), (1, other)):
        alone = fitted(NTuple(**SMALL), train, table)
        asked = np.full(40, user), EVERY
        assert (model.predict(*asked) == alone.predict(*asked)).all()
        assert model.predict_one(user, 3) == alone.predict_one(user, 3)


def test_bytes_grow_with_ratings_alone():
    for model in both():
        few, many = (fitted(model, ratings([n])).state_bytes() for n in (5, 25))
        assert many - few == 20 * 7
        model.predict_one(0, 3)
        assert model.state_bytes() == many


def test_without_factors_and_bits_little_is_left_but_the_mean():
    movies = replace(MOVIES, bits=np.zeros((len(MOVIES), 0), np.uint8), bit_names=())
    table = ItemTable.of_metadata(movies)
    train = toy_ratings([20, 30], len(MOVIES), seed=1)
    user, movie = np.repeat([0, 1], len(MOVIES)), np.tile(EVERY, 2)
    rated = np.isin(user * len(MOVIES) + movie, train.user * len(MOVIES) + train.movie)
    query = user[~rated], movie[~rated]
    tables = ItemTables.same_for_all(table)
    counted, mean = (
        fit(model(), train, movies, item_tables=tables).predict(*query)
        for model in (NTuple, ImplicitMean)
    )
    assert np.abs(counted - mean).mean() < 0.2
