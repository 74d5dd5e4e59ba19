"""Killed at random moments, the run or one of its workers, a run goes on to the same files."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from child import begin_child, children_of, end_of_child, printed_by
from runs import ALL, rows_of
from tests_paths import SYNTHETIC

pytestmark = pytest.mark.slow

RUN = ["--dataset", SYNTHETIC, "--cells", "12x10", "0x0", "--iterations", 3, "--users-per-task", 15]
RUN += ["--models", "user_mean", "ridge", "movie_mean", "personal", "--reference", "movie_mean"]
KILLS = 13 if ALL else 2  # of each seed
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STATUS = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, -15), signal.SIGINT: (130,)}


@pytest.fixture(scope="module")
def alone(scratch):
    """The rows of a run of one process that nobody disturbed."""
    folder = scratch / "alone"
    printed_by([*RUN, "--workers", 1, "--output-dir", folder], scratch)
    return rows_of(folder)


@pytest.mark.parametrize("seed", range(4 if ALL else 1))
def test_a_run_with_workers_that_is_killed_again_and_again(alone, seed, tmp_path, count):
    """It is left some time at work before each kill, so that it gets on."""
    chance, kills, runs = random.Random(seed), 0, 0
    while kills < KILLS:
        folder = tmp_path / f"run-{runs}"
        runs += 1
        while True:
            words = ["--resume", folder] if (folder / "run.json").exists() else [*RUN]
            words += [] if words[0] == "--resume" else ["--output-dir", folder]
            child = begin_child([*words, "--workers", 2], folder, tmp_path / "out")
            wait_until_at_work(child, folder, chance.choice((0.5, 3.0, 9.0)) * chance.random())
            killed = kill_one_of(child, chance) if kills < KILLS else None
            status, printed, _ = end_of_child(child)
            assert "Traceback" not in printed, printed
            if status == 0:
                break
            assert killed is not None, printed
            who, number = killed
            if who == "worker":
                assert status == 2, printed
                assert "a worker was killed" in " ".join(printed.split())
            else:
                assert status in STATUS[number], printed
                if status > 0:
                    assert f"continue with\n  python compare_all.py --resume {folder}" in printed
            kills += 1
            count(f"kills at random of a {who} of several processes")
        assert rows_of(folder) == alone
        assert not list(folder.glob("cells"))


def wait_until_at_work(child, folder, more: float) -> None:
    """Until its folder is there, and so many seconds more."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.is_running():
        if (folder / "run.json").exists():
            child.wait(more)
            return
        time.sleep(0.01)


def kill_one_of(child, chance) -> tuple[str, int] | None:
    workers = [pid for pid in children_of(child.pid) if "spawn_main" in command_of(pid)]
    if workers and chance.random() < 0.5:
        who, pid, number = "worker", chance.choice(workers), signal.SIGKILL
    else:
        who, pid, number = "run", child.pid, chance.choice(SIGNALS)
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return None
    return who, number


def command_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""
