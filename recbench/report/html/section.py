"""A section of a report: what is seen, in words, its pictures, and the table that they show."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

Shown = Literal["rows", "matrix"]
FEW_ROWS = 40
LISTS = {"forest", "forest_percent", "share", "spread", "latency"}  # charts with a line for each


@dataclass(frozen=True)
class Section:
    """One subject of a report.

    Attributes:
        name: of the section in the page, and of the file that its table is downloaded as.
        title: its heading.
        text: paragraphs: what is seen, and what it is not.
        table: what the pictures show; None: there is nothing to show but the text.
        charts: names of functions of the script that draw the table, each with what a reader who
            does not see the picture is told.
        follows: which switches choose the rows that are shown: "cell", "score", "role".
        shown: the table as it is, or one line for each recommender and one column for each cell.
    """

    name: str
    title: str
    text: list[str]
    table: pd.DataFrame | None = None
    charts: dict[str, str] = field(default_factory=dict)
    follows: tuple[str, ...] = ()
    shown: Shown = "rows"

    @property
    def is_open(self) -> bool:
        """Whether the table is seen at once: the scores, and short tables without a picture."""
        short = self.table is not None and len(self.table) < FEW_ROWS and not self.charts
        return short or self.shown == "matrix"

    @property
    def charts_name_rows(self) -> bool:
        """Whether each picture writes the names of recommenders itself, so no legend is needed."""
        return set(self.charts) <= LISTS


def columns_of(table: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns of a table as JSON has them: what is no finite number is None."""
    return {str(name): [_plain(value) for value in table[name].tolist()] for name in table}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is pd.NA or value is None else value
