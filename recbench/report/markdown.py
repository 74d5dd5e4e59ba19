"""Tables for the README and the docs, out of the files of runs.

A document marks where a table stands and what it is made of; the table between the marks is
written anew by `python -m recbench.report`:

    <!-- scores results/published/contenders-all rmse -->
    <!-- end -->

`scores RUN SCORE`: recommenders by cell. `differences RUN SCORE`: each against its references,
with intervals. `claims RUN SCORE MODEL REFERENCE,REFERENCE`: one against
some, cell by cell. `csv FILE`: the
file as it is; `csv FILE column,column`: these columns, and the rows that have them all; with
`column=value` only the rows that say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from recbench.errors import InputError
from recbench.keys import CELL
from recbench.report.terminal import (
    ALPHA,
    MORE_IS_BETTER,
    cell_name,
    cells_of,
    mark_of,
    name_in_table,
)

MARK = re.compile(
    r"(<!-- (scores|differences|claims|csv) ([^>]+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL
)


def with_tables(text: str, root: Path) -> str:
    """`text` with every marked table written anew.

    Args:
        root: what the paths in the marks are relative to.

    Raises:
        InputError: a file that a mark names is not there.
    """

    def table(found: re.Match[str]) -> str:
        opening, kind, words, _, closing = found.groups()
        return f"{opening}{KINDS[kind](root, *words.split())}\n{closing}"

    return MARK.sub(table, text)


def scores(root: Path, run: str, score: str) -> str:
    """Recommenders by cell: mean ± standard deviation over iterations, the best in bold."""
    comparison = _read(root / run / "comparison.csv")
    differences = _read(root / run / "significance.csv")
    by_cell = comparison.groupby(["model", *CELL], sort=False)[score]
    mean, spread = by_cell.mean(), by_cell.std()
    cells = cells_of(comparison)
    rows = []
    for model in comparison["model"].unique():
        row = [f"`{name_in_table(comparison, model)}`"]
        for cell in cells:
            of_cell = mean.xs(cell, level=(1, 2))
            best = of_cell.max() if score in MORE_IS_BETTER else of_cell.min()
            text = figure(mean[model, *cell], spread[model, *cell])
            if round(mean[model, *cell], 4) == round(best, 4):
                text = f"**{text}**"
            row.append(f"{text} {mark_of(differences, model, cell, score)}".rstrip())
        rows.append(row)
    heads = [cell_name(cell) for cell in cells]
    return _table(["recommender", *heads], rows)


def differences(root: Path, run: str, score: str, models: str = "") -> str:
    """Each recommender (or only `models`) against its references: difference, interval,
    corrected p, share of users."""
    table = _read(root / run / "significance.csv")
    table = table[table["score"] == score]
    if models:
        table = table[table["model"].isin(models.split(","))]
    rows = [
        [
            cell_name((row.num_users, row.reviews_per_user)),
            f"`{row.model}`",
            f"`{row.reference}`",
            f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            f"{row.p_holm:.4f}",
            f"{100 * row.better_share:.0f} %",
            str(row.users),
        ]
        for row in table.itertuples()
    ]
    heads = ["cell", "recommender", "reference", f"{score}: difference [95 %]", "p (Holm)"]
    return _table([*heads, "users better served", "users"], rows)


def csv(root: Path, file: str, columns: str = "", *filters: str) -> str:
    """The file, numbers to three places; of `columns`, if given, and the rows that have them."""
    table = _read(root / file)
    for column, value in (one.split("=") for one in filters):
        table = table[table[column].astype(str) == value]
    if columns:
        table = table[columns.split(",")].dropna()
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return _table([str(column).replace("_", " ") for column in table.columns], rows)


def claims(root: Path, run: str, score: str, model: str, references: str) -> str:
    """`model` against each of `references` in each cell: difference and 95 % interval, bold where
    it is significant after Holm, and in RMSE the difference in percent."""
    table = _read(root / run / "claims.csv")
    table = table[(table["score"] == score) & (table["model"] == model)]
    cells = cells_of(table)
    rows = []
    for reference in references.split(","):
        row = [f"`{reference}`"]
        for cell in cells:
            here = (table["reference"] == reference) & (table[CELL] == list(cell)).all(axis=1)
            found = table[here]
            row.append(_claim(found.iloc[0]) if len(found) else "")
        rows.append(row)
    heads = [cell_name(cell) for cell in cells]
    return _table([f"`{model}` against", *heads], rows)


def _claim(row: pd.Series) -> str:
    text = f"{row['difference']:+.3f}"
    if row["p_holm"] < ALPHA:
        text = f"**{text}**"
    text += f" [{row['low']:+.3f}, {row['high']:+.3f}]"
    return text if pd.isna(row["percent"]) else f"{text} {row['percent']:+.1f} %"


def figure(value: float, spread: float) -> str:
    """ "0.812 ±0.004"; "failed" without a value."""
    text = "failed" if pd.isna(value) else f"{value:.3f}"
    return text if pd.isna(spread) else f"{text} ±{spread:.3f}"


KINDS: dict[str, Callable[..., str]] = {
    "scores": scores,
    "differences": differences,
    "claims": claims,
    "csv": csv,
}


def _cell(value: object) -> str:
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        return f"{value:,.0f}" if value.is_integer() and abs(value) > 1 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _read(file: Path) -> pd.DataFrame:
    if not file.exists():
        raise InputError(f"{file}: is not there; run what makes it")
    return pd.read_csv(file)
