"""A section of a report, and what stands in a page of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from recbench.report.figure import Figure

FEW_ROWS = 40


@dataclass(frozen=True)
class Section:
    """One subject of a report.

    Attributes:
        name: of the section in the page, and of the file that its table is downloaded as.
        title: its heading.
        text: paragraphs: what is seen, and what it is not.
        table: what the figures show; None: there is nothing to show but the text.
        figures: of the section.
        follows: which switches choose the rows that are shown: "cell", "score", "role".
        shown: what is shown in place of `table`, which is then downloaded alone. A column `x_mark`
            has what stands after the values of `x`, `x_best` whether they are bold.
        warning: a sentence to be noticed.
        is_open: whether the table is seen at once; None: the scores, and short tables without a
            figure.
    """

    name: str
    title: str
    text: list[str]
    table: pd.DataFrame | None = None
    figures: list[Figure] = field(default_factory=list)
    follows: tuple[str, ...] = ()
    shown: pd.DataFrame | None = None
    warning: str = ""
    is_open: bool | None = None

    @property
    def is_open_at_first(self) -> bool:
        """Whether the table is seen at once."""
        if self.is_open is not None:
            return self.is_open
        short = self.table is not None and len(self.table) < FEW_ROWS and not self.figures
        return short or self.shown is not None

    @property
    def has_legend(self) -> bool:
        """Whether recommenders are named below the figures: not where each names its rows."""
        return any(not figure.names_rows for figure in self.figures)


def columns_of(table: pd.DataFrame) -> dict[str, list[Any]]:
    """The columns of a table as JSON has them: what is no finite number is None."""
    return {str(name): [_plain(value) for value in table[name].tolist()] for name in table}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is pd.NA or value is None else value
