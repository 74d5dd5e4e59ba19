"""A user's Gaussian process: as a direct solve, after any learning and forgetting."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.models.gaussian_process import GaussianProcess

POINTS, QUERIES = 30, np.arange(30, 35)


@dataclass
class Course:
    """A process that learns and forgets, of 30 ratings there are, beside five to predict."""

    seed: int
    rows: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        x = rng.standard_normal((POINTS + len(QUERIES), 6))
        self.k = x @ x.T / 6 + 0.1
        noise = np.where(np.arange(len(x)) < POINTS, rng.uniform(0.05, 2, len(x)), 0)
        self.noisy = self.k + np.diag(noise)
        columns = self.seed % 3 + 1
        self.columns = rng.standard_normal((POINTS, columns))
        self.a = rng.standard_normal(columns)
        self.process = GaussianProcess(self.among(), self.columns[self.rows])

    def among(self) -> np.ndarray:
        return self.noisy[np.ix_(self.rows, self.rows)]

    def with_queries(self) -> np.ndarray:
        return self.k[np.ix_(QUERIES, self.rows)]

    def learn(self, one: int) -> None:
        self.process.learn(self.k[one, self.rows], self.noisy[one, one], self.columns[one])
        self.rows.append(one)

    def forget(self, at: int) -> None:
        del self.rows[at]
        self.process.forget(at, self.among(), self.columns[self.rows])


@st.composite
def courses(draw) -> Course:
    seed = draw(st.integers(0, 10_000))
    first = draw(st.integers(0, 20))
    course = Course(seed, np.random.default_rng(seed).permutation(POINTS)[:first].tolist())
    for _ in range(draw(st.integers(0, 25))):
        if course.rows and draw(st.booleans()):
            course.forget(draw(st.integers(0, len(course.rows) - 1)))
        elif len(course.rows) < POINTS:
            course.learn(draw(st.sampled_from(sorted({*range(POINTS)} - {*course.rows}))))
        assert len(course.process) == len(course.rows)
    return course


@settings(max_examples=60)
@given(courses())
def test_whatever_is_learned_and_forgotten_what_is_left_counts(course):
    process, among, with_queries = course.process, course.among(), course.with_queries()
    columns = course.columns[course.rows]
    y = columns @ course.a
    np.testing.assert_allclose(process.root @ process.root.T, among, atol=1e-10)
    np.testing.assert_allclose(process.root @ process.z, columns, atol=1e-10)
    if not course.rows:
        return
    solved = np.linalg.solve(among, with_queries.T)
    found = process.predict(with_queries, course.a)
    expected = y @ solved, np.vecdot(solved.T, with_queries)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    both = process.solved(with_queries)
    np.testing.assert_allclose(both.T @ both, with_queries @ solved, atol=1e-8)
    for place, kernel in enumerate(with_queries):  # one alone takes another way
        alone = process.predict(kernel[None], course.a)
        np.testing.assert_allclose(np.ravel(alone), np.array(found)[:, place], atol=1e-10)
        np.testing.assert_allclose(process.weights(kernel), solved[:, place], atol=1e-8)


@settings(max_examples=60)
@given(courses())
def test_of_what_was_forgotten_no_trace_is_left(course):
    """Neither in what is used nor in the room beyond: as if it had never been there."""
    never, n = Course(course.seed), len(course.rows)
    for one in course.rows:
        never.learn(one)
    for name in ("root", "z"):
        used, expected = getattr(course.process, name), getattr(never.process, name)
        np.testing.assert_allclose(used, expected, atol=1e-10)
    beyond = course.process._root.copy()
    beyond[:n, :n] = 0
    assert not beyond.any()
    assert not course.process._z[n:].any()


@pytest.mark.parametrize("at", [0, 7, 19])
def test_of_what_was_forgotten_no_bit_is_left(at):
    """Learned one by one, what is used is the same to the last bit."""
    course, never = Course(1), Course(1)
    for one in range(20):
        course.learn(one)
        if one != at:
            never.learn(one)
    course.forget(at)
    assert course.process.root.tobytes() == never.process.root.tobytes()
    assert course.process.z.tobytes() == never.process.z.tobytes()


def test_what_is_no_covariance_is_an_error():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        GaussianProcess(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones((2, 1)))
