"""Adam on rows that few steps meet: the same as on all rows at each step, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Collaborative.embedding_adam import LANES, catch_up, step_rows, steps_of_epoch
from Collaborative.embedding_network import Training
from recbench.perceptron import adam, filled_up

RATE = 0.001


def table_and_moments(seed, rows, smallest=-12):
    """Numbers as training leaves them, some moments tiny, some zero."""
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((rows, LANES), dtype=np.float32)
    size = 10.0 ** rng.uniform(smallest, 0, (rows, 1))
    first = (size * rng.standard_normal((rows, LANES))).astype(np.float32)
    second = (size**2 * rng.random((rows, LANES))).astype(np.float32)
    first[rng.random(first.shape) < 0.1] = 0
    second[rng.random(second.shape) < 0.02] = 0
    return table, first, second


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    done=st.one_of(st.integers(0, 30), st.integers(0, 100_000)),
    steps=st.one_of(st.integers(0, 300), st.integers(0, 2_500)),
    smallest=st.sampled_from([-30, -12, -6]),
)
def test_steps_that_were_missed_are_those_of_adam(seed, done, steps, smallest):
    lazy = table_and_moments(seed, 3, smallest)
    whole = tuple(one.copy() for one in lazy)
    nothing = np.zeros_like(whole[0])
    for step in range(done + 1, done + steps + 1):
        adam(whole[0], nothing, whole[1], whole[2], step, RATE, 0.0)
    sizes = steps_of_epoch(done, steps, RATE)
    catch_up(*lazy, np.array([2, 0, 1, 0]), np.zeros(3, np.int64), sizes, steps)
    for one, other in zip(lazy, whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stretch_of_steps_leaves_other_rows_alone():
    lazy = table_and_moments(1, 5)
    before = tuple(one.copy() for one in lazy)
    so_far = np.array([0, 0, 0, 4, 0])
    catch_up(*lazy, np.array([3]), so_far, steps_of_epoch(7, 20, RATE), 9)
    assert so_far.tolist() == [0, 0, 0, 9, 0]
    others = [0, 1, 2, 4]
    for one, other in zip(lazy, before, strict=True):
        np.testing.assert_array_equal(one[others], other[others])
    once = tuple(one.copy() for one in before)
    for step in range(7 + 4 + 1, 7 + 9 + 1):
        adam(once[0][3], np.zeros(LANES, np.float32), once[1][3], once[2][3], step, RATE, 0.0)
    np.testing.assert_array_equal(lazy[0], once[0])


def test_a_step_with_a_gradient_is_that_of_adam():
    lazy, whole = table_and_moments(2, 4), table_and_moments(2, 4)
    gradient = np.random.default_rng(3).standard_normal((4, LANES), dtype=np.float32)
    other = gradient.copy()
    adam(whole[0][2], other[2], whole[1][2], whole[2][2], 10, RATE, 0.0)
    so_far = np.zeros(4, np.int64)
    step_rows(*lazy, gradient, np.array([2, 2]), so_far, steps_of_epoch(9, 1, RATE), 0)
    assert so_far.tolist() == [0, 0, 1, 0]
    for one, of_all in zip(lazy, whole, strict=True):
        np.testing.assert_array_equal(one, of_all)
    np.testing.assert_array_equal(gradient, other)


def test_another_width_is_refused():
    narrow = np.zeros((2, LANES - 1), np.float32)
    rows = np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="width"):
        catch_up(narrow, narrow, narrow, rows, rows, steps_of_epoch(0, 3, RATE), 3)


@pytest.mark.parametrize(("users", "movies", "batch"), [(400, 90, 16), (30, 20, 64), (5, 900, 7)])
def test_training_is_that_with_every_row_at_every_step(users, movies, batch):
    """Some users and films are met in no batch for long, or only in the last, or twice in one."""
    rng = np.random.default_rng(users)
    n, bits, outputs = 1_500, 5, 10
    shapes = ((2 * LANES + bits, 64), (64,), (64, 32), (32,), (32, outputs), (outputs,))
    layers = [filled_up(np.atleast_2d(rng.normal(0, 0.2, shape))) for shape in shapes]
    embeddings = [rng.standard_normal((rows, LANES), dtype=np.float32) for rows in (users, movies)]
    user = np.minimum(rng.geometric(3 / users, n), users) - 1
    movie = np.minimum(rng.geometric(3 / movies, n), movies) - 1
    what = (rng.random((movies, bits)) < 0.3).astype(np.float32)
    target = (rng.random((n, outputs)) < 0.5).astype(np.float32)

    def trained(one_by_one):
        """`one_by_one`: rows of an epoch are handed over batch by batch, and so brought to the same
        step after each: every row does every step."""
        parameters = tuple(one.copy() for one in (*embeddings, *layers))
        training = Training(
            parameters, user, movie, what, target, double_sigmoid=False, learning_rate=RATE
        )
        shuffling = np.random.default_rng(1)
        for _ in range(3):
            order = shuffling.permutation(n)
            starts = range(0, n, batch) if one_by_one else [0]
            for start in starts:
                rows = order[start : start + batch] if one_by_one else order
                training.epoch(rows, batch)
        return parameters

    for one, other in zip(trained(False), trained(True), strict=True):
        np.testing.assert_array_equal(one, other)
