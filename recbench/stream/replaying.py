"""Replay a stream with a learner: it predicts each rating, then it may learn it.

A replay is divided into segments that are independent of each other, each from one fit of a learner
to its next.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recbench.contract import Training, bytes_of, fit, time_for
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import FEW, compile_kernels
from recbench.files import complete_file, in_file_name
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings
from recbench.registry import file_of, line_of, load_recommender
from recbench.stream.learners import Learner
from recbench.stream.stream import Stream, ratings_in_time
from recbench.threads import one_thread

KEY = ["name", "start"]
Settings = dict[str, dict[str, Any]]  # of constructors, by the recommender's name
TIMED = 200  # predictions timed singly for a learner without `learn_one`


@dataclass
class Replayed:
    """The results of a learner on a part of a stream.

    Attributes:
        predicted: stars, float32 [rows].
        predict_us, learn_us: microseconds per rating, float32 [rows]; nan if it was not timed or
            not learned.
        known: number of ratings available at the start.
        fit_seconds: processor time to fit to them, item tables included.
        seconds: processor time of fit and replay.
        bytes_per_user: bytes of users' states at the end, divided by the number of users then.
        bytes_shared: bytes that all users share.
    """

    predicted: np.ndarray
    predict_us: np.ndarray
    learn_us: np.ndarray
    known: int
    fit_seconds: float
    seconds: float
    bytes_per_user: float | None
    bytes_shared: int | None


def replay(
    model: Any, stream: Stream, start: int, end: int, seed: int, settings: Settings | None = None
) -> Replayed:
    """Fit `model` to the ratings available at the rating `start`, then replay those up to `end`.

    Prequential (Dawid 1984; Gama, Sebastião & Rodrigues 2013): each rating is predicted before it
    is learned. A recommender with `learn_one` learns each as soon as it is available, also those
    from before `start`; others stay as fitted.

    Args:
        seed: of the model.
        settings: settings of the recommenders that it builds on.
    """
    with one_thread():
        started = time.process_time()
        known = stream.known_at(start)
        more_seconds = _fit(model, stream, known, seed, settings or {})
        fit_seconds = time.process_time() - started + more_seconds
        go_through = _one_by_one if hasattr(model, "learn_one") else _as_fitted
        predicted, predict_us, learn_us, learned = go_through(model, stream, known, start, end)
        seconds = time.process_time() - started + more_seconds
    state = bytes_of(model, "state_bytes")
    known_users = len(np.unique(stream.ratings.user[:learned]))
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


def _fit(model: Any, stream: Stream, known: int, seed: int, settings: Settings) -> float:
    """Fit to the first `known` ratings. Returns the seconds to add to the elapsed ones: item tables
    may have been made before, and compiling does not count."""
    movies = stream.movies(known)
    making, waited = 0.0, 0.0  # seconds to make item tables, and those spent here

    @cache
    def item_tables() -> ItemTables:
        nonlocal making, waited
        started = time.process_time()
        tables, making = stream.item_tables(known, movies)
        waited = time.process_time() - started
        return tables

    fits: dict[str, Callable[[], Any]] = {
        "item_baseline": cache(lambda: stream.item_baseline(known, movies)),
        "item_tables": item_tables,
    }
    training = Training(stream.first(known), movies, seed=seed, fits=fits)
    for name, values in settings.items():
        fits[name] = partial(_fitted, load_recommender(name)(**values), training)
    few = stream.first(min(FEW, len(stream.ratings)))
    started = time.process_time()
    compile_kernels(model, replace(training, ratings=few))
    compiling = time.process_time() - started - waited
    fit(model, training)
    return max(making, waited) - waited - compiling


def _fitted(model: Any, training: Training) -> Any:
    fit(model, training)
    return model


# predicted, microseconds of predicting and of learning, number of ratings learned at the end
Passed = tuple[np.ndarray, np.ndarray, np.ndarray, int]


def _one_by_one(model: Any, stream: Stream, known: int, start: int, end: int) -> Passed:
    columns = (stream.ratings.user, stream.ratings.movie, stream.ratings.stars)
    user, movie, stars = (column[known:end].tolist() for column in columns)
    n, clock = end - start, time.perf_counter_ns
    predicted, predict_us = np.empty((2, n), dtype=np.float32)
    learn_us = np.full(n, np.nan, dtype=np.float32)
    if n:
        model.predict_one(user[start - known], movie[start - known])  # compiles it
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
    if end == len(stream.ratings) and not stream.delay and n:  # learn the last, too, to time it
        before = clock()
        model.learn_one(user[-1], movie[-1], stars[-1])
        learn_us[-1] = (clock() - before) / 1000
    return predicted, predict_us, learn_us, learned


def _as_fitted(model: Any, stream: Stream, known: int, start: int, end: int) -> Passed:
    """The same without learning: all are predicted at once, and some are timed singly."""
    query = stream.ratings.take(np.arange(start, end))

    def predict(rows: Ratings) -> np.ndarray:
        return model.predict(rows.user, rows.movie, **time_for(model, rows.time))

    predicted = predict(query).astype(np.float32)
    nothing = np.full(end - start, np.nan, dtype=np.float32)
    predict_us = nothing.copy()
    for row in np.unique(np.linspace(0, len(query) - 1, TIMED).astype(int)):
        one = query.take(np.array([row]))
        before = time.perf_counter_ns()
        predict(one)
        predict_us[row] = (time.perf_counter_ns() - before) / 1000
    return predicted, predict_us, nothing, known


# --- segments ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replay:
    """The parameters of a replay, the same in all of its processes.

    Attributes:
        dataset, user_set, num_users, seed: see `ratings_in_time`.
        encoding: of the movies.
        delay: seconds until a rating is available for learning.
        folder: of the run.
        settings: of the recommenders' constructors, by name.
    """

    dataset: str
    user_set: str
    num_users: int
    encoding: str
    seed: int
    delay: int
    folder: Path
    settings: Settings = field(default_factory=dict, compare=False)


@lru_cache(maxsize=1)
def stream_of(replay: Replay) -> Stream:
    """The stream of a replay."""
    dataset = load_dataset(replay.dataset)
    ratings = ratings_in_time(dataset, replay.user_set, replay.num_users, replay.seed)
    tables = replay.folder / "item_tables"
    return Stream(dataset, ratings, replay.encoding, replay.seed, tables, replay.delay)


@dataclass(frozen=True)
class Segment:
    """The ratings from `start` up to `end`, for one learner that is fitted before them."""

    replay: Replay
    learner: Learner
    start: int
    end: int

    @property
    def file(self) -> Path:
        """The file of its predictions."""
        name = f"{in_file_name(self.learner.model)}@{self.learner.retrained}-{self.start}.parquet"
        return self.replay.folder / "predictions" / name


def work(segment: Segment) -> tuple[dict, str]:
    """Replay a segment and save its predictions. Returns its row and, if it failed, the
    traceback."""
    learner, parameters = segment.learner, segment.replay
    row: dict[str, object] = {
        "dataset": load_dataset(parameters.dataset).source.name,
        "name": learner.name,
        "model": learner.model,
        "retrained": learner.retrained,
        "start": segment.start,
        "end": segment.end,
    }
    cls = load_recommender(learner.spec)
    try:
        stream, piece = stream_of(parameters), (segment.start, segment.end)
        model = cls(**parameters.settings.get(learner.model, {}))
        done = vars(replay(model, stream, *piece, parameters.seed, parameters.settings))
    except (Exception, SystemExit) as error:  # a model may fail in any way
        reason = line_of(error, file_of(cls))
        return {**row, "status": "failed", "error": reason}, traceback.format_exc()
    columns = {name: done.pop(name) for name in ("predicted", "predict_us", "learn_us")}
    segment.file.parent.mkdir(exist_ok=True)
    with complete_file(segment.file) as scratch:
        numbers = np.arange(segment.start, segment.end)
        pl.DataFrame({"row": numbers, **columns}).write_parquet(scratch)
    return {**row, **done, "status": "ok", "error": None}, ""
