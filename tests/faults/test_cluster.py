"""A run on a Dask cluster: as alone, whatever becomes of workers; and what stands in its way."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from child import begin_child, end_of_child, printed_by
from runs import ALL, rows_of
from tests_paths import ROOT, SYNTHETIC

from recbench.runs import cluster

pytest.importorskip("distributed", reason="--cluster needs requirements-cluster.txt")
pytestmark = pytest.mark.slow

RUN = ["--dataset", SYNTHETIC, "--cells", "0x0", "--iterations", 2, "--users-per-task", 15]
RUN += ["--models", "user_mean", "ridge", "movie_mean", "personal", "--reference", "movie_mean"]
KILLS = 6 if ALL else 1


def documented(what: str) -> list[str]:
    """The words of the line in docs/scale.md that starts it on one machine."""
    page = (ROOT / "docs" / "scale.md").read_text()
    block = page.split("<!-- cluster -->")[1].split("<!-- end -->")[0]
    (line,) = re.findall(rf"^.*dask {what} .*?(?= &$)", block, re.MULTILINE)
    assert line.startswith("PYTHONPATH=$PWD .venv/bin/dask")
    return line.removeprefix("PYTHONPATH=$PWD .venv/bin/dask ").split()


class Dask:
    """`dask` processes, which end with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "cluster.json"
        self._started: list[subprocess.Popen] = []

    def start(self, words: list[str], **environment: str) -> subprocess.Popen:
        settings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        script = [sys.executable, str(Path(sys.executable).with_name("dask")), *words]
        with (self.folder / f"{words[0]}.log").open("a") as log:
            process = subprocess.Popen(
                script, cwd=self.folder, env=settings, stdout=log, stderr=log
            )
        self._started.append(process)
        return process

    def scheduler(self) -> subprocess.Popen:
        process = self.start(documented("scheduler"))
        deadline = time.monotonic() + 120
        while not self.file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return process

    def workers(self) -> list[int]:
        """The processes that do the work: children of what was started."""
        found = []
        for process in self._started[1:]:
            listed = subprocess.run(
                ["pgrep", "-P", str(process.pid), "-f", "spawn_main"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            found += [int(one) for one in listed.stdout.split()]
        return found

    def end(self) -> None:
        for process in reversed(self._started):
            process.terminate()
        for process in reversed(self._started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def dask(tmp_path):
    started = Dask(tmp_path)
    yield started
    started.end()


@pytest.fixture(scope="module")
def alone(scratch):
    """The rows of the run in this process."""
    folder = scratch / "alone-no-cluster"
    printed_by([*RUN, "--workers", 1, "--output-dir", folder], scratch)
    return rows_of(folder)


def test_a_worker_killed_in_the_middle_changes_nothing(dask, alone, tmp_path, count):
    dask.scheduler()
    dask.start(documented("worker"))
    chance, kills, runs = random.Random(0), 0, 0
    while kills < KILLS:
        folder = tmp_path / f"run-{runs}"
        runs += 1
        words = [*RUN, "--cluster", dask.file, "--output-dir", folder]
        child = begin_child(words, folder, tmp_path / "out")
        killed = 0
        while not (folder / "comparison.csv").exists() and child.is_running():
            time.sleep(0.05)
        while child.is_running() and killed < 2:  # a task is given up when it has cost four
            for worker in dask.workers()[killed % 2 :][:1]:
                os.kill(worker, signal.SIGKILL)
                killed += 1
            child.wait(2 + 6 * chance.random())
        status, printed, _ = end_of_child(child)
        assert status == 0, printed
        assert rows_of(folder) == alone
        kills += killed
        count("kills at random of a worker of a cluster", killed)


SSH = """#!/bin/sh
# in place of ssh -n MACHINE COMMAND: this machine
exec sh -c "$3"
"""


def test_the_lines_for_ssh(alone, tmp_path):
    """As they stand in docs/scale.md, to machines that are this one."""
    folder = tmp_path / "run"
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = (ROOT / "docs" / "scale.md").read_text()
    lines = page.split("**Over SSH**")[1].split("```")[1].strip()
    for there, here in {
        ".venv/bin/python compare_all.py": shlex.join([sys.executable, "compare_all.py"]),
        ".venv/bin/dask": shlex.join([sys.executable, "-m", "dask"]),
        "HOST": "127.0.0.1",
        "8786": str(port),
    }.items():
        assert there in lines
        lines = lines.replace(there, here)
    lines += " " + shlex.join(map(str, [*RUN, "--output-dir", folder]))
    path = f"{tmp_path}:{os.environ['PATH']}"
    with (tmp_path / "log").open("w") as log:
        shell = subprocess.Popen(
            ["bash", "-c", lines], cwd=ROOT, env=os.environ | {"PATH": path},
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            status = shell.wait(300)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
    assert status == 0, (tmp_path / "log").read_text()
    assert rows_of(folder) == alone


def test_what_stands_in_its_way(dask, tmp_path, monkeypatch, count):
    def refused(*words: object) -> str:
        words = (*RUN, *words, "--output-dir", tmp_path / "refused")
        printed = printed_by(list(words), tmp_path, expected=2)
        assert "Traceback" not in printed
        count("clusters that cannot be used")
        return " ".join(printed.split())

    assert "no scheduler answers" in refused("--cluster", "nonsense")
    assert "no scheduler answers" in refused("--cluster", "tcp://127.0.0.1:9")
    assert "--shared-folder is of a cluster" in refused("--shared-folder", tmp_path)
    assert "no alarms" in refused("--cluster", "tcp://127.0.0.1:9", "--model-timeout", 5)
    dask.scheduler()
    monkeypatch.setattr(cluster, "WORKER_SECONDS", 3)
    assert "has no workers" in refused("--cluster", dask.file)
    monkeypatch.undo()

    words = documented("worker")
    started = dask.start([*words[:-1], "2"])
    assert "has 2 threads" in refused("--cluster", dask.file)
    end(started)
    started = dask.start(words, PYTHONPATH="")
    assert "cannot run this project" in refused("--cluster", dask.file)
    end(started)

    other = tmp_path / "other"
    shutil.copytree(ROOT / "recbench", other / "recbench")
    shutil.copy(ROOT / "requirements.txt", other)
    with (other / "recbench" / "errors.py").open("a") as file:
        file.write("\n# another version\n")
    started = dask.start(words, PYTHONPATH=str(other))
    assert "differs from this machine: the code is" in refused("--cluster", dask.file)
    end(started)

    started = dask.start(words)
    shared = "/proc/no-such-folder"
    printed = refused("--cluster", dask.file, "--shared-folder", shared)
    assert shared in printed


def end(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(60)
