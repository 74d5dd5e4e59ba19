"""Interval coverage and CRPS: by hand, against plain references, and of known distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.metrics import CALIBRATION_COLUMNS as COLUMNS
from recbench.evaluation.metrics import calibration, central_coverage, crps
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.median import MedianReadOut
from recbench.registry import load_recommender

GRID = np.arange(1, 11) / 2


@st.composite
def distributions(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 30))
    probabilities = rng.dirichlet(np.full(10, draw(st.sampled_from([0.1, 1.0, 10.0]))), n)
    return GRID[rng.integers(0, 10, n)], probabilities


def plain_crps(stars, grid, p):
    """Σ (F − 1[r ≤ x])² Δ, each cumulative probability holding up to the next grid value."""
    total = 0.0
    for place in range(len(grid) - 1):
        error = p[: place + 1].sum() - (stars <= grid[place])
        total += error**2 * (grid[place + 1] - grid[place])
    return total


@given(distributions())
def test_crps_is_the_squared_distance_of_the_cumulative_distributions(drawn):
    stars, probabilities = drawn
    expected = [plain_crps(r, GRID, p) for r, p in zip(stars, probabilities, strict=True)]
    assert crps(stars, GRID, probabilities) == pytest.approx(expected, abs=1e-12)


@given(distributions(), st.sampled_from([50, 80, 95]))
def test_coverage_is_the_part_of_a_ratings_quantiles_in_the_interval(drawn, level):
    stars, probabilities = drawn
    covered = central_coverage(stars, GRID, probabilities, level)
    low, high = (1 - level / 100) / 2, (1 + level / 100) / 2
    for r, p, found in zip(stars, probabilities, covered, strict=True):
        below, own = p[r > GRID].sum(), p[r == GRID].sum()
        if own > 1e-6:
            quantiles = below + own * (np.arange(2_000) + 0.5) / 2_000
            expected = ((quantiles >= low) & (quantiles <= high)).mean()
            assert found == pytest.approx(expected, abs=2e-3)
        assert 0 <= found <= 1 + 1e-9


@pytest.mark.parametrize("steps", [3, 5, 451])
def test_a_true_distribution_covers_its_level_however_coarse(steps):
    rng = np.random.default_rng(1)
    grid = np.linspace(0.5, 5, steps)
    p = rng.dirichlet(np.ones(steps), 30_000)
    stars = grid[(rng.random(30_000)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, steps - 1)]
    row = calibration(stars, np.zeros(len(stars), int), grid, p)
    for level in (50, 80, 95):
        assert row[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.01)


def test_they_are_means_over_users():
    p = np.tile([[0.0, 1.0]], (3, 1))
    row = calibration(np.array([2.0, 2.0, 1.0]), np.array([7, 7, 2]), np.array([1.0, 2.0]), p)
    assert row == pytest.approx(
        {"coverage_50": 0.25, "coverage_80": 0.4, "coverage_95": 0.475, "crps": 0.5}
    )


# --- of a recommender --------------------------------------------------------------------------


class Known:
    """Three or four stars, equally likely, whatever is asked."""

    def __init__(self, grid=(3.0, 4.0), p=(0.5, 0.5)):
        self.grid, self.p = np.array(grid), np.array(p)

    def fit(self, train, movies):
        return self

    def predict(self, user, movie):
        return np.full(len(user), 3.5)

    def predict_distribution(self, user, movie):
        return self.grid, np.tile(self.p, (len(user), 1))


@pytest.fixture(scope="module")
def cell(synthetic):
    return make_cell(synthetic, PROTOCOLS["strict"], 20, 20)


def test_a_recommender_with_a_distribution_is_scored_on_it(cell):
    row = measure(Known, cell).row
    stars = cell.personal.test.stars  # as many of each user
    assert row["coverage_80"] == pytest.approx(
        np.select([(stars == 3) | (stars == 4), stars == 3.5], [0.8, 1.0]).mean()
    )
    distance = (np.abs(stars - 3) + np.abs(stars - 4)) / 2
    assert row["crps"] == pytest.approx((distance - 0.25).mean())


def test_the_median_read_out_hands_out_its_distribution(cell):
    assert issubclass(load_recommender("ridge_median"), MedianReadOut)
    row = measure(load_recommender("ridge_median"), cell).row
    assert 0.4 < row["coverage_50"] <= row["coverage_80"] <= row["coverage_95"] <= 1
    assert 0 < row["crps"] < row["mae"]  # the mae is the crps of its median alone
    without = measure(load_recommender("user_mean"), cell).row
    assert all(without[column] is None for column in COLUMNS)


@pytest.mark.parametrize(
    ("grid", "p", "message"),
    [
        ((3.0, 4.0), (0.5, 0.6), "sum to 1"),
        ((3.0, 4.0), (1.5, -0.5), "negative"),
        ((3.0, 4.0), (np.nan, 1.0), "negative"),
        ((4.0, 3.0), (0.5, 0.5), "does not rise"),
        ((3.0, 4.0, 5.0), (0.5, 0.5), "shape"),
    ],
)
def test_what_is_no_distribution_is_an_error(cell, grid, p, message):
    with pytest.raises(ValueError, match=message):
        measure(lambda: Known(grid, p), cell)
