"""The files that documents are made from, and p corrected for all comparisons of a family."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import holm

MARK = re.compile(r"(<!-- (\w+) ([^>]+?) -->)(\n?)(.*?)(<!-- end -->)", re.DOTALL)
Mark = tuple[str, ...]  # its kind, and its words
# with its run a comparison of one recommender with another
COMPARED = ["score", "num_users", "reviews_per_user", "model", "reference"]
P = dict[tuple, float]


class Page:
    """What the marks of a document are made from.

    Args:
        root: the paths in the marks are relative to it.
        p: of each comparison of the document's family, after Holm's correction; empty while the
            comparisons are still being collected.
    """

    def __init__(self, root: Path, p: P) -> None:
        self.root, self.p = root, p
        self.collected: P = {}  # the comparisons made, with p before the correction

    def read(self, *path: str) -> pd.DataFrame:
        """The CSV, which must not be changed. Raises InputError if it is not there."""
        file = self.root.joinpath(*path)
        if not file.exists():
            raise InputError(f"{file}: is not there; run what makes it")
        return _read(file, file.stat().st_mtime_ns)

    def rows(self, file: str, *filters: str) -> pd.DataFrame:
        """Those of the CSV that have these values, "column=value" with _ for a space."""
        table = self.read(file)
        for column, value in (one.split("=") for one in filters):
            table = table[table[column].astype(str).str.replace(" ", "_") == value]
        return table

    def compared(self, run: str, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows, whose comparisons the document makes, with the corrected p as `p_holm`. One
        that two tables have counts once, with the larger p."""
        keys = [(run, *row) for row in rows[COMPARED].itertuples(index=False, name=None)]
        for key, p in zip(keys, rows["p"].tolist(), strict=True):
            if not np.isnan(p):
                self.collected[key] = max(p, self.collected.get(key, 0.0))
        return rows.assign(p_holm=[self.p.get(key, np.nan) for key in keys])

    def selected(
        self, run: str, file: str, score: str, models: str = "", references: str = ""
    ) -> pd.DataFrame:
        """The rows of claims.csv or significance.csv with this score, and only these `models` and
        `references`, if any are named (joined with ",")."""
        rows = self.read(run, file)
        rows = rows[rows["score"] == score]
        for column, names in (("model", models), ("reference", references)):
            if names:
                rows = rows[rows[column].isin(names.split(","))]
        return rows

    def replayed(self, run: str) -> pd.DataFrame:
        """continual_summary.csv with `model` as recommender@refitted, and all of `COMPARED`."""
        rows = self.read(run, "continual_summary.csv")
        rows = rows.assign(model=rows["model"] + "@" + rows["retrained"])
        about = {"score": "rmse", "num_users": 0, "reviews_per_user": 0}
        return rows.assign(**about, reference=rows["model"].iloc[0])


@lru_cache(maxsize=100)
def _read(file: Path, changed: int) -> pd.DataFrame:
    return pd.read_csv(file)


def marks_of(text: str, root: Path) -> frozenset[Mark]:
    """The marks of a document and of its family: of the files that its mark `family PATTERN ..`
    names, and of their families."""
    marks: set[Mark] = set()
    files: set[Path] = set()
    waiting = [text]
    while waiting:
        for _, kind, words, *_ in MARK.findall(waiting.pop()):
            marks.add((kind, *words.split()))
            if kind == "family":
                found = {file for one in words.split() for file in root.glob(one)}
                waiting += [file.read_text(encoding="utf-8") for file in found - files]
                files |= found
    return frozenset(marks)


def corrected(marks: frozenset[Mark], root: Path, made: Callable[[Page, Mark], str]) -> P:
    """p of every comparison that is made for these marks, after Holm's correction for all of them,
    whatever their run and score.

    Args:
        made: makes the text of a mark, and has the page collect its comparisons.
    """
    page = Page(root, {})
    for mark in marks:
        made(page, mark)
    p = np.array(list(page.collected.values()))
    return dict(zip(page.collected, holm(p).tolist(), strict=True))
