"""Fit a recommender to a cell or a shard of it, and predict the held-out ratings of its users.

A per-user recommender can be fitted to each shard separately, in any process: each shard's
predictions are stored in a file, and `together` puts them in the order of the cell's test ratings.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from recbench.contract import bytes_of, declared, time_for
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings
from recbench.evaluation.cells import WHOLE, Cell, Shard
from recbench.files import complete_file
from recbench.ratings import MAX_STARS, MIN_STARS
from recbench.threads import one_thread


@dataclass(frozen=True)
class Predictions:
    """Predictions of the held-out ratings of a cell or a shard, [n] in their order.

    Attributes:
        stars: float64 [n], without gaps; all nan for a recommender that only ranks movies.
        covered: bool [n], whether each is the recommender's own prediction.
        ones: int [n], number of ones in the output bits; None: it has no bits.
        grid, probabilities: float64 [g] and [n, g], predictive distribution; None: it has none.
        fit_seconds, predict_seconds: how long it took.
        state_bytes, shared_bytes: bytes of users' states, and of what serves all users; None:
            unknown.
        notes: limitation -> number of users.
    """

    stars: np.ndarray
    covered: np.ndarray
    ones: np.ndarray | None
    grid: np.ndarray | None
    probabilities: np.ndarray | None
    fit_seconds: float
    predict_seconds: float
    state_bytes: int | None
    shared_bytes: int | None
    notes: Counter[str]

    def save(self, file: Path) -> None:
        """Write them, completely or not at all."""
        there = {name: value for name, value in vars(self).items() if value is not None}
        file.parent.mkdir(parents=True, exist_ok=True)
        # a unique name: after a loss, two workers may do the same task
        with complete_file(file, uuid4().hex) as scratch, scratch.open("wb") as out:
            np.savez(out, **there | {"notes": json.dumps(self.notes, default=int)})

    @classmethod
    def load(cls, file: Path) -> Predictions:
        """Predictions written by `save`."""
        with np.load(file) as stored:
            values = {name: stored.get(name) for name in cls.__annotations__}
        for name, value in values.items():
            if value is not None and not value.ndim:
                values[name] = value.item()
        return cls(**values | {"notes": Counter(json.loads(values["notes"]))})


def fit_and_predict(recommender: Any, cell: Cell, shard: Shard = WHOLE) -> Predictions:
    """Fit `recommender`, an instance, and predict.

    Matrix operations run on one thread: matrices of one user are small, and threads of several
    workers on the same cores would mostly wait for each other.

    The recommender sees only the training part and, of the test part, the pairs to predict and
    their times if it takes `time`. Test ratings are first read after all predictions. Where it
    predicts nan, the mean of the training ratings is used.

    Raises:
        ValueError: what it predicts is not what the contract asks for.
    """
    collaborative = declared(recommender, "learns_from") == "all"
    test = shard.part_of(cell.split(collaborative).test)
    with one_thread():
        fitted = cell.fit(recommender, shard)
        started = time.perf_counter()
        stars, ones = predict(recommender, test.user, test.movie, test.time)
        predict_seconds = time.perf_counter() - started
        covered = np.isfinite(stars)
        if not covered.all() and hasattr(recommender, "predict"):
            train, _ = cell.train_and_test(collaborative)
            stars = np.where(covered, stars, train.mean_stars())
        grid, probabilities = (
            recommender.predict_distribution(
                test.user, test.movie, **time_for(recommender, test.time)
            )
            if hasattr(recommender, "predict_distribution")
            else (None, None)
        )
    return Predictions(
        stars=stars,
        covered=covered,
        ones=ones,
        grid=grid,
        probabilities=probabilities,
        fit_seconds=fitted.seconds,
        predict_seconds=predict_seconds,
        state_bytes=bytes_of(recommender, "state_bytes"),
        shared_bytes=bytes_of(recommender, "shared_bytes"),
        notes=Counter(getattr(recommender, "user_notes", {})),
    )


def predict(
    recommender: Any, user: np.ndarray, movie: np.ndarray, time: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Predicted stars for each pair (int [n] each), float64 [n], nan or infinite without a
    prediction; and the number of ones in its bits, int [n], or None.

    With `predict_bits`, the stars are those of its bits, since a random engine would predict
    something else the second time. A recommender without `predict` only ranks movies.

    Args:
        time: int64 [n], of each prediction, for recommenders that take it; None: the last time in
            training.

    Raises:
        ValueError: what it predicts is not what the contract asks for.
    """
    if not hasattr(recommender, "predict"):
        return np.full(len(user), np.nan), None
    when, ones = time_for(recommender, time), None
    if hasattr(recommender, "predict_bits"):
        bits = recommender.predict_bits(user, movie, **when)
        if bits.shape != (len(user), RATING_BITS):
            raise ValueError(f"predict_bits returned shape {bits.shape} for {len(user)} pairs")
        predicted, ones = decode_ratings(bits), bits.sum(axis=1)
    else:
        predicted = recommender.predict(user, movie, **when)
    stars = np.asarray(predicted, dtype=np.float64)
    if stars.shape != (len(user),):
        raise ValueError(f"predict returned shape {stars.shape} for {len(user)} pairs")
    outside = np.isfinite(stars) & ~((stars >= MIN_STARS) & (stars <= MAX_STARS))
    if outside.any():
        raise ValueError(
            f"predict returned {stars[outside][0]:g} stars; clip to {MIN_STARS} .. {MAX_STARS}"
        )
    return stars, ones


def rank_scores(recommender: Any, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
    """Scores to rank movies by within each user, highest first, float64 [n]: its `rank_scores`, or
    else the predicted stars, nan without a prediction.

    Raises:
        ValueError: its scores violate the contract.
    """
    if not hasattr(recommender, "rank_scores"):
        return predict(recommender, user, movie)[0]
    found = np.asarray(recommender.rank_scores(user, movie), dtype=np.float64)
    if found.shape != (len(user),) or not np.isfinite(found).all():
        raise ValueError(f"rank_scores returned no {len(user)} finite numbers for as many pairs")
    return found


def together(parts: list[Predictions], shards: list[Shard], cell: Cell) -> Predictions:
    """The predictions for all shards of a cell, in the order of its test ratings."""
    if len(parts) == 1:
        return parts[0]
    user = cell.personal.test.user
    back = np.argsort(np.concatenate([shard.rows_of(user) for shard in shards]), kind="stable")

    def column(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)[back]

    sizes, shared = ([getattr(p, name) for p in parts] for name in ("state_bytes", "shared_bytes"))
    return Predictions(
        stars=column("stars"),
        covered=column("covered"),
        ones=column("ones"),
        grid=parts[0].grid,
        probabilities=column("probabilities"),
        fit_seconds=sum(part.fit_seconds for part in parts),
        predict_seconds=sum(part.predict_seconds for part in parts),
        state_bytes=None if None in sizes else sum(sizes),
        shared_bytes=None if None in shared else max(shared),  # a user needs those of one shard
        notes=sum((part.notes for part in parts), Counter()),
    )
