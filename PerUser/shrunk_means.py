"""What a user gives on average, when there is little to average over."""

from __future__ import annotations

import numpy as np

from ratings import Ratings

NO_RATINGS = 3.0  # stars, where nobody has rated anything


def shrunk_means(train: Ratings, damping: float) -> tuple[np.ndarray, float]:
    """μ_u = (Σ r + κ m) / (n + κ): the user's mean as if they had given the mean κ times more.

    Args:
        train: the training ratings.
        damping: κ, in ratings.

    Returns:
        μ_u of each distinct user in order, float64 [u], and m, the mean of all training ratings.
        These are all that a personal model knows of other people.
    """
    overall = float(train.stars.mean(dtype=np.float64)) if len(train) else NO_RATINGS
    _, whose = np.unique(train.user, return_inverse=True)
    total = np.bincount(whose, weights=train.stars)
    return (total + damping * overall) / (np.bincount(whose) + damping), overall
