"""Workers report what they are at, and multiply matrices on one thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from tests_paths import ROOT
from threadpoolctl import threadpool_info, threadpool_limits

from recbench.errors import InputError
from recbench.runs.processes import Piece, report, work_through

TASKS = list(range(40))


@dataclass
class Done:
    number: int
    then: list = field(default_factory=list)


def work(number):
    for model in ("a", "b"):
        report(Piece(number, 1, 1, model))
    report(None)
    return Done(number, [number + 100] if number < 3 else [])


def work_and_be_killed(number):
    report(Piece(number, 1, 1, "x" * 500))
    if number == 20:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_each_reports_what_it_is_at_one_piece_after_another(workers):
    reported = []
    done = work_through(work, TASKS, workers, "", lambda *one: reported.append(one))
    expected = {*TASKS, 100, 101, 102}
    assert {one.number for one in done} == expected
    by_worker = {}
    for worker, piece in reported:
        by_worker.setdefault(worker, []).append(piece)
    assert len(by_worker) <= workers
    assert (os.getpid() in by_worker) == (workers == 1)
    for pieces_of_it in by_worker.values():
        numbers = [piece.num_users for piece in pieces_of_it[::3]]
        for number, three in zip(numbers, zip(*[iter(pieces_of_it)] * 3, strict=True), strict=True):
            assert three == (Piece(number, 1, 1, "a"), Piece(number, 1, 1, "b"), None)
    assert {piece.num_users for _, piece in reported if piece} == expected


def test_nobody_is_called_any_more_afterwards():
    reported = []
    list(work_through(work, [5], 1, "", lambda *one: reported.append(one)))
    before = len(reported)
    work(6)
    assert len(reported) == before == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_without_an_observer(workers):
    assert len(list(work_through(work, TASKS[5:8], workers, ""))) == 3


def test_a_worker_that_is_killed_while_it_reports_keeps_nobody_waiting():
    reported = []
    with pytest.raises(InputError, match="a worker was killed"):
        list(work_through(work_and_be_killed, TASKS, 2, "go on", lambda *one: reported.append(one)))
    assert all(len(piece.model) == 500 for _, piece in reported)


# --- threads -------------------------------------------------------------------------------------


def threads_of_blas(_=None):
    assert np.__version__  # and so a BLAS is loaded
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_has_one_thread_for_matrices_and_afterwards_there_are_as_many_as_before(workers):
    with threadpool_limits(2, user_api="blas"):
        before = threads_of_blas()
        assert list(work_through(threads_of_blas, [0, 1], workers, "")) == [{1}, {1}]
        assert threads_of_blas() == before


SCRIPT = """
from dataclasses import dataclass
from threadpoolctl import threadpool_info
import numpy as np
from recbench.command_line import run

@dataclass
class Parameters:
    pass

def main(_):
    rng = np.random.default_rng(0)
    x, count = rng.normal(size=(9_000, 150)), rng.integers(0, 50, 9_000)
    print({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"})
    print((x.T @ (count[:, None] * x)).tobytes().hex())

run(main, Parameters)
"""


def said_by_script(cores):
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": str(cores)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return out.stdout


def test_a_script_gives_the_same_digits_on_any_number_of_cores():
    """Of a sum as behind an item baseline, which one thread and two take in another order."""
    said = {said_by_script(cores) for cores in (1, 2)}
    assert len(said) == 1
    assert said.pop().startswith("{1}\n")
