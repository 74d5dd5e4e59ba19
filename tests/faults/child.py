"""A script's `main` in a process of its own, forked so that nothing is imported again, which can be
killed at any of its writes. Pictures are drawn with FAULTS=all alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from runs import ALL

import compare_all
from recbench.command_line import run

WRITES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
DEADLINE_SECONDS = 600


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
    return end_of_child(begin_child(words, folder, output, kill_at))


def printed_by(words: list, tmp_path: Path, expected: int = 0) -> str:
    """What it prints, if it ends with the status `expected`."""
    status, printed, _ = run_child(words, tmp_path, tmp_path / "out")
    assert status == expected, printed
    return printed


@dataclass
class Child:
    """One that has begun."""

    pid: int
    pipe: int
    output: Path
    status: int | None = None

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.is_running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True

    def is_running(self) -> bool:
        if self.status is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if ended else None
        return self.status is None


def begin_child(words: list, folder: Path, output: Path, kill_at: int | None = None) -> Child:
    """The same, not waited for."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _in_child(words, folder, output, kill_at, writer)
    os.close(writer)
    return Child(pid, reader, output)


def end_of_child(child: Child) -> tuple[int, str, int]:
    """Wait for it, see `run_child`."""
    if not child.wait(DEADLINE_SECONDS):
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        raise AssertionError(f"hung for {DEADLINE_SECONDS} seconds")
    with os.fdopen(child.pipe, "rb") as pipe:
        writes = len(pipe.read())
    assert child.status is not None
    return child.status, child.output.read_text(errors="replace"), writes


def children_of(pid: int) -> list[int]:
    """Processes that it has started."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(one) for one in found.stdout.split()]


def _in_child(words: list, folder: Path, output: Path, kill_at: int | None, writer: int) -> None:
    status = 99
    try:
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        compare_all.console.file = sys.stdout
        if not ALL:  # they take most of the time of so small a run
            Figure.savefig = lambda self, file, **_: Path(file).write_text("a picture")
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
