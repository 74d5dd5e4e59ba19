"""Tables, numbers and pictures of the README, docs and pages of runs, out of the files of runs.

A document marks where a table stands and what it is made of; `python -m recbench.report` writes
what is between the marks:

    <!-- scores results/published/contenders-all rmse -->
    <!-- end -->

The kind of a mark is a function below; its words are what the function takes: names joined with
commas, cells as 250x25 (0 is all), learners of continual.py as recommender@when it is refitted.
In `column=value` a space of the value is written as _. `figure RUN NAME MODELS FILE` is that figure
of the page of the run (`*`: of all recommenders), which is drawn to FILE.

A mark reads the files of its own run alone, so no table changes what another one shows. A verdict
is that of the run's own family (`recbench.evaluation.significance.in_family`); every other
comparison has an interval and none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import ALPHA, in_family, judged
from recbench.files import CELL
from recbench.report.figure import minus
from recbench.report.html.run_files import named
from recbench.report.html.run_report import drawn_figure
from recbench.report.style import save
from recbench.report.terminal import (
    bytes_text,
    cell_name,
    cells_of,
    means_of_cells,
    name_in_table,
    references,
)

MARK = re.compile(r"(<!-- (\w+) ([^>]+?) -->)(\n?)(.*?)(<!-- end -->)", re.DOTALL)
SEEN = {  # in pictures, for a reader who does not see them
    "error_by_ratings": "RMSE against ratings per user",
    "error_by_cost": "RMSE by bytes per user and time of a prediction",
    "learning_curves": "RMSE by how many ratings the user has given before",
    "waiting": "RMSE beside the reference by the age of the last fit",
}
RENAMED = {  # words in the files of earlier runs
    "a film table": "an item table",
    "film table": "item table",
    "film_table": "item_table",
    "film": "movie",
    "fitted anew": "refitted",
}


def with_tables(text: str, root: Path) -> str:
    """`text` with every marked table written anew.

    Args:
        root: the paths in the marks are relative to it.

    Raises:
        InputError: a file that a mark names is not there, or there is no such mark.
    """

    def table(found: re.Match[str]) -> str:
        opening, kind, words, line_end, _, closing = found.groups()
        if kind not in KINDS:
            raise InputError(f"<!-- {kind} -->: there is no such mark, only {', '.join(KINDS)}")
        return f"{opening}{line_end}{KINDS[kind](root, *words.split())}{line_end}{closing}"

    return MARK.sub(table, text)


def pictures(text: str, root: Path) -> list[Path]:
    """Draw every marked picture of `text`; the files written."""
    files = []
    for _, kind, words, *_ in MARK.findall(text):
        if kind == "figure":
            run, name, models, file = words.split()
            drawn = drawn_figure(root / run, name, None if models == "*" else models.split(","))
            files += save(drawn, (root / file).with_suffix(""))
    return files


def figure(root: Path, run: str, name: str, models: str, file: str) -> str:
    """A picture, which README.md shows by its path and a page of docs by its name."""
    return f"![{SEEN[name]}]({file.removeprefix('docs/') if name in LEARNING else file})"


# --- files --------------------------------------------------------------------------------------


def read(file: Path) -> pd.DataFrame:
    """The CSV, which must not be changed. Raises InputError if it is not there."""
    if not file.exists():
        raise InputError(f"{file}: is not there; run what makes it")
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=100)
def _read(file: Path, changed: int) -> pd.DataFrame:
    return pd.read_csv(file)


def rows_of(file: Path, *filters: str) -> pd.DataFrame:
    """Those of the CSV that have these values, "column=value" with _ for a space."""
    table = read(file)
    for column, value in (one.split("=") for one in filters):
        table = table[table[column].astype(str).str.replace(" ", "_") == value]
    return table


def differences(root: Path, run: str) -> pd.DataFrame:
    """significance.csv with its verdicts."""
    return judged(read(root / run / "significance.csv"), read(root / run / "comparison.csv"))


def claimed(root: Path, run: str, score: str, model: str, references: str) -> pd.DataFrame:
    """The rows of claims.csv of this score, model and these references (joined with ","), with
    their `verdict` where the comparison is in the run's family."""
    rows = read(root / run / "claims.csv")
    rows = rows[(rows["score"] == score) & (rows["model"] == model)]
    rows = rows[rows["reference"].isin(references.split(","))]
    key = [*CELL, "score", "model", "reference"]
    found = differences(root, run)
    found = found.loc[found["verdict"].fillna("") != "", [*key, "verdict"]]
    return rows.merge(found, on=key, how="left")


def replayed(root: Path, run: str) -> pd.DataFrame:
    """continual_summary.csv with `model` as recommender@refitted."""
    return named(read(root / run / "continual_summary.csv"))


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


def scores(root: Path, run: str, score: str) -> str:
    """Recommenders by cell: mean ± standard deviation over iterations, the best in bold, and marks
    of RMSE as in the terminal."""
    done, table = read(root / run / "comparison.csv"), differences(root, run)
    lines = []
    for model, cells in means_of_cells(done, table, score):
        texts = (one.text + ("" if pd.isna(one.spread) else f" ±{one.spread:.3f}") for one in cells)
        marked = (f"{bold(t, c.best)} {c.mark}".rstrip() for t, c in zip(texts, cells, strict=True))
        lines.append([f"`{name_in_table(done, model)}`", *marked])
    named, every = references(table), cells_of(done)
    if score == "rmse":
        lines.append(["reference", *(f"`{named.get(cell, '')}`" for cell in every)])
    return markdown_table(["recommender", *map(cell_name, every)], lines)


def csv(root: Path, file: str, columns: str = "", *filters: str) -> str:
    """The file, numbers to three places; of `columns`, if given, and the rows that have them, or
    with "*" of those that are not empty."""
    table = rows_of(root / file, *filters)
    table = table.rename(columns=lambda name: name.replace(" ", "_"))
    if columns == "*":
        table = table.dropna(axis="columns", how="all")
    elif columns:
        table = table[columns.split(",")].dropna()
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    heads = [str(one).replace("_", " ").replace("reviews", "ratings") for one in table.columns]
    return markdown_table(heads, rows)


def claims(root: Path, run: str, score: str, model: str, names: str) -> str:
    """`model` against each of the references `names` in each cell: difference and 95 % interval,
    bold where the run's family has it and it is significant, and in RMSE the difference in
    percent."""
    table = claimed(root, run, score, model, names)
    texts = {}
    for row in table.to_dict("records"):
        text = bold(f"{row['difference']:+.3f}", row["verdict"] in ("better", "worse"))
        text += f" {ends(row, '+.3f')}"
        text += "" if pd.isna(row["percent"]) else f" {row['percent']:+.1f} %"
        texts[row["reference"], (row["num_users"], row["reviews_per_user"])] = text
    columns = {cell: cell_name(cell) for cell in cells_of(table)}
    return crossed(f"`{model}` against", columns, texts, names.split(","))


def errors(root: Path, runs: str, names: str = "") -> str:
    """RMSE of all users with all their ratings, a column for each run: the difference from the
    run's reference in percent with its interval, bold where it is significant, `=` where level."""
    heads: dict[str, str] = {}
    texts: dict[tuple[str, str], str] = {}
    for run in runs.split(","):
        done, table = read(root / run / "comparison.csv"), differences(root, run)
        heads[run] = f"{done['dataset'].iloc[0]}, {done['holdout'].iloc[0]}"
        rmse = done[(done[CELL] == 0).all(axis=1)].groupby("model", sort=False)["rmse"].mean()
        texts |= {(name, run): f"{error:.3f}" for name, error in rmse.items()}
        whole = table[(table[CELL] == 0).all(axis=1) & in_family(table)]
        for row in whole.to_dict("records"):
            scale, verdict = 100 / rmse[row["reference"]], row["verdict"]
            low, high = scale * row["low"], scale * row["high"]
            difference = f"{scale * row['difference']:+.1f} %{' =' * (verdict == 'level')}"
            difference = bold(difference, verdict in ("better", "worse"))
            texts[row["model"], run] += f", {difference} [{low:+.1f}, {high:+.1f}]"
    return crossed("recommender", heads, texts, names.split(",") if names else [])


def hypothesis(root: Path, file: str, name: str) -> str:
    """The comparisons of a hypothesis, a column for each run: the difference with its interval, in
    percent if it is of an RMSE, bold where the hypothesis holds."""
    table, texts = rows_of(root / file, f"hypothesis={name}"), {}
    for row in table.dropna(subset="difference").to_dict("records"):
        pair = f"{row['model']}` against `{row['reference']}"
        texts[pair, row["run"]] = bold(_with_interval(row), str(row["holds"]) == "True")
    return crossed("difference", {run: run for run in table["run"].unique()}, texts)


def leaderboard(
    root: Path, last: str, global_time: str, costs: str, ratings: str, models: str
) -> str:
    """Recommenders by their error of all users with all their ratings under the first of two
    protocols; bytes, and the time to learn a rating and predict another, of a user with so many
    ratings, from cost.csv; last what several of them share."""
    cost = read(root / costs / "cost.csv").set_index(["model", "ratings"])
    names, columns = models.split(","), []
    for run in (last, global_time):
        done = read(root / run / "comparison.csv")
        done = done[(done[CELL] == 0).all(axis=1)]
        columns.append(done.groupby("model")["rmse"].mean().reindex(names).round(3))
    table, rows = pd.concat(columns, axis=1, keys=(0, 1)).sort_values(0), []
    for name, pair in table.iterrows():
        cells = [
            bold(f"{one:.3f}", one == best) for one, best in zip(pair, table.min(), strict=True)
        ]
        found = cost.reindex([(name, int(ratings))]).iloc[0]
        sizes = [found["bytes_state"], found["bytes_held"], found["bytes_shared"]]
        texts = ["" if pd.isna(size) else bytes_text(size) for size in sizes]
        stored = ", ".join(filter(None, texts[:2]))
        time = "" if pd.isna(found["learn_us"]) else _seconds(found["learn_us"] / 1e6)
        how = UPDATED.get(str(found["learns"]), "")
        rows.append([f"`{name_in_table(done, str(name))}`", *cells, stored, texts[2], time, how])
    made = cost.loc["item table", 0]
    seconds = _seconds(made["fit_seconds"])
    rows.append(["*item table*", "", "", "", bytes_text(made["bytes_shared"]), seconds, "fit"])
    heads = ["recommender", "RMSE, `last`", "RMSE, `global-time`", "user: stored, in memory"]
    heads += ["shared", "learn one rating, predict one", "by"]
    return markdown_table(heads, rows)


def replay(root: Path, runs: str, learners: str = "") -> str:
    """RMSE and the difference from the first learner in percent, bold where it is significant among
    the learners of its run; of all, or of these learners."""
    heads, texts = {}, {}
    for run in runs.split(","):
        for row in replayed(root, run).to_dict("records"):
            heads[run] = str(row["dataset"])
            text = "failed" if pd.isna(row["rmse"]) else f"{row['rmse']:.3f}"
            if pd.notna(row["percent"]):
                difference = bold(f"{row['percent']:+.1f} %", row["p_holm"] < ALPHA)
                text += f", {difference} {ends(row, '+.1f')}"
            texts[row["model"], run] = text
    return crossed("recommender @ refitted", heads, texts, learners.split(",") if learners else [])


def curve(root: Path, run: str, names: str) -> str:
    """RMSE by how many ratings the user has given before; the lowest of each column in bold."""
    rows = named(read(root / run / "learning_curve.csv"))
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


def percent(root: Path, run: str, model: str, reference: str) -> str:
    """ "-1.2 to -0.2 %"; "-0.6 %" of a single cell."""
    found = claimed(root, run, "rmse", model, reference)["percent"]
    ends = dict.fromkeys(f"{end:+.1f}" for end in (found.min(), found.max()))
    return minus(f"{' to '.join(ends)} %")


def value(root: Path, file: str, column: str, decimals: str, *filters: str) -> str:
    """One number of a CSV, or the mean of those that the filters leave."""
    table = rows_of(root / file, *filters)
    if table.empty:
        raise InputError(f"{file} has no row with {' '.join(filters)}")
    return f"{table[column].mean():,.{decimals}f}"


def difference(root: Path, file: str, *filters: str) -> str:
    """ "-0.1 % [-0.4, +0.2]" of a row of a CSV: the difference in percent with its interval."""
    (row,) = rows_of(root / file, *filters).to_dict("records")
    return _with_interval(row)


def _with_interval(row: dict) -> str:
    """The difference with its interval, in percent where there is one: not of ranking scores."""
    if pd.isna(row["percent"]):
        return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
    low, high = (row[end] * row["percent"] / row["difference"] for end in ("low", "high"))
    return f"{row['percent']:+.1f} % [{low:+.1f}, {high:+.1f}]"


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


UPDATED = {"one rating": "update", "the user": "refit of the user", "all users": "refit of all"}
LEARNING = ("learning_curves", "waiting")
MARKS = (
    scores,
    csv,
    claims,
    hypothesis,
    errors,
    leaderboard,
    replay,
    curve,
    percent,
    value,
    difference,
    figure,
)
KINDS: dict[str, Callable[..., str]] = {one.__name__: one for one in MARKS}
