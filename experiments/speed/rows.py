"""A figure, what stands beside it, and the clocks that both are measured by."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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
