"""Splits: training and test together are the whole, nothing is in both, and who is where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.errors import InputError
from recbench.evaluation.holdouts import (
    GlobalTime,
    LastFraction,
    NextRatings,
    Published,
    RandomFraction,
    holdouts,
    load_holdout,
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
    for holdout in (LastFraction(split), RandomFraction(split)):
        held_out = holdout.held_out(rows, seed)
        assert held_out.shape == (len(rows),)
        for user in np.unique(rows.user):
            n = int((rows.user == user).sum())
            n_train = int((~held_out[rows.user == user]).sum())
            if n == 1:
                assert n_train == 1
            else:
                assert n_train == min(max(int(split * n + 1e-9), 1), n - 1)
        assert np.array_equal(held_out, holdout.held_out(rows, seed))


@given(ratings(), st.integers(0, 5))
def test_last_holds_out_nothing_earlier_than_what_is_learned(rows, seed):
    held_out = LastFraction(0.8).held_out(rows, seed)
    for user in np.unique(rows.user[held_out]):
        own = rows.user == user
        assert rows.time[own & held_out].min() >= rows.time[own & ~held_out].max()


@given(ratings(), st.integers(0, 3))
def test_order_of_rows_other_than_ties_does_not_matter(rows, seed):
    distinct = Ratings(rows.user, rows.movie, rows.stars, np.arange(len(rows)))
    backwards = distinct.take(np.arange(len(rows))[::-1])
    assert np.array_equal(
        LastFraction(0.8).held_out(distinct, seed),
        LastFraction(0.8).held_out(backwards, seed)[::-1],
    )


def test_equal_times_are_in_seeded_random_order():
    n = 200
    rows = Ratings(np.zeros(n), np.arange(n), np.full(n, 3.0), np.full(n, 7))
    first, other = LastFraction(0.8).held_out(rows, 0), LastFraction(0.8).held_out(rows, 1)
    assert first.sum() == other.sum() == 40
    assert not np.array_equal(first, other)
    assert not first[-40:].all()  # not by position, not by id
    assert 60 < rows.movie[first].mean() < 140


@given(ratings(), st.floats(0.05, 0.95))
def test_one_date_for_all_keeps_the_future_out_of_training(rows, split):
    if len(rows) < 2:
        return
    holdout = GlobalTime(split).fitted_to(rows)
    date = holdout.cutoff
    held_out = holdout.held_out(rows, 0)
    assert held_out.any()
    assert rows.time[held_out].min() == date
    if not held_out.all():  # equal times stand on one side
        assert rows.time[~held_out].max() < date
    assert (~held_out).sum() <= max(split * len(rows) + 1e-9, 1)


def test_the_date_by_hand():
    rows = Ratings(np.array([0, 0, 1, 1, 1]), np.arange(5), np.full(5, 3.0), [50, 10, 30, 20, 40])
    holdout = GlobalTime(0.6).fitted_to(rows)
    assert holdout.cutoff == 40
    assert holdout.held_out(rows, 0).tolist() == [True, False, False, False, True]
    tied = Ratings(np.zeros(4), np.arange(4), np.full(4, 3.0), [10, 20, 20, 30])
    holdout = GlobalTime(0.5).fitted_to(tied)
    assert holdout.held_out(tied, 0).tolist() == [False, True, True, True]


def test_published_fractions_are_whole():
    for n, n_train in ((5, 4), (10, 8), (15, 12), (25, 20), (35, 28), (100, 80), (200, 160)):
        rows = Ratings(np.zeros(n), np.arange(n), np.full(n, 3.0), np.arange(n))
        assert (~LastFraction(0.8).held_out(rows, 0)).sum() == n_train
        assert (~Published(0.8).held_out_collaborative(rows, 0)).sum() == n_train


@pytest.mark.parametrize("split", [0.0, 1.0, -0.2, 1.7, float("nan")])
def test_a_split_that_leaves_nothing_on_one_side(split):
    for cls in holdouts().values():
        with pytest.raises(InputError, match="between 0 and 1"):
            cls(split)


@given(ratings(), ratings(), st.sampled_from(sorted(holdouts())), st.booleans())
def test_a_split_is_the_whole_sample_once_and_its_background(rows, background, name, collaborative):
    if not len(rows):
        return
    distinct = Ratings(rows.user, rows.movie, np.full(len(rows), 3.0), rows.time)
    holdout = load_holdout(name, 0.8).fitted_to(distinct)
    split = holdout.split(distinct, background, seed=1, collaborative=collaborative)
    both = Ratings.concatenate([split.train, split.test])
    for column in ("user", "movie", "time"):
        assert sorted(getattr(both, column)) == sorted(getattr(distinct, column))
    if holdout.cutoff is None:
        assert len(split.background) == len(background)
    else:
        assert (split.background.time < holdout.cutoff).all()
    learned = split.training_ratings(with_background=True)
    assert len(learned) == len(split.train) + len(split.background)
    assert split.training_ratings(with_background=False) is split.train


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("first", "none is named 'first'.*last, next, random, global-time, published"),
        ("nowhere:Mine", "no file nowhere"),
        ("recbench.errors:InputError", "is not a holdout"),
    ],
)
def test_a_holdout_that_does_not_exist(spec, message):
    with pytest.raises(InputError, match=message):
        load_holdout(spec, 0.8)


@given(st.integers(5, 30), st.integers(0, 9))
def test_next_tests_on_the_very_next_ratings(most, seed):
    """Of users with `most` ratings or more; training is any of those before the cut."""
    rng = np.random.default_rng(seed)
    count = rng.integers(most, 60, 4)
    user = rng.permutation(np.repeat(np.arange(4), count))
    rows = Ratings(user, np.arange(len(user)), np.full(len(user), 3.0), rng.permutation(len(user)))
    holdout = NextRatings(0.8)
    key = holdout.sample_key(rows, most, rng.random(len(rows)))
    for one in range(4):
        own = np.flatnonzero(rows.user == one)
        drawn = rows.take(own[np.argsort(key[own])[:most]])
        held_out = holdout.held_out(drawn, seed)
        in_time = np.sort(rows.time[own])
        cut = int(0.8 * len(own) + 1e-9)
        n_train = max(int(0.8 * most + 1e-9), 1)
        assert (~held_out).sum() == n_train
        after = in_time[cut : cut + most - n_train]
        assert np.sort(drawn.time[held_out]).tolist() == after.tolist()
        assert drawn.time[~held_out].max() < after.min()
