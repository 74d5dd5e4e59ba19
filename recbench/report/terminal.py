"""What a run shows in the terminal: a line a cell while it runs, tables at its end."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from recbench.contract import learns_from_words
from recbench.keys import CELL
from recbench.registry import class_of

TABLES = {
    "rmse": "RMSE in stars, mean over users (the primary score; less is better)",
    "mae": "MAE in stars, mean over users (less is better)",
    "accuracy_mean": "Accuracy within one star, mean over users (more is better)",
    "ranking_ndcg_at_10": "nDCG at 10 of all movies, mean over users (more is better)",
}
MORE_IS_BETTER = {
    *("accuracy_mean", "auc_like", "ndcg_at_10", "skill_over_bias", "residual_correlation"),
    *("ranking_ndcg_at_10", "ranking_recall_at_10"),
}
USERS_MEDIAN = "user's median"  # the role of the trivial reference, which has no marks
ALPHA = 0.05
SHORT = {  # whose ratings are learned from, for 80 columns
    "all users": "all users",
    "the user alone": "user",
    "the user, and an item table": "item table",
    "the user, and movie means": "movie means",
}


def legend(differences: pd.DataFrame) -> str:
    """How a table of scores is read."""
    against = "that of the last line"
    if len(names := references(differences)) == 1:
        against = names[0]
    return (
        "Columns: users × ratings of each; means over iterations, the best in bold.\n"
        "Learns from: ratings of all users; of the user alone; or of the user, beside what\n"
        "an item table or movie means say of other users' ratings.\n"
        "+ -: significantly better, worse (p < .05 after Holm for all recommenders and\n"
        f"cells) than the reference, {against}.  *: never tuned."
    )


def score_table(comparison: pd.DataFrame, differences: pd.DataFrame, score: str) -> Table:
    """Recommenders by cell, one line each.

    Args:
        comparison: the rows of comparison.csv.
        differences: the rows of significance.csv; may be empty.
        score: the column shown, one of `TABLES`.
    """
    mean = comparison.groupby(["model", *CELL], sort=False)[score].mean()
    cells = cells_of(comparison)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("recommender", overflow="fold")  # first to give way where all is too wide
    table.add_column("learns from", no_wrap=True)
    for cell in cells:
        name = cell_name(cell).replace(" ", "")
        table.add_column(name, justify="right", no_wrap=True)
    for model in comparison["model"].unique():
        texts = []
        for cell in cells:
            of_cell = mean.xs(cell, level=(1, 2))
            best = of_cell.max() if score in MORE_IS_BETTER else of_cell.min()
            value = mean[model, *cell] if (model, *cell) in mean else float("nan")
            text = "failed" if pd.isna(value) else f"{value:.3f}"
            bold = f"[bold]{text}[/bold]" if round(value, 3) == round(best, 3) else text
            texts.append(bold + (mark_of(differences, model, cell, score) or " "))
        whose = SHORT.get(learns_from(comparison, model), "")
        table.add_row(name_in_table(comparison, model), f"[dim]{whose}", *texts)
    if len(references(differences)) > 1:
        table.add_row(
            "[dim]reference", "", *(f"[dim]{reference_of(differences, cell)}" for cell in cells)
        )
    return table


def cell_line(rows: list[dict]) -> str:
    """The RMSE of every recommender in one cell of one iteration, the best first."""
    scores = sorted((row["rmse"], row["model"]) for row in rows if row["status"] == "ok")
    texts = [f"{model} {rmse:.3f}" for rmse, model in scores]
    texts += [f"{row['model']} failed" for row in rows if row["status"] != "ok"]
    return ", ".join(texts)


def cells_of(comparison: pd.DataFrame) -> list[tuple[int, int]]:
    """The cells in the order of a table: small to large, "all" (0) last."""
    cells = comparison[CELL].drop_duplicates().itertuples(index=False, name=None)
    return sorted(cells, key=lambda cell: [number or float("inf") for number in cell])


def cell_name(cell: tuple[int, int]) -> str:
    """ "250 × 25"; "all × all" for 0 and 0."""
    num_users, reviews = cell
    return f"{num_users or 'all'} × {reviews or 'all'}"


def cell_of(text: str) -> tuple[int, int]:
    """(250, 25) of "250x25"; 0 is all."""
    num_users, reviews = text.split("x")
    return int(num_users), int(reviews)


def name_in_table(comparison: pd.DataFrame, model: str) -> str:
    """The name; with an asterisk if its settings were never tuned."""
    tuned = comparison.loc[comparison["model"] == model, "tuned"].iloc[0]
    return f"{model} *" if tuned == "never" else model


def learns_from(comparison: pd.DataFrame, model: str) -> str:
    """Whose ratings it learns from: as its rows say, or in runs before they did, as its class does;
    "" of a class of one's own there."""
    if "learns_from" in comparison:
        said = comparison.loc[comparison["model"] == model, "learns_from"].dropna()
        if len(said):
            return str(said.iloc[0])
    cls = class_of(model)
    return "" if cls is None else learns_from_words(cls)


def mark_of(differences: pd.DataFrame, model: str, cell: tuple, score: str) -> str:
    """ "+" or "-": significantly better or worse than the reference of the cell; or ""."""
    here = against_reference(differences, cell)
    here = here[(here["model"] == model) & (here["score"] == score)]
    if here.empty or here["p_holm"].iloc[0] >= ALPHA:
        return ""
    better = (here["difference"].iloc[0] > 0) == (score in MORE_IS_BETTER)
    return "+" if better else "-"


def references(differences: pd.DataFrame) -> list[str]:
    """What recommenders are compared with, each once, but for the user's median."""
    rows = differences[differences["reference_role"] != USERS_MEDIAN]
    return rows["reference"].unique().tolist() if len(rows) else []


def reference_of(differences: pd.DataFrame, cell: tuple) -> str:
    """The reference that the marks of a cell are about; "" if it has none."""
    here = against_reference(differences, cell)["reference"]
    return "" if here.empty else str(here.iloc[0])


def against_reference(differences: pd.DataFrame, cell: tuple) -> pd.DataFrame:
    """The rows of a cell, but for those against the user's median."""
    return differences[
        (differences["reference_role"] != USERS_MEDIAN)
        & (differences[CELL] == list(cell)).all(axis=1)
    ]
