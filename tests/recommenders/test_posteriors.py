"""Many users at once in compiled code: against numpy, user by user, and LAPACK."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitting import fit
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_personal import numpy_loop

from PerUser.personal import Personal
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.models.cholesky import factorise, solve, solve_transposed
from recbench.models.item_kernel import CodeKernel, FactorKernel
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTables
from recbench.models.memories import histories
from recbench.models.vectors import LANES, whole_lines
from recbench.ratings import Ratings

FILMS = 120
MOVIES = toy_movies(FILMS)


def in_bands(matrix: np.ndarray) -> np.ndarray:
    """Rows [r, size] as `recbench.models.cholesky` wants them."""
    rows, size = matrix.shape
    flat = whole_lines(rows * size)
    flat[:] = matrix.reshape(rows // LANES, LANES, size).transpose(0, 2, 1).ravel()
    return flat


def from_bands(flat: np.ndarray, size: int) -> np.ndarray:
    return flat.reshape(-1, size, LANES).transpose(0, 2, 1).reshape(-1, size)


def positive_definite(size: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((size, size))
    return x @ x.T / size + 0.1 * np.eye(size)


@pytest.mark.parametrize("size", [16, 32, 80, 304])
def test_the_factor_and_what_is_solved_are_those_of_lapack(size):
    matrix = positive_definite(size, size)
    below = np.random.default_rng(1).standard_normal((LANES, size))
    a, scale = in_bands(np.concatenate((matrix, below))), np.empty(size)
    assert factorise(a, size, scale)
    solve(a, size, scale, size // LANES)
    root, both = np.linalg.cholesky(matrix), from_bands(a, size)
    np.testing.assert_allclose(np.tril(both[:size]), root, atol=1e-12)
    np.testing.assert_allclose(scale, 1 / np.diagonal(root), rtol=1e-12)
    np.testing.assert_allclose(both[size:], np.linalg.solve(root, below.T).T, atol=1e-10)
    for n in (1, size - 3, size):
        x = whole_lines(size)
        solve_transposed(a, size, scale, size + 2, n, x)
        expected = np.linalg.solve(root[:n, :n].T, both[size + 2, :n])
        np.testing.assert_allclose(x[:n], expected, atol=1e-9)
        assert not x[n:].any()


@pytest.mark.parametrize("at", [0, 5, 30])
@pytest.mark.parametrize("pivot", [-1.0, 0.0, np.nan, np.inf])
def test_what_is_not_positive_definite_is_found(at, pivot):
    matrix = np.eye(32)
    matrix[at, at] = pivot
    assert not factorise(in_bands(matrix), 32, np.empty(32))


def same_as_numpy(train: Ratings, user: np.ndarray, movie: np.ndarray, tables: ItemTables, movies):
    asked = Ratings(user, movie, np.ones(len(user)), np.zeros(len(user)))
    model = fit(Personal(), train, movies, item_tables=tables)
    mean, variance = numpy_loop(train, asked, movies, tables, with_variance=True)
    found = model.predict_normal(user, movie)
    np.testing.assert_allclose(found[0], mean, atol=1e-9)
    np.testing.assert_allclose(found[1], variance, atol=1e-9)
    means_alone, _ = numpy_loop(train, asked, movies, tables, with_variance=False)
    np.testing.assert_allclose(
        model.predict(user, movie), means_alone.clip(0.5, 5).astype(np.float32), atol=1e-6
    )
    model.memories.threads = 2
    for one, other in zip(found, model.predict_normal(user, movie), strict=True):
        np.testing.assert_array_equal(one, other)  # whoever shares the work
    alone = user == user[0]  # and whoever else is asked about
    np.testing.assert_array_equal(
        model.predict_normal(user[alone], movie[alone])[0], found[0][alone]
    )


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.sampled_from([0, 1, 2, 15, 16, 17, 31, 40, 100]), min_size=1, max_size=8),
    st.integers(0, 10_000),
)
def test_many_users_are_what_numpy_says_of_each(lengths, seed):
    """Users without ratings, of one, of whole bands and one more or less; two item tables; times
    that are the same; users asked about in any order, some of them unknown."""
    rng = np.random.default_rng(seed)
    train = toy_ratings(lengths, FILMS, seed)
    train = replace(train.take(rng.permutation(len(train))), time=rng.integers(0, 9, len(train)))
    tables = ItemTables(
        (toy_table(MOVIES), toy_table(MOVIES, seed=1, scales=Scales(loading=0.3, noise=0.05))),
        rng.integers(0, 2, len(lengths)),
    )
    asked = int(rng.integers(1, 120))
    user, movie = rng.integers(0, len(lengths) + 2, asked), rng.integers(0, FILMS, asked)
    same_as_numpy(train, user, movie, tables, MOVIES)


def test_a_very_long_history_is_what_numpy_says():
    """A user of 1,000 ratings beside one of two."""
    movies = toy_movies(1_100)
    small = toy_table(MOVIES)
    rows = np.arange(len(movies)) % FILMS  # movies that are alike to the last bit, too
    table = replace(
        small, movie_id=movies.movie_id, mean=small.mean[rows], factors=small.factors[rows],
        codes=small.codes[rows],
    )  # fmt: skip
    train = toy_ratings([2, 1_000], 1_100, seed=5)
    user = np.repeat([1, 0], [40, 5])
    movie = np.random.default_rng(2).integers(0, 1_100, 45)
    same_as_numpy(train, user, movie, ItemTables.same_for_all(table), movies)


def test_a_table_without_codes_is_what_numpy_says():
    table = replace(toy_table(MOVIES), codes=np.empty((FILMS, 0), np.uint8))
    train = toy_ratings([20, 3], FILMS, seed=1)
    user = np.repeat([0, 1], 50)
    same_as_numpy(train, user, np.arange(100), ItemTables.same_for_all(table), MOVIES)


def personal(train: Ratings, table) -> Personal:
    return fit(Personal(), train, MOVIES, item_tables=ItemTables.same_for_all(table))


def test_nobody_is_asked_about():
    model = personal(toy_ratings([3], FILMS), toy_table(MOVIES))
    assert [len(one) for one in model.predict_normal(np.empty(0, int), np.empty(0, int))] == [0, 0]
    for kernel in (CodeKernel, FactorKernel):
        found = kernel(toy_table(MOVIES), MOVIES).posteriors([], [], [])
        assert [len(one) for one in found] == [0, 0]


def test_a_covariance_that_is_not_positive_definite_is_an_error():
    model = personal(toy_ratings([5], FILMS), toy_table(MOVIES, scales=Scales(noise=-100.0)))
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        model.predict([0], [1])


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 200),
    users=st.sampled_from([1, 7, 2**30]),
    times=st.sampled_from([1, 5, 2**40]),
    before=st.sampled_from([0, -(10**9)]),
)
def test_histories_are_in_the_order_of_time_then_of_rows(seed, n, users, times, before):
    """As two stable sorts; of a movie rated twice the last."""
    rng = np.random.default_rng(seed)
    user, time = rng.integers(0, users, n), before + rng.integers(0, times, n)
    movie = rng.integers(0, 30, n)
    train = Ratings(user, movie, np.ones(n), time)
    found = dict(histories(train))
    assert set(found) == set(user.tolist())
    for one, rows in found.items():
        last = {}  # of each movie, the latest rating of it
        for row in sorted(np.flatnonzero(user == one), key=lambda row: (time[row], row)):
            last.pop(movie[row], None)
            last[movie[row]] = row
        assert rows.tolist() == list(last.values())
