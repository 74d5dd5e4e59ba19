"""How long fit and predict take at two sizes, and what that implies for a larger dataset."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recbench.checks.candidate import Candidate
from recbench.checks.toy_data import toy_movies, toy_ratings

RATINGS_EACH, USERS = 50, (40, 160)
MOVIELENS_1M = 1_000_209  # ratings
SHORT = 1e-3  # seconds; what takes less is mostly the call itself
LINEAR = 1.3  # exponents up to this are called linear
UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


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
        """Seconds for so many, if it goes on like that, but no fewer than at the second size."""
        return self.seconds[1] * (rows / self.rows[1]) ** max(self.exponent, 0.0)

    def __str__(self) -> str:
        (few, many), (small, large) = self.rows, map(in_words, self.seconds)
        measured = f"{self.what}: {small} for {few:,} ratings, {large} for {many:,}"
        if self.seconds[1] < SHORT:
            return f"{measured}: too short to tell how it grows"
        how = "in proportion" if self.exponent <= LINEAR else "faster than the ratings"
        later = f"{in_words(self.at(MOVIELENS_1M))} for the 1,000,209 of MovieLens 1M"
        return f"{measured}: grows {how} (n^{self.exponent:.1f}), about {later}"


def growth_of(candidate: Candidate) -> list[Growth]:
    """Of `fit`, and of `predict` for as many pairs."""
    candidate.predict(candidate.fit(), np.array([0]), np.array([0]))  # compiles what is compiled
    movies = toy_movies(400)
    tables = [toy_ratings([RATINGS_EACH] * users, len(movies)) for users in USERS]
    seconds = []
    for train in tables:
        model = candidate.fit(train, movies)
        fit = least(lambda m=model, t=train: candidate.fit(t, movies, m))  # type: ignore[misc]
        pairs = train.user, train.movie[::-1]
        seconds.append((fit, least(lambda m=model, p=pairs: candidate.predict(m, *p))))  # type: ignore[misc]
    rows = (len(tables[0]), len(tables[1]))
    (fit_few, predict_few), (fit_many, predict_many) = seconds
    return [
        Growth("fit", rows, (fit_few, fit_many)),
        Growth("predict", rows, (predict_few, predict_many)),
    ]


def least(call: Callable[[], object]) -> float:
    """Seconds of the fastest of three calls; of one, where that takes more than a second."""
    seconds: list[float] = []
    while len(seconds) < 3 and not (seconds and seconds[0] > 1):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def in_words(seconds: float) -> str:
    """ "12 ms", "3.4 s", "2.1 h"."""
    unit, size = next((one for one in UNITS if seconds >= one[1]), UNITS[-1])
    number = seconds / size
    return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
