"""Tables, figures and pictures for the README and the docs, out of the files of runs.

A document marks where a table stands and what it is made of; what is between the marks is written
anew by `python -m recbench.report`:

    <!-- scores results/published/contenders-all rmse -->
    <!-- end -->

- `scores RUN SCORE`: recommenders by cell.
- `differences RUN SCORE [MODELS]`: each against its references, with intervals.
- `claims RUN SCORE MODEL REFERENCE,REFERENCE`: one against some, cell by cell.
- `leaderboard RUN COSTS CELL CELL MODELS`: errors in two cells beside what models.csv says of cost.
- `csv FILE [COLUMNS] [column=value ..]`: the file; some columns, and the rows that have them all;
  the rows that say so.
- `costs FILE PART`: a part of speed.csv, what stands beside each figure, and the ratio.
- `plot RUN MODELS FILE`: the picture of error by ratings per user, which is drawn to FILE.
- `terminal RUN FILE COMMAND`: what stands in the terminal after a run, which is drawn to FILE.

Within a line:

- `count RUN SCORE MODEL REFERENCE KIND`: in how many of the cells of claims.csv it is so; KIND is
  better or worse, significantly_ or two_way_ before it (the two-way interval is beyond zero).
- `percent RUN MODEL REFERENCE`: the smallest and the largest difference in RMSE of claims.csv.
- `value FILE COLUMN DECIMALS column=value ..`: one number; a space in a value is written as _.
- `replay`, `replay_costs`, `curve`, `curves`, `waiting`: of runs of continual.py, see
  `recbench.report.continual_markdown`.
- `family PAGE`: nothing is written; p is corrected for the comparisons of that page as well.

Significant means: p < .05 after Holm's correction for all comparisons that the document makes by
its marks, of all runs and scores together (`recbench.report.family`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recbench.errors import InputError
from recbench.keys import CELL
from recbench.report.continual_markdown import CONTINUAL_KINDS, continual_picture
from recbench.report.family import MARK, comparison, corrected, read
from recbench.report.page import Page, markdown_table
from recbench.report.plots import error_by_ratings
from recbench.report.style import save
from recbench.report.terminal import (
    ALPHA,
    MORE_IS_BETTER,
    cell_name,
    cell_of,
    cells_of,
    mark_of,
    name_in_table,
    picture_of_run,
    reference_of,
)


def with_tables(text: str, root: Path) -> str:
    """`text` with every marked table written anew.

    Args:
        root: what the paths in the marks are relative to.

    Raises:
        InputError: a file that a mark names is not there.
    """

    def table(found: re.Match[str]) -> str:
        opening, kind, words, line_end, _, closing = found.groups()
        if kind not in KINDS:
            raise InputError(f"<!-- {kind} -->: there is no such mark, only {', '.join(KINDS)}")
        made = KINDS[kind](page, *words.split())
        return f"{opening}{line_end}{made}{line_end}{closing}"

    page = Page(root, corrected(text, root))
    return MARK.sub(table, text)


def pictures(text: str, root: Path) -> list[Path]:
    """Draw every marked picture of `text`; the files written."""
    files = []
    for _, kind, words, *_ in MARK.findall(text):
        if kind == "plot":
            run, models, file = words.split()
            rows = read(root / run / "comparison.csv")
            done = rows[rows["status"] == "ok"]
            figure = error_by_ratings(done, models.split(","))
            files += save(figure, (root / file).with_suffix(""))
        if kind == "terminal":
            run, file, *command = words.split()
            picture = picture_of_run(root / run, " ".join(command))
            (root / file).write_text(picture, encoding="utf-8")
            files.append(root / file)
        if kind in CONTINUAL_KINDS:
            drawn, file = continual_picture(root, kind, *words.split())
            files += save(drawn, (root / file).with_suffix("")) if drawn else []
    return files


def scores(page: Page, run: str, score: str) -> str:
    """Recommenders by cell: mean ± standard deviation over iterations, the best in bold."""
    done = page.read(run, "comparison.csv")
    differences = page.read(run, "significance.csv")
    of_page = [page.p.get(comparison(run, row), 1.0) for row in differences.to_dict("records")]
    differences = differences.assign(p_holm=of_page)
    by_cell = done.groupby(["model", *CELL], sort=False)[score]
    mean, spread = by_cell.mean(), by_cell.std()
    cells = cells_of(done)
    rows = []
    for model in done["model"].unique():
        row = [f"`{name_in_table(done, model)}`"]
        for cell in cells:
            of_cell = mean.xs(cell, level=(1, 2))
            best = of_cell.max() if score in MORE_IS_BETTER else of_cell.min()
            text = figure(mean[model, *cell], spread[model, *cell])
            if round(mean[model, *cell], 4) == round(best, 4):
                text = f"**{text}**"
            row.append(f"{text} {mark_of(differences, model, cell, score)}".rstrip())
        rows.append(row)
    rows.append(["reference", *(f"`{reference_of(differences, cell)}`" for cell in cells)])
    heads = [cell_name(cell) for cell in cells]
    return markdown_table(["recommender", *heads], rows)


def differences(page: Page, run: str, score: str, models: str = "") -> str:
    """Each recommender (or only `models`) against its references: difference, interval,
    corrected p, share of users."""
    table = page.read(run, "significance.csv")
    table = table[table["score"] == score]
    if models:
        table = table[table["model"].isin(models.split(","))]
    rows = [
        [
            cell_name((row.num_users, row.reviews_per_user)),
            f"`{row.model}`",
            f"`{row.reference}`",
            f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            f"{page.p[comparison(run, row._asdict())]:.4f}",
            "{:.0f} % [{:.0f}, {:.0f}]".format(
                *(100 * share for share in (row.better_share, row.better_low, row.better_high))
            ),
            str(row.users),
        ]
        for row in table.itertuples()
    ]
    heads = ["cell", "recommender", "reference", f"{score}: difference [95 %]", "p (Holm)"]
    return markdown_table([*heads, "users better served", "users"], rows)


def csv(page: Page, file: str, columns: str = "", *filters: str) -> str:
    """The file, numbers to three places; of `columns`, if given, and the rows that have them."""
    table = page.read(file)
    table = _filtered(table, filters)
    if columns:
        table = table[columns.split(",")].dropna()
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    heads = [str(one).replace("_", " ").replace("reviews", "ratings") for one in table.columns]
    return markdown_table(heads, rows)


def claims(page: Page, run: str, score: str, model: str, references: str) -> str:
    """`model` against each of `references` in each cell: difference and 95 % interval, bold where
    it is significant, and in RMSE the difference in percent."""
    table = page.read(run, "claims.csv")
    table = table[(table["score"] == score) & (table["model"] == model)]
    cells = cells_of(table)
    rows = []
    for reference in references.split(","):
        row = [f"`{reference}`"]
        for cell in cells:
            here = (table["reference"] == reference) & (table[CELL] == list(cell)).all(axis=1)
            found = table[here]
            row.append(_claim(page, run, found.iloc[0]) if len(found) else "")
        rows.append(row)
    heads = [cell_name(cell) for cell in cells]
    return markdown_table([f"`{model}` against", *heads], rows)


def leaderboard(
    page: Page, run: str, costs: str, first_cell: str, second_cell: str, models: str
) -> str:
    """Recommenders by their error in the second cell: whose ratings they learn from, the error in
    both, and what one more rating costs."""
    done = page.read(run, "comparison.csv")
    cost = page.read(costs, "models.csv").set_index("model")
    mean = done.groupby(["model", *CELL])["rmse"].mean()
    cells = [cell_of(text) for text in (first_cell, second_cell)]
    names = sorted(models.split(","), key=lambda model: mean[model, *cells[1]])
    best = [min(mean[model, *cell] for model in names) for cell in cells]
    rows = []
    for model in names:
        errors = [
            f"**{mean[model, *cell]:.3f}**"
            if round(mean[model, *cell], 3) == round(least, 3)
            else f"{mean[model, *cell]:.3f}"
            for cell, least in zip(cells, best, strict=True)
        ]
        of_model = cost.loc[model]
        size, seconds = of_model["bytes_per_user"], of_model["one_more_rating_seconds"]
        text = f"{_bytes(size)}; {_seconds(seconds)}, {of_model['one_more_rating']}"
        rows.append([f"`{name_in_table(done, model)}`", of_model["learns_from"], *errors, text])
    heads = [f"RMSE, {cell_name(cell)}" for cell in cells]
    return markdown_table(
        [
            "recommender",
            "learns from",
            *heads,
            "memory per user; time to learn a rating and predict",
        ],
        rows,
    )


def costs(page: Page, file: str, part: str) -> str:
    """What something costs, what an alternative costs in the same run, and the ratio."""
    table = page.read(file)
    rows = []
    for row in table[table["part"] == part].to_dict("records"):
        other = "" if pd.isna(row["against"]) else f"{row['against']}: {row['against_value']:.3g}"
        ratio = "" if pd.isna(row["ratio"]) else f"{row['ratio']:.3g} ×"
        unit = "" if pd.isna(row["unit"]) else row["unit"]
        rows.append([row["what"], f"{row['value']:.3g} {unit}".rstrip(), other, ratio])
    return markdown_table(["what", "figure", "beside", "ratio"], rows)


def plot(page: Page, run: str, models: str, file: str) -> str:
    """The line that shows the picture; `pictures` draws it."""
    return f"![RMSE against ratings per user]({file})"


def terminal(page: Page, run: str, file: str, *command: str) -> str:
    """The line that shows the picture; `pictures` draws it."""
    return f"![RMSE of each recommender and cell, in a terminal]({file})"


def count(page: Page, run: str, score: str, model: str, reference: str, kind: str) -> str:
    """ "4 of 5"."""
    rows = page.read(run, "claims.csv")
    rows = rows[
        (rows["score"] == score) & (rows["model"] == model) & (rows["reference"] == reference)
    ]
    sign = 1 if (score in MORE_IS_BETTER) == kind.endswith("better") else -1
    there = sign * rows["difference"] > 0
    if kind.startswith("significantly"):
        p = np.array([page.p[comparison(run, row)] for row in rows.to_dict("records")])
        there &= p < ALPHA
    if kind.startswith("two_way"):
        there &= rows["two_way_low"] * rows["two_way_high"] > 0
    return f"{there.sum()} of {len(rows)}"


def percent(page: Page, run: str, model: str, reference: str) -> str:
    """ "-1.2 to -0.2 %"; "-0.6 %" of a single cell."""
    rows = page.read(run, "claims.csv")
    here = (rows["score"] == "rmse") & (rows["model"] == model) & (rows["reference"] == reference)
    least, most = rows[here]["percent"].min(), rows[here]["percent"].max()
    ends = dict.fromkeys(f"{end:+.1f}" for end in (least, most))
    return f"{' to '.join(ends)} %".replace("-", "−")


def value(page: Page, file: str, column: str, decimals: str, *filters: str) -> str:
    """One number of a CSV, or the mean of those that the filters leave."""
    table = _filtered(page.read(file), filters)
    if table.empty:
        raise InputError(f"{file} has no row with {' '.join(filters)}")
    return f"{table[column].mean():,.{decimals}f}"


def _bytes(size: float) -> str:
    return f"{size:,.0f} B" if size < 10_000 else f"{size / 1000:,.0f} kB"


def _seconds(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        amount = seconds * factor
        if amount >= 1:
            return f"{amount:.0f} {unit}" if amount >= 9.95 else f"{amount:.1f} {unit}"
    return f"{seconds * 1e6:.1g} µs"


def _claim(page: Page, run: str, row: pd.Series) -> str:
    text = f"{row['difference']:+.3f}"
    if page.p[comparison(run, row)] < ALPHA:
        text = f"**{text}**"
    text += f" [{row['low']:+.3f}, {row['high']:+.3f}]"
    return text if pd.isna(row["percent"]) else f"{text} {row['percent']:+.1f} %"


def figure(value: float, spread: float) -> str:
    """ "0.812 ±0.004"; "failed" without a value."""
    text = "failed" if pd.isna(value) else f"{value:.3f}"
    return text if pd.isna(spread) else f"{text} ±{spread:.3f}"


def family(page: Page, other: str) -> str:
    """Nothing to be seen."""
    return ""


KINDS: dict[str, Callable[..., str]] = {
    "scores": scores,
    "differences": differences,
    "claims": claims,
    "leaderboard": leaderboard,
    "csv": csv,
    "costs": costs,
    "plot": plot,
    "terminal": terminal,
    "count": count,
    "percent": percent,
    "value": value,
    "family": family,
    **CONTINUAL_KINDS,
}


def _filtered(table: pd.DataFrame, filters: tuple[str, ...]) -> pd.DataFrame:
    for column, wanted in (one.split("=") for one in filters):
        there = table[column].astype(str).str.replace(" ", "_")
        table = table[there == wanted.replace(" ", "_")]
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        if (value.is_integer() and abs(value) > 1) or abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:.2g}" if 0 < abs(value) < 0.0005 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
