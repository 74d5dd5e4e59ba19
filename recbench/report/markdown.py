"""Tables, numbers and pictures of the README, docs and pages of runs, out of the files of runs.

A document marks where a table stands and what it is made of; `python -m recbench.report` writes
what is between the marks:

    <!-- scores results/published/contenders-all rmse -->
    <!-- end -->

The kind of a mark is a function below; its words are what the function takes: names joined with
commas, cells as 250x25 (0 is all), learners of continual.py as recommender@when it is refitted.
In `column=value` a space of the value is written as _. Further marks:

- `plot RUN MODELS FILE`, `curves RUN LEARNERS FILE`, `waiting RUN FILE`: pictures of error by
  ratings per user, by earlier ratings, by the age of the last fit, which are drawn to FILE.
- `terminal RUN FILE COMMAND`: the terminal after a run, which is drawn to FILE.
- `family PATTERN ..`: nothing is written; p is corrected for the comparisons of these files, and
  of their families, as well.

Significant means: p < .05 after Holm's correction for all comparisons that the documents of a
family make by their marks, of all runs and scores together (`recbench.report.family`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from recbench.errors import InputError
from recbench.files import CELL
from recbench.report.family import MARK, Mark, P, Page, corrected, marks_of
from recbench.report.figure import minus
from recbench.report.html.replay_sections import curves_figure, waiting_figure
from recbench.report.html.run_files import named
from recbench.report.plots import draw, error_by_ratings
from recbench.report.style import run_looks, save
from recbench.report.terminal import (
    ALPHA,
    MORE_IS_BETTER,
    USERS_MEDIAN,
    cell_name,
    cell_of,
    cells_of,
    means_of_cells,
    name_in_table,
    picture_of_run,
    references,
)

TERMINAL = "![RMSE of each recommender and cell, in a terminal]"
RENAMED = {  # words in the files of earlier runs
    "a film table": "an item table",
    "film table": "item table",
    "film_table": "item_table",
    "film": "movie",
    "fitted anew": "refitted",
}


def with_tables(text: str, root: Path, known: dict[frozenset[Mark], P] | None = None) -> str:
    """`text` with every marked table written anew.

    Args:
        root: the paths in the marks are relative to it.
        known: the corrected p of families, to be shared by many documents.

    Raises:
        InputError: a file that a mark names is not there, or there is no such mark.
    """
    known = {} if known is None else known
    marks = marks_of(text, root)
    if marks not in known:
        known[marks] = corrected(marks, root, _made)
    page = Page(root, known[marks])

    def table(found: re.Match[str]) -> str:
        opening, kind, words, line_end, _, closing = found.groups()
        made = _made(page, (kind, *words.split()))
        return f"{opening}{line_end}{made}{line_end}{closing}"

    return MARK.sub(table, text)


def _made(page: Page, mark: Mark) -> str:
    kind, *words = mark
    if kind in PICTURES:
        return PICTURES[kind][0].format(words[-1], Path(words[-1]).name)
    if kind not in KINDS:
        raise InputError(f"<!-- {kind} -->: there is no such mark, only {', '.join(KINDS)}")
    return KINDS[kind](page, *words)


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
        elif kind in PICTURES:
            *names, file = more
            drawn = PICTURES[kind][1](Page(root, {}), run, *names)
            files += save(drawn, (root / file).with_suffix(""))
    return files


def draw_plot(page: Page, run: str, models: str) -> Figure:
    rows = page.read(run, "comparison.csv")
    return error_by_ratings(rows[rows["status"] == "ok"], models.split(","))


def draw_replay(page: Page, run: str, names: str = "", *, file: str, figure: Callable) -> Figure:
    rows = named(page.read(run, file))
    return draw(figure(rows), run_looks(page.replayed(run)), names.split(",") if names else None)


# --- tables --------------------------------------------------------------------------------------


def markdown_table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Heads and rows of text as a table in Markdown."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (heads, *rows)]
    table = "\n".join([lines[0], "|" + "---|" * (lines[0].count(" | ") + 1), *lines[1:]])
    for before, now in RENAMED.items():
        table = table.replace(before, now)
    return table


def crossed(
    corner: str,
    columns: dict[Any, str],
    texts: dict[tuple[str, Any], str],
    names: Iterable[str] = (),
) -> str:
    """A line for each name (all, if none is given), with the texts by name and column."""
    lines = names or dict.fromkeys(name for name, _ in texts)
    rows = ([f"`{name}`", *(texts.get((name, one), "") for one in columns)] for name in lines)
    return markdown_table([corner, *columns.values()], rows)


def bold(text: str, is_bold: bool) -> str:
    return f"**{text}**" if is_bold else text


def ends(row: dict, form: str) -> str:
    return f"[{row['low']:{form}}, {row['high']:{form}}]"


def scores(page: Page, run: str, score: str) -> str:
    """Recommenders by cell: mean ± standard deviation over iterations, the best in bold."""
    done = page.read(run, "comparison.csv")
    rows = page.selected(run, "significance.csv", score)
    table = page.compared(run, rows[rows["reference_role"] != USERS_MEDIAN])
    lines = []
    for model, cells in means_of_cells(done, table, score):
        texts = (one.text + ("" if pd.isna(one.spread) else f" ±{one.spread:.3f}") for one in cells)
        marked = (f"{bold(t, c.best)} {c.mark}".rstrip() for t, c in zip(texts, cells, strict=True))
        lines.append([f"`{name_in_table(done, model)}`", *marked])
    named, every = references(table), cells_of(done)
    lines.append(["reference", *(f"`{named.get(cell, '')}`" for cell in every)])
    return markdown_table(["recommender", *map(cell_name, every)], lines)


def differences(page: Page, run: str, score: str, models: str = "") -> str:
    """Each recommender (or only `models`) against its references: difference, interval,
    corrected p, share of users."""
    rows = []
    table = page.compared(run, page.selected(run, "significance.csv", score, models))
    for row in table.to_dict("records"):
        share, low, high = (f"{100 * row[f'better_{end}']:.0f}" for end in ("share", "low", "high"))
        cell = cell_name((row["num_users"], row["reviews_per_user"]))
        difference = f"{row['difference']:+.3f} {ends(row, '+.3f')}"
        names = (cell, f"`{row['model']}`", f"`{row['reference']}`")
        better = f"{share} % [{low}, {high}]"
        rows.append([*names, difference, f"{row['p_holm']:.4f}", better, row["users"]])
    heads = ["cell", "recommender", "reference", f"{score}: difference [95 %]", "p (Holm)"]
    return markdown_table([*heads, "users better served", "users"], rows)


def csv(page: Page, file: str, columns: str = "", *filters: str) -> str:
    """The file, numbers to three places; of `columns`, if given, and the rows that have them."""
    table = page.rows(file, *filters)
    table = table.rename(columns=lambda name: name.replace(" ", "_"))
    if columns:
        table = table[columns.split(",")].dropna()
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    heads = [str(one).replace("_", " ").replace("reviews", "ratings") for one in table.columns]
    return markdown_table(heads, rows)


def crosstab(page: Page, file: str, lines: str, column: str, value: str) -> str:
    """The numbers of `value` of the file, by the columns `lines` and by `column`."""
    names = lines.split(",")
    table = page.read(file).pivot_table(value, names, column, "first", sort=False).reset_index()
    rows = [[_cell(one) for one in row] for row in table.itertuples(index=False)]
    heads = [name.replace("_", " ").replace("reviews", "ratings") for name in table.columns]
    return markdown_table(heads, rows)


def claims(page: Page, run: str, score: str, model: str, names: str) -> str:
    """`model` against each of the references `names` in each cell: difference and 95 % interval,
    bold where it is significant, and in RMSE the difference in percent."""
    cells = cells_of(page.selected(run, "claims.csv", score, model))
    table = page.compared(run, page.selected(run, "claims.csv", score, model, names))
    texts = {}
    for row in table.to_dict("records"):
        text = bold(f"{row['difference']:+.3f}", row["p_holm"] < ALPHA) + f" {ends(row, '+.3f')}"
        text += "" if pd.isna(row["percent"]) else f" {row['percent']:+.1f} %"
        texts[row["reference"], (row["num_users"], row["reviews_per_user"])] = text
    columns = {cell: cell_name(cell) for cell in cells}
    return crossed(f"`{model}` against", columns, texts, names.split(","))


def verdicts(page: Page, runs: str, *pairs: str) -> str:
    """One row for each MODEL:REFERENCE, one column for each run: in how many cells the model is
    better, and the smallest and the largest difference."""
    kinds = ("better", "significantly_better", "two_way_better", "significantly_worse")
    rows = []
    for model, reference in (pair.split(":") for pair in pairs):
        row = [f"`{model}` against `{reference}`"]
        for run in runs.split(","):
            counts = [count(page, run, "rmse", model, reference, kind) for kind in kinds]
            surely, two_way, worse = (text.split(" ")[0] for text in counts[1:])
            row.append(
                f"better in {counts[0]} (significantly {surely}, two-way {two_way}), significantly "
                f"worse in {worse}; {percent(page, run, model, reference)}"
            )
        rows.append(row)
    names = [str(page.read(run, "comparison.csv")["dataset"].iloc[0]) for run in runs.split(",")]
    return markdown_table(["RMSE", *names], rows)


def leaderboard(
    page: Page, run: str, costs: str, first_cell: str, second_cell: str, models: str
) -> str:
    """Recommenders by their error in the second cell: the ratings they learn from, the error in
    both, and the cost of one more rating, from models.csv in `costs`."""
    done = page.read(run, "comparison.csv")
    cost = page.read(costs, "models.csv").set_index("model")
    cells = [cell_of(text) for text in (first_cell, second_cell)]
    means = done.groupby(["model", *CELL])["rmse"].mean().unstack(CELL)
    means = means.loc[models.split(","), cells].sort_values(cells[1]).round(3)
    rows = []
    for model, errors in means.iterrows():
        texts = (bold(f"{e:.3f}", e == best) for e, best in zip(errors, means.min(), strict=True))
        of_model = cost.loc[model]
        size, seconds = of_model["bytes_per_user"], of_model["one_more_rating_seconds"]
        text = f"{_bytes(size)}; {_seconds(seconds)}, {of_model['one_more_rating']}"
        rows.append([f"`{name_in_table(done, str(model))}`", of_model["learns_from"], *texts, text])
    heads = ["recommender", "learns from", *(f"RMSE, {cell_name(cell)}" for cell in cells)]
    return markdown_table([*heads, "memory per user; time to learn a rating and predict"], rows)


def costs(page: Page, file: str, part: str) -> str:
    """Of this part of speed.csv the cost of something, that of an alternative, and the ratio."""
    rows = []
    for row in page.rows(file, f"part={part}").fillna("").to_dict("records"):
        other = row["against"] and f"{row['against']}: {row['against_value']:.3g}"
        ratio = row["ratio"] and f"{row['ratio']:.3g} ×"
        rows.append([row["what"], f"{row['value']:.3g} {row['unit']}".rstrip(), other, ratio])
    return markdown_table(["what", "figure", "beside", "ratio"], rows)


def replay(page: Page, runs: str, learners: str = "") -> str:
    """RMSE and the difference from the first learner in percent, bold where it is significant; of
    all, or of these learners."""
    heads, texts = {}, {}
    for run in runs.split(","):
        for row in page.compared(run, page.replayed(run)).to_dict("records"):
            heads[run] = str(row["dataset"])
            text = "failed" if pd.isna(row["rmse"]) else f"{row['rmse']:.3f}"
            if pd.notna(row["percent"]):
                difference = bold(f"{row['percent']:+.1f} %", row["p_holm"] < ALPHA)
                text += f", {difference} {ends(row, '+.1f')}"
            texts[row["model"], run] = text
    return crossed("recommender @ refitted", heads, texts, learners.split(",") if learners else [])


def replay_costs(page: Page, run: str) -> str:
    """Microseconds to learn and to predict, fits, processor seconds, bytes of a user."""

    rows = []
    for row in page.replayed(run).to_dict("records"):
        learn, predict = (
            f"{_short(row[f'{what}_us_p50'])} ({_short(row[f'{what}_us_p99'])})"
            for what in ("learn", "predict")
        )
        learn = "" if pd.isna(row["learn_us_p50"]) else learn
        fits, size = (f"{row[name]:,.0f}" for name in ("fits", "bytes_per_user"))
        times = (fits, _short(row["fit_seconds"]), f"{row['total_seconds']:,.0f}")
        rows.append([f"`{row['model']}`", learn, predict, *times, size.replace("nan", "")])
    heads = ["recommender @ refitted", "learn, µs (99th)", "predict, µs (99th)"]
    return markdown_table([*heads, "fits", "s of fits", "s in all", "bytes per user"], rows)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def curve(page: Page, run: str, names: str) -> str:
    """RMSE by how many ratings the user has given before; the lowest of each column in bold."""
    rows = named(page.read(run, "learning_curve.csv"))
    rows = rows[rows["model"].isin(names.split(","))].sort_values("ratings_seen")
    best = rows.groupby("ratings_seen")["rmse"].min()
    texts = {
        (row.model, row.ratings_seen): bold(f"{row.rmse:.3f}", row.rmse == best[row.ratings_seen])
        for row in rows.itertuples()
    }
    heads = {seen: f"{seen:,}" for seen in best.index}
    there = [name for name in names.split(",") if name in set(rows["model"])]
    return crossed("ratings before", heads, texts, there)


# --- within a line -------------------------------------------------------------------------------


def count(page: Page, run: str, score: str, model: str, reference: str, kind: str) -> str:
    """ "4 of 5"."""
    rows = page.compared(run, page.selected(run, "claims.csv", score, model, reference))
    sign = 1 if (score in MORE_IS_BETTER) == kind.endswith("better") else -1
    there = sign * rows["difference"] > 0
    if kind.startswith("significantly"):
        there &= rows["p_holm"] < ALPHA
    if kind.startswith("two_way"):
        there &= rows["two_way_low"] * rows["two_way_high"] > 0
    return f"{there.sum()} of {len(rows)}"


def percent(page: Page, run: str, model: str, reference: str) -> str:
    """ "-1.2 to -0.2 %"; "-0.6 %" of a single cell."""
    found = page.selected(run, "claims.csv", "rmse", model, reference)["percent"]
    ends = dict.fromkeys(f"{end:+.1f}" for end in (found.min(), found.max()))
    return minus(f"{' to '.join(ends)} %")


def value(page: Page, file: str, column: str, decimals: str, *filters: str) -> str:
    """One number of a CSV, or the mean of those that the filters leave."""
    table = page.rows(file, *filters)
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


def _cell(value: object) -> str:
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        if (value.is_integer() and abs(value) > 1) or abs(value) >= 1000:
            return f"{value:,.0f}"
        return f"{value:.2g}" if 0 < abs(value) < 0.0005 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


CURVES = partial(draw_replay, file="learning_curve.csv", figure=curves_figure)
WAITING = partial(draw_replay, file="waiting.csv", figure=waiting_figure)
# of a picture: how it is shown (its file, seen from the root or from beside it), what draws it
PICTURES: dict[str, tuple[str, Callable[..., Figure]]] = {
    "plot": ("![RMSE against ratings per user]({0})", draw_plot),
    "curves": ("![RMSE by how many ratings the user has given before]({1})", CURVES),
    "waiting": ("![RMSE beside the reference by the age of the last fit]({1})", WAITING),
}
TABLES = (
    scores,
    differences,
    claims,
    verdicts,
    leaderboard,
    csv,
    crosstab,
    costs,
    replay,
    replay_costs,
)
KINDS: dict[str, Callable[..., str]] = {
    **{one.__name__: one for one in (*TABLES, curve, count, percent, value)},
    "family": lambda page, *files: "",
    "terminal": lambda page, run, file, *command: f"{TERMINAL}({file})",
}
