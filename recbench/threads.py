"""One thread for matrices: on small ones, several are many times slower than one, and how many
there are decides in which order some sums are taken, so that the last digit follows from the cores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

R = TypeVar("R")


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS, OpenMP, and torch where it is imported, on one thread; afterwards as before."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def on_one_thread(work: Callable[..., R], *arguments: Any) -> R:
    """`work(*arguments)`, within `one_thread`; a function of a module, so that other processes can
    be told to do it."""
    with one_thread():
        return work(*arguments)
