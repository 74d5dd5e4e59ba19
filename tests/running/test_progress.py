"""What a grid shows while it runs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from recbench.report.progress import GridProgress
from recbench.runs.processes import Piece

MODELS = ["ridge", "torch"]
KEYS = [
    {"num_users": 250, "reviews_per_user": reviews, "iteration": iteration}
    for iteration in (1, 2)
    for reviews in (10, 0)
]
TASKS = [tuple(Piece(**key, model=model) for model in MODELS) for key in KEYS]


def row(key, model, rmse, status="ok"):
    scores = {"rmse": rmse, "fit_seconds": 3.0, "predict_seconds": 1.0}
    return {**key, **scores, "model": model, "family": "PerUser", "tuned": "", "status": status}


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    now = [100.0]
    monkeypatch.setattr("recbench.report.progress.time.perf_counter", lambda: now[0])

    def passes(seconds):
        now[0] += seconds

    return passes


def grid(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)
    return console, GridProgress(console, TASKS, [], MODELS, lambda one: one.reviews_per_user or 10)


def shown(console, progress):
    with console.capture() as captured:
        console.print(progress._picture())
    return captured.get()


def test_each_worker_has_a_line_below_the_table(clock):
    console, progress = grid(terminal=True)
    assert "0/4" in shown(console, progress)
    assert "left" not in shown(console, progress)
    progress.observe(11, TASKS[0][0])
    progress.observe(12, Piece(**KEYS[1], model="torch", part=2, parts=7))
    clock(2)
    picture = shown(console, progress)
    assert "250 × 10, iteration 1: ridge (2 s)" in picture
    assert "250 × all, iteration 1: torch, part 3 of 7 (2 s)" in picture
    progress.observe(11, TASKS[0][1])
    assert "torch (0 s)" in shown(console, progress)
    assert "left" in shown(console, progress)
    progress.observe(11, None)
    rows = [row(KEYS[0], "torch", 1.3), row(KEYS[0], "ridge", 1.2)]
    progress.add(TASKS[0], KEYS[0], rows)
    picture = shown(console, progress)
    assert "1/4" in picture
    assert "so far" in picture
    assert picture.index("ridge") < picture.index("torch") < picture.index("cells")
    assert "iteration 1: ridge" not in picture


def test_the_time_left_is_that_of_the_ratings_left(clock):
    console, progress = grid(terminal=True)
    for model, seconds in ((0, 1), (1, 30)):
        progress.observe(11, TASKS[0][model])
        clock(seconds)
    progress.observe(11, None)
    progress.add(TASKS[0], KEYS[0], [row(KEYS[0], model, 1.0) for model in MODELS])
    assert "93 s left" in shown(console, progress)  # three more such cells
    progress.observe(11, TASKS[1][0])
    clock(2)
    progress.observe(11, TASKS[1][1])
    assert "55 s left" in shown(console, progress)  # 5 of 8 pieces, 33 seconds for 3


def test_a_line_for_each_cell_where_there_is_no_terminal(clock):
    console, progress = grid(terminal=False)
    with console.capture() as captured, progress:
        clock(20)
        progress.add(TASKS[0], KEYS[0], [row(KEYS[0], "torch", 1.3), row(KEYS[0], "ridge", 1.2)])
        progress.add([], KEYS[1], [], then=[[Piece(**KEYS[1], model="ridge", part=0, parts=1)]])
        progress.add([], KEYS[1], [row(KEYS[1], model, None, "failed") for model in MODELS])
    first, second = captured.get().splitlines()
    assert first == "[1/4] 250 × 10, iteration 1, RMSE: ridge 1.200, torch 1.300 (60 s left)"
    assert second.startswith("[3/5] 250 × all, iteration 1, RMSE: ridge failed, torch failed")
