"""Scores of what is left of a rating when "a kind user, a good movie" is taken away.

A user bias and an item baseline explain most of what can be explained of a rating. The scores here
are of the rest: the part that is this user's taste.
"""

from __future__ import annotations

import numpy as np

from recbench.evaluation.metrics import Row, mean_per_user, mean_where_there
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings

DAMPING_USER = 5.0  # ratings, of the user bias
LEAST_RATINGS = 5  # held out of a user, for a correlation within them
NO_SPREAD = 1e-5  # stars; a smaller standard deviation is rounding


def scores_over_bias(
    train: Ratings, test: Ratings, item_baseline: ItemBaseline, predicted: np.ndarray
) -> Row:
    """The scores of this file, by column, for predictions (float [n]) of `test`."""
    bias = bias_prediction(train, test, item_baseline)
    correlation = residual_correlation_per_user(test.stars, predicted, bias, test.user)
    return {
        "skill_over_bias": skill_over_bias(test.stars, predicted, bias, test.user),
        "residual_correlation": mean_where_there(correlation),
        "residual_correlation_users": int(np.isfinite(correlation).sum()),
    }


def bias_prediction(train: Ratings, test: Ratings, item_baseline: ItemBaseline) -> np.ndarray:
    """b = c_i + b_u for each rating of `test`, float64 [n], within 0.5 .. 5.

    b_u = Σ (r − c) / (n_u + 5) over the user's training ratings; 0 of none.
    """
    n_users = 1 + max(train.user.max(initial=0), test.user.max(initial=0))
    residual = train.stars - item_baseline.stars[train.movie]
    count = np.bincount(train.user, minlength=n_users)
    user_bias = np.bincount(train.user, residual, minlength=n_users) / (count + DAMPING_USER)
    stars = item_baseline.stars[test.movie] + user_bias[test.user]
    return stars.clip(MIN_STARS, MAX_STARS)


def skill_over_bias(
    stars: np.ndarray, predicted: np.ndarray, bias: np.ndarray, user: np.ndarray
) -> float | None:
    """1 − MSE(r̂) / MSE(b), both means over users: a skill score (Murphy 1988).

    0: no better than b; 1: perfect; below 0: worse than b. None if b is perfect.
    """
    ours = mean_per_user((predicted - stars) ** 2, user).mean()
    of_bias = mean_per_user((bias - stars) ** 2, user).mean()
    return float(1 - ours / of_bias) if of_bias > 0 else None


def residual_correlation_per_user(
    stars: np.ndarray, predicted: np.ndarray, bias: np.ndarray, user: np.ndarray
) -> np.ndarray:
    """Pearson's correlation of r − b and r̂ − b within each user with 5 held-out ratings or more;
    0 where one of them is the same for all. float64 [users present], nan for the others."""
    _, index = np.unique(user, return_inverse=True)

    def centred(values: np.ndarray) -> np.ndarray:
        return values - mean_per_user(values, index)[index]

    truth, said = centred(stars - bias), centred(predicted - bias)
    covariance = mean_per_user(truth * said, index)
    spread = [np.sqrt(mean_per_user(one**2, index)) for one in (truth, said)]
    varies = np.minimum(*spread) > NO_SPREAD
    correlation = np.divide(
        covariance, spread[0] * spread[1], np.zeros_like(covariance), where=varies
    )
    return np.where(np.bincount(index) >= LEAST_RATINGS, correlation, np.nan)
