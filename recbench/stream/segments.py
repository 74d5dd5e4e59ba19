"""A replay in pieces: each from one fit of a learner to its next, done by itself."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recbench.contract import Options, build
from recbench.data.loading import load_dataset
from recbench.keys import in_file_name
from recbench.plugin import line_of
from recbench.registry import file_of, load_recommender
from recbench.stream.learners import Learner
from recbench.stream.replaying import replay
from recbench.stream.stream import Stream, ratings_in_time

KEY = ["name", "start"]


@dataclass(frozen=True)
class Replay:
    """What a replay is of; the same in each process that works on it.

    Attributes:
        dataset, user_set, num_users, seed: see `ratings_in_time`.
        encoding: of the movies.
        delay: seconds until a rating is known.
        folder: of the run.
    """

    dataset: str
    user_set: str
    num_users: int
    encoding: str
    seed: int
    delay: int
    folder: Path

    def stream(self) -> Stream:
        dataset = load_dataset(self.dataset)
        ratings = ratings_in_time(dataset, self.user_set, self.num_users, self.seed)
        tables = self.folder / "item_tables"
        return Stream(dataset, ratings, self.encoding, self.seed, tables, self.delay)


@dataclass(frozen=True)
class Segment:
    """The ratings from `start` up to `end`, for one learner that is fitted before them."""

    replay: Replay
    learner: Learner
    start: int
    end: int

    @property
    def file(self) -> Path:
        """Where its predictions are."""
        name = f"{in_file_name(self.learner.model)}@{self.learner.retrained}-{self.start}.parquet"
        return self.replay.folder / "predictions" / name


@dataclass
class SegmentDone:
    """Its row, and the traceback if it failed."""

    row: dict
    failure: str = ""


def segments_of(replay: Replay, learner: Learner, stream: Stream) -> list[Segment]:
    """In the order of time."""
    pieces = learner.pieces(stream.ratings.time)
    return [Segment(replay, learner, start, end) for start, end in pieces]


_streams: dict[Replay, Stream] = {}  # of this process


def work(segment: Segment) -> SegmentDone:
    """Replay a segment and keep its predictions; a failure is a row that says so."""
    asked, learner = segment.replay, segment.learner
    row: dict[str, object] = {
        "dataset": load_dataset(asked.dataset).source.name,
        "name": learner.name,
        "model": learner.model,
        "retrained": learner.retrained,
        "start": segment.start,
        "end": segment.end,
    }
    cls = load_recommender(learner.spec)
    try:
        if asked not in _streams:
            _streams.clear()
            _streams[asked] = asked.stream()
        model = build(cls, Options(seed=asked.seed))
        done = replay(model, _streams[asked], segment.start, segment.end)
    except (Exception, SystemExit) as error:  # a model may fail in any way
        reason = line_of(error, file_of(cls))
        return SegmentDone({**row, "status": "failed", "error": reason}, traceback.format_exc())
    frame = pl.DataFrame(
        {
            "row": np.arange(segment.start, segment.end),
            "predicted": done.predicted,
            "predict_us": done.predict_us,
            "learn_us": done.learn_us,
        }
    )
    segment.file.parent.mkdir(exist_ok=True)
    scratch = segment.file.with_suffix(".part")
    frame.write_parquet(scratch)
    os.replace(scratch, segment.file)
    row |= {
        "known": done.known,
        "fit_seconds": done.fit_seconds,
        "seconds": done.seconds,
        "bytes_per_user": done.bytes_per_user,
        "bytes_shared": done.bytes_shared,
        "status": "ok",
        "error": None,
    }
    return SegmentDone(row)
