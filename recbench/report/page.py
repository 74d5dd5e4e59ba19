"""What the marks of a document are made from, and how a table is written in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recbench.report.family import Comparison, read


@dataclass(frozen=True)
class Page:
    """What the marks of a document are made from.

    Attributes:
        root: what the paths in the marks are relative to.
        p: of each comparison that the document makes, corrected for all of them.
    """

    root: Path
    p: dict[Comparison, float]

    def read(self, *path: str) -> pd.DataFrame:
        """Raises InputError if the file is not there."""
        return read(self.root.joinpath(*path))


def markdown_table(heads: list[str], rows: list[list[str]]) -> str:
    """Heads and rows of text as a table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
