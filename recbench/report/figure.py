"""Figures, each described once, as a view of a table: plotly.js draws it in the page, matplotlib in
files (`html/template/figures.js` and `recbench.report.plots`).

The page draws the rows that its switches choose; a file has a panel for each cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from recbench.files import CELL
from recbench.report.style import looks_of, page_looks
from recbench.report.terminal import MORE_IS_BETTER, SCORES, cell_name, cells_of

Kind = Literal["list", "lines", "points"]
Scale = Literal["linear", "log", "signed", "percent", "places"]


@dataclass(frozen=True)
class Axis:
    """An axis of a figure.

    Attributes:
        column: of the table.
        title: what is measured, with its unit; "{score}" in it is the title of the chosen score,
            "{better}" is "less" or "more", "{side}" is where the better ones stand.
        scale: "signed" is linear about zero and logarithmic beyond; "percent" is of parts of one;
            "places" has values side by side, in the order of the rows.
    """

    column: str = ""
    title: str = ""
    scale: Scale = "linear"


@dataclass(frozen=True)
class Figure:
    """A figure of the page and of a file.

    Attributes:
        name: in the page, and of the files in plots/.
        kind: "list": a row for each recommender; "lines": joined points with bands; "points":
            points with names.
        table: what is drawn; `model`, the columns of the axes, and of what `follows` needs.
            Where `_open` is true, a marker is open.
        x, y: axes; of a list `y` is nothing.
        ends: columns of intervals, where there are any: of `x` in a list, else of `y`.
        hover: lines of text at a point: columns in braces; a line without a value is left out.
        follows: the switches that choose rows: "cell", "score", "role".
        rule: of a line that differences are read from: on x in a list, else on y.
        classes: of points whose colour and marker are not those of their recommender: the values
            of a column `_class`. All points are then shown, and a line joins those with `_front`,
            which alone have their names.
        title: of the file.
        note: how bands are read, in the legend of the file; what classes are, in the page, too.
    """

    name: str
    kind: Kind
    table: pd.DataFrame
    x: Axis
    y: Axis = Axis()
    ends: tuple[str, str] = ("low", "high")
    hover: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    rule: float | None = None
    classes: tuple[str, ...] = ()
    title: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """What is seen, for a reader who does not see it."""
        titles = (re.sub(r" \(.*?\)", "", one.title) for one in (self.y, self.x) if one.title)
        return " by ".join(titles).format(score="the score") + ", of each recommender"

    @property
    def is_list(self) -> bool:
        """Whether names stand beside rows."""
        return self.kind == "list"

    @property
    def has_legend(self) -> bool:
        """Whether the colours of recommenders have to be named below it."""
        return not self.is_list and not self.classes

    def panels_of_file(self) -> tuple[str, dict[str, pd.DataFrame]]:
        """The first score ("" without one), and by its title the rows of each panel: those of this
        score and of the first reference, of each cell if it is followed; points that all have
        names are of the last cell alone."""
        rows = self.table
        there = set(rows.get("score", ()))
        score = next((name for name in SCORES if name in there), "")
        rows = rows[rows["score"] == score] if score else rows
        if "reference_role" in rows:
            rows = rows[rows["reference_role"] == rows["reference_role"].iloc[0]]
        panels = {"": rows}
        if "cell" in self.follows:
            of_cells = {cell: (rows[CELL] == list(cell)).all(axis=1) for cell in cells_of(rows)}
            panels = {cell_name(cell): rows[own] for cell, own in of_cells.items()}
        crowded = self.kind == "points" and not self.classes
        return score, dict(list(panels.items())[-1:]) if crowded else panels

    def described(self) -> dict[str, Any]:
        """What the page needs beside the table."""
        names = ("kind", "ends", "hover", "follows", "rule", "note")
        described = {name: getattr(self, name) for name in names}
        described["classes"] = page_looks(looks_of(list(self.classes)))
        return described | {"x": vars(self.x), "y": vars(self.y)}


def forest(table: pd.DataFrame, axis: str, **more: Any) -> Figure:
    """A list of `difference`s with `low` and `high`, filled where the `verdict` is a difference."""
    return Figure(
        kind="list",
        table=table.assign(_open=~table["verdict"].isin(["better", "worse"])),
        x=Axis("difference", axis, "signed"),
        rule=0,
        **more,
    )


def best_first(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows, those of one score sorted by the column so that the better ones come first."""
    of_score = [
        own.sort_values(column, ascending=score not in MORE_IS_BETTER, kind="stable")
        for score, own in table.groupby("score", sort=False)
    ]
    return pd.concat(of_score) if of_score else table


def linear_part(rows: pd.DataFrame, column: str) -> float:
    """How far a signed scale is linear: as far as half a median interval, or value, reaches."""
    sizes = [rows[column].abs()]
    if {"low", "high"} <= set(rows):
        sizes = [(rows["high"] - rows["low"]) / 2, *sizes]
    medians = (float(pd.to_numeric(one).median()) for one in sizes)
    return next((median for median in medians if median > 0), 1.0)


def minus(text: str) -> str:
    """With a minus sign in place of each hyphen."""
    return text.replace("-", "−")
