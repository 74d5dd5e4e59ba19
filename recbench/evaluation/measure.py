"""Fit a recommender on a cell, let it predict the held-out ratings, score and time it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recbench.contract import (
    OfAll,
    Recommender,
    bytes_of,
    compile_kernels,
    declared,
    fit_on,
    time_for,
)
from recbench.data.encodings.thermometer import count_ones
from recbench.evaluation import calibration, metrics, ranking
from recbench.evaluation.asking import ask
from recbench.evaluation.by_fold import ByFold
from recbench.evaluation.cells import Cell
from recbench.evaluation.metrics import Row
from recbench.evaluation.residual_skill import scores_over_bias
from recbench.ratings import Ratings
from recbench.threads import one_thread


@dataclass(frozen=True)
class Fitted:
    """A recommender fitted to a cell, and how long that took."""

    recommender: Recommender
    fit_seconds: float


@dataclass(frozen=True)
class Measured:
    """What a recommender did on a cell.

    Attributes:
        row: scores, times and sizes by column name.
        predictions: one row per test rating: user_id, movie_id, stars, predicted (stars), ones
            and predicted_ones (of the thermometers); and if movies were ranked, the scores of the
            user's ranking, the same in each of a user's rows.
        notes: see `Predicted`.
    """

    row: Row
    predictions: pd.DataFrame
    notes: Counter[str]

    @property
    def rmse(self) -> float:
        """The primary score."""
        score = self.row["rmse"]
        assert score is not None
        return score


@dataclass(frozen=True)
class Predicted:
    """What a recommender said of the held-out ratings of a cell, [n] in their order.

    Attributes:
        stars: float64 [n].
        covered: bool [n], where that is its own answer.
        ones: int [n], of its own bits; None: it has none.
        grid, probabilities: float64 [g] and [n, g], its predictive distribution; None: it has none.
        ranked: all movies, if it was to rank them.
        fit_seconds, predict_seconds, ranking_seconds: how long it took.
        state_bytes, shared_bytes: of what it learned of users, and of what serves all of them;
            None: it cannot say.
        notes: what it could not do as asked -> for how many users.
    """

    stars: np.ndarray
    covered: np.ndarray
    ones: np.ndarray | None
    grid: np.ndarray | None
    probabilities: np.ndarray | None
    ranked: ranking.Ranking | None
    fit_seconds: float
    predict_seconds: float
    ranking_seconds: float | None
    state_bytes: int | None
    shared_bytes: int | None
    notes: Counter[str]


def measure(
    recommender: Recommender | Any,
    cell: Cell,
    labels: str,
    base: Fitted | None = None,
    rank: bool = False,
) -> Measured:
    """Fit, predict, score.

    Args:
        labels: how both sides of the accuracies are encoded, see `encode_ratings`.
        base: what the recommender builds on, fitted to this cell already. The seconds that took
            are counted in its own, as if it had done it itself.
        rank: also let it rank all movies, see `recbench.evaluation.ranking`.

    Raises:
        ValueError: what it predicts is not what the contract asks for, or nothing is held out.
    """
    learns_from_background = declared(recommender, "learns_from_background")
    if not len(cell.train_and_test(learns_from_background)[1]):
        raise ValueError("no rating is held out in this cell")
    predicted = fit_and_predict(recommender, cell, base, rank)
    return score(predicted, cell, labels, learns_from_background)


def fit_and_predict(
    recommender: Recommender | Any,
    cell: Cell,
    base: Fitted | None = None,
    rank: bool = False,
    of_all: OfAll | None = None,
    otherwise: float | None = None,
) -> Predicted:
    """The half of `measure` in which the recommender works.

    On one thread as far as matrices go: those of one user are small, and the threads of several
    workers on the same cores wait for each other many times as long as they work.

    The recommender sees the training part alone; of the test part who is asked about what, and
    when, if it asks for that. A rating of it is first looked at when all predictions are made.

    Args:
        of_all: where the cell holds a part of the users, what the recommender learned from all.
        otherwise: stars where it has no answer; None: the mean of its training ratings.
    """
    learns_from_background = declared(recommender, "learns_from_background")
    train, test = cell.train_and_test(learns_from_background)
    otherwise = train.mean_stars() if otherwise is None else otherwise

    with one_thread():
        tables = None
        if declared(recommender, "starts_from_item_table"):
            tables = cell.item_tables(learns_from_background)
        of_folds = [cell.movies] if learns_from_background else cell.movies_of_folds()
        if len(of_folds) > 1:
            base = None  # what it builds on was fitted by fold, too
        compile_kernels(recommender, train, of_folds[0], cell.item_baseline, tables)
        started = time.perf_counter()

        def fit(one: Any, ratings: Ratings, fold: int) -> Any:
            movies, baseline = of_folds[fold], cell.item_baseline
            return fit_on(one, ratings, movies, baseline, base and base.recommender, tables, of_all)

        if len(of_folds) == 1:
            fit(recommender, train, 0)
        else:
            recommender = ByFold(recommender, cell.personal_tables.folds_of, len(of_folds))
            recommender.fit(train, fit)
        fitted = time.perf_counter()
        answer = ask(recommender, test.user, test.movie, otherwise, test.time)
        predicted_at = time.perf_counter()
        grid, probabilities = (
            recommender.predict_distribution(
                test.user, test.movie, **time_for(recommender, test.time)
            )
            if hasattr(recommender, "predict_distribution")
            else (None, None)
        )
        ranking_from = time.perf_counter()
        ranked = _rank(recommender, cell, train, test) if rank else None
        ranked_at = time.perf_counter()
    return Predicted(
        stars=answer.stars,
        covered=answer.covered,
        ones=answer.ones,
        grid=grid,
        probabilities=probabilities,
        ranked=ranked,
        fit_seconds=fitted - started + (base.fit_seconds if base else 0.0),
        predict_seconds=predicted_at - fitted,
        ranking_seconds=ranked_at - ranking_from if rank else None,
        state_bytes=bytes_of(recommender, "state_bytes"),
        shared_bytes=bytes_of(recommender, "shared_bytes"),
        notes=Counter(getattr(recommender, "user_notes", {})),
    )


def score(said: Predicted, cell: Cell, labels: str, learns_from_background: bool) -> Measured:
    """The other half of `measure`: what a recommender said, beside what was held out.

    Args:
        learns_from_background: as the recommender declares it.
    """
    train, test = cell.train_and_test(learns_from_background)
    predicted, ranked = said.stars, said.ranked
    ones = count_ones(test.stars, labels)
    predicted_ones = said.ones if said.ones is not None else count_ones(predicted, labels)
    row = {
        "n_users": cell.n_users,
        "n_train": len(train),
        "n_test": len(test),
        **metrics.scores(test, predicted, ones, predicted_ones),
        **scores_over_bias(train, test, cell.item_baseline, predicted),
        **(
            calibration.calibration(test.stars, test.user, said.grid, said.probabilities)
            if said.grid is not None and said.probabilities is not None
            else dict.fromkeys(calibration.COLUMNS)
        ),
        **(ranked.scores() if ranked is not None else dict.fromkeys(ranking.COLUMNS)),
        **warm_and_cold(test, predicted, ones, predicted_ones, warm=np.isin(test.user, train.user)),
        "coverage": float(said.covered.mean()),
        "fit_seconds": said.fit_seconds,
        "predict_seconds": said.predict_seconds,
        "ranking_seconds": said.ranking_seconds,
        "bytes_per_user": (
            None
            if said.state_bytes is None
            else said.state_bytes / max(len(np.unique(train.user)), 1)
        ),
        "bytes_shared": said.shared_bytes,
    }
    predictions = pd.DataFrame(
        {
            "user_id": cell.user_id[test.user],
            "movie_id": cell.movies.movie_id[test.movie],
            "stars": test.stars,
            "predicted": predicted.astype(np.float32),
            "ones": ones.astype(np.int8),
            "predicted_ones": predicted_ones.astype(np.int8),
            **(ranked.columns_for(test.user) if ranked is not None else {}),
        }
    )
    return Measured(row, predictions, said.notes)


def warm_and_cold(
    test: Ratings,
    predicted: np.ndarray,
    ones: np.ndarray,
    predicted_ones: np.ndarray,
    warm: np.ndarray,
) -> Row:
    """Some scores of the users with training ratings (`warm`: bool [n]) and of those without,
    apart; empty where there are none."""
    right = metrics.right_within_one_star(ones, predicted_ones)
    row: Row = {}
    for name, rows in (("warm", warm), ("cold", ~warm)):
        user, errors = test.user[rows], (test.stars[rows], predicted[rows], test.user[rows])
        there = len(user) > 0
        row[f"{name}_users"] = len(np.unique(user))
        row[f"{name}_rmse"] = metrics.rmse(*errors) if there else None
        row[f"{name}_mae"] = metrics.mae(*errors) if there else None
        accuracy = float(metrics.mean_per_user(right[rows], user).mean()) if there else None
        row[f"{name}_accuracy_mean"] = accuracy
    return row


def _rank(recommender: Recommender, cell: Cell, train: Ratings, test: Ratings) -> ranking.Ranking:
    """The candidates of the cell, ranked. How popular they are is the same for all recommenders,
    whatever they learn from."""
    otherwise = train.mean_stars()
    known = cell.collaborative.training_ratings(with_background=True)
    return ranking.full_ranking(
        lambda user, movie: ask(recommender, user, movie, otherwise).stars,
        train,
        test,
        cell.candidates,
        ranking.popularity_percentile(known, cell.candidates),
    )
