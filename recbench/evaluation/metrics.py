"""The scores, by column: `scores`, `residual_scores` and `calibration`.

Arrays have one entry per test rating: `stars` (the truth) and `predicted` (float [n], 0.5 .. 5),
`user` (int [n]). A score is the mean over users unless its name says `pooled`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recbench.contract import check_distribution
from recbench.models.item_baseline import ItemBaseline
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings, rows_of_each

LIKED = 4.0  # stars from which a movie counts as liked
WITHIN_ONES = 2  # of a thermometer: one star
NDCG_PLACES = 10
NDCG_LEAST_RATINGS = 20  # held-out ratings that a user needs for a meaningful ranking
DAMPING_USER = 5.0  # ratings, of the user bias
LEAST_RATINGS = 5  # held-out ratings that a user needs for a correlation
ROUNDING_STARS = 1e-5  # a smaller error, spread or difference is that of float32
LEVELS = (50, 80, 95)  # percent, of central intervals
CALIBRATION_COLUMNS = (*(f"coverage_{level}" for level in LEVELS), "crps")
ROUNDING = 1e-9  # of a cumulative sum of probabilities


Row = dict[str, Any]  # column -> number; None: empty


def scores(
    test: Ratings, predicted: np.ndarray, ones: np.ndarray, predicted_ones: np.ndarray
) -> Row:
    """All scores of the predictions for the ratings of `test`, by column.

    Args:
        predicted: float [n], stars.
        ones, predicted_ones: int [n], ones in the thermometers of truth and prediction.
    """
    stars, user = test.stars, test.user
    right = right_within_one_star(ones, predicted_ones)
    accuracy = mean_per_user(right, user)
    auc = auc_like_per_user(stars, predicted, user)
    ndcg = ndcg_at_10_per_user(stars, predicted, user)
    return {
        "rmse": rmse(stars, predicted, user),
        "rmse_pooled": rmse_pooled(stars, predicted),
        "mae": mae(stars, predicted, user),
        "mae_pooled": mae_pooled(stars, predicted),
        "accuracy_mean": float(accuracy.mean()),
        "accuracy_median": float(np.median(accuracy)),
        "accuracy_pooled": float(right.mean()),
        "auc_like": mean_where_there(auc),
        "auc_users": int(np.isfinite(auc).sum()),
        "ndcg_at_10": mean_where_there(ndcg),
        "ndcg_users": int(np.isfinite(ndcg).sum()),
    }


def mean_where_there(values: np.ndarray) -> float | None:
    """Mean of the `values` that are not nan; None if all are nan."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None


def mean_per_user(values: np.ndarray, user: np.ndarray) -> np.ndarray:
    """Mean of `values` (float [n]) per user, float64 [users present]."""
    _, index = np.unique(user, return_inverse=True)
    return np.bincount(index, values) / np.bincount(index)


def rmse(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> float:
    """Root of the mean over users of the mean squared error, in stars: the primary score."""
    return float(np.sqrt(mean_per_user(_error(stars, predicted) ** 2, user).mean()))


def rmse_pooled(stars: np.ndarray, predicted: np.ndarray) -> float:
    """Root of the mean squared error over all ratings, in stars, as in the literature."""
    return float(np.sqrt((_error(stars, predicted) ** 2).mean()))


def mae(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> float:
    """Mean over users of the mean |error|, in stars."""
    return float(mean_per_user(np.abs(_error(stars, predicted)), user).mean())


def mae_pooled(stars: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over all ratings of |error|, in stars."""
    return float(np.abs(_error(stars, predicted)).mean())


def right_within_one_star(ones: np.ndarray, predicted_ones: np.ndarray) -> np.ndarray:
    """Whether the numbers of ones in the two thermometers differ by at most two, bool [n]."""
    return np.abs(ones.astype(np.int64) - predicted_ones.astype(np.int64)) <= WITHIN_ONES


def auc_like_per_user(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> np.ndarray:
    """For each user with both kinds held out, the probability that a liked movie (4 stars or more)
    is predicted above one that is not, ties counting half: float64 [users present], 0 .. 1, nan for
    other users.

    By ranks (Mann and Whitney 1947): (R - p(p + 1)/2) / (p q), R the sum of the ranks of the p
    liked among all p + q.
    """
    _, index = np.unique(user, return_inverse=True)
    liked = stars >= LIKED
    rank = pd.Series(predicted).groupby(index).rank().to_numpy()  # 1: the lowest; ties: the mean
    p = np.bincount(index, liked)
    q = np.bincount(index, ~liked)
    rank_sum = np.bincount(index, rank * liked)
    both = (p > 0) & (q > 0)
    pairs = np.where(both, p * q, np.nan)
    return (rank_sum - p * (p + 1) / 2) / pairs


def ndcg_at_10_per_user(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> np.ndarray:
    """For each user with at least 20 held-out ratings: DCG / ideal DCG of the ten predicted
    highest, 0 .. 1.

    Gain 2^stars - 1, discount 1 / log2(1 + place); movies with equal predictions share the mean of
    their gains (McSherry and Najork 2008). float64 [users present], nan for the others.
    """
    gain = 2.0 ** stars.astype(np.float64) - 1
    return np.array(
        [
            _dcg(gain[rows], predicted[rows]) / _dcg(gain[rows], gain[rows])
            if len(rows) >= NDCG_LEAST_RATINGS
            else np.nan
            for rows in rows_of_each(user)
        ]
    )


def _dcg(gain: np.ndarray, by: np.ndarray) -> float:
    """DCG at 10 of movies ranked `by` (high first), ties sharing the mean of their gains."""
    discount = np.zeros(len(gain))
    places = min(NDCG_PLACES, len(gain))
    discount[:places] = 1 / np.log2(np.arange(2, places + 2))
    _, tied = np.unique(-by, return_inverse=True)  # 0: the highest
    mean_gain = np.bincount(tied, gain) / np.bincount(tied)
    return float((mean_gain[np.sort(tied)] * discount).sum())


def _error(stars: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return predicted.astype(np.float64) - stars.astype(np.float64)


# --- what is left without user bias and item baseline


def residual_scores(
    train: Ratings, test: Ratings, item_baseline: ItemBaseline, predicted: np.ndarray
) -> Row:
    """Scores of the residuals from user bias and item baseline, by column.

    These two explain most of the explainable variance; the residual is this user's taste.

    Args:
        predicted: float [n], for the ratings of `test`.
    """
    bias = bias_prediction(train, test, item_baseline)
    correlation = residual_correlation_per_user(test.stars, predicted, bias, test.user)
    return {
        "skill_over_bias": skill_over_bias(test.stars, predicted, bias, test.user),
        "residual_correlation": mean_where_there(correlation),
        "residual_correlation_users": int(np.isfinite(correlation).sum()),
    }


def bias_prediction(train: Ratings, test: Ratings, item_baseline: ItemBaseline) -> np.ndarray:
    """b = c_i + b_u for each rating of `test`, float64 [n], within 0.5 .. 5.

    b_u = Σ (r − c) / (n_u + 5) over the user's training ratings; 0 without any.
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

    0: no better than b; 1: perfect; below 0: worse than b. None if b is perfect up to rounding.
    """
    mse, mse_of_bias = (mean_per_user((one - stars) ** 2, user).mean() for one in (predicted, bias))
    return float(1 - mse / mse_of_bias) if mse_of_bias > ROUNDING_STARS**2 else None


def residual_correlation_per_user(
    stars: np.ndarray, predicted: np.ndarray, bias: np.ndarray, user: np.ndarray
) -> np.ndarray:
    """Pearson's correlation of r − b and r̂ − b within each user with at least 5 held-out ratings;
    0 if either is constant. float64 [users present], nan for other users."""
    _, index = np.unique(user, return_inverse=True)

    def centred(values: np.ndarray) -> np.ndarray:
        return values - mean_per_user(values, index)[index]

    truth, ours = centred(stars - bias), centred(predicted - bias)
    covariance = mean_per_user(truth * ours, index)
    spread = [np.sqrt(mean_per_user(one**2, index)) for one in (truth, ours)]
    varies = np.minimum(*spread) > ROUNDING_STARS
    correlation = np.divide(
        covariance, spread[0] * spread[1], np.zeros_like(covariance), where=varies
    )
    return np.where(np.bincount(index) >= LEAST_RATINGS, correlation, np.nan)


# --- predictive distributions


def calibration(
    stars: np.ndarray, user: np.ndarray, grid: np.ndarray, probabilities: np.ndarray
) -> Row:
    """Scores of predictive distributions, by column, each a mean over users.

    Args:
        grid: float [g], stars, rising.
        probabilities: float [n, g], a row for each rating.
    """
    grid, probabilities = check_distribution(grid, probabilities, len(stars))
    per_rating = [central_coverage(stars, grid, probabilities, level) for level in LEVELS]
    per_rating.append(crps(stars, grid, probabilities))
    means = [float(mean_per_user(values, user).mean()) for values in per_rating]
    return dict(zip(CALIBRATION_COLUMNS, means, strict=True))


def central_coverage(
    stars: np.ndarray, grid: np.ndarray, probabilities: np.ndarray, level: float
) -> np.ndarray:
    """Share of each rating's own probability inside the central interval of `level` percent,
    float64 [n], 0 .. 1: the interval of the cumulative distribution from (1 − level / 100) / 2 to 1
    minus that.

    For a correct distribution this is `level` percent on average, however coarse the grid
    (nonrandomised probability integral transform: Czado, Gneiting & Held 2009). Counting whole
    steps would give too much: with three possible ratings, any interval would cover at least one of
    them.
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
    """The continuous ranked probability score of each rating, float64 [n], in stars; lower is
    better. ∫ (F(x) − 1[r ≤ x])² dx = E|X − r| − E|X − X'| / 2 (Gneiting and Raftery 2007); for a
    single value with probability 1 it is the absolute error."""
    distance = np.abs(grid - np.asarray(stars, dtype=np.float64)[:, None])  # (n, g)
    cumulative = np.cumsum(probabilities, axis=1)[:, :-1]  # (n, g - 1)
    half_of_its_own = (cumulative * (1 - cumulative)) @ np.diff(grid)  # E|X − X'| / 2
    return np.vecdot(probabilities, distance) - half_of_its_own
