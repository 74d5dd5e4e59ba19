"""Tables, numbers and pictures of the README, docs and pages of runs, out of the files of runs.

A document marks where a table stands and what it is made of; `python -m recbench.report` writes
what is between the marks:

    <!-- scores results/published/contenders-all rmse -->
    <!-- end -->

- `scores RUN SCORE`: recommenders by cell.
- `differences RUN SCORE [MODELS]`: each against its references, with intervals.
- `claims RUN SCORE MODEL REFERENCE,REFERENCE`: one against some, cell by cell.
- `verdicts RUN,RUN MODEL:REFERENCE ..`: in how many cells of each run the model is better.
- `leaderboard RUN COSTS CELL CELL MODELS`: errors in two cells beside the costs in models.csv.
- `csv FILE [COLUMNS] [column=value ..]`: the file; some columns, and the rows that have them all;
  the rows with these values.
- `costs FILE PART`: a part of speed.csv, with its comparison and the ratio.
- `plot RUN MODELS FILE`: the picture of error by ratings per user, which is drawn to FILE.
- `terminal RUN FILE COMMAND`: the terminal after a run, which is drawn to FILE.
- `replay`, `replay_costs`, `curve`, `curves`, `waiting`: of runs of continual.py, see
  `recbench.report.continual_markdown`.

Within a line:

- `count RUN SCORE MODEL REFERENCE KIND`: in how many of the cells of claims.csv it is so; KIND is
  better or worse, significantly_ or two_way_ before it (the two-way interval is beyond zero).
- `percent RUN MODEL REFERENCE`: the smallest and the largest difference in RMSE of claims.csv.
- `value FILE COLUMN DECIMALS column=value ..`: one number; a space in a value is written as _.
- `family PATTERN ..`: nothing is written; p is corrected for the comparisons of these files, and
  of their families, as well.

Significant means: p < .05 after Holm's correction for all comparisons that the documents of a
family make by their marks, of all runs and scores together (`recbench.report.family`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from recbench.errors import InputError
from recbench.files import CELL
from recbench.report import continual_markdown as continual
from recbench.report.continual_markdown import markdown_table
from recbench.report.family import (
    MARK,
    Comparison,
    Mark,
    Page,
    corrected,
    marks_of,
    read,
    selected,
    with_reference,
)
from recbench.report.figure import minus
from recbench.report.plots import error_by_ratings
from recbench.report.style import save
from recbench.report.terminal import (
    ALPHA,
    MORE_IS_BETTER,
    cell_name,
    cell_of,
    cells_of,
    means_of_cells,
    name_in_table,
    picture_of_run,
    references,
)

Corrected = Callable[[frozenset[Mark], Path], dict[Comparison, float]]


def with_tables(text: str, root: Path, corrected: Corrected = corrected) -> str:
    """`text` with every marked table written anew.

    Args:
        root: the paths in the marks are relative to it.
        corrected: that of `recbench.report.family`, or `shared` of it for many documents.

    Raises:
        InputError: a file that a mark names is not there.
    """

    def table(found: re.Match[str]) -> str:
        opening, kind, words, line_end, _, closing = found.groups()
        if kind not in KINDS:
            raise InputError(f"<!-- {kind} -->: there is no such mark, only {', '.join(KINDS)}")
        made = KINDS[kind](page, *words.split())
        return f"{opening}{line_end}{made}{line_end}{closing}"

    page = Page(root, corrected(marks_of(text, root), root))
    return MARK.sub(table, text)


def shared() -> Corrected:
    """`corrected` that counts the comparisons of a family once for all of its documents."""
    return lru_cache(corrected)


def pictures(text: str, root: Path) -> list[Path]:
    """Draw every marked picture of `text`; the files written."""
    files = []
    for _, kind, words, *_ in MARK.findall(text):
        run, *more = words.split()
        if kind == "terminal":
            file, *command = more
            picture = picture_of_run(root / run, " ".join(command))
            (root / file).write_text(picture, encoding="utf-8")
            files.append(root / file)
        elif kind in FIGURES:
            *names, file = more
            files += save(FIGURES[kind](root, run, *names), (root / file).with_suffix(""))
    return files


def draw_plot(root: Path, run: str, models: str) -> Figure:
    rows = read(root / run / "comparison.csv")
    return error_by_ratings(rows[rows["status"] == "ok"], models.split(","))


def scores(page: Page, run: str, score: str) -> str:
    """Recommenders by cell: mean ± standard deviation over iterations, the best in bold."""
    done = page.read(run, "comparison.csv")
    table = page.with_p(run, with_reference(page.root, run, score))
    rows = []
    for model, cells in means_of_cells(done, table, score):
        row = [f"`{name_in_table(done, model)}`"]
        for one in cells:
            text = one.text + ("" if pd.isna(one.spread) else f" ±{one.spread:.3f}")
            row.append(f"{f'**{text}**' if one.best else text} {one.mark}".rstrip())
        rows.append(row)
    named, every = references(table), cells_of(done)
    rows.append(["reference", *(f"`{named.get(cell, '')}`" for cell in every)])
    return markdown_table(["recommender", *map(cell_name, every)], rows)


def differences(page: Page, run: str, score: str, models: str = "") -> str:
    """Each recommender (or only `models`) against its references: difference, interval,
    corrected p, share of users."""
    table = page.with_p(run, selected(page.root, run, "significance.csv", score, models))
    rows = [
        [
            cell_name((row.num_users, row.reviews_per_user)),
            f"`{row.model}`",
            f"`{row.reference}`",
            f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            f"{row.p_holm:.4f}",
            f"{100 * row.better_share:.0f} % "
            f"[{100 * row.better_low:.0f}, {100 * row.better_high:.0f}]",
            str(row.users),
        ]
        for row in table.itertuples()
    ]
    heads = ["cell", "recommender", "reference", f"{score}: difference [95 %]", "p (Holm)"]
    return markdown_table([*heads, "users better served", "users"], rows)


def csv(page: Page, file: str, columns: str = "", *filters: str) -> str:
    """The file, numbers to three places; of `columns`, if given, and the rows that have them."""
    table = _filtered(page.read(file), filters)
    table = table.rename(columns=lambda name: name.replace(" ", "_"))
    if columns:
        table = table[columns.split(",")].dropna()
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    heads = [str(one).replace("_", " ").replace("reviews", "ratings") for one in table.columns]
    return markdown_table(heads, rows)


def claims(page: Page, run: str, score: str, model: str, names: str) -> str:
    """`model` against each of the references `names` in each cell: difference and 95 % interval,
    bold where it is significant, and in RMSE the difference in percent."""
    cells = cells_of(selected(page.root, run, "claims.csv", score, model))
    table = page.with_p(run, selected(page.root, run, "claims.csv", score, model, names))
    texts = {}
    for row in table.itertuples():
        text = f"{row.difference:+.3f}"
        text = f"**{text}**" if row.p_holm < ALPHA else text
        text += f" [{row.low:+.3f}, {row.high:+.3f}]"
        text += "" if pd.isna(row.percent) else f" {row.percent:+.1f} %"
        texts[row.reference, row.num_users, row.reviews_per_user] = text
    rows = [
        [f"`{name}`", *(texts.get((name, *cell), "") for cell in cells)]
        for name in names.split(",")
    ]
    return markdown_table([f"`{model}` against", *map(cell_name, cells)], rows)


VERDICTS = ("better", "significantly_better", "two_way_better", "significantly_worse")


def verdicts(page: Page, runs: str, *pairs: str) -> str:
    """One row for each MODEL:REFERENCE, one column for each run: in how many cells the model is
    better, and the smallest and the largest difference."""
    rows = []
    for model, reference in (pair.split(":") for pair in pairs):
        row = [f"`{model}` against `{reference}`"]
        for run in runs.split(","):
            better, surely, two_way, worse = (
                count(page, run, "rmse", model, reference, kind).split(" ", 1) for kind in VERDICTS
            )
            row.append(
                f"better in {' '.join(better)} (significantly {surely[0]}, two-way {two_way[0]}), "
                f"significantly worse in {worse[0]}; "
                f"{percent(page, run, model, reference)}"
            )
        rows.append(row)
    names = [str(page.read(run, "comparison.csv")["dataset"].iloc[0]) for run in runs.split(",")]
    return markdown_table(["RMSE", *names], rows)


def leaderboard(
    page: Page, run: str, costs: str, first_cell: str, second_cell: str, models: str
) -> str:
    """Recommenders by their error in the second cell: the ratings they learn from, the error in
    both, and the cost of one more rating."""
    done = page.read(run, "comparison.csv")
    cost = page.read(costs, "models.csv").set_index("model")
    cells = [cell_of(text) for text in (first_cell, second_cell)]
    means = done.groupby(["model", *CELL])["rmse"].mean().unstack(CELL)
    means = means.loc[models.split(","), cells].sort_values(cells[1]).round(3)
    best = means.min()
    rows = []
    for model, errors in means.iterrows():
        texts = [f"**{e:.3f}**" if e == best[cell] else f"{e:.3f}" for cell, e in errors.items()]
        of_model = cost.loc[model]
        size, seconds = of_model["bytes_per_user"], of_model["one_more_rating_seconds"]
        text = f"{_bytes(size)}; {_seconds(seconds)}, {of_model['one_more_rating']}"
        rows.append([f"`{name_in_table(done, model)}`", of_model["learns_from"], *texts, text])
    heads = ["recommender", "learns from", *(f"RMSE, {cell_name(cell)}" for cell in cells)]
    return markdown_table([*heads, "memory per user; time to learn a rating and predict"], rows)


def costs(page: Page, file: str, part: str) -> str:
    """The cost of something, the cost of an alternative in the same run, and the ratio."""
    table = page.read(file)
    rows = []
    for row in table[table["part"] == part].to_dict("records"):
        other = "" if pd.isna(row["against"]) else f"{row['against']}: {row['against_value']:.3g}"
        ratio = "" if pd.isna(row["ratio"]) else f"{row['ratio']:.3g} ×"
        unit = "" if pd.isna(row["unit"]) else row["unit"]
        rows.append([row["what"], f"{row['value']:.3g} {unit}".rstrip(), other, ratio])
    return markdown_table(["what", "figure", "beside", "ratio"], rows)


def count(page: Page, run: str, score: str, model: str, reference: str, kind: str) -> str:
    """ "4 of 5"."""
    rows = page.with_p(run, selected(page.root, run, "claims.csv", score, model, reference))
    sign = 1 if (score in MORE_IS_BETTER) == kind.endswith("better") else -1
    there = sign * rows["difference"] > 0
    if kind.startswith("significantly"):
        there &= rows["p_holm"] < ALPHA
    if kind.startswith("two_way"):
        there &= rows["two_way_low"] * rows["two_way_high"] > 0
    return f"{there.sum()} of {len(rows)}"


def percent(page: Page, run: str, model: str, reference: str) -> str:
    """ "-1.2 to -0.2 %"; "-0.6 %" of a single cell."""
    found = selected(page.root, run, "claims.csv", "rmse", model, reference)["percent"]
    ends = dict.fromkeys(f"{end:+.1f}" for end in (found.min(), found.max()))
    return minus(f"{' to '.join(ends)} %")


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


def _filtered(table: pd.DataFrame, filters: tuple[str, ...]) -> pd.DataFrame:
    for column, value in (one.split("=") for one in filters):
        there = table[column].astype(str).str.replace(" ", "_")
        table = table[there == value]
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        if (value.is_integer() and abs(value) > 1) or abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:.2g}" if 0 < abs(value) < 0.0005 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


TERMINAL = "![RMSE of each recommender and cell, in a terminal]"
CURVES = "![RMSE by how many ratings the user has given before]"
WAITING = "![RMSE beside the reference by the age of the last fit]"
FIGURES: dict[str, Callable[..., Figure]] = {
    "plot": draw_plot,
    "curves": continual.draw_curves,
    "waiting": continual.draw_waiting,
}
KINDS: dict[str, Callable[..., str]] = {
    "scores": scores,
    "differences": differences,
    "claims": claims,
    "verdicts": verdicts,
    "leaderboard": leaderboard,
    "csv": csv,
    "costs": costs,
    "replay": continual.replay,
    "replay_costs": continual.replay_costs,
    "curve": continual.curve,
    "count": count,
    "percent": percent,
    "value": value,
    "family": lambda page, *files: "",
    "plot": lambda page, *words: f"![RMSE against ratings per user]({words[-1]})",
    "terminal": lambda page, run, file, *command: f"{TERMINAL}({file})",
    "curves": lambda page, *words: f"{CURVES}({Path(words[-1]).name})",
    "waiting": lambda page, *words: f"{WAITING}({Path(words[-1]).name})",
}
