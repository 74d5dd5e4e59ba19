"""Tasks one after another, or several at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from recbench.errors import InputError
from recbench.runs.parent import end_with_parent

T = TypeVar("T")
R = TypeVar("R")


def work_through(
    work: Callable[[T], R], tasks: Sequence[T], workers: int, go_on: str
) -> Iterator[R]:
    """Do `work` on each task; each result is yielded when it is done, in any order. The results do
    not depend on the number of workers if every random number comes from a seed of the task's own.

    Args:
        work: a function of a module.
        go_on: the flags with which the user can go on, should a worker be killed.

    Raises:
        InputError: a worker was killed.
    """
    if workers == 1 or len(tasks) <= 1:
        yield from map(work, tasks)
        return
    # spawned, not forked: a forked child may inherit locks of numeric libraries
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=context, initializer=end_with_parent
    )
    try:
        for future in as_completed([pool.submit(work, task) for task in tasks]):
            yield future.result()
    except BrokenProcessPool:
        raise InputError(
            "a worker was killed, perhaps for want of memory. What is done is kept: go on with "
            f"fewer workers, {go_on}"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
