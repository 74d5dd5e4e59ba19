"""A script's `main` in a process of its own, forked so that nothing is imported anew, which can be
killed at any of its writes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import compare_all
from recbench.command_line import run

WRITES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
DEADLINE_SECONDS = 120


def run_child(
    words: list, folder: Path, output: Path, kill_at: int | None = None
) -> tuple[int, str, int]:
    """`compare_all.py` with the flags `words`.

    Args:
        folder: where writes are counted.
        output: a file for what it prints.
        kill_at: which write (from 1) it is killed before.

    Returns:
        its status (-9: killed), what it printed, how many writes there were before it ended.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _in_child(words, folder, output, kill_at, writer)
    os.close(writer)
    status = _wait(pid)
    with os.fdopen(reader, "rb") as pipe:
        writes = len(pipe.read())
    return status, output.read_text(errors="replace"), writes


def _wait(pid: int) -> int:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"hung for {DEADLINE_SECONDS} seconds")


def _in_child(words: list, folder: Path, output: Path, kill_at: int | None, writer: int) -> None:
    status = 99
    try:
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        compare_all.console.file = sys.stdout
        sys.argv = ["compare_all.py", *map(str, words)]
        count = 0

        def hook(event: str, arguments: tuple) -> None:
            nonlocal count
            writes = event in WRITES
            if event == "open" and isinstance(arguments[1], str):
                writes = any(letter in arguments[1] for letter in "wax+")
            if writes and str(arguments[0]).startswith(str(folder)):
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                os.write(writer, b".")

        sys.addaudithook(hook)
        run(compare_all.main, compare_all.Parameters)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
