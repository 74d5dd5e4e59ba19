"""Whether a predictive distribution of stars is right: interval coverage, and the CRPS.

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
    per_rating = [in_central_interval(stars, grid, probabilities, level) for level in LEVELS]
    per_rating.append(crps(stars, grid, probabilities))
    means = [float(mean_per_user(values, user).mean()) for values in per_rating]
    return dict(zip(COLUMNS, means, strict=True))


def in_central_interval(
    stars: np.ndarray, grid: np.ndarray, probabilities: np.ndarray, level: float
) -> np.ndarray:
    """bool [n]: the rating is within the quantiles (1 ∓ level / 100) / 2, ends included.

    A quantile q_α is the smallest grid value with F ≥ α, so that the interval holds `level`
    percent at least; how much more depends on how coarse the distribution is.
    """
    cumulative = np.cumsum(probabilities, axis=1)
    cumulative[:, -1] = 1.0
    low, high = (
        grid[(cumulative >= alpha - ROUNDING).argmax(axis=1)]
        for alpha in ((1 - level / 100) / 2, (1 + level / 100) / 2)
    )
    return (low <= stars) & (stars <= high)


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
