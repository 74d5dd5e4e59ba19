"""The tables at the end of a run, in the terminal."""

from __future__ import annotations

import pandas as pd
from rich.table import Table

CELL = ["num_users", "reviews_per_user"]
TABLES = {
    "rmse": "RMSE in stars, mean over users (the primary score)",
    "mae": "MAE in stars, mean over users",
    "accuracy_mean": "Accuracy within one star, mean over users",
}
MORE_IS_BETTER = {"accuracy_mean"}
MARKS = {"best collaborative": "c", "user's median": "m"}  # by rival_is
LEGEND = (
    "*: never tuned (as published, or one's own). "
    "mean ± standard deviation over iterations; the best of each cell in bold. "
    "+c, -c: better, worse than the best collaborative recommender (chosen on validation rows); "
    "+m, -m: than the user's median; each where the 95 % interval of the difference excludes zero"
)


def score_table(
    comparison: pd.DataFrame, differences: pd.DataFrame, score: str, title: str
) -> Table:
    """Recommenders by cell, the best in bold.

    Args:
        comparison: the rows of comparison.csv.
        differences: the rows of significance.csv.
        score: the column shown, one of `TABLES`.
    """
    by_cell = comparison.groupby(["model", *CELL], sort=False)[score]
    mean, spread = by_cell.mean(), by_cell.std()
    cells = cells_of(comparison)

    table = Table(title=title)
    table.add_column("recommender", no_wrap=True)
    for num_users, reviews in cells:
        table.add_column(f"{num_users or 'all'} × {reviews or 'all'}", justify="right")
    for model in comparison["model"].unique():
        texts = []
        for cell in cells:
            of_cell = mean.xs(cell, level=(1, 2))
            best = of_cell.max() if score in MORE_IS_BETTER else of_cell.min()
            value = mean[model, *cell]
            text = figure(value, spread[model, *cell])
            text += marks_of(differences, model, cell, score)
            texts.append(f"[bold]{text}[/bold]" if round(value, 4) == round(best, 4) else text)
        table.add_row(name_in_table(comparison, model), *texts)
    return table


def cells_of(comparison: pd.DataFrame) -> list[tuple[int, int]]:
    """The cells in the order of a table: small to large, "all" (0) last."""
    cells = comparison[CELL].drop_duplicates().itertuples(index=False, name=None)
    return sorted(cells, key=lambda cell: [number or float("inf") for number in cell])


def name_in_table(comparison: pd.DataFrame, model: str) -> str:
    """The name; with an asterisk if its settings were never tuned."""
    tuned = comparison.loc[comparison["model"] == model, "tuned"].iloc[0]
    return f"{model} *" if tuned == "never" else model


def figure(value: float, spread: float) -> str:
    """ "0.812 ±0.004"; "failed" without a value."""
    text = "failed" if pd.isna(value) else f"{value:.3f}"
    return text if pd.isna(spread) else f"{text} ±{spread:.3f}"


def marks_of(differences: pd.DataFrame, model: str, cell: tuple, score: str) -> str:
    """ " +c -m": better than the best collaborative, worse than the median, interval without 0."""
    here = differences[
        (differences["model"] == model)
        & (differences["score"] == score)
        & (differences[CELL] == list(cell)).all(axis=1)
    ]
    marks = ""
    for row in here.itertuples():
        if row.low > 0 or row.high < 0:
            better = (row.low > 0) == (score in MORE_IS_BETTER)
            marks += f" {'+' if better else '-'}{MARKS[row.rival_is]}"
    return marks
