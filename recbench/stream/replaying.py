"""A learner goes through a part of a stream: it predicts a rating, then it may learn it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from recbench.contract import FEW, bytes_of, compile_kernels, declared, fit_on, time_for
from recbench.ratings import Ratings
from recbench.stream.stream import Stream
from recbench.threads import one_thread

TIMED = 200  # of the predictions of a learner that does not learn in between, so many one by one


@dataclass
class Replayed:
    """What came of it.

    Attributes:
        predicted: stars, float32 [rows].
        predict_us, learn_us: microseconds of each, float32 [rows]; nan where it was not timed, or
            nothing was learned.
        known: ratings known at the start.
        fit_seconds: processor time to fit to them, making an item table included.
        seconds: processor time of the whole.
        bytes_per_user: of what is learned of users, at the end, over those known then.
        bytes_shared: of what serves all users.
    """

    predicted: np.ndarray
    predict_us: np.ndarray
    learn_us: np.ndarray
    known: int
    fit_seconds: float
    seconds: float
    bytes_per_user: float | None
    bytes_shared: int | None


def replay(model: Any, stream: Stream, start: int, end: int) -> Replayed:
    """Fit `model` to what is known at the rating `start`, then go through the ratings up to `end`.

    Prequential (Dawid 1984; Gama, Sebastião & Rodrigues 2013): each rating is predicted before it
    is learned. A recommender with `learn_one` learns each as soon as it is known, also those that
    were not known yet at the start; another stays as it was fitted.
    """
    with one_thread():
        started = time.process_time()
        known = stream.known_at(start)
        more_seconds = _fit(model, stream, known)
        fit_seconds = time.process_time() - started + more_seconds
        asked = stream.ratings.take(np.arange(start, end))
        if hasattr(model, "learn_one"):
            predicted, predict_us, learn_us, known_users = _one_by_one(
                model, stream, known, start, end
            )
        else:
            predicted, predict_us = _as_fitted(model, asked)
            learn_us = np.full(end - start, np.nan, dtype=np.float32)
            known_users = len(np.unique(stream.first(known).user))
        seconds = time.process_time() - started + more_seconds
    state = bytes_of(model, "state_bytes")
    return Replayed(
        predicted=predicted,
        predict_us=predict_us,
        learn_us=learn_us,
        known=known,
        fit_seconds=fit_seconds,
        seconds=seconds,
        bytes_per_user=None if state is None or not known_users else state / known_users,
        bytes_shared=bytes_of(model, "shared_bytes"),
    )


def _fit(model: Any, stream: Stream, known: int) -> float:
    """Fit to the first `known` ratings; the seconds to add to those that passed: its item tables
    may have been made before, and compiling is not counted."""
    movies = stream.movies(known)
    baseline, tables, seconds = None, None, 0.0
    if declared(model, "starts_from_item_baseline"):
        baseline = stream.item_baseline(known, movies)
    if declared(model, "starts_from_item_table"):
        started = time.process_time()
        tables, making = stream.item_tables(known, movies)
        seconds = max(making - (time.process_time() - started), 0.0)
    started = time.process_time()
    compile_kernels(model, stream.first(min(FEW, len(stream.ratings))), movies, baseline, tables)
    seconds -= time.process_time() - started
    fit_on(model, stream.first(known), movies, baseline, item_tables=tables)
    return seconds


def _one_by_one(
    model: Any, stream: Stream, known: int, start: int, end: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Predictions, microseconds of predicting and of learning, and how many users are known at
    the end."""
    columns = (stream.ratings.user, stream.ratings.movie, stream.ratings.stars)
    user, movie, stars = (column[known:end].tolist() for column in columns)
    n = end - start
    predicted = np.empty(n, dtype=np.float32)
    predict_us = np.empty(n, dtype=np.float32)
    learn_us = np.full(n, np.nan, dtype=np.float32)
    clock = time.perf_counter_ns
    if n:
        model.predict_one(user[start - known], movie[start - known])  # what is compiled is compiled
    learned = known
    for row in range(start, end):
        now = stream.known_at(row)
        for one in range(learned, now):
            at = one - known
            before = clock()
            model.learn_one(user[at], movie[at], stars[at])
            if one >= start:
                learn_us[one - start] = (clock() - before) / 1000
        learned = max(learned, now)
        before = clock()
        predicted[row - start] = model.predict_one(user[row - known], movie[row - known])
        predict_us[row - start] = (clock() - before) / 1000
    if end == len(stream.ratings) and not stream.delay and n:  # the last, so that its cost is known
        before = clock()
        model.learn_one(user[-1], movie[-1], stars[-1])
        learn_us[-1] = (clock() - before) / 1000
    known_users = len(np.unique(stream.ratings.user[:learned]))
    return predicted, predict_us, learn_us, known_users


def _as_fitted(model: Any, asked: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Predictions all at once, some of them timed by themselves."""
    predicted = model.predict(asked.user, asked.movie, **time_for(model, asked.time))
    predict_us = np.full(len(asked), np.nan, dtype=np.float32)
    for row in np.unique(np.linspace(0, len(asked) - 1, TIMED).astype(int)):
        one = asked.take(np.array([row]))
        before = time.perf_counter_ns()
        model.predict(one.user, one.movie, **time_for(model, one.time))
        predict_us[row] = (time.perf_counter_ns() - before) / 1000
    return predicted.astype(np.float32), predict_us
