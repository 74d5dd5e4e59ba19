"""An end to a model that hangs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_SECONDS = 1.0  # a model may catch the first


class OutOfTime(BaseException):
    """A model took longer than it may. No `Exception`, so that a model's own handling of errors
    does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises OutOfTime in what runs within, once it has taken so long; 0: never.

    By an alarm of the operating system, so it ends Python code and whatever waits; a library that
    computes without end is ended when it returns. Where there are no alarms (Windows, a thread that
    is not the main one) there is no limit.
    """
    possible = hasattr(signal, "setitimer")
    if seconds <= 0 or not possible or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise OutOfTime(f"took longer than --model-timeout, {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
