"""Tables and pictures of runs of continual.py, for the documents.

- `replay RUN,RUN,..`: each learner's error in each run, and its difference from the first one.
- `replay_costs RUN`: what learning and predicting cost.
- `curve RUN LEARNER,..`: error by how many ratings the user has given before.
- `curves RUN LEARNER,.. FILE`: the same as a picture. `waiting RUN FILE`: the price of waiting.

A learner is written recommender@when it is fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from recbench.report.family import read, replay_comparison
from recbench.report.html.replay_sections import curves_figure, waiting_figure
from recbench.report.html.run_files import named
from recbench.report.page import Page, markdown_table
from recbench.report.plots import draw
from recbench.report.style import run_looks

ALPHA = 0.05


def replay(page: Page, runs: str) -> str:
    """RMSE and the difference from the first learner in percent, bold where it is significant."""
    tables = {}
    for run in runs.split(","):
        rows = page.read(run, "continual_summary.csv")
        tables[run] = rows.set_index(rows["model"] + "@" + rows["retrained"])
    names = list(dict.fromkeys(name for table in tables.values() for name in table.index))
    lines = []
    for name in names:
        line = [f"`{name}`"]
        for run, table in tables.items():
            line.append(_replayed(page, run, table, name) if name in table.index else "")
        lines.append(line)
    heads = [str(table["dataset"].iloc[0]) for table in tables.values()]
    return markdown_table(["recommender @ fitted anew", *heads], lines)


def _replayed(page: Page, run: str, table: pd.DataFrame, name: str) -> str:
    row = table.loc[name]
    if pd.isna(row["rmse"]):
        return "failed"
    text = f"{row['rmse']:.3f}"
    if pd.isna(row["percent"]):
        return text
    away = f"{row['percent']:+.1f} %"
    if page.p[replay_comparison(run, row, table.index[0])] < ALPHA:
        away = f"**{away}**"
    return f"{text}, {away} [{row['low']:+.1f}, {row['high']:+.1f}]"


def replay_costs(page: Page, run: str) -> str:
    """Microseconds to learn and to predict, fits, processor seconds, bytes of a user."""
    rows = []
    for row in page.read(run, "continual_summary.csv").itertuples():
        learn = "" if pd.isna(row.learn_us_p50) else _two(row.learn_us_p50, row.learn_us_p99)
        rows.append(
            [
                f"`{row.model}@{row.retrained}`",
                learn,
                _two(row.predict_us_p50, row.predict_us_p99),
                f"{row.fits:,.0f}",
                f"{row.fit_seconds:,.0f}" if row.fit_seconds >= 10 else f"{row.fit_seconds:.1f}",
                f"{row.total_seconds:,.0f}",
                "" if pd.isna(row.bytes_per_user) else f"{row.bytes_per_user:,.0f}",
            ]
        )
    heads = ["recommender @ fitted anew", "learn, µs (99th)", "predict, µs (99th)"]
    return markdown_table([*heads, "fits", "s of fits", "s in all", "bytes per user"], rows)


def _two(median: float, high: float) -> str:
    return " (".join(f"{x:,.0f}" if x >= 10 else f"{x:.1f}" for x in (median, high)) + ")"


def curve(page: Page, run: str, names: str) -> str:
    """RMSE by how many ratings the user has given before; the lowest of each column in bold."""
    rows = page.read(run, "learning_curve.csv")
    rows = rows.assign(name=rows["model"] + "@" + rows["retrained"])
    table = rows.pivot_table(index="name", columns="ratings_seen", values="rmse")
    table = table.loc[[name for name in names.split(",") if name in table.index]]
    lines = []
    for name, values in table.iterrows():
        cells = [
            f"**{value:.3f}**" if value == table[seen].min() else f"{value:.3f}"
            for seen, value in values.items()
        ]
        lines.append([f"`{name}`", *cells])
    return markdown_table(["ratings before", *[f"{seen:,}" for seen in table]], lines)


def curves(page: Page, run: str, names: str, file: str) -> str:
    """The line that shows the picture."""
    return f"![RMSE by how many ratings the user has given before]({Path(file).name})"


def waiting(page: Page, run: str, file: str) -> str:
    """The line that shows the picture."""
    return f"![RMSE beside the reference by the age of the last fit]({Path(file).name})"


CONTINUAL_KINDS: dict[str, Callable[..., str]] = {
    "replay": replay,
    "replay_costs": replay_costs,
    "curve": curve,
    "curves": curves,
    "waiting": waiting,
}


def continual_picture(root: Path, kind: str, run: str, *words: str) -> tuple[Figure | None, str]:
    """The picture of a mark and the file that it is drawn to; None: the mark has none."""
    if kind not in ("curves", "waiting"):
        return None, ""
    looks = run_looks(named(read(root / run / "continual_summary.csv")))
    if kind == "curves":
        names, file = words
        curve = named(read(root / run / "learning_curve.csv"))
        return draw(curves_figure(curve), looks, names.split(",")), file
    return draw(waiting_figure(named(read(root / run / "waiting.csv"))), looks), words[0]
