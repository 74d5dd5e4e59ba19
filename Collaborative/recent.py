"""`bayes_fm_recent` and its variants: a recommender of all users plus the drift of each user."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from itertools import product
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import solve_toeplitz

from Collaborative.bayesian_fm import last_of_each_user
from recbench.contract import (
    NO_RATINGS,
    OnlineRecommender,
    Recommender,
    Training,
    bytes_of,
    time_for,
)
from recbench.evaluation.metrics import rmse
from recbench.models.item_table.scales import drift_shape
from recbench.models.item_table.table import SESSION
from recbench.models.memories import histories
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings

LATEST = 200  # errors of a user that count
SHARES = (0.001, 0.01, 0.03, 0.06, 0.1, 0.15, 0.3, 0.5, 1.0)
PERSISTENCE = (1.0, 0.95, 0.9, 0.8, 0.7)
OF_FEW = 0.1, 1.0  # share and persistence where no user has enough ratings to choose them
NOBODY = -1  # a user without ratings


def drift(errors: np.ndarray, share: float) -> float:
    """Expected next error of a user, in stars, given the previous ones (float64 [n], latest last).

    e_j = d_j + noise; d is a Gaussian process over the order of ratings with the covariance of
    drift in `personal`, `share` · (1 + distance / 3.4)^−½, in units of the noise variance.
    """
    n = len(errors)
    if not n:
        return 0.0
    covariance = share * drift_shape(np.arange(n + 1))
    column = covariance[:n].copy()
    column[0] += 1  # the noise
    return float(covariance[n:0:-1] @ solve_toeplitz(column, errors))


class BayesianFMRecent(OnlineRecommender):
    """r̂_ui = m(i) + a · (m(u, i) − m(i) + d_u)

    m is a factorisation machine fitted to all ratings, m(i) its prediction for a user without
    ratings. d_u is the common part of the errors r − m of the user's latest ratings, whatever the
    movies (`drift`), such as moods and a shifting scale. a is 1, but for a query in another session
    the persistence, if the time is known. So it uses the order and the time of a user's ratings, as
    `personal` does.

    m was fitted to the same ratings as the errors, so they cannot show how large drift is.
    Therefore m is fitted once more, without each user's last fifth of the training ratings, and the
    share of drift and the persistence that predict these best are chosen.

    d_u learns a rating at once; m stays as fitted.

    Args:
        model: m, a class or a name; None: the one shared by the cell.
        share: of drift, see `drift`; None: chosen, with the persistence.
    """

    name: ClassVar[str] = "bayes_fm_recent"
    learns_from: ClassVar[str] = "all"
    builds_on: ClassVar[str] = "bayes_fm"
    tuned: ClassVar[str] = "in each fit"

    def __init__(self, model: str | type | None = None, share: float | None = None) -> None:
        self.model = model
        self.share = share

    def fit(self, training: Training) -> Self:
        self._model = training.fitted(self.model or type(self).builds_on)
        self._share, self._persistence = self.share or 0.0, 1.0
        if self.share is None:
            self._share, self._persistence = self._best(training)
        self._errors, self._latest = _errors(self._model, training.ratings)
        self._drift: dict[int, float] = {}  # of users predicted since their last rating
        self._last = (-1, -1, 0.0)  # user, movie, and m's prediction
        return self

    def _best(self, training: Training) -> tuple[float, float]:
        """Share and persistence."""
        train = training.all_ratings
        later = last_of_each_user(train)
        if not later.any():
            return OF_FEW
        rest, last = train.take(~later), train.take(later)
        again = copy(self._model)
        again.fit(replace(training, ratings=rest, background=NO_RATINGS))
        (errors, latest), query = _errors(again, rest), (last.user, last.movie, last.time)
        modelled = again.predict(*query[:2], **time_for(again, last.time))
        cold, other = _cold(again, *query), _in_another_session(latest, *query)
        users, of_user = np.unique(last.user, return_inverse=True)

        def error(share_and_persistence: tuple[float, float]) -> float:
            share, persistence = share_and_persistence
            own = modelled - cold + drifts[share]
            stars = cold + np.where(other, persistence, 1.0) * own
            return rmse(last.stars, stars.clip(MIN_STARS, MAX_STARS), last.user)

        drifts = {
            share: np.array([drift(errors[one], share) for one in users.tolist()])[of_user]
            for share in SHARES
        }
        return min(product(SHARES, PERSISTENCE), key=error)

    def _drift_of(self, user: int) -> float:
        if user not in self._drift:
            errors = self._errors.get(user, np.empty(0))
            self._drift[user] = drift(errors, self._share)
        return self._drift[user]

    def predict(
        self, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
    ) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._model.predict(user, movie, **time_for(self._model, time)).astype(np.float64)
        stars += np.array([self._drift_of(one) for one in user.tolist()])
        if time is not None and self._persistence < 1:
            other = _in_another_session(self._latest, user, movie, time)
            cold = _cold(self._model, user[other], movie[other], time[other])
            stars[other] = cold + self._persistence * (stars[other] - cold)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def predict_one(self, user: int, movie: int) -> float:
        return min(max(self._modelled(user, movie) + self._drift_of(user), MIN_STARS), MAX_STARS)

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        before = self._errors.get(user, np.empty(0))[1 - LATEST :]
        self._errors[user] = np.append(before, stars - self._modelled(user, movie))
        self._drift.pop(user, None)
        self._latest.pop(user, None)  # the time of this one is not known

    def _modelled(self, user: int, movie: int) -> float:
        """m's prediction, cached: a rating is mostly learned right after its prediction."""
        if self._last[:2] != (user, movie):
            stars = float(self._model.predict(np.array([user]), np.array([movie]))[0])
            self._last = (user, movie, stars)
        return self._last[2]

    def state_bytes(self) -> int:
        errors = sum(one.nbytes for one in self._errors.values())
        return errors + (bytes_of(self._model, "state_bytes") or 0)

    def shared_bytes(self) -> int | None:
        return bytes_of(self._model, "shared_bytes")


def _errors(model: Recommender, train: Ratings) -> tuple[dict[int, np.ndarray], dict[int, float]]:
    """Of each user r − m of the latest ratings, float64 [n], in time order; the last one's time."""
    modelled = model.predict(train.user, train.movie, **time_for(model, train.time))
    errors, latest = train.stars.astype(np.float64) - modelled, {}
    by_user = {}
    for user, rows in histories(train):
        by_user[user], latest[user] = errors[rows[-LATEST:]], float(train.time[rows[-1]])
    return by_user, latest


def _cold(model: Recommender, user: np.ndarray, movie: np.ndarray, time: np.ndarray) -> np.ndarray:
    """m(i), for a user without ratings."""
    return model.predict(np.full_like(user, NOBODY), movie, **time_for(model, time))


def _in_another_session(
    latest: dict[int, float], user: np.ndarray, movie: np.ndarray, time: np.ndarray
) -> np.ndarray:
    """Whether a query is later than the user's latest rating by more than `SESSION`, bool [n]."""
    return time - np.array([latest.get(one, np.inf) for one in user.tolist()]) > SESSION


class BayesianFMImplicitRecent(BayesianFMRecent):
    """The same over `bayes_fm_implicit`."""

    name: ClassVar[str] = "bayes_fm_implicit_recent"
    builds_on: ClassVar[str] = "bayes_fm_implicit"


class VbAllRecent(BayesianFMRecent):
    """The same over `vb_all`."""

    name: ClassVar[str] = "vb_all_recent"
    builds_on: ClassVar[str] = "vb_all"
