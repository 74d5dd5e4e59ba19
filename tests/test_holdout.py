"""Splits: training and test together are the whole, nothing is in both, and who is where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.errors import InputError
from recbench.evaluation.holdouts import (
    date_of_split,
    hold_out_after,
    hold_out_last,
    hold_out_random,
    hold_out_rows,
)
from recbench.ratings import Ratings


@st.composite
def ratings(draw):
    """Any ratings: unequal users in mixed order, times that are often equal."""
    counts = draw(st.lists(st.integers(0, 30), min_size=1, max_size=8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    user = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    n = len(user)
    return Ratings(user, rng.integers(0, 50, n), rng.integers(1, 11, n) / 2, rng.integers(0, 9, n))


@given(ratings(), st.floats(0.05, 0.95), st.integers(0, 5))
def test_each_user_is_cut_at_the_split(rows, split, seed):
    for hold_out in (hold_out_last, hold_out_random):
        held_out = hold_out(rows, split, seed)
        assert held_out.shape == (len(rows),)
        for user in np.unique(rows.user):
            n = int((rows.user == user).sum())
            n_train = int((~held_out[rows.user == user]).sum())
            if n == 1:
                assert n_train == 1
            else:
                assert n_train == min(max(int(split * n + 1e-9), 1), n - 1)
        assert np.array_equal(held_out, hold_out(rows, split, seed))


@given(ratings(), st.integers(0, 5))
def test_last_holds_out_nothing_earlier_than_what_is_learned(rows, seed):
    held_out = hold_out_last(rows, 0.8, seed)
    for user in np.unique(rows.user[held_out]):
        own = rows.user == user
        assert rows.time[own & held_out].min() >= rows.time[own & ~held_out].max()


@given(ratings(), st.integers(0, 3))
def test_order_of_rows_other_than_ties_does_not_matter(rows, seed):
    distinct = Ratings(rows.user, rows.movie, rows.stars, np.arange(len(rows)))
    backwards = distinct.take(np.arange(len(rows))[::-1])
    assert np.array_equal(
        hold_out_last(distinct, 0.8, seed), hold_out_last(backwards, 0.8, seed)[::-1]
    )


def test_equal_times_are_in_seeded_random_order():
    n = 200
    rows = Ratings(np.zeros(n), np.arange(n), np.full(n, 3.0), np.full(n, 7))
    first, other = hold_out_last(rows, 0.8, 0), hold_out_last(rows, 0.8, 1)
    assert first.sum() == other.sum() == 40
    assert not np.array_equal(first, other)
    assert not first[-40:].all()  # not by position, not by id
    assert 60 < rows.movie[first].mean() < 140


@given(ratings(), st.floats(0.05, 0.95))
def test_one_date_for_all_keeps_the_future_out_of_training(rows, split):
    if len(rows) < 2:
        return
    date = date_of_split(rows, split)
    held_out = hold_out_after(rows, date)
    assert held_out.any()
    assert rows.time[held_out].min() == date
    if not held_out.all():  # equal times stand on one side
        assert rows.time[~held_out].max() < date
    assert (~held_out).sum() <= max(split * len(rows) + 1e-9, 1)


def test_the_date_by_hand():
    rows = Ratings(np.array([0, 0, 1, 1, 1]), np.arange(5), np.full(5, 3.0), [50, 10, 30, 20, 40])
    assert date_of_split(rows, 0.6) == 40
    assert hold_out_after(rows, 40).tolist() == [True, False, False, False, True]
    tied = Ratings(np.zeros(4), np.arange(4), np.full(4, 3.0), [10, 20, 20, 30])
    assert hold_out_after(tied, date_of_split(tied, 0.5)).tolist() == [False, True, True, True]


def test_published_fractions_are_whole():
    for n, n_train in ((5, 4), (10, 8), (15, 12), (25, 20), (35, 28), (100, 80), (200, 160)):
        rows = Ratings(np.zeros(n), np.arange(n), np.full(n, 3.0), np.arange(n))
        assert (~hold_out_last(rows, 0.8, 0)).sum() == n_train
        assert (~hold_out_rows(rows, 0.8, 0)).sum() == n_train


@given(ratings(), st.integers(0, 3))
def test_rows_of_all_users_together(rows, seed):
    if len(rows) < 2:
        return
    held_out = hold_out_rows(rows, 0.8, seed)
    assert held_out.sum() == len(rows) - min(max(int(0.8 * len(rows) + 1e-9), 1), len(rows) - 1)


@pytest.mark.parametrize("split", [0.0, 1.0, -0.2, 1.7, float("nan")])
def test_a_split_that_leaves_nothing_on_one_side(split):
    rows = Ratings(np.zeros(4), np.arange(4), np.full(4, 3.0), np.arange(4))
    for hold_out in (hold_out_last, hold_out_random, hold_out_rows):
        with pytest.raises(InputError, match="between 0 and 1"):
            hold_out(rows, split, 0)
