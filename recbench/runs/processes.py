"""Run tasks in this process or in several: progress, interruption, time limits.

A run may be stopped at any moment, since its files are complete at every moment: a model that is
being fitted is ended without waiting, and cannot prevent it.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import TypeVar

from recbench.errors import InputError, disk_is_full
from recbench.threads import on_one_thread

T = TypeVar("T")
R = TypeVar("R")

MOST_WORKERS = 4  # each holds the dataset
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = "\x1b[?25h"  # a progress bar in a terminal hides it
AGAIN_SECONDS = 1.0  # repeats the alarm: a model may catch the first one
PR_SET_PDEATHSIG = 1  # of Linux's prctl


# --- progress ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """The work of a recommender on a cell, or on one of its shards.

    Attributes:
        num_users, reviews_per_user, iteration: of the cell.
        model: the recommender's name in the tables.
        part: number of the shard, of `parts` shards.
    """

    num_users: int
    reviews_per_user: int
    iteration: int
    model: str
    part: int = 0
    parts: int = 1


# called with the id of a process and the piece that it has begun; None: it has ended the last one
Observer = Callable[[int, Piece | None], None]

_observers: list[Observer] = []


def report(piece: Piece | None) -> None:
    """Call all observers of this process."""
    for observer in _observers:
        observer(os.getpid(), piece)


# --- the work ----------------------------------------------------------------------------------


def number_of_workers(requested: int, at_most: int | None) -> int:
    """Number of worker processes; `requested` 0: one for each core, at most 4."""
    number = requested or min(os.cpu_count() or 1, MOST_WORKERS)
    return number if at_most is None else min(number, at_most)


def work_through(
    work: Callable[[T], R],
    tasks: Sequence[T],
    workers: int,
    resume_command: str,
    observer: Observer | None = None,
) -> Iterator[R]:
    """Do `work` on each task, with BLAS on one thread, and yield each result when it is done, in
    any order. Results do not depend on the workers if all random numbers come from the tasks' own
    seeds.

    A result may have an attribute `then`: more tasks, which start before the waiting ones.

    Args:
        work: a function of a module.
        workers: number of processes; 1: this process only.
        resume_command: shown to the user if a worker is killed.
        observer: called with the progress of tasks, from a separate thread if they run in other
            processes.

    Raises:
        InputError: a worker was killed.
    """
    work = partial(on_one_thread, work)
    if workers > 1 and tasks:
        yield from _in_processes(work, tasks, workers, resume_command, observer)
    else:
        waiting = deque(tasks)
        if observer:
            _observers.append(observer)
        try:
            while waiting:
                result = work(waiting.popleft())
                waiting.extendleft(reversed(getattr(result, "then", [])))
                yield result
        finally:
            if observer:
                _observers.remove(observer)


def _in_processes(
    work: Callable[[T], R],
    tasks: Sequence[T],
    workers: int,
    resume_command: str,
    observer: Observer | None,
) -> Iterator[R]:
    # spawned, not forked: a forked child may inherit locks of numeric libraries
    context = multiprocessing.get_context("spawn")
    # All workers write to one pipe, without a lock, which a killed worker could hold: messages this
    # short are written completely or not at all (write(2), PIPE_BUF).
    receiver, sender = context.Pipe(duplex=False)
    thread = threading.Thread(target=_pass_on, args=(receiver, observer), daemon=True)
    thread.start()
    initargs = (sender if observer else None,)
    pool = ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=initargs)
    waiting = deque(tasks)
    running: set[Future] = set()
    try:
        while waiting or running:
            while waiting and len(running) <= workers:  # one task waits, so that no worker has to
                running.add(pool.submit(work, waiting.popleft()))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                waiting.extendleft(reversed(getattr(result, "then", [])))
                yield result
    except BrokenProcessPool:
        raise InputError(
            "a worker was killed, perhaps for lack of memory. What is done is saved: continue with "
            f"fewer workers, {resume_command}"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        sender.close()
        thread.join(timeout=1)  # does not wait for processes that a recommender left behind


def _pass_on(receiver: connection.Connection, observer: Observer | None) -> None:
    """Pass what workers send to the observer, until all of them have closed the other end."""
    try:
        while True:
            progress = receiver.recv()
            if observer:
                observer(*progress)
    except EOFError:
        receiver.close()


def _begin_worker(sender: connection.Connection | None) -> None:
    """Prepare a worker: it ends with its parent, and only the parent handles interruptions."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sender is not None:
        _observers.append(lambda worker, piece: sender.send((worker, piece)))


def end_with_parent() -> None:
    """Call in a worker, so that the process ends when its parent ends for any reason.

    Linux does this itself, even if a library never releases the interpreter's lock; elsewhere a
    thread waits for the end of the parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if not parent.is_alive():  # the parent ended before the call above
        os._exit(1)

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


# --- interruption and limits -------------------------------------------------------------------


@contextmanager
def resumable(folder: Path, resume_command: str) -> Iterator[None]:
    """Around a run: if it is stopped or the disk is full, show the command that continues it.

    On SIGINT or SIGTERM print the command and end, with all workers, within two seconds and with
    status 130 or 143. Raises InputError if the disk of the run's `folder` is full.

    A thread waits for the signal, so this works even while a library computes; if the library holds
    the interpreter's lock, it works once the lock is released.
    """
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.enter_context(_interruptible(resume_command))
        try:
            yield
        except Exception as error:
            if not disk_is_full(error):
                raise
            raise InputError(
                f"{folder}: cannot be written, there is no room ({error}). What is done is saved: "
                f"make room, and continue with\n  {resume_command}"
            ) from None


@contextmanager
def _interruptible(resume_command: str) -> Iterator[None]:
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    thread = threading.Thread(target=_stop_on_signal, args=(reader, resume_command), daemon=True)
    thread.start()
    before = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
    descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()  # the thread ends
        thread.join()


def _stop_on_signal(reader: socket.socket, resume_command: str) -> None:
    """Stop the run at a signal; the interpreter writes the signals' numbers to the socket."""
    with reader:
        while number := reader.recv(1):
            if number[0] not in STOP_SIGNALS:
                continue
            for worker in multiprocessing.active_children():
                worker.kill()
            end = SHOW_CURSOR if sys.stderr.isatty() else ""
            text = f"{end}\nstopped. What is done is saved; continue with\n  {resume_command}\n"
            try:
                os.write(sys.stderr.fileno(), text.encode())
            finally:
                os._exit(128 + number[0])


class OutOfTime(BaseException):
    """A model exceeded its time limit. Not an `Exception`, so that a model's own error handling
    does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block once it has taken that many seconds; 0: never.

    It uses an alarm of the operating system, which interrupts Python code and waiting, but a
    library only when it returns. Without alarms (on Windows, or outside the main thread) there is
    no limit.
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
