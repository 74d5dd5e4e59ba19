"""Fit a recommender on a cell, let it predict the held-out ratings, score and time it."""

from __future__ import annotations

import time

import numpy as np

from data_prep import count_ones
from evaluation import metrics
from evaluation.cells import Cell
from ratings import MAX_STARS, MIN_STARS, Ratings
from recommender import Recommender


def measure(recommender: Recommender, cell: Cell, labels: str) -> dict[str, float | int | None]:
    """The scores, times and sizes of `recommender` on `cell`, by column name.

    It sees the training part alone; a rating of the test part is first looked at when all
    predictions are made.

    Args:
        labels: how both sides of the accuracies are encoded, see `data_prep.encode_ratings`.

    Raises:
        ValueError: what it predicts is not what the contract asks for.
    """
    split = cell.split_for(getattr(recommender, "learns_from_others", False))
    train, test = split.train, split.test

    started = time.perf_counter()
    recommender.fit(train, cell.movies)
    fitted = time.perf_counter()
    raw = np.asarray(recommender.predict(test.user, test.movie), dtype=np.float64)
    bits = (
        recommender.predict_bits(test.user, test.movie)
        if hasattr(recommender, "predict_bits")
        else None
    )
    predicted_at = time.perf_counter()

    covered = _check(raw, len(test))
    fallback = float(train.stars.mean()) if len(train) else 3.0
    predicted = np.where(covered, raw, fallback)
    predicted_ones = bits.sum(axis=1) if bits is not None else count_ones(predicted, labels)
    state_bytes = getattr(recommender, "state_bytes", lambda: None)()
    return {
        "n_users": cell.n_users,
        "n_train": len(train),
        "n_test": len(test),
        **scores(test, predicted, predicted_ones, labels),
        "coverage": float(covered.mean()),
        "fit_seconds": fitted - started,
        "predict_seconds": predicted_at - fitted,
        "bytes_per_user": None if state_bytes is None else state_bytes / len(np.unique(train.user)),
    }


def scores(
    test: Ratings, predicted: np.ndarray, predicted_ones: np.ndarray, labels: str
) -> dict[str, float | int | None]:
    """All scores of predictions (float [n], stars; int [n], ones) for the ratings of `test`."""
    stars, user = test.stars, test.user
    right = metrics.right_within_one_star(count_ones(stars, labels), predicted_ones)
    accuracy = metrics.mean_per_user(right, user)
    auc = metrics.auc_like_per_user(stars, predicted, user)
    ndcg = metrics.ndcg_at_10_per_user(stars, predicted, user)
    return {
        "rmse": metrics.rmse(stars, predicted, user),
        "rmse_pooled": metrics.rmse_pooled(stars, predicted),
        "mae": metrics.mae(stars, predicted, user),
        "mae_pooled": metrics.mae_pooled(stars, predicted),
        "accuracy_mean": float(accuracy.mean()),
        "accuracy_median": float(np.median(accuracy)),
        "accuracy_pooled": float(right.mean()),
        "auc_like": float(auc.mean()) if len(auc) else None,
        "auc_users": len(auc),
        "ndcg_at_10": float(ndcg.mean()) if len(ndcg) else None,
        "ndcg_users": len(ndcg),
    }


def _check(predicted: np.ndarray, n_test: int) -> np.ndarray:
    """bool [n]: where there is a prediction at all."""
    if predicted.shape != (n_test,):
        raise ValueError(f"predict returned shape {predicted.shape} for {n_test} pairs")
    covered = np.isfinite(predicted)
    outside = covered & ~((predicted >= MIN_STARS) & (predicted <= MAX_STARS))
    if outside.any():
        raise ValueError(
            f"predict returned {predicted[outside][0]:g} stars; clip to {MIN_STARS} .. {MAX_STARS}"
        )
    return covered
