"""Figures, the clocks that measure them, and made-up inputs, whose values make no difference."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recbench import Movies

REPEATS = 5  # of what takes less than a second or two; the median counts


@dataclass
class Row:
    """A figure, and what stands beside it."""

    what: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    ratio: float | None = None


def processor_seconds(work: Callable[[], object]) -> float:
    """Of one call. All of this runs on one core, which others may be using as well."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median processor time of `work`, after one call that is not counted."""
    work()
    return float(np.median([processor_seconds(work) for _ in range(repeats)]))


def elapsed_microseconds(work: Callable[[], object]) -> float:
    """Of one call that takes microseconds, of which the processor's clock knows too little."""
    start = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - start)


def beside(what: str, value: float, against: str, other: float, unit: str = "s") -> Row:
    return Row(what, value, unit, against, other, other / value)


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] of independent bits, as many ones as zeros."""
    return rng.integers(0, 2, (n, 26), np.uint8)


def made_up_movies(bits: np.ndarray) -> Movies:
    n, width = bits.shape
    return Movies(
        bits=bits,
        bit_names=tuple(f"bits:{k}" for k in range(width)),
        vote_average=np.full(n, np.nan),
        vote_count=np.zeros(n),
        movie_id=np.arange(n),
        title=np.full(n, "made up"),
    )
