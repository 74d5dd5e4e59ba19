"""A long run as it goes on: a growing table and a bar in a terminal, else one line a cell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

import pandas as pd
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from recbench.report.terminal import TABLES, cell_line, cell_name, score_table
from recbench.runs.processes import Observer, Piece


class GridProgress:
    """Shows the scores of a grid cell by cell, as each is done; in a terminal also what is being
    done, below a table that stays where it is.

    Args:
        console: where to show it.
        tasks: that are to be done, the pieces of each.
        rows: what an earlier part of the run has found.
        order: of the recommenders in the table.
        size_of: of a piece: how many ratings it learns, about.
    """

    def __init__(
        self,
        console: Console,
        tasks: Sequence[Sequence[Piece]],
        rows: list[dict],
        order: list[str],
        size_of: Callable[[Piece], float],
    ) -> None:
        self._console = console
        self._total, self._done = len(tasks), 0
        self._rows = list(rows)
        self._order = order
        self._size_of, self._began = size_of, time.perf_counter()
        self._expected = {piece for pieces in tasks for piece in pieces}
        self._learned = 0.0  # ratings, by the pieces that are done
        self._running: dict[int, tuple[Piece, float]] = {}  # of each worker, and since when
        self._lock = threading.RLock()  # workers report in one thread, and another shows it
        columns = (TextColumn("cells"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, TextColumn("{task.description}"), console=console)
        self._task = self._bar.add_task("", total=self._total)
        self._table: tuple[str | Table, ...] = ()
        self._live = Live(console=console, get_renderable=self._picture, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._table, self._running = (), {}  # the final tables take the place of this one
            self._live.stop()

    def note(self, text: str) -> None:
        """Something that the user should know, above the table."""
        self._console.print(text)

    @property
    def observer(self) -> Observer | None:
        """To be called with what workers are at; None where nobody looks on."""
        return self.observe if self._console.is_terminal else None

    def observe(self, worker: int, piece: Piece | None) -> None:
        """What a worker is at from now on, see `recbench.runs.processes`."""
        with self._lock:
            if before := self._running.pop(worker, None):
                self._end(before[:1])
            if piece is not None:
                self._running[worker] = piece, time.perf_counter()

    def add(
        self,
        pieces: Sequence[Piece],
        key: dict[str, int],
        rows: list[dict],
        then: Sequence[Sequence[Piece]] = (),
    ) -> None:
        """A task is done.

        Args:
            pieces: what it consisted of.
            key: num_users, reviews_per_user and iteration of its cell.
            rows: of the cell; none yet, of a part of it.
            then: the pieces of each task that has come of it.
        """
        with self._lock:
            self._end(pieces)
            self._expected |= {piece for more in then for piece in more}
            self._rows += rows
            self._done += 1
            self._total += len(then)
            if self._console.is_terminal:
                ordered = sorted(self._rows, key=lambda row: self._order.index(row["model"]))
                table = pd.DataFrame(ordered)
                if "rmse" in table and table["rmse"].notna().any():
                    shown = score_table(table, pd.DataFrame(), "rmse")
                    self._table = (f"{TABLES['rmse']}, so far", shown)
            elif rows:
                line = f"{_where(key)}, RMSE: {cell_line(rows)}{self._left(' ({})')}"
                self._console.print(f"[{self._done}/{self._total}] {line}", soft_wrap=True)

    def _picture(self) -> Group:
        """What stands in the terminal at this moment."""
        with self._lock:
            self._bar.update(
                self._task, completed=self._done, total=self._total, description=self._left()
            )
            lines = []
            for piece, since in self._running.values():
                part = f", part {piece.part + 1} of {piece.parts}" if piece.parts > 1 else ""
                seconds = _duration(time.perf_counter() - since)
                lines.append(Text(f"  {_where(vars(piece))}: {piece.model}{part} ({seconds})"))
            return Group(*self._table, self._bar, *lines)

    def _end(self, pieces: Sequence[Piece]) -> None:
        """They are done; said a second time it counts once."""
        ended = self._expected & set(pieces)
        self._expected -= ended
        self._learned += sum(map(self._size_of, ended))

    def _left(self, form: str = "{}") -> str:
        """The time left, if each rating takes what those learned so far took; "" before that."""
        if not self._learned:
            return ""
        left = sum(map(self._size_of, self._expected)) / self._learned
        return form.format(f"{_duration(left * (time.perf_counter() - self._began))} left")


def _where(key: dict[str, int]) -> str:
    cell = cell_name((key["num_users"], key["reviews_per_user"]))
    return f"{cell}, iteration {key['iteration']}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class PiecesProgress(Progress):
    """Shows how many of `total` pieces of work are done: a bar with the time left in a terminal,
    else a line whenever another tenth is done."""

    def __init__(self, console: Console, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        remaining = TimeRemainingColumn()
        super().__init__(*columns, remaining, console=console, disable=not console.is_terminal)
        self._total, self._done = total, 0
        self._task = self.add_task("pieces", total=total)

    def add(self, what: str) -> None:
        """One more is done."""
        self._done += 1
        self.update(self._task, description=what, completed=self._done)
        tenth = 10 * self._done // self._total
        if self.disable and tenth > 10 * (self._done - 1) // self._total:
            self.console.print(f"[{self._done}/{self._total}] {what}")
