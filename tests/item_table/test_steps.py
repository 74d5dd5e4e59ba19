"""The steps of the stars: by hand, and found again in data made with known ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from recbench.models.item_table.scales import EVEN, FLOOR, STARS, Steps, fit_steps


@given(
    st.lists(st.floats(-2, 8), min_size=9, max_size=9),
    st.floats(0.2, 3),
    st.lists(st.tuples(st.floats(-3, 9), st.floats(0.01, 4)), max_size=5),
)
def test_probabilities_are_those_of_the_plain_formula_and_sum_to_one(cuts, spread, asked):
    steps = Steps(np.sort(cuts), spread)
    mean, variance = np.array([m for m, _ in asked]), np.array([v for _, v in asked])
    found = steps.probabilities(mean, variance)
    assert found.shape == (len(asked), 10)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    assert (found >= FLOOR - 1e-15).all()
    for (m, v), row in zip(asked, found, strict=True):
        below = [norm.cdf(c, m, spread * v**0.5) for c in steps.cuts]
        plain = np.diff([0, *below, 1])
        np.testing.assert_allclose(row, (1 - 10 * FLOOR) * plain + FLOOR, atol=1e-9)


def simulated(cuts: np.ndarray, spread: float, n: int, seed: int):
    """Stars, stated mean and stated variance of each."""
    rng = np.random.default_rng(seed)
    mean, variance = rng.uniform(1, 5, n), rng.uniform(0.2, 1.0, n)
    latent = mean + spread * np.sqrt(variance) * rng.standard_normal(n)
    return STARS[np.searchsorted(cuts, latent)], mean, variance


def test_cuts_and_spread_of_simulated_ratings_are_found_again():
    """Whole stars with wider steps than half stars, and a deviation stated too small."""
    cuts = np.array([0.6, 1.4, 1.6, 2.4, 2.6, 3.4, 3.6, 4.4, 4.6])
    steps = fit_steps(*simulated(cuts, 1.3, 8_000, 0))
    np.testing.assert_allclose(steps.cuts, cuts, atol=0.1)
    assert steps.spread == pytest.approx(1.3, abs=0.05)


@pytest.mark.parametrize(
    "kinds", [[1, 2, 3, 4, 5], [2, 3, 4], [0.5, 5], [2.5, 3, 5], [3.5, 4], [0.5, 1]]
)
def test_ratings_that_nobody_gives_have_the_floor_probability(kinds):
    rng = np.random.default_rng(3)
    mean = rng.uniform(1, 5, 600)
    nearest = np.abs(mean[:, None] + rng.normal(0, 0.5, (600, 1)) - np.array(kinds)).argmin(axis=1)
    stars = np.array(kinds, dtype=float)[nearest]
    steps = fit_steps(stars, mean, np.full(600, 0.25))
    assert (np.diff(steps.cuts) >= 0).all()
    p = steps.probabilities(np.linspace(0, 6, 25), np.full(25, 0.25))
    never = ~np.isin(STARS, kinds)
    np.testing.assert_allclose(p[:, never], FLOOR, atol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert (p[:, ~never].max(axis=0) > 0.2).all()
    given_often = p[np.argmin(np.abs(np.linspace(0, 6, 25) - kinds[0]))]
    assert STARS[given_often.argmax()] == kinds[0]


@pytest.mark.parametrize("stars", [[], [4.0], [4.0] * 50])
def test_of_one_kind_of_rating_nothing_can_be_learned(stars):
    n = len(stars)
    assert fit_steps(np.array(stars), np.linspace(1, 5, n), np.ones(n)) is EVEN


def test_predictions_that_mislead_leave_what_nobody_gives_impossible():
    """The likelihood alone would have the spread grow without end."""
    rng = np.random.default_rng(0)
    stars = rng.choice([1.0, 2.0, 3.0, 5.0], 60)
    mean = 4 - stars / 4  # the higher, the lower the prediction
    steps = fit_steps(stars, mean, np.full(60, 0.3))
    p = steps.probabilities(mean, np.full(60, 0.3))
    np.testing.assert_allclose(p[:, ~np.isin(STARS, stars)], FLOOR, atol=1e-12)
    often = np.array([(stars == one).mean() for one in STARS])
    np.testing.assert_allclose(p.mean(axis=0), often, atol=0.05)
