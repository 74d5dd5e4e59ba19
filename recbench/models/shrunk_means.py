"""What a user gives on average, when there is little to average over."""

from __future__ import annotations

import numpy as np


def shrunk_means(
    user: np.ndarray,
    stars: np.ndarray,
    damping: float,
    overall: float,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """μ_u = (Σ g r + κ m) / (Σ g + κ), float64 [u], of each distinct user in order: the user's mean
    as if the user had given the mean κ times more.

    Args:
        user: int [n], of each rating.
        stars: float [n], of each, or its residual.
        damping: κ, in ratings.
        overall: m, the mean of all users.
        weight: g, float [n], of each rating; None: one.
    """
    _, whose = np.unique(user, return_inverse=True)
    weight = np.ones(len(stars)) if weight is None else weight
    total, count = np.bincount(whose, weight * stars), np.bincount(whose, weight)
    return (total + damping * overall) / (count + damping)


def mean_of_all(stars: np.ndarray) -> float:
    """The mean of all `stars`, float [n]; 0 of none."""
    return float(stars.mean(dtype=np.float64)) if len(stars) else 0.0
