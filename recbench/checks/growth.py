"""How long fit and predict take at two sizes, and what that implies for a larger dataset."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recbench.checks.candidate import Candidate
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_tables
from recbench.contract import fit_on, time_for
from recbench.models.item_baseline import ItemBaseline

FILMS = 400
RATINGS_EACH = 50
USERS = (40, 160)
MOVIELENS_1M = 1_000_209  # ratings
REPEATS = 3
SHORT = 1e-3  # seconds; what takes less is mostly the call itself
UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
LINEAR = 1.3  # exponents up to this are called linear


@dataclass(frozen=True)
class Growth:
    """Seconds at two numbers of rows, and the exponent they imply: seconds ~ rows^exponent.

    >>> Growth("fit", (1000, 4000), (0.01, 0.16)).exponent
    2.0
    >>> Growth("fit", (1000, 4000), (0.01, 0.04)).at(1_000_000)
    10.0
    """

    what: str
    rows: tuple[int, int]
    seconds: tuple[float, float]

    @property
    def exponent(self) -> float:
        small, large = self.seconds
        return round(math.log(large / small) / math.log(self.rows[1] / self.rows[0]), 2)

    def at(self, rows: int) -> float:
        """Seconds for so many, if it goes on like that; never said to grow less than it did."""
        return self.seconds[1] * (rows / self.rows[1]) ** max(self.exponent, 0.0)

    def __str__(self) -> str:
        (few, many), (small, large) = self.rows, self.seconds
        said = f"{self.what}: {spoken(small)} for {few:,} ratings, {spoken(large)} for {many:,}"
        if large < SHORT:
            return f"{said}: too short to tell how it grows"
        how = "in proportion" if self.exponent <= LINEAR else "faster than the ratings"
        later = f"{spoken(self.at(MOVIELENS_1M))} for the 1,000,209 of MovieLens 1M"
        return f"{said}: grows {how} (n^{self.exponent:.1f}), about {later}"


def growth_of(candidate: Candidate) -> list[Growth]:
    """Of `fit`, and of `predict` for as many pairs: the least of three times each."""
    rows: list[int] = []
    fit_seconds: list[float] = []
    predict_seconds: list[float] = []
    movies = toy_movies(FILMS)
    tables = toy_tables(movies)
    fit_on_a_few(candidate)  # compiles what is compiled at the first call
    for users in USERS:
        train = toy_ratings([RATINGS_EACH] * users, movies=FILMS)
        baseline = ItemBaseline.fit(train, movies)
        model = candidate.make()

        def fit(model=model, train=train, baseline=baseline) -> None:  # type: ignore[no-untyped-def]
            fit_on(model, train, movies, baseline, item_tables=tables)

        def predict(model=model, train=train) -> None:  # type: ignore[no-untyped-def]
            model.predict(train.user, train.movie[::-1], **time_for(model, None))

        rows.append(len(train))
        fit_seconds.append(least(fit))
        predict_seconds.append(least(predict))
    sizes = (rows[0], rows[1])
    return [
        Growth("fit", sizes, (fit_seconds[0], fit_seconds[1])),
        Growth("predict", sizes, (predict_seconds[0], predict_seconds[1])),
    ]


def fit_on_a_few(candidate: Candidate) -> None:
    model = candidate.fit()
    candidate.ask(model, np.array([0]), np.array([0]))


def least(call: Callable[[], None]) -> float:
    """Seconds of the fastest of three calls; of one, where that takes more than a second."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
        if seconds[0] > 1:
            break
    return min(seconds)


def spoken(seconds: float) -> str:
    """ "12 ms", "3.4 s", "2.1 h"."""
    unit, size = next((one for one in UNITS if seconds >= one[1]), UNITS[-1])
    number = seconds / size
    return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
