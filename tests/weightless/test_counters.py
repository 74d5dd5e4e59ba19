"""Counters and patterns are one memory; forgetting leaves nothing."""

import numpy as np
import pytest
from drawn import tuples_and_patterns
from hypothesis import given, settings
from hypothesis import strategies as st

import weightless as ao
from weightless.counters import addresses_of
from weightless.ntuple import matches, stars_of, sums_of_users, to_units


@st.composite
def examples(draw):
    """And residuals in units of 1/16 star."""
    tuples, patterns, rng = draw(tuples_and_patterns())
    return tuples, patterns, rng.integers(-70, 71, len(patterns))


def taught(tuples, patterns, units, weight=0.3):
    memory = ao.NTupleMemory(tuples, weight)
    for pattern, one in zip(patterns, units, strict=True):
        assert memory.learn(pattern, one / 16) == one
    return memory


def assert_equal(one, other):
    assert one.rows == other.rows == len(one.items()[0])
    for mine, its in zip(one.items(), other.items(), strict=True):
        np.testing.assert_array_equal(mine, its)


@given(examples())
@settings(max_examples=60, deadline=None)
def test_counters_and_patterns_are_equal(example):
    tuples, patterns, units = example
    memory = taught(*example)
    asked = np.concatenate([patterns, np.zeros((1, patterns.shape[1]), np.uint8)])
    addresses, half = addresses_of(asked, tuples), len(patterns) // 2
    first, query = np.array([0, half, len(patterns)]), np.arange(len(asked))
    of_both = [
        sums_of_users(addresses, first, query[:-1], units, np.full(len(asked), user), query, 0)
        for user in (0, 1)
    ]
    for row, pattern in enumerate(asked):
        total, count = (int(mine[row] + its[row]) for mine, its in zip(*of_both, strict=True))
        assert memory.sums(pattern) == (total, count + memory.prior)
        assert memory.predict(pattern) == stars_of(total, count + memory.prior)
        shares = memory.explain(pattern, patterns, units)
        assert shares.sum() == pytest.approx(memory.predict(pattern), abs=1e-12)


@given(examples(), st.data())
@settings(max_examples=60, deadline=None)
def test_forgetting_equals_never_having_learned_in_any_order(example, data):
    tuples, patterns, units = example
    memory, order = taught(*example), data.draw(st.permutations(range(len(patterns))))
    gone = order[: len(order) // 2]
    for row in gone:
        memory.forget(patterns[row], units[row] / 16)
    kept = order[len(gone) :]
    assert_equal(memory, taught(tuples, patterns[kept], units[kept]))
    for row in kept:
        memory.forget(patterns[row], units[row] / 16)
    assert memory.rows == 0
    assert not memory._keys.any()
    assert not memory._values.any()


def test_what_was_not_learned_is_not_forgotten():
    rng = np.random.default_rng(0)
    tuples, patterns = ao.draw_tuples(20, 4, 10), rng.integers(0, 2, (3, 20), np.uint8)
    memory, same = (taught(tuples, patterns[:2], np.array([3, -5])) for _ in range(2))
    for pattern, residual in ((patterns[2], 3 / 16), (patterns[0], 4 / 16)):
        with pytest.raises(ValueError, match="was not learned"):
            memory.forget(pattern, residual)
    with pytest.raises(ValueError, match="not those that were learned"):
        memory.explain(patterns[0], patterns[:2], np.array([4, -5]))
    assert_equal(memory, same)


@pytest.mark.parametrize(("bits", "n"), [(512, 8), (40, 10), (64, 30)])
def test_it_takes_little_room(bits, n):
    """Rows of 12 bytes, or of 16 where keys need more than 32 bits; at least three eighths full
    after growing."""
    rng = np.random.default_rng(1)
    tuples, patterns = ao.draw_tuples(bits, n, 50), rng.integers(0, 2, (60, bits), np.uint8)
    memory = taught(tuples, patterns, rng.integers(-70, 71, 60))
    assert memory.nbytes <= (16 if n == 30 else 12) * (memory.rows + len(tuples)) * 8 / 3


def test_matches_are_the_tuples_that_agree():
    rng = np.random.default_rng(2)
    for n in (3, 12, 20):  # addresses of 8, 16 and 32 bits
        tuples = ao.draw_tuples(24, n, 7)
        one, other = (rng.integers(0, 2, (m, 24), np.uint8) for m in (4, 6))
        expected = (one[:, None][:, :, tuples] == other[None][:, :, tuples]).all(3).sum(2)
        found = matches(addresses_of(one, tuples), addresses_of(other, tuples))
        np.testing.assert_array_equal(found, expected)


def test_tuples_are_dealt_out():
    tuples = ao.draw_tuples(40, 8, 10, seed=3)
    assert (np.bincount(tuples.ravel(), minlength=40) == 2).all()  # 10 x 8 of 40 bits
    assert all(len(set(one)) == 8 for one in tuples.tolist())
    np.testing.assert_array_equal(tuples, ao.draw_tuples(40, 8, 10, seed=3))
    assert (tuples != ao.draw_tuples(40, 8, 10, seed=4)).any()


def test_bad_input_is_refused():
    tuples, ones = ao.draw_tuples(6, 2, 3), np.ones(6, np.uint8)
    for bits, n, number in ((6, 7, 1), (6, 0, 1), (6, 2, 0), (64, 33, 1)):
        with pytest.raises(ValueError, match="bits in 1 or more tuples"):
            ao.draw_tuples(bits, n, number)
    for wrong in (np.zeros((2, 0), int), np.zeros((0, 2), int), -tuples, tuples / 2):
        with pytest.raises(ValueError, match="tuples: places from 0 up"):
            ao.NTupleMemory(wrong, 1)
    for weight in (0, np.nan):
        with pytest.raises(ValueError, match="expected, got"):
            ao.NTupleMemory(tuples, weight)
    memory = ao.NTupleMemory(tuples, 1)
    for bits, residual in ((ones[:5], 0), (2 * ones, 0), (ones, np.nan), (ones, 4000.0)):
        with pytest.raises(ValueError, match=r"expected, got|0 or 1"):
            memory.learn(bits, residual)
    assert memory.rows == 0
    np.testing.assert_array_equal(to_units(np.array([0.24, -1.0])), [4, -16])


@pytest.mark.parametrize(("bits", "n"), [(512, 8), (64, 30)])
def test_it_comes_back_from_a_file_and_goes_on_learning(tmp_path, bits, n):
    rng = np.random.default_rng(1)
    tuples, patterns = ao.draw_tuples(bits, n, 50), rng.integers(0, 2, (60, bits), np.uint8)
    memory, wisard = ao.NTupleMemory(tuples, 0.3), ao.Wisard(tuples, 3, 2)
    for pattern, stars, label in zip(
        patterns, rng.normal(size=60), rng.integers(0, 3, 60), strict=True
    ):
        memory.learn(pattern, stars)
        wisard.learn(pattern, label)
    for one in (memory, wisard):
        one.save(tmp_path / "memory")
        loaded = type(one).load(tmp_path / "memory")
        one.learn(patterns[0], 1)
        loaded.learn(patterns[0], 1)
        for mine, its in zip(one.items(), loaded.items(), strict=True):
            np.testing.assert_array_equal(mine, its)
        assert np.array_equal(loaded.addresses(patterns), one.addresses(patterns))
    label, responses, bleaching = wisard.predict(patterns[7])
    again = loaded.predict(patterns[7])
    assert (label, bleaching) == (again[0], again[2])
    assert (responses == again[1]).all()
    assert (loaded.learned == wisard.learned).all()
    with pytest.raises(ValueError, match="of another kind"):
        ao.NTupleMemory.load(tmp_path / "memory")


@pytest.mark.parametrize("spoil", ["order", "range", "columns"])
def test_a_file_that_does_not_hold_together_is_refused(tmp_path, spoil):
    memory = ao.NTupleMemory(ao.draw_tuples(8, 2, 4), 0.3)
    memory.learn(np.ones(8, np.uint8), 1.0)
    keys, values = memory.items()
    keys[-1] = {"order": keys[0], "range": 99}.get(spoil, keys[-1])
    memory.items = lambda: (keys, values[:, :1] if spoil == "columns" else values)
    memory.save(tmp_path / "memory")
    with pytest.raises(ValueError, match="does not hold a whole memory"):
        ao.NTupleMemory.load(tmp_path / "memory")
