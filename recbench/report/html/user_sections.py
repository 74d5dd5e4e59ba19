"""Single users, from predictions.parquet: their errors, and for which of them one is better."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

from recbench.evaluation.significance import significance
from recbench.files import CELL, ITERATION
from recbench.report.figure import Axis, Figure
from recbench.report.html.page import Section
from recbench.report.html.run_files import PREDICTIONS, RunFiles
from recbench.report.terminal import references

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
GROUPS = 4
FEWEST_USERS = 10  # of a group: an interval over fewer means nothing


def error_spread(run: RunFiles) -> Section | None:
    """How errors spread over users; None without predictions."""
    if run.losses.empty:
        return None
    losses = losses_of_users(run)
    table = spread(losses[losses["model"].isin(run.models)])
    title = "How errors spread over users"
    figure = Figure(
        "users",
        "list",
        table.sort_values("p50", kind="stable"),
        Axis("p50", "RMSE of single users, stars"),
        ends=("p5", "p95"),
        hover=("median {p50}", "middle half: {p25} to {p75}", "[{p5}, {p95}]"),
        follows=("cell",),
        title=title,
    )
    text = (
        "RMSE of single users: a point is their median, its line reaches from the 5th to the 95th "
        "percentile. The table has the quartiles, too."
    )
    return Section("users", title, [text], figure.table, [figure], ("cell",))


def for_whom(run: RunFiles) -> Section | None:
    """For which users a recommender is better; None without predictions, or a reference."""
    of_cells = references(run.tables["significance.csv"]).to_dict()
    if run.losses.empty or not of_cells:
        return None
    held_out = ratings_held_out(pl.scan_parquet(run.folder / PREDICTIONS, glob=False))
    table = differences_by_group(run.losses, of_cells, held_out)
    if table.empty:  # all users have as many ratings held out, or there are too few users
        return None
    title = "For which users a recommender is better"
    figure = Figure(
        "for_whom",
        "lines",
        table.sort_values("group", kind="stable"),
        Axis("range", "held-out ratings of the user, quarters of the users", "places"),
        Axis("difference", "difference in RMSE, stars", "signed"),
        hover=("{range} ratings, {users} users", "{+difference} [{+low}, {+high}] stars"),
        follows=("cell",),
        rule=0,
        title=title,
        note="band: 95 % interval\nover users\n",
    )
    text = (
        "RMSE beside the reference in quarters of the users, by how many ratings of theirs were "
        "held out (the more a user has, the more are). Below the line: better than the reference. "
        "Bands are 95 % intervals over users, not corrected for their number: they show where to "
        "look, and are no test."
    )
    return Section("for-whom", title, [text], figure.table, [figure], ("cell",))


def losses_of_users(run: RunFiles) -> pd.DataFrame:
    """Of each user in each cell: num_users, reviews_per_user, model, user_id, and the losses of
    `losses_per_user`, means over iterations.

    Raises:
        InputError: predictions.parquet cannot be read, or is not one.
    """
    losses = run.losses.drop(columns="iteration")
    return losses.groupby([*CELL, "model", "user_id"]).mean().reset_index()


def ratings_held_out(rows: pl.LazyFrame) -> pd.Series:
    """How many ratings of each user were held out, mean over iterations, by num_users,
    reviews_per_user and user_id."""
    held_out = rows.select([*ITERATION, "user_id", "movie_id"]).unique()
    ratings = (pl.len() / pl.col("iteration").n_unique()).alias("ratings")
    by_user = held_out.group_by([*CELL, "user_id"]).agg(ratings).collect()
    return by_user.to_pandas().set_index([*CELL, "user_id"])["ratings"].sort_index()


def spread(losses: pd.DataFrame) -> pd.DataFrame:
    """Quantiles over users of their RMSE, by cell and recommender."""
    rmse = losses.assign(rmse=np.sqrt(losses["squared_error"]))
    by_model = rmse.groupby([*CELL, "model"], sort=False)["rmse"]
    table = by_model.quantile(list(QUANTILES)).unstack()
    table.columns = [f"p{100 * part:.0f}" for part in table.columns]
    return table.assign(users=by_model.size()).reset_index()


def differences_by_group(
    losses: pd.DataFrame, of_cells: dict[tuple[int, int], str], held_out: pd.Series
) -> pd.DataFrame:
    """RMSE beside the reference in a quarter of the users each, by their held-out ratings.

    Args:
        losses: of `RunFiles.losses`.
        of_cells: the reference of each cell.
        held_out: of `ratings_held_out`.

    Returns:
        One row per cell, recommender and group: `group` (1 ..), the `range` of held-out ratings of
        the users in it, `users`, `difference` and its 95 % interval `low`, `high`.
    """
    columns = [*CELL, "group", "range", "model", "users", "difference", "low", "high"]
    tables = [pd.DataFrame(columns=columns)]
    for cell, name in of_cells.items():
        here = losses[(losses[CELL] == list(cell)).all(axis=1)]
        here = here[[*CELL, "iteration", "model", "user_id", "squared_error", "right"]]
        reference = here[CELL].head(1).assign(reference=name, reference_role="")
        ratings = held_out.loc[cell].reindex(here["user_id"].unique())
        group = pd.qcut(ratings, GROUPS, labels=False, duplicates="drop")
        for place, own in ratings.groupby(group) if group.nunique() > 1 else ():
            ends = dict.fromkeys(f"{end:.0f}" for end in (own.min(), own.max()))
            table = significance(here[here["user_id"].isin(own.index)], reference)
            table = table[(table["score"] == "rmse") & (table["users"] >= FEWEST_USERS)]
            tables.append(table.assign(group=int(place) + 1, range=" – ".join(ends))[columns])
    return pd.concat(tables[1:] or tables)
