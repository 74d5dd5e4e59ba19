"""Workers report what they are at, and multiply matrices on one thread."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from recbench.command_line import run
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


@dataclass
class Nothing:
    """No parameters."""


def test_a_script_multiplies_matrices_on_one_thread(monkeypatch):
    """So that its digits are the same on any number of cores."""
    seen = []
    monkeypatch.setattr(sys, "argv", ["script.py"])
    with threadpool_limits(2, user_api="blas"), pytest.raises(SystemExit, match="0"):
        run(lambda _: seen.append(threads_of_blas()), Nothing)
    assert seen == [{1}]
