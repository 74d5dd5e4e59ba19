"""How long fit and predict take at two sizes, and what that implies for a larger dataset."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np

from recbench.checks.candidate import Candidate
from recbench.checks.toy_data import toy_movies, toy_ratings

RATINGS_EACH, USERS = 50, (40, 160)
MOVIELENS_1M = 1_000_209  # ratings
SHORT = 1e-3  # seconds; what takes less is mostly the call itself
LINEAR = 1.3  # exponents up to this are called linear
UNITS = (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def growth_of(candidate: Candidate) -> Iterator[str]:
    """`growth` of `fit`, and of `predict` for as many pairs."""
    candidate.predict(candidate.fit(), np.array([0]), np.array([0]))  # compiles what is compiled
    movies = toy_movies(400)
    seconds = []
    for users in USERS:
        train = toy_ratings([RATINGS_EACH] * users, len(movies))
        model = candidate.fit(train, movies)
        fit = least(lambda m=model, t=train: candidate.fit(t, movies, m))  # type: ignore[misc]
        pairs = train.user, train.movie[::-1]
        seconds.append((fit, least(lambda m=model, p=pairs: candidate.predict(m, *p))))  # type: ignore[misc]
    few, many = (RATINGS_EACH * users for users in USERS)
    for what, of_few, of_many in zip(("fit", "predict"), *seconds, strict=True):
        yield growth(what, (few, many), (of_few, of_many))


def growth(what: str, rows: tuple[int, int], seconds: tuple[float, float]) -> str:
    """Seconds at two numbers of rows, the exponent they imply (seconds ~ rows^exponent), and the
    seconds of MovieLens 1M if it goes on like that, but no fewer than at the second size.

    >>> growth("fit", (1000, 4000), (0.01, 0.04))  # doctest: +ELLIPSIS
    'fit: 10 ms for 1,000 ratings, 40 ms for 4,000: grows in proportion (n^1.0), about 10 s for ...
    """
    (few, many), (small, large) = rows, seconds
    measured = f"{what}: {in_words(small)} for {few:,} ratings, {in_words(large)} for {many:,}"
    if large < SHORT:
        return f"{measured}: too short to tell how it grows"
    exponent = round(math.log(large / small) / math.log(many / few), 2)
    later = large * (MOVIELENS_1M / many) ** max(exponent, 0.0)
    how = "in proportion" if exponent <= LINEAR else "faster than the ratings"
    then = f"about {in_words(later)} for the {MOVIELENS_1M:,} of MovieLens 1M"
    return f"{measured}: grows {how} (n^{exponent:.1f}), {then}"


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
