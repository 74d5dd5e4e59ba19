"""The tables that a run shows in the terminal, and how cells are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from recbench.contract import LEARNS_FROM, learns_from_words
from recbench.evaluation.significance import (
    MARGIN,
    READ_OUT,
    USERS_MEDIAN,
    with_verdicts,
)
from recbench.files import CELL
from recbench.registry import class_of

TABLES = {
    "rmse": "RMSE in stars, mean over users (the primary score; less is better)",
    "mae": "MAE in stars, mean over users (less is better)",
    "accuracy_mean": "Accuracy within one star, mean over users (more is better)",
    "ranking_ndcg_at_10": "nDCG at 10 of all movies, mean over users (more is better)",
}
SCORES = {  # columns of comparison.csv: as they are called in a report
    "rmse": "RMSE, stars",
    "mae": "MAE, stars",
    "accuracy_mean": "accuracy within one star",
    "auc_like": "AUC of liked movies",
    "ndcg_at_10": "nDCG at 10 of held-out movies",
    "skill_over_bias": "skill over item and user bias",
    "residual_correlation": "correlation of residuals",
    "crps": "CRPS, stars",
    "ranking_ndcg_at_10": "nDCG at 10 of all movies",
    "ranking_recall_at_10": "recall at 10 of all movies",
}
MORE_IS_BETTER = {score for score, _, sign in READ_OUT.values() if sign > 0}
MORE_IS_BETTER |= {"skill_over_bias", "residual_correlation"}
MARKS = {"better": "+", "worse": "-", "level": "="}  # of verdicts; undecided has none
ITEMS = LEARNS_FROM["user+items"]
SHORT = {  # which ratings are learned from, for 80 columns
    "all users": "all users",
    "the user alone": "user",
    ITEMS: "user, items",
}
EARLIER = ("the user, and a film table", "the user, and movie means")  # words of earlier runs
CONTINUAL_LEGEND = (
    "RMSE: each rating predicted before it is learned, mean over users. From the first: its "
    "difference in %;\n+ - better, worse (p < .05 after Holm), = level (within .5 %). µs: "
    "medians.\ns: processor seconds, fits and item tables included"
)


# --- cells, names, marks ------------------------------------------------------------------------


def cells_of(comparison: pd.DataFrame) -> list[tuple[int, int]]:
    """The cells in the order of a table: by ratings per user, then by users, "all" (0) last."""
    cells = comparison[CELL].drop_duplicates().itertuples(index=False, name=None)
    return sorted(cells, key=lambda cell: [number or float("inf") for number in reversed(cell)])


def cell_name(cell: tuple[int, int]) -> str:
    """ "250 × 25"; "all × all" for 0 and 0."""
    num_users, reviews = cell
    return f"{num_users or 'all'} × {reviews or 'all'}"


def bytes_text(size: float) -> str:
    """ "904 B", "123 kB", "4.5 MB"."""
    if size < 10_000:
        return f"{size:,.0f} B"
    return f"{size / 1000:,.0f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"


def users_scored(comparison: pd.DataFrame) -> dict[tuple[int, int], str]:
    """Of the cells with users of whom no rating is held out: "9,097 of 16,554"."""
    if "n_users_scored" not in comparison:  # as in earlier runs
        return {}
    fewer = comparison[comparison["n_users_scored"] < comparison["n_users"]]
    first = fewer.drop_duplicates(CELL)[[*CELL, "n_users_scored", "n_users"]]
    return {
        (num_users, reviews): f"{scored:,.0f} of {users:,.0f}"
        for num_users, reviews, scored, users in first.itertuples(index=False, name=None)
    }


def scores_of(table: pd.DataFrame) -> dict[str, str]:
    """Of `SCORES` those that the table, rows of comparison.csv, has a number of."""
    return {
        name: title for name, title in SCORES.items() if name in table and table[name].notna().any()
    }


def name_in_table(comparison: pd.DataFrame, model: str) -> str:
    """The name; with an asterisk if its settings were never tuned."""
    tuned = comparison.loc[comparison["model"] == model, "tuned"].iloc[0]
    return f"{model} *" if tuned == "never" else model


def learns_from(comparison: pd.DataFrame, model: str) -> str:
    """Which ratings it learns from: as its rows have it, or in runs before they did, as its class;
    "" of a plugin there."""
    if "learns_from" in comparison:
        found = comparison.loc[comparison["model"] == model, "learns_from"].dropna()
        if len(found):
            return ITEMS if found.iloc[0] in EARLIER else str(found.iloc[0])
    cls = class_of(model)
    return "" if cls is None else learns_from_words(cls)


def marks(differences: pd.DataFrame) -> dict[tuple, str]:
    """By (num_users, reviews_per_user, model, score) "+", "-" or "=": better or worse than the
    reference of the cell, or level with it, as the run's family finds; the others are not in it."""
    if differences.empty:
        return {}
    rows = differences[differences["verdict"].isin(list(MARKS))]
    keys = rows[[*CELL, "model", "score"]].itertuples(index=False, name=None)
    return dict(zip(keys, rows["verdict"].map(MARKS), strict=True))


def references(differences: pd.DataFrame) -> pd.Series:
    """The references of the cells, by num_users and reviews_per_user; not the user's median."""
    if differences.empty:
        return pd.Series(dtype=str)
    rows = differences[differences["reference_role"] != USERS_MEDIAN]
    return rows.drop_duplicates(CELL).set_index(CELL)["reference"]


class CellScore(NamedTuple):
    """What a recommender scores in a cell: mean (nan: failed) and standard deviation (nan: of one)
    over iterations, whether it is the best, and its mark, see `marks`."""

    name: str
    mean: float
    spread: float
    best: bool
    mark: str

    @property
    def text(self) -> str:
        return "failed" if pd.isna(self.mean) else f"{self.mean:.3f}"


def means_of_cells(
    comparison: pd.DataFrame, differences: pd.DataFrame, score: str
) -> Iterator[tuple[str, list[CellScore]]]:
    """Each recommender, in the order of the rows, and what it scores in each cell: the table of the
    terminal, of documents and of the page.

    Args:
        comparison: the rows of comparison.csv.
        differences: the rows of significance.csv; may be empty.
    """
    cells, found = cells_of(comparison), marks(differences)
    groups = comparison.groupby(["model", *CELL], sort=False)[score]
    mean, spread = groups.mean(), groups.std()
    best = mean.groupby(CELL).agg("max" if score in MORE_IS_BETTER else "min")
    for model, own in comparison.groupby("model", sort=False):
        if own[score].isna().all() and (own["status"] == "ok").all():
            continue  # it predicts no stars
        scores = []
        for cell in cells:
            key = (model, *cell)
            value = mean.get(key, np.nan)
            is_best = bool(round(value, 4) == round(best[cell], 4))
            mark = found.get((*cell, model, score), "")
            scores.append(CellScore(cell_name(cell), value, spread.get(key, np.nan), is_best, mark))
        yield model, scores


def replay_verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """continual_summary.csv with the `verdict` on each difference from the first learner; the
    family is all learners of the run."""
    return with_verdicts(summary.assign(difference=summary["percent"]), 100 * MARGIN)


# --- tables -------------------------------------------------------------------------------------


def legend(differences: pd.DataFrame) -> str:
    """How a table of scores is read."""
    names = references(differences).unique()
    against = names[0] if len(names) == 1 else "that of the last line"
    return (
        "Columns: users × ratings of each; means over iterations, the best in bold.\n"
        "Learns from: ratings of all users; of the user alone; or of the user, with item\n"
        "statistics (means, an item table) of other users.\n"
        f"+ -: significantly better, worse than the reference, {against}\n"
        "(p < .05 after Holm for all recommenders and cells); =: level with it (within\n"
        ".5 %, p < .05); no mark: undecided.  *: never tuned."
    )


def score_table(comparison: pd.DataFrame, differences: pd.DataFrame, score: str) -> Table:
    """Recommenders by cell, one line each.

    Args:
        comparison: the rows of comparison.csv.
        differences: the rows of significance.csv; may be empty.
        score: the column shown, one of `TABLES`.
    """
    cells = cells_of(comparison)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("recommender", overflow="fold")  # first to give way where all is too wide
    table.add_column("learns from", no_wrap=True)
    for cell in cells:
        table.add_column(cell_name(cell).replace(" ", ""), justify="right", no_wrap=True)
    for model, scores in means_of_cells(comparison, differences, score):
        texts = [
            Text.assemble((one.text, "bold" if one.best else ""), one.mark or " ") for one in scores
        ]
        source = Text(SHORT.get(learns_from(comparison, model), ""), "dim")
        table.add_row(Text(name_in_table(comparison, model)), source, *texts)
    scored = users_scored(comparison)
    if scored and not score.startswith("ranking"):
        counts = (f"{scored.get(cell, 'all')} " for cell in cells)
        table.add_row("users scored", "", *counts, style="dim")
    named = references(differences)
    if named.nunique() > 1:
        table.add_row("reference", "", *(named.get(cell, "") for cell in cells), style="dim")
    return table


def cell_line(rows: list[dict]) -> str:
    """The RMSE of every recommender in one cell of one iteration, the best first."""
    ok = [row for row in rows if row["status"] == "ok"]
    scores = sorted((row["rmse"], row["model"]) for row in ok if row["rmse"] is not None)
    texts = [f"{model} {rmse:.3f}" for rmse, model in scores]
    texts += [f"{row['model']} ranked" for row in ok if row["rmse"] is None]
    texts += [f"{row['model']} failed" for row in rows if row["status"] != "ok"]
    return ", ".join(texts)


def continual_table(summary: pd.DataFrame) -> Table:
    """One line for each learner of `continual_summary.csv`; the lowest error in bold."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("recommender", "refitted", "RMSE", "%", "learn µs", "predict µs", "s"):
        table.add_column(column, justify="left" if column.startswith("re") else "right")
    best = summary["rmse"].min()
    for row in replay_verdicts(summary).itertuples():
        mark = MARKS.get(row.verdict, " ")
        rmse = "failed" if pd.isna(row.rmse) else f"{row.rmse:.3f}"
        costs = (row.learn_us_p50, row.predict_us_p50, row.total_seconds)
        table.add_row(
            *(str(row.model), str(row.retrained), Text(rmse, "bold" if row.rmse == best else "")),
            "" if pd.isna(row.percent) else f"{row.percent:+.1f}{mark}",
            *("" if pd.isna(x) else f"{x:,.0f}" if x >= 10 else f"{x:.2g}" for x in costs),
        )
    return table
