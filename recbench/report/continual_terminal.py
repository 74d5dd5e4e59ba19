"""The table of a replay as it is shown in a terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table
from rich.text import Text

LEGEND = (
    "RMSE: each rating predicted before it is learned, mean over users. From the first: its "
    "difference in %;\n+ - better, worse (p < .05 after Holm). µs: medians. s: processor seconds, "
    "fits and item tables included"
)


def continual_table(summary: pd.DataFrame) -> Table:
    """One line for each learner of `continual_summary.csv`; the lowest error in bold."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("recommender", "fitted anew", "RMSE", "%", "learn µs", "predict µs", "s"):
        table.add_column(column, justify="left" if column.startswith(("rec", "fit")) else "right")
    best = summary["rmse"].min()
    for row in summary.itertuples():
        rmse = Text("failed" if pd.isna(row.rmse) else f"{row.rmse:.3f}")
        if row.rmse == best:
            rmse.stylize("bold")
        table.add_row(
            str(row.model),
            str(row.retrained),
            rmse,
            "" if pd.isna(row.percent) else f"{row.percent:+.1f}{_mark(row)}",
            _number(row.learn_us_p50),
            _number(row.predict_us_p50),
            _number(row.total_seconds),
        )
    return table


def _mark(row) -> str:  # type: ignore[no-untyped-def]
    if not row.p_holm < 0.05:
        return " "
    return "-" if row.percent > 0 else "+"


def _number(value: float) -> str:
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
