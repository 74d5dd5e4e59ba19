"""The kernel of two ratings: the fast way against its formula, pair after pair."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_personal import KERNELS, plain_kernel, plainly

from recbench.checks.toy_data import toy_movies, toy_table
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTable
from weightless import unpack

FILMS = 50
SCALES = Scales(loading=0.9, similarity=1.4, metadata=0.2, slope=0.05, drift=0.1, noise=0.5)


def table_and_movies(seed: int = 0):
    """Some movies of it are unknown: without factors and code."""
    movies = toy_movies(FILMS, seed=seed)
    table = toy_table(movies, seed=seed, scales=SCALES)
    unknown = np.arange(FILMS) % 9 == 4
    factors = np.where(unknown[:, None], 0.0, table.factors)
    return replace(table, factors=factors, codes=table.codes * ~unknown[:, None]), movies


@pytest.mark.parametrize("kind", KERNELS)
@settings(deadline=None, max_examples=15)
@given(st.integers(0, 50), st.integers(0, 12), st.integers(1, 6))
def test_the_kernel_is_its_formula(kind, seed, stored, queries):
    table, movies = table_and_movies(seed % 5)
    kernel = KERNELS[kind](table, movies)
    rng = np.random.default_rng(seed)
    rated, movies_ = rng.permutation(FILMS)[:stored], rng.permutation(FILMS)[:queries]
    patterns = kernel.stored(rated)
    assert len(patterns) == stored
    plain = plain_kernel(kind, table, movies)

    def same(found, first, apart):
        expected = [
            plain(i, j, apart(a, b)) for a, i in enumerate(first) for b, j in enumerate(rated)
        ]
        np.testing.assert_allclose(found, np.reshape(expected, (len(first), stored)), atol=1e-7)

    same(kernel.among(rated, patterns), rated, lambda a, b: a - b)
    later = kernel.with_stored(movies_, rated, patterns)  # queries come after all that is stored
    same(later, movies_, lambda a, b: stored - b)
    same(kernel.between(movies_, rated), movies_, lambda a, b: 0)  # of the same moment
    expected = [plain(i, i, 0) for i in movies_]
    np.testing.assert_allclose(kernel.variance(movies_), expected, atol=1e-7)


@pytest.mark.parametrize("kind", KERNELS)
def test_the_kernel_is_positive_semi_definite_and_symmetric(kind):
    table, movies = table_and_movies()
    kernel, every = KERNELS[kind](table, movies), np.arange(FILMS)
    among = kernel.among(every, kernel.stored(every))
    np.testing.assert_allclose(among, among.T, atol=1e-12)
    assert np.linalg.eigvalsh(among).min() > -1e-9
    np.testing.assert_allclose(np.diagonal(among), kernel.variance(every), atol=1e-7)


def test_what_is_stored_of_a_movie_are_its_code_and_its_metadata_bits():
    table, movies = table_and_movies()
    kernel = KERNELS["codes"](table, movies)
    assert kernel.patterns.shape == (FILMS, 256 // 64 + 1)
    assert (unpack(kernel.patterns[:, :4].copy(), 256) == table.codes).all()
    assert (unpack(kernel.patterns[:, 4:].copy(), 26) == movies.bits).all()
    learned = movies.with_codes(np.ones((FILMS, 9), np.uint8))
    assert (KERNELS["codes"](table, learned).patterns == kernel.patterns).all()
    exact = KERNELS["factors"](table, movies)
    assert (exact.patterns == kernel.patterns[:, 4:]).all()


@pytest.mark.parametrize("kind", KERNELS)
def test_the_posterior_mean_is_that_of_a_direct_solve(kind):
    table, movies = table_and_movies()
    rng = np.random.default_rng(3)
    rated, residual, queries = rng.permutation(FILMS)[:14], rng.normal(size=14), np.arange(FILMS)
    own = zip(rated.tolist(), (table.mean[rated] + residual).tolist(), strict=True)
    expected, _ = plainly(kind, table, movies, list(own), queries)
    found = KERNELS[kind](table, movies).posterior_mean(rated, residual, queries)
    np.testing.assert_allclose(table.mean + found, expected, atol=1e-7)


def test_the_part_of_fm_who_agree_is_that_of_two_normal_variables():
    """Sheppard: simulated tastes of many people are on the same side of both means so often."""
    table, movies = table_and_movies()
    kernel = KERNELS["codes"](table, movies)
    people = np.random.default_rng(0).standard_normal((100_000, 5))
    signs = people @ table.factors[:6, 1:].T > 0
    found = kernel.agreement(0, np.arange(6))
    known = table.norm[:6] > 0
    for movie in np.flatnonzero(known):
        together = (signs[:, 0] == signs[:, movie]).mean()
        assert found[movie] == pytest.approx(together, abs=0.01)
    assert found[0] == pytest.approx(1, abs=1e-6)
    assert found[4] == 0.5  # nothing is known of it
    assert known.sum() == 5


def test_each_part_by_hand():
    """Two movies: factors (1, 2) and (½, 1), codes 1100 and 1101, metadata two bits apart."""
    movies = toy_movies(2)
    bits = np.zeros((2, 26), np.uint8)
    bits[1, [3, 20]] = 1
    movies = replace(movies, bits=bits)
    table = ItemTable(
        movies.movie_id, [3.5, 2.0], [[1.0, 2.0], [0.5, 1.0]], [[1, 1, 0, 0], [1, 1, 0, 1]],
        SCALES, toy_table(movies).steps,
    )  # fmt: skip

    def k(**scales: float) -> float:
        only = Scales(**(dict.fromkeys(Scales().__dict__, 0.0) | scales))
        kernel = KERNELS["codes"](replace(table, scales=only), movies)
        query, rated = np.array([0]), np.array([1])
        return float(kernel.with_stored(query, rated, kernel.stored(rated))[0, 0])

    assert k(loading=3) == pytest.approx(3 * 1 * 0.5)
    assert k(similarity=3) == pytest.approx(3 * 2 * 1 * (3 - 1) / 4)
    assert k(metadata=3) == pytest.approx(3 * math.exp(-0.66))
    assert k(slope=3) == pytest.approx(3 * 0.5 * -1)
    assert k(drift=3) == pytest.approx(3 / math.sqrt(1 + 1 / 3.4))
    assert k(noise=3) == 0
    assert k(loading=3, drift=3) == pytest.approx(k(loading=3) + k(drift=3))


def test_a_table_of_other_movies_is_an_error():
    table, movies = table_and_movies()
    others = replace(movies, movie_id=movies.movie_id + 1)
    for wrong in (others, toy_movies(FILMS - 1)):
        with pytest.raises(ValueError, match="for_movies"):
            KERNELS["codes"](table, wrong)
