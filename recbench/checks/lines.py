"""Which line of a file is to blame: the one that returned, the first that changed something, the
first after which two calls differ. By Python's tracing, of that one file alone."""

from __future__ import annotations

import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType
from typing import Any

MOST_TIMES = 20  # that one line is looked at in a call
NOT_SEEN = object()


class Returns:
    """The line that each function of a file returned from last, by its name."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[str, int] = {}
        self._paused = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notes those of the calls within; not while each line is followed."""
        if self._paused:
            yield
        else:
            with tracing(self._enter):
                yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        frame.f_trace_lines = False
        return self._leave

    def _leave(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            self.lines[frame.f_code.co_name] = frame.f_lineno
        return self._leave


def line_that_changes(
    returns: Returns, state: Callable[[], object], call: Callable[[], object]
) -> int | None:
    """The first line of the file during which `state()` becomes another; None if that is not
    seen."""
    before = state()
    steps = _steps(returns, lambda _: state(), call)
    for (line, now), (_, after) in pairwise(steps):
        if after not in (before, NOT_SEEN):
            return line if now is not NOT_SEEN else None
    return None


def line_that_differs(
    returns: Returns, first: Callable[[], object], second: Callable[[], object]
) -> int | None:
    """The first line of the file after which two calls that should be alike have other variables,
    or go on at another line; None if that is not seen."""
    one, other = (
        _steps(returns, lambda frame: digest(frame.f_locals), call) for call in (first, second)
    )
    for (before, mine), yours in zip(pairwise(one), other[1:], strict=False):
        if mine != yours:
            return before[0] if before[1] is not NOT_SEEN else None
    return None


def _steps(
    returns: Returns, see: Callable[[FrameType], object], call: Callable[[], object]
) -> list[tuple[int, object]]:
    """Each line of the file that `call` comes to, or returns from, and what is seen just before;
    of a line in a loop the first twenty times alone, then it is NOT_SEEN."""
    steps: list[tuple[int, object]] = []
    times: Counter[int] = Counter()

    def step(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != returns.file:
            return None
        if event in ("line", "return"):
            line = frame.f_lineno
            times[line] += 1
            steps.append((line, see(frame) if times[line] <= MOST_TIMES else NOT_SEEN))
        return step

    with returns.paused(), tracing(step):
        call()
    return steps


@contextmanager
def tracing(trace: Any) -> Iterator[None]:
    """`trace` in place of what traces now, such as a debugger, which comes back afterwards."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def attributes_that_differ(one: object, other: object) -> list[str]:
    """The names of attributes that two objects do not have alike."""
    mine, yours = vars(one), vars(other)
    return [
        name
        for name in sorted(mine.keys() | yours.keys())
        if digest(mine.get(name)) != digest(yours.get(name))
    ]


def digest(value: object) -> bytes:
    """Equal of equal values; what cannot be compared, such as an open file, counts as equal."""
    if isinstance(value, dict):
        return b"".join(digest(key) + digest(one) for key, one in value.items())
    try:
        return pickle.dumps(value)
    except Exception:  # what cannot be pickled may fail in any way
        return digest(vars(value)) if hasattr(value, "__dict__") else b""
