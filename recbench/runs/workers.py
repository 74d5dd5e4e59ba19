"""Tasks one after another, several at a time in processes of their own, or on a cluster."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from recbench.errors import InputError
from recbench.runs.cluster import Cluster
from recbench.runs.parent import end_with_parent

T = TypeVar("T")
R = TypeVar("R")


def work_through(
    work: Callable[[T], R], tasks: Sequence[T], workers: int | Cluster, go_on: str
) -> Iterator[R]:
    """Do `work` on each task; each result is yielded when it is done, in any order. The results do
    not depend on the workers if every random number comes from a seed of the task's own.

    A result may have an attribute `then`: more tasks, which are begun before those that wait.

    Args:
        work: a function of a module.
        workers: how many processes on this machine; 1: this one. Or a cluster.
        go_on: the command with which the user can go on, should a worker be killed.

    Raises:
        InputError: a worker was killed, or what `Cluster.work_through` says.
    """
    if isinstance(workers, Cluster):
        yield from workers.work_through(work, tasks, go_on)
    elif workers == 1 or not tasks:
        yield from _one_after_another(work, tasks)
    else:
        yield from _in_processes(work, tasks, workers, go_on)


def _one_after_another(work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    waiting = deque(tasks)
    while waiting:
        result = work(waiting.popleft())
        waiting.extendleft(reversed(_then(result)))
        yield result


def _in_processes(
    work: Callable[[T], R], tasks: Sequence[T], workers: int, go_on: str
) -> Iterator[R]:
    # spawned, not forked: a forked child may inherit locks of numeric libraries
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    waiting = deque(tasks)
    running: set[Future] = set()
    try:
        while waiting or running:
            while waiting and len(running) <= workers:  # one waits, so that none does
                running.add(pool.submit(work, waiting.popleft()))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                waiting.extendleft(reversed(_then(result)))
                yield result
    except BrokenProcessPool:
        raise InputError(
            "a worker was killed, perhaps for want of memory. What is done is kept: go on with "
            f"fewer workers, {go_on}"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """In a worker: it ends with its parent, which alone hears the user's interruption."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _then(result: Any) -> list:
    return getattr(result, "then", [])
