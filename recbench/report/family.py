"""The comparisons that a document makes, and their p corrected for all of them together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import holm
from recbench.report.terminal import USERS_MEDIAN

MARK = re.compile(r"(<!-- (\w+) ([^>]+?) -->)(\n?)(.*?)(<!-- end -->)", re.DOTALL)


class Comparison(NamedTuple):
    """One recommender against one other, by a score, in a cell of a run."""

    run: str
    score: str
    num_users: int
    reviews_per_user: int
    model: str
    reference: str


def comparison(run: str, row: Mapping[str, Any] | pd.Series) -> Comparison:
    """That of a row of claims.csv or significance.csv."""
    cell = int(row["num_users"]), int(row["reviews_per_user"])
    return Comparison(run, row["score"], *cell, row["model"], row["reference"])


def replay_comparison(run: str, row: Mapping[str, Any] | pd.Series, reference: str) -> Comparison:
    """That of a row of continual_summary.csv: a learner against the first, over all users."""
    return Comparison(run, "rmse", 0, 0, f"{row['model']}@{row['retrained']}", reference)


def corrected(text: str, root: Path) -> dict[Comparison, float]:
    """p of every comparison that the marks of `text` make, after Holm's correction for all of
    them, whatever their run and score; one that is made twice counts once. A mark `family PAGE`
    adds those of another document, so that both say the same.

    Raises:
        InputError: a file that a mark names is not there.
    """
    p: dict[Comparison, float] = {}
    marks = MARK.findall(text)
    for page in [words for _, kind, words, *_ in marks if kind == "family"]:
        marks += MARK.findall((root / page).read_text(encoding="utf-8"))
    for _, kind, words, *_ in marks:
        if kind in COMPARING:
            run = words.split()[0]
            for row in COMPARING[kind](root, *words.split()):
                p[comparison(row.get("run", run), row)] = row["p"]
    return dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))


def read(file: Path) -> pd.DataFrame:
    """The CSV. Raises InputError if it is not there."""
    if not file.exists():
        raise InputError(f"{file}: is not there; run what makes it")
    return pd.read_csv(file)


Rows = Iterator[dict[str, Any]]


def _of_scores(root: Path, run: str, score: str) -> Rows:
    """Every recommender against the reference of its cell."""
    rows = read(root / run / "significance.csv")
    rows = rows[(rows["score"] == score) & (rows["reference_role"] != USERS_MEDIAN)]
    yield from rows.to_dict("records")


def _of_differences(root: Path, run: str, score: str, models: str = "") -> Rows:
    rows = read(root / run / "significance.csv")
    for row in rows[rows["score"] == score].to_dict("records"):
        if not models or row["model"] in models.split(","):
            yield row


def _of_claims(
    root: Path, run: str, score: str, model: str, references: str, kind: str = ""
) -> Rows:
    rows = read(root / run / "claims.csv")
    for row in rows[(rows["score"] == score) & (rows["model"] == model)].to_dict("records"):
        if row["reference"] in references.split(","):
            yield row


def _of_replays(root: Path, runs: str) -> Rows:
    for run in runs.split(","):
        rows = read(root / run / "continual_summary.csv").to_dict("records")
        reference = f"{rows[0]['model']}@{rows[0]['retrained']}"
        for row in rows:
            if pd.notna(row["p"]):
                made = replay_comparison(run, row, reference)
                yield {**made._asdict(), "p": row["p"]}


COMPARING: dict[str, Callable[..., Rows]] = {
    "scores": _of_scores,
    "differences": _of_differences,
    "claims": _of_claims,
    "count": _of_claims,
    "replay": _of_replays,
}
