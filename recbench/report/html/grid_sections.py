"""The sections of a run of compare_all.py that are made from its CSV files."""

from __future__ import annotations

import pandas as pd

from recbench.files import CELL, ITERATION
from recbench.report.figure import (
    Axis,
    Figure,
    Panel,
    Series,
    by_model,
    difference_scale,
    hover,
    interval,
    minus,
    number,
)
from recbench.report.html.run_files import RunFiles
from recbench.report.html.section import Section
from recbench.report.terminal import ALPHA, MORE_IS_BETTER, cell_name, cells_of, marks

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
HOLM = "Filled: significant (p < .05 after Holm's correction"


def scores_of(table: pd.DataFrame) -> dict[str, str]:
    """Of `SCORES` those that the table, rows of comparison.csv, has a number of."""
    return {
        name: title for name, title in SCORES.items() if name in table and table[name].notna().any()
    }


def by_cell(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The name of each cell and its rows, small to large."""
    return [
        (cell_name(cell), table[(table[CELL] == list(cell)).all(axis=1)])
        for cell in cells_of(table)
    ]


# --- error by ratings per user ------------------------------------------------------------------


def error_by_ratings(run: RunFiles) -> Section:
    """Every score of every recommender in every cell, with a band."""
    scores = scores_of(run.done)
    table = scores_by_cell(run.done, run.differences, list(scores))
    band = (
        "Bands: ± the standard deviation between iterations, less what all recommenders share."
        if run.done["iteration"].nunique() > 1
        else "Bars: the 95 % interval of the difference from the reference, over users, set on the "
        "reference's own score; the reference has none."
    )
    return Section(
        "error-by-ratings",
        "Error by ratings per user" if len(cells_of(table)) > 1 else "Error",
        [f"The score of held-out ratings, mean over iterations. {band}"],
        table,
        [errors_figure(table, run.dataset, scores)],
        ("score",),
        shown=_scores_to_read(table, run.differences),
    )


def scores_by_cell(
    done: pd.DataFrame, differences: pd.DataFrame, scores: list[str]
) -> pd.DataFrame:
    """The mean of each score over iterations by cell and recommender, with `low` and `high`.

    Of several iterations these are the mean ± the standard deviation, of one the interval of the
    difference from the reference, see `_from_reference`.
    """
    several = done["iteration"].nunique() > 1
    tables = []
    for score in scores:
        rows = done[done[score].notna()]
        rows = rows.assign(centred=_centred(rows, score))
        groups = rows.groupby([*CELL, "model"], sort=False)
        table = groups[score].agg(["mean", "count"]).reset_index()
        if several:
            spread = groups["centred"].std().to_numpy()
            table = table.assign(low=table["mean"] - spread, high=table["mean"] + spread)
        else:
            table = _from_reference(table, differences[differences["score"] == score])
        tables.append(table.assign(score=score))
    table = pd.concat(tables).rename(columns={"count": "iterations"})
    return table[["score", *CELL, "model", "mean", "low", "high", "iterations"]]


def _centred(rows: pd.DataFrame, score: str) -> pd.Series:
    """The score with the difference between iterations taken away (Cousineau 2005): the users that
    an iteration draws move all recommenders alike, which makes no difference uncertain."""
    of_iteration = rows.groupby(ITERATION)[score].transform("mean")
    return rows[score] - of_iteration + rows.groupby(CELL)[score].transform("mean")


def _from_reference(table: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """`low` and `high`: the reference's score and the interval of the difference from it."""
    if differences.empty:
        return table.assign(low=float("nan"), high=float("nan"))
    here = differences.drop_duplicates([*CELL, "model"])
    table = table.merge(
        here[[*CELL, "model", "reference", "low", "high"]], on=[*CELL, "model"], how="left"
    )
    means = table[[*CELL, "model", "mean"]].set_axis([*CELL, "reference", "of_reference"], axis=1)
    table = table.merge(means, on=[*CELL, "reference"], how="left")
    for end in ("low", "high"):
        table[end] = table["of_reference"] + table[end]
    return table


def errors_figure(table: pd.DataFrame, dataset: str, scores: dict[str, str]) -> Figure:
    """Lines over the cells, or a list where there is one cell; `table` of `scores_by_cell`."""
    panels = {}
    for score, title in scores.items():
        rows = table[table["score"] == score]
        better = "more" if score in MORE_IS_BETTER else "less"
        make = _lines if len(cells_of(rows)) > 1 else _list
        panels[score] = make(rows, title, f"{title} ({better} is better)", better == "more")
    return Figure(
        "by_ratings",
        "Each recommender's score in each cell, with bands",
        panels,
        ("score",),
        "error_by_ratings",
        f"Error by ratings per user, {dataset}",
        "band: ± standard deviation\nbetween iterations, less what\nall recommenders share\n",
    )


def _lines(rows: pd.DataFrame, title: str, axis: str, more: bool) -> Panel:
    by_ratings = sorted(cells_of(rows), key=lambda cell: cell[1] or float("inf"))
    place = {cell: at for at, cell in enumerate(by_ratings)}
    users = {cell[0] for cell in by_ratings}

    def line(model: str, own: pd.DataFrame) -> Series:
        cells = list(own[CELL].itertuples(index=False, name=None))
        own = own.assign(place=[place[cell] for cell in cells]).sort_values("place")
        low, high = own["low"], own["high"]
        return Series(model, own["place"], own["mean"], _texts(own, title), low, high)

    names = [str(cell[1] or "all") if len(users) == 1 else cell_name(cell) for cell in by_ratings]
    of_each = f"ratings of each of {users.pop() or 'all'} users"
    words = of_each if not users else "users × ratings of each"
    return Panel(
        "lines", by_model(rows, line), Axis(words, ticks=list(enumerate(names))), Axis(axis)
    )


def _list(rows: pd.DataFrame, title: str, axis: str, more: bool) -> Panel:
    def row(model: str, own: pd.DataFrame) -> Series:
        return Series(model, own["mean"], [0], _texts(own, title), own["low"], own["high"])

    rows = rows.sort_values("mean", ascending=not more)
    return Panel("list", by_model(rows, row), Axis(axis))


def _texts(rows: pd.DataFrame, title: str) -> list[str]:
    return [
        hover(
            row.model,
            cell_name((row.num_users, row.reviews_per_user)),
            f"{title} {number(row.mean)}{interval(row.low, row.high)}",
        )
        for row in rows.itertuples()
    ]


def _scores_to_read(table: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """A line for each score and recommender, a column for each cell; the best is to be bold, and +
    and − are those of the terminal's tables."""
    cells, found = cells_of(table), marks(differences)
    lines = []
    for score, of_score in table.groupby("score", sort=False):
        means = of_score.set_index([*CELL, "model"])["mean"].to_dict()
        best = of_score.groupby(CELL)["mean"].agg("max" if score in MORE_IS_BETTER else "min")
        for model in of_score["model"].unique():
            line: dict[str, object] = {"score": score, "model": model}
            for cell in cells:
                name, value = cell_name(cell), means.get((*cell, model))
                line[name] = "failed" if value is None else value
                line[f"{name}_best"] = value is not None and value == best[cell]
                line[f"{name}_mark"] = minus(found.get((*cell, model, score), ""))
            lines.append(line)
    return pd.DataFrame(lines)


# --- differences from the reference -------------------------------------------------------------


def forest_panel(
    rows: pd.DataFrame, axis: str, unit: str = "", form: str = "+.4f", title: str = ""
) -> Panel:
    """A list of `difference`s with `low` and `high`, filled where `p_holm` is significant, in the
    order of the rows."""
    scale, series = difference_scale(rows), []
    for row in rows.to_dict("records"):
        p, ends = row["p_holm"], interval(row["low"], row["high"], form) or ", no interval"
        significant = bool(pd.notna(p) and p < ALPHA)
        words = "significant" if significant else "not significant"
        text = hover(
            row["model"],
            *([f"beside {row['reference']}"] if "reference" in row else []),
            f"{row['difference']:{form}}{unit}{ends}",
            f"{words}, p = {number(p)} (Holm)" if pd.notna(p) else "not tested",
        )
        x, low, high = ([float(scale.at(row[name]))] for name in ("difference", "low", "high"))
        series.append(Series(row["model"], x, [0], [text], low, high, not significant))
    return Panel("list", series, scale.axis(axis), rule=0, title=title)


def differences(run: RunFiles) -> Section:
    """Each recommender beside the references."""
    table = run.tables["significance.csv"]
    title = "Differences from the reference"
    if table.empty:
        why = (
            "No differences were tested: either there is no reference in this run, or its "
            "holdout tests recommenders on different rows, which cannot be paired."
        )
        return Section("differences", title, [why])
    text = [
        "A point is the difference in the score, recommender minus reference; its line is the 95 % "
        f"interval over users (paired bootstrap). {HOLM} for all recommenders and cells); open: "
        "not significant. The scale is linear about zero and logarithmic beyond.",
        "How many users each recommender serves better than the reference does; ties count half.",
    ]
    columns = [*CELL, "score", "model", "reference_role", "reference", "difference", "low", "high"]
    columns += ["p", "p_holm", "better_share", "better_low", "better_high", "users"]
    table = table.filter(items=columns)
    follows = ("cell", "score", "role")
    roles = sorted(table["reference_role"].unique(), key=run.roles.index)
    forests, shares = {}, {}
    for role in roles:
        for score in [name for name in SCORES if name in set(table["score"])]:
            here = table[(table["reference_role"] == role) & (table["score"] == score)]
            better = score in MORE_IS_BETTER
            side = "right of the line" if better else "left of the line"
            here = here.sort_values("difference", ascending=not better)
            for cell, rows in by_cell(here):
                names = " or ".join(rows["reference"].unique())
                axis = f"difference in {SCORES[score]} beside {names} ({side}: better)"
                key = f"{cell}|{score}|{role}"
                forests[key] = forest_panel(rows, axis, title=cell)
                shares[key] = _share_panel(rows)
    label = "Each recommender's difference from the reference with its interval"
    heading = "Difference from the reference, RMSE in stars"
    note = "line: 95 % interval over users; filled: significant after Holm; logarithmic far from "
    forest = Figure("forest", label, forests, follows, "differences", heading, f"{note}zero")
    label = "The share of users whom each recommender serves better than the reference"
    figures = [forest, Figure("share", label, shares, follows)]
    return Section("differences", title, text, table, figures, follows)


def _share_panel(rows: pd.DataFrame) -> Panel:
    rows = rows[rows["better_share"].notna()].sort_values("better_share", ascending=False)
    series = []
    for row in rows.to_dict("records"):
        x, low, high = (100 * row[f"better_{name}"] for name in ("share", "low", "high"))
        text = f"better for {x:.1f} % of {row['users']:,.0f} users than {row['reference']}"
        series.append(Series(row["model"], [x], [0], [hover(row["model"], text)], [low], [high]))
    axis = Axis("users better served than by the reference, %")
    return Panel("list", series, axis, rule=50)
