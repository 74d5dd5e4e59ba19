"""Whether a predictive distribution of stars is right: coverage of intervals, and the CRPS.

A distribution is discrete: a `grid` of stars, float64 [g], rising, and `probabilities`,
float64 [n, g], a row for each rating. F is its cumulative sum.
"""

from __future__ import annotations

import numpy as np

from recbench.evaluation.metrics import Row, mean_per_user

LEVELS = (50, 80, 95)  # percent, of central intervals
COLUMNS = (*(f"coverage_{level}" for level in LEVELS), "crps")
ROUNDING = 1e-9  # of a cumulative sum of probabilities
SUM_TOLERANCE = 1e-6


def calibration(
    stars: np.ndarray, user: np.ndarray, grid: np.ndarray, probabilities: np.ndarray
) -> Row:
    """The scores of this file, by column, each a mean over users.

    Raises:
        ValueError: it is no distribution.
    """
    grid = np.asarray(grid, dtype=np.float64)
    probabilities = np.asarray(probabilities, dtype=np.float64)
    check_distribution(grid, probabilities, len(stars))
    per_rating = [central_coverage(stars, grid, probabilities, level) for level in LEVELS]
    per_rating.append(crps(stars, grid, probabilities))
    means = [float(mean_per_user(values, user).mean()) for values in per_rating]
    return dict(zip(COLUMNS, means, strict=True))


def central_coverage(
    stars: np.ndarray, grid: np.ndarray, probabilities: np.ndarray, level: float
) -> np.ndarray:
    """Which part of each rating's own probability lies in the central interval of `level` percent,
    float64 [n], 0 .. 1: the interval from (1 − level / 100) / 2 to 1 minus that, of the cumulative
    distribution.

    Of a true distribution this is `level` percent on average, however coarse the grid is: the
    nonrandomised probability integral transform (Czado, Gneiting & Held 2009). Whole steps would
    hold more than they say: of three whole stars, any interval holds a third at least.
    """
    place = np.searchsorted(grid, np.asarray(stars, dtype=np.float64))
    at = np.minimum(place, len(grid) - 1)
    on_grid = grid[at] == stars
    cumulative = np.column_stack((np.zeros(len(stars)), np.cumsum(probabilities, axis=1)))
    row = np.arange(len(stars))
    below = cumulative[row, place]  # F of all that is less
    up_to = np.where(on_grid, cumulative[row, at + 1], below)
    low, high = (1 - level / 100) / 2, (1 + level / 100) / 2
    inside = (np.minimum(up_to, high) - np.maximum(below, low)).clip(0)
    own = up_to - below
    return np.where(
        own > ROUNDING, inside / np.maximum(own, ROUNDING), (low <= below) & (below <= high)
    )


def crps(stars: np.ndarray, grid: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The continuous ranked probability score of each rating, float64 [n], in stars: less is
    better. ∫ (F(x) − 1[r ≤ x])² dx = E|X − r| − E|X − X'| / 2 (Gneiting and Raftery 2007); of a
    single value with probability 1, it is the absolute error."""
    distance = np.abs(grid - np.asarray(stars, dtype=np.float64)[:, None])  # (n, g)
    cumulative = np.cumsum(probabilities, axis=1)[:, :-1]  # (n, g - 1)
    half_of_its_own = (cumulative * (1 - cumulative)) @ np.diff(grid)  # E|X − X'| / 2
    return np.vecdot(probabilities, distance) - half_of_its_own


def check_distribution(grid: np.ndarray, probabilities: np.ndarray, n: int) -> None:
    """Raises ValueError unless they are distributions of `n` ratings."""
    if grid.ndim != 1 or len(grid) == 0 or probabilities.shape != (n, len(grid)):
        raise ValueError(
            f"predict_distribution returned a grid of shape {grid.shape} and probabilities of "
            f"shape {probabilities.shape} for {n} pairs"
        )
    if not (np.isfinite(grid).all() and (np.diff(grid) > 0).all()):
        raise ValueError("predict_distribution returned a grid that does not rise")
    sums_to_one = np.abs(probabilities.sum(axis=1) - 1) <= SUM_TOLERANCE
    if not ((probabilities >= 0).all() and sums_to_one.all()):
        raise ValueError(
            "predict_distribution returned probabilities that are negative or do not sum to 1"
        )
