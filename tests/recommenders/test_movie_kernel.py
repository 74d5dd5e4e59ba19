"""The kernel of a user's ratings, against plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_personal import plain_kernel

from recbench.checks.toy_data import toy_movies, toy_table
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTable
from recbench.models.movie_kernel import MovieKernel

MOVIES = toy_movies(30)
EVERY = np.arange(30)
TOLERANCE = 1e-7  # an arc sine near 1 has half of the digits of its argument


def table_of(seed: int) -> ItemTable:
    """Random scales; some movies have no factors, two the same ones and two opposite ones."""
    rng = np.random.default_rng(seed)
    table = toy_table(MOVIES, seed, Scales.of_array(rng.gamma(1, size=7)))
    factors = table.factors.copy()
    factors[rng.integers(0, 30, 4)] = 0.0
    factors[1], factors[3] = factors[0], -2 * factors[2]
    return replace(table, factors=factors)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 90), max_size=4))
def test_it_is_that_of_plain_python(seed, lengths):
    """Also where a history is longer than all before."""
    table, rng = table_of(seed), np.random.default_rng(seed)
    kernel, k = MovieKernel(table, MOVIES), plain_kernel(table, MOVIES)
    for n in lengths:
        movie, query = rng.integers(0, 30, n), rng.integers(0, 30, 3)
        noise = table.scales.noise + table.scales.uncertainty * table.uncertainty[movie]
        among = np.array(
            [[k(i, j, a - b) for b, j in enumerate(movie)] for a, i in enumerate(movie)]
        )
        expected = among.reshape(n, n) + np.diag(noise)
        found = np.tril(kernel.among(movie))
        np.testing.assert_allclose(found, np.tril(expected), atol=TOLERANCE)
        assert (np.linalg.eigvalsh(found) > 0).all()  # reads the lower triangle alone
        for found, expected in (
            (kernel.with_stored(query, movie),
             [[k(i, j, n - b) for b, j in enumerate(movie)] for i in query]),
            (kernel.between(query, movie), [[k(i, j, 0) for j in movie] for i in query]),
            (kernel.between(movie, query), [[k(i, j, 0) for j in query] for i in movie]),
        ):  # fmt: skip
            np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=TOLERANCE)
    np.testing.assert_allclose(kernel.variance(EVERY), [k(i, i, 0) for i in EVERY], atol=TOLERANCE)


def test_a_table_of_other_movies_is_refused():
    for movies in (toy_movies(31), replace(MOVIES, movie_id=MOVIES.movie_id[::-1])):
        with pytest.raises(ValueError, match="of other movies"):
            MovieKernel(toy_table(MOVIES), movies)
