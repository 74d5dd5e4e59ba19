"""Tasks one after another, several at a time in processes of their own, or on a cluster."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any, TypeVar

from recbench.errors import InputError
from recbench.runs.at_work import Observer, add_observer, observed_by
from recbench.runs.cluster import Cluster
from recbench.runs.parent import end_with_parent
from recbench.threads import on_one_thread

T = TypeVar("T")
R = TypeVar("R")


def work_through(
    work: Callable[[T], R],
    tasks: Sequence[T],
    workers: int | Cluster,
    go_on: str,
    observer: Observer | None = None,
) -> Iterator[R]:
    """Do `work` on each task, on one thread as far as matrices go; each result is yielded when it
    is done, in any order. The results do not depend on the workers if every random number comes
    from a seed of the task's own.

    A result may have an attribute `then`: more tasks, which are begun before those that wait.

    Args:
        work: a function of a module.
        workers: how many processes on this machine; 1: this one. Or a cluster.
        go_on: the command with which the user can go on, should a worker be killed.
        observer: is called with what tasks on this machine are at, in a thread of its own if they
            are done in other processes; not with those on a cluster.

    Raises:
        InputError: a worker was killed, or what `Cluster.work_through` says.
    """
    work = partial(on_one_thread, work)
    if isinstance(workers, Cluster):
        yield from workers.work_through(work, tasks, go_on)
    elif workers == 1 or not tasks:
        with observed_by(observer):
            yield from _one_after_another(work, tasks)
    else:
        yield from _in_processes(work, tasks, workers, go_on, observer)


def _one_after_another(work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    waiting = deque(tasks)
    while waiting:
        result = work(waiting.popleft())
        waiting.extendleft(reversed(_then(result)))
        yield result


def _in_processes(
    work: Callable[[T], R], tasks: Sequence[T], workers: int, go_on: str, observer: Observer | None
) -> Iterator[R]:
    # spawned, not forked: a forked child may inherit locks of numeric libraries
    context = multiprocessing.get_context("spawn")
    with _passed_on(observer, context) as sender:
        pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(sender,))
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


def _begin(sender: Connection | None) -> None:
    """In a worker: it ends with its parent, which alone hears the user's interruption."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sender is not None:
        add_observer(lambda worker, piece: sender.send((worker, piece)))


@contextmanager
def _passed_on(observer: Observer | None, context: SpawnContext) -> Iterator[Connection | None]:
    """What workers send through the pipe that is yielded reaches the observer.

    Many write to one pipe: so short a message is written in one piece or, should its worker be
    killed, not at all (write(2), PIPE_BUF), and there is no lock that a killed worker could keep.
    """
    if observer is None:
        yield None
        return
    receiver, sender = context.Pipe(duplex=False)

    def pass_on() -> None:
        try:
            while True:
                observer(*receiver.recv())
        except EOFError:  # here and in all workers the other end is closed
            receiver.close()

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    try:
        yield sender
    finally:
        sender.close()
        thread.join(timeout=1)  # a process that a recommender has left behind is not waited for


def _then(result: Any) -> list:
    return getattr(result, "then", [])
