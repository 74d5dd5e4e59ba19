"""Stopping: a run that is told to end does so at once, with its workers, and says how to go on.

Every file of a run is whole at every moment, so nothing has to be finished first: a model that is
at work is not waited for, and cannot refuse.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOPS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = "\x1b[?25h"  # a bar in a terminal hides it


@contextmanager
def resumable(go_on: str) -> Iterator[None]:
    """On SIGINT or SIGTERM, what runs within ends: within two seconds, with status 130 or 143.

    A thread waits for the signal, so it is heard even while a library computes, unless that holds
    the interpreter: then when it lets go.

    Args:
        go_on: the command to go on with, which is printed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, heard = socket.socketpair()
    heard.setblocking(False)
    thread = threading.Thread(target=_wait, args=(ours, go_on), daemon=True)
    thread.start()
    before = {number: signal.signal(number, lambda *_: None) for number in STOPS}
    descriptor = signal.set_wakeup_fd(heard.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        heard.close()  # the thread ends
        thread.join()


def _wait(ours: socket.socket, go_on: str) -> None:
    """Read the numbers of signals, which the interpreter writes."""
    with ours:
        while told := ours.recv(1):
            if told[0] in STOPS:
                _stop(told[0], go_on)


def _stop(number: int, go_on: str) -> None:
    for worker in multiprocessing.active_children():
        worker.kill()
    end = SHOW_CURSOR if sys.stderr.isatty() else ""
    try:
        text = f"{end}\nstopped. What is done is kept; go on with\n  {go_on}\n"
        os.write(sys.stderr.fileno(), text.encode())
    finally:
        os._exit(128 + number)
