"""The comparisons that documents make, and their p corrected for all of them together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import holm
from recbench.report.terminal import USERS_MEDIAN

MARK = re.compile(r"(<!-- (\w+) ([^>]+?) -->)(\n?)(.*?)(<!-- end -->)", re.DOTALL)
Mark = tuple[str, ...]  # its kind, and its words


class Comparison(NamedTuple):
    """One recommender against one other, by a score, in a cell of a run."""

    run: str
    score: str
    num_users: int
    reviews_per_user: int
    model: str
    reference: str


@dataclass(frozen=True)
class Page:
    """What the marks of a document are made from.

    Attributes:
        root: the paths in the marks are relative to it.
        p: of each comparison of the document's family, after Holm's correction.
    """

    root: Path
    p: dict[Comparison, float]

    def read(self, *path: str) -> pd.DataFrame:
        """Raises InputError if the file is not there."""
        return read(self.root.joinpath(*path))

    def with_p(self, run: str, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows, which are compared in the document, with the corrected p as `p_holm`."""
        return rows.assign(p_holm=[self.p.get(one, np.nan) for one in comparisons(run, rows)])


def read(file: Path) -> pd.DataFrame:
    """The CSV, which must not be changed. Raises InputError if it is not there."""
    if not file.exists():
        raise InputError(f"{file}: is not there; run what makes it")
    return _read(file, file.stat().st_mtime_ns)


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


def selected(
    root: Path, run: str, file: str, score: str, models: str = "", references: str = ""
) -> pd.DataFrame:
    """The rows of claims.csv or significance.csv with this score, and only these `models` and
    `references`, if any are named (joined with ",")."""
    rows = read(root / run / file)
    rows = rows[rows["score"] == score]
    for column, names in (("model", models), ("reference", references)):
        if names:
            rows = rows[rows[column].isin(names.split(","))]
    return rows


def with_reference(root: Path, run: str, score: str) -> pd.DataFrame:
    """The rows of significance.csv that compare with the reference of the cell."""
    rows = selected(root, run, "significance.csv", score)
    return rows[rows["reference_role"] != USERS_MEDIAN]


def replayed(root: Path, run: str) -> pd.DataFrame:
    """continual_summary.csv with `model` as recommender@refitted, and what a comparison needs."""
    rows = read(root / run / "continual_summary.csv")
    rows = rows.assign(model=rows["model"] + "@" + rows["retrained"])
    about = {"score": "rmse", "num_users": 0, "reviews_per_user": 0}
    return rows.assign(**about, reference=rows["model"].iloc[0])


def compared(root: Path, kind: str, *words: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The runs of a mark, with the rows of the comparisons that it makes of each."""
    if kind == "scores":
        yield words[0], with_reference(root, *words)
    elif kind == "differences":
        run, *more = words
        yield run, selected(root, run, "significance.csv", *more)
    elif kind in ("claims", "count"):
        run, *more = words[:4]
        yield run, selected(root, run, "claims.csv", *more)
    elif kind == "verdicts":
        for run in words[0].split(","):
            for pair in words[1:]:
                yield run, selected(root, run, "claims.csv", "rmse", *pair.split(":"))
    elif kind == "replay":
        for run in words[0].split(","):
            yield run, replayed(root, run).dropna(subset="p")


def corrected(marks: frozenset[Mark], root: Path) -> dict[Comparison, float]:
    """p of every comparison of these marks, after Holm's correction for all of them, whatever
    their run and score; a comparison that two tables have counts once, with the larger p.

    Raises:
        InputError: a file that a mark names is not there.
    """
    p: dict[Comparison, float] = {}
    for mark in marks:
        for run, rows in compared(root, *mark):
            for made, value in zip(comparisons(run, rows), rows["p"].tolist(), strict=True):
                p[made] = max(value, p.get(made, 0.0))
    return dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))


def comparisons(run: str, rows: pd.DataFrame) -> list[Comparison]:
    """Those of rows with the columns of a comparison."""
    of_rows = rows[list(Comparison._fields[1:])].itertuples(index=False, name=None)
    return [Comparison(run, *row) for row in of_rows]
