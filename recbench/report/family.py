"""The comparisons that documents make, and their p corrected for all of them together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

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


def corrected(marks: frozenset[Mark], root: Path) -> dict[Comparison, float]:
    """p of every comparison of these marks, after Holm's correction for all of them, whatever
    their run and score; a comparison that two tables have counts once, with the larger p.

    Raises:
        InputError: a file that a mark names is not there.
    """
    p: dict[Comparison, float] = {}
    for kind, *words in marks:
        if kind in COMPARING:
            for made, value in COMPARING[kind](root, *words).items():
                p[made] = max(value, p.get(made, 0.0))
    return dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))


def comparison(run: str, row: Mapping[str, Any] | pd.Series) -> Comparison:
    """That of a row of claims.csv or significance.csv."""
    cell = int(row["num_users"]), int(row["reviews_per_user"])
    return Comparison(run, row["score"], *cell, row["model"], row["reference"])


def replay_comparison(run: str, row: Mapping[str, Any] | pd.Series, reference: str) -> Comparison:
    """That of a row of continual_summary.csv: a learner against the first, over all users."""
    return Comparison(run, "rmse", 0, 0, f"{row['model']}@{row['retrained']}", reference)


P = dict[Comparison, float]


def _of_rows(run: str, rows: pd.DataFrame) -> P:
    return {comparison(run, row): row["p"] for row in rows.to_dict("records")}


def _of_scores(root: Path, run: str, score: str) -> P:
    """Every recommender against the reference of its cell."""
    rows = read(root / run / "significance.csv")
    return _of_rows(run, rows[(rows["score"] == score) & (rows["reference_role"] != USERS_MEDIAN)])


def _of_differences(root: Path, run: str, score: str, models: str = "") -> P:
    rows = read(root / run / "significance.csv")
    rows = rows[rows["score"] == score]
    return _of_rows(run, rows[rows["model"].isin(models.split(","))] if models else rows)


def _of_claims(root: Path, run: str, score: str, model: str, references: str, kind: str = "") -> P:
    rows = read(root / run / "claims.csv")
    rows = rows[(rows["score"] == score) & (rows["model"] == model)]
    return _of_rows(run, rows[rows["reference"].isin(references.split(","))])


def _of_verdicts(root: Path, runs: str, *pairs: str) -> P:
    found: P = {}
    for run in runs.split(","):
        for model, reference in (pair.split(":") for pair in pairs):
            found |= _of_claims(root, run, "rmse", model, reference)
    return found


def _of_replays(root: Path, runs: str, names: str = "") -> P:
    return {
        replay_comparison(run, row, reference): row["p"]
        for run in runs.split(",")
        for reference, row in _replayed(read(root / run / "continual_summary.csv"))
    }


def _replayed(table: pd.DataFrame) -> Iterator[tuple[str, dict[str, Any]]]:
    """The first learner, and each row that is compared with it."""
    reference = f"{table['model'].iloc[0]}@{table['retrained'].iloc[0]}"
    return ((reference, row) for row in table.dropna(subset="p").to_dict("records"))


COMPARING: dict[str, Callable[..., P]] = {
    "scores": _of_scores,
    "differences": _of_differences,
    "claims": _of_claims,
    "count": _of_claims,
    "verdicts": _of_verdicts,
    "replay": _of_replays,
}
