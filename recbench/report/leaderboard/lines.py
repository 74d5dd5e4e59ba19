"""The lines of a ranking, as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from recbench.report.leaderboard.boards import Board
from recbench.report.terminal import cell_name


@dataclass(frozen=True)
class Figure:
    """What stands in one place of a line.

    Attributes:
        text: as it is read; "": not known.
        number: that it is sorted by; None: by its text.
        best: whether it is the lowest error of its cell.
        mark: "+", "-" or "", whether it is significantly better or worse; None: not asked.
    """

    text: str
    number: float | None = None
    best: bool = False
    mark: str | None = None


def lines_of(board: Board) -> Iterator[dict[str, Figure]]:
    """By the headings of a table, the best first; the cell that ranks comes before the others."""
    cells = [cell_name(cell) for cell in (board.cells[-1], *board.cells[:-1])]
    best = {name: round(board.rows[name].min(), 3) for name in cells}
    for place, row in enumerate(board.rows.to_dict("records"), start=1):
        ranked = pd.notna(row["mae"])  # measured in the cell that ranks
        line = {
            "rank": Figure(str(place) if ranked else "", place),
            "recommender": Figure(row["model"]),
            "learns from": Figure(row["learns_from"]),
        }
        for name in cells:
            text, is_best = _text(row[name], ".3f"), round(row[name], 3) == best[name]
            line[f"RMSE, {name}"] = Figure(text, row[name], is_best, row[f"{name}_mark"])
        line["MAE"] = Figure(_text(row["mae"], ".3f"), row["mae"])
        size = row["bytes_per_user"]
        line["bytes per user"] = Figure(_text(size, ",.0f"), size)
        line["forgets"] = Figure(row["forgets"])
        line["fit and predict, s"] = Figure(_text(row["seconds"], ",.3g"), row["seconds"])
        yield line | {"tuned": Figure(row["tuned"]), "run": Figure(row["run"])}


def _text(number: float | None, form: str) -> str:
    return "" if number is None or pd.isna(number) else format(number, form)
