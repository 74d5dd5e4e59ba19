"""Fit a recommender to a cell, predict the held-out ratings, score and time it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recbench.contract import declared
from recbench.data.encodings.thermometer import count_ones
from recbench.evaluation import metrics, ranking
from recbench.evaluation.cells import WHOLE, Cell, Fitted, Shard
from recbench.evaluation.metrics import Row
from recbench.evaluation.predicting import Predictions, fit_and_predict, rank_scores, together
from recbench.ratings import Ratings
from recbench.threads import one_thread

NOT_OF_STARS = (  # columns of recommenders that rank movies and predict no stars
    *("n_users", "n_train", "n_test", "n_users_scored", "bytes_per_user", "bytes_shared"),
    *("fit_seconds", "predict_seconds", "ranking_seconds"),
)


@dataclass(frozen=True)
class Measured:
    """The results of a recommender on a cell.

    Attributes:
        row: scores, times and sizes by column name.
        predictions: one row per test rating: user_id, movie_id, stars, predicted (stars; nan for a
            recommender that only ranks movies, whose `predicted_ones` are then meaningless), ones
            and predicted_ones (of the thermometers); and if movies were ranked, the scores of the
            user's ranking, repeated in each of a user's rows.
        notes: see `Predictions`.
    """

    row: Row
    predictions: pd.DataFrame
    notes: Counter[str]


def measure(make: Callable[[], Any], cell: Cell, rank: bool = False, keep_as: str = "") -> Measured:
    """Fit, predict, score.

    Args:
        make: returns a new recommender, like a class; with a learned encoding one is fitted to each
            fold of users.
        rank: also rank all movies, see `recbench.evaluation.ranking`.
        keep_as: name under which the fitted recommender is kept in `cell.fits`.

    Raises:
        ValueError: its predictions violate the contract.
    """
    first = make()
    collaborative = declared(first, "learns_from") == "all"
    shards = [WHOLE] if collaborative else cell.shards()
    models = [first, *(make() for _ in shards[1:])]
    parts = [fit_and_predict(one, cell, shard) for one, shard in zip(models, shards, strict=True)]
    ranked, seconds = None, None
    if rank:
        started = time.perf_counter()
        ranked = _rank(models, shards, cell, collaborative)
        seconds = time.perf_counter() - started
    if keep_as and len(shards) == 1:
        cell.fits[keep_as] = Fitted(first, parts[0].fit_seconds)
    return score(together(parts, shards, cell), cell, collaborative, ranked, seconds)


def score(
    predictions: Predictions,
    cell: Cell,
    collaborative: bool,
    ranked: ranking.Ranking | None = None,
    ranking_seconds: float | None = None,
) -> Measured:
    """The scores of the predictions for a cell.

    Args:
        collaborative: whether the recommender learns from all users.
        ranked: the ranking of all movies and its seconds, if there is one.
    """
    train, test = cell.train_and_test(collaborative)
    labels, own_ones = cell.protocol.labels, predictions.ones
    ranks_only = np.isnan(predictions.stars).all()
    stars = test.stars if ranks_only else predictions.stars  # for the names of the columns
    ones = count_ones(test.stars, labels)
    predicted_ones = count_ones(stars, labels) if own_ones is None else own_ones
    state, n_trained = predictions.state_bytes, max(len(np.unique(train.user)), 1)
    row = {
        "n_users": cell.n_users,
        "n_train": len(train),
        "n_test": len(test),
        **metrics.scores(test, stars, ones, predicted_ones),
        **metrics.residual_scores(train, test, cell.item_baseline, stars),
        **(
            metrics.calibration(test.stars, test.user, predictions.grid, predictions.probabilities)
            if predictions.grid is not None and predictions.probabilities is not None
            else dict.fromkeys(metrics.CALIBRATION_COLUMNS)
        ),
        **(ranked.scores() if ranked is not None else dict.fromkeys(ranking.COLUMNS)),
        **_warm_and_cold(test, stars, ones, predicted_ones, np.isin(test.user, train.user)),
        "coverage": float(predictions.covered.mean()),
        "fit_seconds": predictions.fit_seconds,
        "predict_seconds": predictions.predict_seconds,
        "ranking_seconds": ranking_seconds,
        "bytes_per_user": None if state is None else state / n_trained,
        "bytes_shared": predictions.shared_bytes,
        "n_users_scored": len(np.unique(test.user)),  # the others have no held-out rating
    }
    if ranks_only:
        row |= dict.fromkeys(row.keys() - {*NOT_OF_STARS, *ranking.COLUMNS})
    table = pd.DataFrame(
        {
            "user_id": cell.user_id[test.user],
            "movie_id": cell.encoded.movie_id[test.movie],
            "stars": test.stars,
            "predicted": predictions.stars.astype(np.float32),
            "ones": ones.astype(np.int8),
            "predicted_ones": predicted_ones.astype(np.int8),
            **(ranked.columns_for(test.user) if ranked is not None else {}),
        }
    )
    return Measured(row, table, predictions.notes)


def _warm_and_cold(
    test: Ratings, stars: np.ndarray, ones: np.ndarray, predicted_ones: np.ndarray, warm: np.ndarray
) -> Row:
    """Scores of users with training ratings (`warm`: bool [n]) and of those without, separately;
    empty without such users."""
    right = metrics.right_within_one_star(ones, predicted_ones)
    row: Row = {}
    for name, rows in (("warm", warm), ("cold", ~warm)):
        user, errors = test.user[rows], (test.stars[rows], stars[rows], test.user[rows])
        row[f"{name}_users"] = len(np.unique(user))
        scores: tuple[float | None, ...] = (None, None, None)
        if len(user):
            accuracy = float(metrics.mean_per_user(right[rows], user).mean())
            scores = (metrics.rmse(*errors), metrics.mae(*errors), accuracy)
        row |= {
            f"{name}_{score}": value
            for score, value in zip(("rmse", "mae", "accuracy_mean"), scores, strict=True)
        }
    return row


def _rank(
    models: list[Any], shards: list[Shard], cell: Cell, collaborative: bool
) -> ranking.Ranking:
    """Rank the candidates of the cell for each user by the model of the user's shard. Their
    popularity is the same for all recommenders."""
    train, test = cell.train_and_test(collaborative)
    otherwise = train.mean_stars()

    def scores_of(user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        scores = np.empty(len(user))
        for model, shard in zip(models, shards, strict=True):
            rows = shard.rows_of(user)
            scores[rows] = rank_scores(model, user[rows], movie[rows])
        return np.where(np.isfinite(scores), scores, otherwise)

    known = cell.collaborative.training_ratings(with_background=True)
    popularity = ranking.popularity_percentile(known, cell.candidates)
    with one_thread():
        return ranking.full_ranking(scores_of, train, test, cell.candidates, popularity)
