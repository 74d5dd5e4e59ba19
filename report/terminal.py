"""The tables at the end of a run, in the terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table


def score_table(comparison: pd.DataFrame, score: str, best: str, title: str) -> Table:
    """Recommenders by cell: mean over the iterations ± their standard deviation, best in bold.

    Args:
        comparison: the rows of comparison.csv.
        score: the column shown.
        best: "min" or "max".
    """
    cells = comparison.groupby(["num_users", "reviews_per_user"], sort=False)[score]
    by_model = comparison.groupby(["model", "num_users", "reviews_per_user"], sort=False)[score]
    mean, spread = by_model.mean(), by_model.std()

    table = Table(title=title)
    table.add_column("recommender", no_wrap=True)
    for num_users, reviews in cells.groups:
        table.add_column(f"{num_users or 'all'} × {reviews or 'all'}", justify="right")
    for model in comparison["model"].unique():
        texts = []
        for cell in cells.groups:
            value = round(mean[model, *cell], 4)
            deviation = spread[model, *cell]
            is_best = value == round(getattr(mean.xs(cell, level=(1, 2)), best)(), 4)
            text = "failed" if pd.isna(value) else f"{value:.3f}"
            text += "" if pd.isna(deviation) else f" ±{deviation:.3f}"
            texts.append(f"[bold]{text}[/bold]" if is_best else text)
        table.add_row(model, *texts)
    return table
