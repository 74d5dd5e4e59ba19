"""A long run as it goes on: a growing table and a bar in a terminal, else one line a cell."""

from __future__ import annotations

import time
from typing import Self

import pandas as pd
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recbench.report.terminal import TABLES, cell_line, cell_name, score_table

NO_DIFFERENCES = pd.DataFrame(
    columns=["model", "score", "reference_role", "num_users", "reviews_per_user"]
)


def progress_bar(console: Console) -> Progress:
    """What is being done, how much of how much, and the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console)


class GridProgress:
    """Shows the scores of a grid cell by cell, as each is done.

    Args:
        console: where to show it.
        total: tasks that are to be done, a cell in one iteration each.
        rows: what an earlier part of the run has found.
        order: of the recommenders in the table.
    """

    def __init__(self, console: Console, total: int, rows: list[dict], order: list[str]) -> None:
        self._console = console
        self._total = total
        self._rows = list(rows)
        self._place = {model: place for place, model in enumerate(order)}
        self._done = 0
        self._started = time.perf_counter()
        self._bar = progress_bar(console)
        self._task = self._bar.add_task("cells", total=total)
        self._live = Live(self._bar, console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.update(self._bar)  # the final tables take the place of the growing one
            self._live.stop()

    def note(self, text: str) -> None:
        """Something that the user should know, above the table."""
        self._console.print(text)

    def add(self, key: dict[str, int], rows: list[dict], more: int = 0) -> None:
        """The rows of a task, just done: of one cell in one iteration; none yet, of a part of it.

        Args:
            key: num_users, reviews_per_user and iteration.
            more: how many tasks have come of it.
        """
        self._rows += rows
        self._done += 1
        self._total += more
        self._bar.update(self._task, total=self._total)
        if self._console.is_terminal:
            self._bar.advance(self._task)
            table = pd.DataFrame(sorted(self._rows, key=lambda row: self._place[row["model"]]))
            if "rmse" in table:
                shown = score_table(table, NO_DIFFERENCES, "rmse")
                self._live.update(Group(f"{TABLES['rmse']}, so far", shown, self._bar))
            return
        if not rows:
            return
        seconds = time.perf_counter() - self._started
        left = seconds / self._done * (self._total - self._done)
        cell = cell_name((key["num_users"], key["reviews_per_user"]))
        self._console.print(
            f"[{self._done}/{self._total}] {cell}, iteration {key['iteration']}, "
            f"RMSE: {cell_line(rows)} ({_duration(left)} left)",
            soft_wrap=True,
            markup=False,
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class PiecesProgress:
    """Shows how many pieces of work are done and the time left: a bar in a terminal, else a line
    whenever another tenth is done.

    Args:
        total: how many there are.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._started = time.perf_counter()
        self._bar = progress_bar(console)
        self._task = self._bar.add_task("pieces", total=total)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def add(self, what: str) -> None:
        """One more is done."""
        self._done += 1
        self._bar.update(self._task, description=what, completed=self._done)
        tenth = 10 * self._done // self._total
        if not self._console.is_terminal and tenth > 10 * (self._done - 1) // self._total:
            seconds = time.perf_counter() - self._started
            left = seconds / self._done * (self._total - self._done)
            self._console.print(
                f"[{self._done}/{self._total}] {what} ({_duration(left)} left)", markup=False
            )
