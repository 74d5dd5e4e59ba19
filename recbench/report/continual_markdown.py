"""Tables and pictures of runs of continual.py, for the documents.

- `replay RUN,RUN,.. [LEARNER,..]`: errors of learners in each run, and differences from
  the first one.
- `replay_costs RUN`: what learning and predicting cost.
- `curve RUN LEARNER,..`: error by how many ratings the user has given before.
- `curves RUN LEARNER,.. FILE`: the same as a picture. `waiting RUN FILE`: the error by the age of
  the last fit, as a picture.

A learner is written recommender@when it is refitted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from recbench.report.family import Page, read, replayed
from recbench.report.html.replay_sections import curves_figure, waiting_figure
from recbench.report.html.run_files import named
from recbench.report.plots import draw
from recbench.report.style import run_looks
from recbench.report.terminal import ALPHA

RENAMED = {  # words in the files of earlier runs
    "a film table": "an item table",
    "film table": "item table",
    "film_table": "item_table",
    "film": "movie",
    "fitted anew": "refitted",
}


def markdown_table(heads: list[str], rows: list[list[str]]) -> str:
    """Heads and rows of text as a table in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    table = "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])
    for before, now in RENAMED.items():
        table = table.replace(before, now)
    return table


def replay(page: Page, runs: str, learners: str = "") -> str:
    """RMSE and the difference from the first learner in percent, bold where it is significant; of
    all, or of these learners."""
    tables = [page.with_p(run, replayed(page.root, run)) for run in runs.split(",")]
    texts = [{row.model: _replayed(row) for row in table.itertuples()} for table in tables]
    names = learners.split(",") if learners else dict.fromkeys(n for one in texts for n in one)
    lines = [[f"`{name}`", *(one.get(name, "") for one in texts)] for name in names]
    heads = [str(table["dataset"].iloc[0]) for table in tables]
    return markdown_table(["recommender @ refitted", *heads], lines)


def _replayed(row: Any) -> str:
    if pd.isna(row.rmse):
        return "failed"
    if pd.isna(row.percent):
        return f"{row.rmse:.3f}"
    difference = f"{row.percent:+.1f} %"
    if row.p_holm < ALPHA:
        difference = f"**{difference}**"
    return f"{row.rmse:.3f}, {difference} [{row.low:+.1f}, {row.high:+.1f}]"


def replay_costs(page: Page, run: str) -> str:
    """Microseconds to learn and to predict, fits, processor seconds, bytes of a user."""
    rows = [
        [
            f"`{row.model}`",
            "" if pd.isna(row.learn_us_p50) else _two(row.learn_us_p50, row.learn_us_p99),
            _two(row.predict_us_p50, row.predict_us_p99),
            f"{row.fits:,.0f}",
            f"{row.fit_seconds:,.0f}" if row.fit_seconds >= 10 else f"{row.fit_seconds:.1f}",
            f"{row.total_seconds:,.0f}",
            "" if pd.isna(row.bytes_per_user) else f"{row.bytes_per_user:,.0f}",
        ]
        for row in replayed(page.root, run).itertuples()
    ]
    heads = ["recommender @ refitted", "learn, µs (99th)", "predict, µs (99th)"]
    return markdown_table([*heads, "fits", "s of fits", "s in all", "bytes per user"], rows)


def _two(median: float, high: float) -> str:
    return " (".join(f"{x:,.0f}" if x >= 10 else f"{x:.1f}" for x in (median, high)) + ")"


def curve(page: Page, run: str, names: str) -> str:
    """RMSE by how many ratings the user has given before; the lowest of each column in bold."""
    rows = named(page.read(run, "learning_curve.csv"))
    table = rows.pivot_table(index="model", columns="ratings_seen", values="rmse")
    table = table.loc[[name for name in names.split(",") if name in table.index]]
    text = table.map("{:.3f}".format)
    text = text.where(table.ne(table.min()), "**" + text + "**")
    lines = [[f"`{name}`", *figures] for name, figures in zip(text.index, text.values, strict=True)]
    return markdown_table(["ratings before", *[f"{seen:,}" for seen in table]], lines)


def draw_curves(root: Path, run: str, names: str) -> Figure:
    curve = named(read(root / run / "learning_curve.csv"))
    return draw(curves_figure(curve), run_looks(replayed(root, run)), names.split(","))


def draw_waiting(root: Path, run: str) -> Figure:
    waiting = named(read(root / run / "waiting.csv"))
    return draw(waiting_figure(waiting), run_looks(replayed(root, run)))
