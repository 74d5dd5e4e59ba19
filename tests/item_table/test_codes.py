"""Codes of movies: the fast choice against a plain one, and the arc-sine kernel."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbench.checks.toy_data import toy_movies, toy_table
from recbench.models.item_table import codes
from recbench.models.item_table.codes import choose_codes, spelled
from recbench.models.item_table.scales import arcsine_kernel


def target(factors: np.ndarray) -> np.ndarray:
    """2/π arcsin cos θ of each pair, one after the other."""
    kernel = []
    for one, other in itertools.product(factors, factors):
        cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
        kernel.append(2 / np.pi * np.arcsin(min(max(cosine, -1), 1)))
    return np.reshape(kernel, (len(factors), len(factors)))


def agreement(code: np.ndarray) -> np.ndarray:
    """(agreeing − differing) / bits of each pair."""
    signs = 2.0 * code - 1
    return signs @ signs.T / code.shape[1]


def squared_error(code: np.ndarray, factors: np.ndarray, weight: np.ndarray) -> float:
    """Over pairs, each weighted by the weights of both."""
    wrong = target(factors) - agreement(code)
    return float((weight[:, None] * weight * wrong**2).sum())


def plainly_herded(factors, weight, planes, bits) -> np.ndarray:
    """Each time the hyperplane after which the error is least, by trying all that are left."""
    sides = (factors @ planes > 0).astype(np.uint8)
    chosen: list[int] = []
    for _ in range(bits):
        left = [plane for plane in range(planes.shape[1]) if plane not in chosen]
        errors = [squared_error(sides[:, [*chosen, plane]], factors, weight) for plane in left]
        chosen.append(left[int(np.argmin(errors))])
    return sides[:, chosen]


def pool(f: int, size: int, seed: int) -> np.ndarray:
    """The hyperplanes to choose from, (f, size)."""
    return np.random.default_rng([seed, 6]).standard_normal((f, size))


def random_movies(seed: int, movies: int, f: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((movies, f)), rng.integers(0, 200, movies)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(1, 4), st.integers(1, 7))
def test_the_choice_is_the_plain_greedy_search(seed, movies, f, bits):
    """As good at each step: of two hyperplanes with the same sides either may be taken."""
    factors, count = random_movies(seed, movies, f)
    weight = np.sqrt(count + 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes, "POOL", 24)
        found = choose_codes(factors, count, bits, seed)
    expected = plainly_herded(factors, weight, pool(f, 24, seed), bits)
    for first in range(1, bits + 1):
        errors = [squared_error(code[:, :first], factors, weight) for code in (found, expected)]
        assert errors[0] == pytest.approx(errors[1], rel=1e-9, abs=1e-9)


def test_more_bits_come_nearer_to_the_arcsine_kernel():
    factors, count = random_movies(2, 80, 8)
    code = choose_codes(factors, count, 512, 0)
    expected = target(factors)
    wrong = [agreement(code[:, :bits]) - expected for bits in (8, 32, 128, 512)]
    errors = [np.sqrt(np.mean(one**2)) for one in wrong]
    assert (np.diff(errors) < 0).all()
    assert errors[-1] < 0.02
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    np.testing.assert_allclose(arcsine_kernel(unit, unit), expected, atol=1e-7)


def test_a_movie_without_factors_has_zeros_and_changes_nothing_for_others():
    factors, count = random_movies(6, 30, 5)
    code = choose_codes(factors, count, 32, 0)
    more = np.insert(factors, [0, 12, 30], 0.0, axis=0)
    with_unknown = choose_codes(more, np.insert(count, [0, 12, 30], 1000), 32, 0)
    unknown = ~more.any(axis=1)
    assert unknown.sum() == 3
    assert not with_unknown[unknown].any()
    assert (with_unknown[~unknown] == code).all()
    assert not choose_codes(np.zeros((4, 5)), np.ones(4), 32, 0).any()
    assert choose_codes(np.zeros((4, 0)), np.ones(4), 32, 0).shape == (4, 32)


def test_what_a_code_looks_like():
    factors, count = random_movies(7, 20, 4)
    assert choose_codes(factors, count, 0, 0).shape == (20, 0)
    code = choose_codes(factors, count, 40, 0)
    assert code.dtype == np.uint8
    assert set(np.unique(code)) == {0, 1}
    assert (choose_codes(3 * factors, count, 40, 0) == code).all()  # angles alone matter
    assert (choose_codes(factors, count, 40, 0) == code).all()
    assert (choose_codes(factors, count, 40, 1) != code).any()
    assert (choose_codes(-factors, count, 40, 0) == 1 - code).all()


@pytest.mark.parametrize("n", [1, 4, 7])  # of five dimensions of factors
@pytest.mark.parametrize("known", ["factors", "metadata", "both"])
def test_tuples_fire_by_the_angle_of_two_movies(n, known):
    """(1 − θ/π)^n of the tuples by independent hyperplanes; at right angles to one another, less
    where there are more than one, and with less chance in it."""
    movies, rng = toy_movies(30), np.random.default_rng(0)
    table, bits = toy_table(movies), movies.metadata_bits
    if known == "factors":
        bits = bits[:, :0]
    elif known == "metadata":
        table = replace(table, factors=table.factors[:, :1], implicit=table.implicit[:, :1],
                        implicit_mean=table.implicit_mean[:1])  # fmt: skip
    features = [np.sqrt(table.scales.similarity) * table.factors[:, 1:]]
    if bits.shape[1]:
        signs = (1 - 2.0 * bits) / np.sqrt(bits.shape[1])
        features.append(codes.METADATA * np.sqrt(table.scales.metadata) * signs)
    features = np.hstack(features)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = (1 - np.arccos((unit @ unit.T).clip(-1, 1)) / np.pi) ** n

    def fires(addresses: np.ndarray) -> np.ndarray:
        return (addresses[:, None] == addresses).mean(axis=-1)

    def independent() -> np.ndarray:
        planes = rng.standard_normal((features.shape[1], 200 * n))
        return (features @ planes > 0).reshape(-1, 200, n) @ (1 << np.arange(n))

    found = spelled(table, bits, n, 2_000, seed=1)
    assert (found.dtype, found.shape, found.max()) == (np.uint8, (30, 2_000), 2**n - 1)
    assert (fires(found) - expected).max() < (0.08 if known == "both" else 0.05)
    assert (fires(found) - expected).min() > -0.1
    assert (spelled(table, bits, n, 2_000, seed=1) == found).all()
    assert (spelled(table, bits, n, 2_000, seed=2) != found).any()
    ours = np.var([fires(spelled(table, bits, n, 200, seed)) for seed in range(20)], axis=0).mean()
    theirs = np.var([fires(independent()) for _ in range(20)], axis=0).mean()
    assert ours < (1.1 if n == 1 else {"factors": 0.9}.get(known, 1)) * theirs
