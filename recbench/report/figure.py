"""Figures, each described once, as a view of a table: plotly.js draws it in the page, matplotlib in
files (`html/template/figures.js` and `recbench.report.plots`).

The page draws the rows that its switches choose; a file has a panel for each cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from recbench.files import CELL
from recbench.report.style import looks_of, page_looks
from recbench.report.terminal import MORE_IS_BETTER, SCORES, cell_name, cells_of

Kind = Literal["list", "lines", "points"]
Scale = Literal["linear", "log", "signed", "places"]


@dataclass(frozen=True)
class Axis:
    """An axis of a figure.

    Attributes:
        column: of the table.
        title: what is measured, with its unit; "{score}" in it is the title of the chosen score,
            "{better}" is "less" or "more", "{side}" is where the better ones stand.
        scale: "signed" is linear about zero, where a line stands, and logarithmic beyond; "places"
            has values side by side, in the order of the rows.
    """

    column: str = ""
    title: str = ""
    scale: Scale = "linear"


@dataclass(frozen=True)
class Figure:
    """A figure of the page and of a file.

    Attributes:
        name: in the page, and of the files in plots/.
        kind: "list": a row for each recommender, the better ones first; "lines": joined points with
            bands; "points": with a mark for each class, a line through those with `_front`, which
            alone have their names, where there is room.
        table: what is drawn; `model`, the columns of the axes, of points `_class` and `_front`, and
            `low` and `high`, where there are intervals of x in a list, else of y. Where `_open` is
            true, a marker is open. A file has a panel for each cell of it, unless x is of `_cell`.
        x, y: axes; of a list `y` is nothing.
        classes: of points, in their order.
        title: of the file.
        note: how bands are read, in the legend of the file; what classes are, in the page, too.
    """

    name: str
    kind: Kind
    table: pd.DataFrame
    x: Axis
    y: Axis = Axis()
    classes: tuple[str, ...] = ()
    title: str = ""
    note: str = ""

    def panels_of_file(self) -> tuple[str, dict[str, pd.DataFrame]]:
        """The first score ("" without one), and by its title the rows of each panel: those of this
        score and of the first reference."""
        rows = self.table
        there = set(rows.get("score", ()))
        score = next((name for name in SCORES if name in there), "")
        rows = rows[rows["score"] == score] if score else rows
        if "reference_role" in rows:
            rows = rows[rows["reference_role"] == rows["reference_role"].iloc[0]]
        if self.kind == "list":
            rows = rows.sort_values(self.x.column, ascending=score not in MORE_IS_BETTER)
        if self.x.column == "_cell" or not set(CELL) <= set(rows):
            return score, {"": rows}
        of_cells = {cell: (rows[CELL] == list(cell)).all(axis=1) for cell in cells_of(rows)}
        return score, {cell_name(cell): rows[own] for cell, own in of_cells.items()}

    def described(self) -> dict[str, Any]:
        """What the page needs beside the table."""
        classes = page_looks(looks_of(list(self.classes)))
        axes = {"x": vars(self.x), "y": vars(self.y)}
        return {"kind": self.kind, "note": self.note, "classes": classes, **axes}


def forest(table: pd.DataFrame, axis: str, **more: Any) -> Figure:
    """A list of `difference`s with `low` and `high`, filled where the `verdict` is a difference."""
    table = table.assign(_open=~table["verdict"].isin(["better", "worse"]))
    return Figure(kind="list", table=table, x=Axis("difference", axis, "signed"), **more)


def linear_part(rows: pd.DataFrame, column: str) -> float:
    """How far a signed scale is linear: as far as half a median interval, or value, reaches."""
    reach = (rows["high"] - rows["low"]) / 2 if "high" in rows else rows[column].abs()
    median = float(reach.median())
    return median if median > 0 else 1.0


def minus(text: str) -> str:
    """With a minus sign in place of each hyphen."""
    return text.replace("-", "−")
