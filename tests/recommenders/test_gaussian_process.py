"""A user's Gaussian process: as a direct solve, after any learning and forgetting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.models.gaussian_process import GaussianProcess

POINTS, QUERIES = 30, 5


def kernel_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A kernel of 30 ratings that may be learned and five to predict, and residuals."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((POINTS + QUERIES, 6))
    return x @ x.T / 6 + 0.1, rng.standard_normal(POINTS)


def directly(k: np.ndarray, y: np.ndarray, rows: list[int], noise: float):
    """Mean and variance of the ratings to predict, by solving the whole system."""
    queries = np.arange(POINTS, POINTS + QUERIES)
    among = k[np.ix_(rows, rows)] + noise * np.eye(len(rows))
    with_queries = k[np.ix_(rows, queries)]
    mean = with_queries.T @ np.linalg.solve(among, y[rows])
    known = np.diagonal(with_queries.T @ np.linalg.solve(among, with_queries))
    return mean, k[queries, queries] + noise - known


def predict(process: GaussianProcess, k: np.ndarray, rows: list[int]):
    queries = np.arange(POINTS, POINTS + QUERIES)
    return process.predict(k[np.ix_(queries, rows)], k[queries, queries])


def learn(process: GaussianProcess, k: np.ndarray, y: np.ndarray, rows: list[int], one: int):
    process.learn(k[one, rows], k[one, one], y[one])
    rows.append(one)


def forget(process: GaussianProcess, k: np.ndarray, y: np.ndarray, rows: list[int], at: int):
    del rows[at]
    process.forget(at, k[np.ix_(rows, rows)], y[rows])


def learned_in_order(k: np.ndarray, y: np.ndarray, rows: list[int], noise: float):
    process, sofar = GaussianProcess(noise), []
    for one in rows:
        learn(process, k, y, sofar, one)
    return process


def random_course(data, seed: int, noise: float):
    """A process that learned and forgot at random, and which ratings are left, in order."""
    k, y = kernel_of(seed)
    process, rows = GaussianProcess(noise), []
    if data.draw(st.booleans()):
        first = data.draw(st.integers(0, 20))
        rows = np.random.default_rng(seed).permutation(POINTS)[:first].tolist()
        process.learn_all(k[np.ix_(rows, rows)], y[rows])
    for _ in range(data.draw(st.integers(0, 25))):
        if rows and data.draw(st.booleans()):
            forget(process, k, y, rows, data.draw(st.integers(0, len(rows) - 1)))
        elif len(rows) < POINTS:
            left = [one for one in range(POINTS) if one not in rows]
            learn(process, k, y, rows, data.draw(st.sampled_from(left)))
        assert len(process) == len(rows)
    return process, k, y, rows


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(0, 10_000), st.sampled_from([0.05, 0.5, 3.0]))
def test_whatever_is_learned_and_forgotten_what_is_left_counts(data, seed, noise):
    process, k, y, rows = random_course(data, seed, noise)
    mean, variance = predict(process, k, rows)
    np.testing.assert_allclose((mean, variance), directly(k, y, rows, noise), atol=1e-8)
    for one in range(QUERIES):  # one alone takes another way
        alone = process.predict(k[[POINTS + one]][:, rows], k[[POINTS + one], [POINTS + one]])
        assert np.concatenate(alone) == pytest.approx([mean[one], variance[one]], abs=1e-10)
    among = k[np.ix_(rows, rows)] + noise * np.eye(len(rows))
    np.testing.assert_allclose(process.root @ process.root.T, among, atol=1e-10)
    np.testing.assert_allclose(process.root @ process.z, y[rows], atol=1e-10)


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(0, 10_000))
def test_of_what_was_forgotten_no_trace_is_left(data, seed):
    """Neither in what is used nor in the room beyond: as if it had never been there."""
    process, k, y, rows = random_course(data, seed, 0.5)
    never = learned_in_order(k, y, rows, 0.5)
    n = len(rows)
    for state, expected in ((process._root, never._root), (process._z, never._z)):
        used = tuple(slice(n) for _ in state.shape)
        np.testing.assert_allclose(state[used], expected[used], atol=1e-10)
        beyond = state.copy()
        beyond[used] = 0
        assert not beyond.any()


def test_of_what_was_forgotten_no_bit_is_left():
    """Learned one by one, the used part is the same to the last bit."""
    k, y = kernel_of(1)
    for at in (0, 7, 19):
        process, rows = GaussianProcess(0.3), []
        for one in range(20):
            learn(process, k, y, rows, one)
        forget(process, k, y, rows, at)
        never = learned_in_order(k, y, rows, 0.3)
        assert process.root.tobytes() == never.root.tobytes()
        assert process.z.tobytes() == never.z.tobytes()
        room = process._root.copy()
        room[:19, :19] = 0
        assert not room.any()
        assert not process._z[19:].any()


def test_one_and_two_ratings_by_hand():
    """A rating of residual 2, kernel 1 with itself and ½ with the one to predict, noise 1: it is
    believed by a half, so the mean is ½ · ½ · 2 = ½ and the variance 1 + 1 − ½ · ½ · ½ = 1⅞. A
    second one that tells nothing of either leaves it as it is."""
    process = GaussianProcess(1.0)
    process.learn(np.zeros(0), 1.0, 2.0)
    mean, variance = process.predict(np.array([[0.5]]), np.array([1.0]))
    assert (*mean, *variance) == pytest.approx((0.5, 1.875))
    assert process.root == pytest.approx(2**0.5)
    process.learn(np.array([0.0]), 1.0, -3.0)
    kernel = np.array([[0.5, 0.0]])
    assert process.predict(kernel, np.array([1.0]))[0] == pytest.approx([0.5])
    share, if_forgotten = process.shares(kernel[0])
    assert share == pytest.approx([0.5, 0])
    assert if_forgotten == pytest.approx([-0.5, 0])


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(0, 10_000), st.sampled_from([0.05, 0.5, 3.0]))
def test_shares_sum_to_the_mean_and_tell_what_forgetting_would_do(data, seed, noise):
    process, k, y, rows = random_course(data, seed, noise)
    for queries in range(POINTS, POINTS + QUERIES):
        kernel = k[queries, rows]
        share, if_forgotten = process.shares(kernel)
        mean = process.predict(kernel[None], k[[queries], [queries]])[0][0]
        assert share.sum() == pytest.approx(mean, abs=1e-9)
        for j in range(len(rows)):
            left = rows[:j] + rows[j + 1 :]
            without = directly(k, y, left, noise)[0][queries - POINTS]
            assert if_forgotten[j] == pytest.approx(without - mean, abs=1e-8)
        w = np.linalg.solve(k[np.ix_(rows, rows)] + noise * np.eye(len(rows)), kernel)
        np.testing.assert_allclose(share, w * y[rows], atol=1e-9)
