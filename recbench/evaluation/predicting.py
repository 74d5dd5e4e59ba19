"""A recommender learns a cell, or a shard of it, and predicts the held-out ratings of its users.

A per-user recommender can be fitted to each shard by itself, in any process: its predictions are
stored in a file each, and `together` puts them in the order of the cell's test ratings.
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
    """Of the held-out ratings of a cell or a shard, [n] in their order.

    Attributes:
        stars: float64 [n], without gaps; all nan of one that ranks movies and predicts no stars.
        covered: bool [n], where that is the recommender's own prediction.
        ones: int [n], of the bits that the stars were read from; None: it has no bits.
        grid, probabilities: float64 [g] and [n, g], its predictive distribution; None: it has none.
        fit_seconds, predict_seconds: how long it took.
        state_bytes, shared_bytes: of what it learned of users, and of what serves all of them;
            None: unknown.
        notes: what it could not do as it should -> for how many users.
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
        """Write it, whole or not at all."""
        there = {name: value for name, value in vars(self).items() if value is not None}
        file.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: two workers may do the same, if one was lost
        with complete_file(file, uuid4().hex) as scratch, scratch.open("wb") as out:
            np.savez(out, **there | {"notes": json.dumps(self.notes, default=int)})

    @classmethod
    def load(cls, file: Path) -> Predictions:
        """What `save` wrote."""
        with np.load(file) as stored:
            values = {name: stored.get(name) for name in cls.__annotations__}
        for name, value in values.items():
            if value is not None and not value.ndim:
                values[name] = value.item()
        return cls(**values | {"notes": Counter(json.loads(values["notes"]))})


def fit_and_predict(recommender: Any, cell: Cell, shard: Shard = WHOLE) -> Predictions:
    """Fit `recommender`, an instance, and let it predict.

    On one thread as far as matrices go: those of one user are small, and the threads of several
    workers on the same cores wait for each other many times as long as they work.

    The recommender sees the training part alone; of the test part which pairs to predict, and for
    what time, if it takes that. A rating of it is first looked at when all predictions are made.
    Where it predicts nan, the prediction is the mean of the training ratings.

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
    """Its stars for each pair (int [n] both), float64 [n], nan or infinite where it has none; and
    the number of ones in its bits, int [n], or None.

    Of one with `predict_bits` the stars are those of its bits: an engine that draws at random
    would predict something else the second time. One without `predict` ranks movies alone.

    Args:
        time: int64 [n], of each prediction, for recommenders that take it; None: now.

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
    """What movies are ranked by for each user, the highest first, float64 [n]: its `rank_scores`
    if it has that, else the predicted stars, nan where it has none.

    Raises:
        ValueError: what it returns is not what the contract asks for.
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
