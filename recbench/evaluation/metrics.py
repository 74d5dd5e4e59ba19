"""The scores: one readable function each, and `scores`, all of them: a new one is a function here
and a line there.

Arrays are one entry per test rating: `stars` (the truth) and `predicted` (float [n], 0.5 .. 5),
`user` (int [n]). A score is the mean over users unless its name says `pooled`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recbench.ratings import Ratings

LIKED = 4.0  # stars from which a movie counts as liked
WITHIN_ONES = 2  # of a thermometer: one star
NDCG_PLACES = 10
NDCG_LEAST_RATINGS = 20  # held out of a user, for a ranking of them to mean something


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
    """The mean of the `values` that are not nan; None if all are."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None


def mean_per_user(values: np.ndarray, user: np.ndarray) -> np.ndarray:
    """The mean of `values` (float [n]) of each user that has any, float64 [users present]."""
    _, index = np.unique(user, return_inverse=True)
    return np.bincount(index, values) / np.bincount(index)


def rmse(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> float:
    """sqrt of the mean over users of the mean squared error: the primary score."""
    return float(np.sqrt(mean_per_user(_error(stars, predicted) ** 2, user).mean()))


def rmse_pooled(stars: np.ndarray, predicted: np.ndarray) -> float:
    """sqrt of the mean over all ratings of the squared error, as in the literature."""
    return float(np.sqrt((_error(stars, predicted) ** 2).mean()))


def mae(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> float:
    """Mean over users of the mean |error|."""
    return float(mean_per_user(np.abs(_error(stars, predicted)), user).mean())


def mae_pooled(stars: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over all ratings of |error|."""
    return float(np.abs(_error(stars, predicted)).mean())


def right_within_one_star(ones: np.ndarray, predicted_ones: np.ndarray) -> np.ndarray:
    """bool [n]: the numbers of ones in the two thermometers differ by at most two."""
    return np.abs(ones.astype(np.int64) - predicted_ones.astype(np.int64)) <= WITHIN_ONES


def auc_like_per_user(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> np.ndarray:
    """Of each user with both kinds held out: the chance that a liked movie (4 stars or more) is
    predicted above one not liked, ties counting half. float64 [users present], nan for the others.

    By ranks (Mann and Whitney 1947): (R - p(p + 1)/2) / (p q), R the sum of the ranks of the p
    liked among all p + q.
    """
    _, index = np.unique(user, return_inverse=True)
    liked = stars >= LIKED
    rank = _ranks_within(predicted, index)
    p = np.bincount(index, liked)
    q = np.bincount(index, ~liked)
    rank_sum = np.bincount(index, rank * liked)
    both = (p > 0) & (q > 0)
    pairs = np.where(both, p * q, np.nan)
    return (rank_sum - p * (p + 1) / 2) / pairs


def ndcg_at_10_per_user(stars: np.ndarray, predicted: np.ndarray, user: np.ndarray) -> np.ndarray:
    """Of each user with 20 held-out ratings or more: DCG / ideal DCG of the ten predicted highest.

    Gain 2^stars - 1, discount 1 / log2(1 + place); movies predicted alike share the mean of
    their gains (McSherry and Najork 2008). float64 [users present], nan for the others.
    """
    gain = 2.0 ** stars.astype(np.float64) - 1
    order = np.argsort(user, kind="stable")
    starts = np.unique(user[order], return_index=True)[1][1:]
    return np.array(
        [
            _dcg(gain[rows], predicted[rows]) / _dcg(gain[rows], gain[rows])
            if len(rows) >= NDCG_LEAST_RATINGS
            else np.nan
            for rows in np.split(order, starts)
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


def _ranks_within(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rank of each value within its group (1: the lowest), equal values sharing their mean."""
    order = np.lexsort((values, index))
    start_of_group = np.searchsorted(index[order], index[order])
    place = np.arange(len(values)) - start_of_group + 1.0
    same_as_before = np.append(False, (np.diff(values[order]) == 0) & (np.diff(index[order]) == 0))
    tie = np.cumsum(~same_as_before) - 1
    shared = np.bincount(tie, place) / np.bincount(tie)
    rank = np.empty(len(values))
    rank[order] = shared[tie]
    return rank


def _error(stars: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return predicted.astype(np.float64) - stars.astype(np.float64)
