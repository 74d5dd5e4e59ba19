"""The sections of a run of compare_all.py about cost, ranking of all movies, and calibration."""

from __future__ import annotations

import pandas as pd

from recbench.files import CELL
from recbench.report.figure import Axis, Figure, Panel, Series, by_model, hover, number
from recbench.report.html.grid_sections import by_cell
from recbench.report.html.run_files import RunFiles
from recbench.report.html.section import Section

COVERAGE = {"coverage_50": 50, "coverage_80": 80, "coverage_95": 95}


def bytes_of_whom(done: pd.DataFrame) -> str:
    """What bytes per user are in the rows of a run: before there was `bytes_shared`, of all."""
    if "bytes_shared" in done:
        return " Bytes per user are of the user's own part of a model; what serves all is not in."
    return " Bytes per user: of a model of all users, the whole shared out among them."


def cost_figures(tables: dict[str, pd.DataFrame], seconds: str) -> list[Figure]:
    """Error by seconds and by bytes.

    Args:
        tables: model, rmse, seconds and bytes_per_user of each cell; of a replay by "".
        seconds: of what they are.
    """
    figures = []
    for column, name, title, what in (
        ("seconds", "cost", seconds, "the seconds it takes"),
        ("bytes_per_user", "bytes", "bytes per user", "the bytes it needs for a user"),
    ):
        panels = {
            cell: _cost_panel(rows, column, title, f"Error by cost, {cell}".rstrip(", "))
            for cell, rows in tables.items()
            if column in rows and rows[column].notna().any()
        }
        label = f"RMSE of each recommender against {what}"
        about = (f"cost_{name}", label, panels, () if "" in tables else ("cell",))
        figures += [Figure(*about, f"error_by_{name}", one_cell=True)] if panels else []
    return figures


def _cost_panel(rows: pd.DataFrame, column: str, title: str, heading: str) -> Panel:
    """A cost of zero stands left of all others."""
    rows = rows[rows[column].notna() & rows["rmse"].notna()]
    least = rows.loc[rows[column] > 0, column].min()
    floor = least / 3 if pd.notna(least) else 1.0

    def point(model: str, own: pd.DataFrame) -> Series:
        cost, rmse = own[column].iloc[0], own["rmse"].iloc[0]
        text = hover(model, f"RMSE {number(rmse)} stars", f"{title} {number(cost)}")
        return Series(model, [max(cost, floor)], [rmse], [text])

    x, y = Axis(f"{title} (log scale)", log=True), Axis("RMSE, stars (less is better)")
    return Panel("points", by_model(rows, point), x, y, front=True, title=heading)


def cost(run: RunFiles) -> Section:
    """Error beside seconds, and beside the bytes of a user."""
    done = run.done.assign(seconds=run.done["fit_seconds"] + run.done["predict_seconds"])
    if "bytes_per_user" not in done:
        done["bytes_per_user"] = float("nan")
    columns = ["rmse", "seconds", "fit_seconds", "predict_seconds", "bytes_per_user"]
    columns += ["bytes_shared"] if "bytes_shared" in done else []
    table = done.groupby([*CELL, "model"], sort=False)[columns].mean().reset_index()
    figures = cost_figures(dict(by_cell(table)), "seconds")
    text = (
        "RMSE against seconds to fit and predict the cell, mean over iterations, on the machine "
        "named below; item tables and item baselines are made in advance and not counted. The "
        "line joins recommenders that none is both quicker (smaller) and better than."
    )
    text += bytes_of_whom(done) if len(figures) > 1 else ""
    return Section("cost", "Error by cost", [text], table, figures, ("cell",))


def ranking(run: RunFiles) -> Section | None:
    """How well all movies are ranked; None where that was not measured."""
    names = ["ranking_ndcg_at_10", "ranking_recall_at_10", "ranking_popularity"]
    names += ["ranking_catalogue_share", "ranking_users", "ranking_seconds"]
    table = _means(run, names)
    if table is None:
        return None
    text = (
        "All movies that a user has not rated in training, ranked by predicted stars. nDCG counts "
        "liked movies that were held out; read it beside how popular the ten movies are: popular "
        "movies are rated more often, so a recommender that shows them scores higher."
    )

    def point(model: str, own: pd.DataFrame) -> Series:
        one = own.iloc[0]
        x, y = 100 * one["ranking_popularity"], one["ranking_ndcg_at_10"]
        lines = [f"nDCG at 10: {number(y)}", f"popularity of its ten: {x:.0f} %"]
        lines += [f"recall at 10: {number(one.get('ranking_recall_at_10', float('nan')))}"]
        return Series(model, [x], [y], [hover(model, *lines)])

    x = Axis("mean popularity percentile of the ten movies")
    y = Axis("nDCG at 10 of all movies (more is better)")
    panels = {
        cell: Panel("points", by_model(rows, point), x, y, title=cell)
        for cell, rows in by_cell(table)
    }
    label = "nDCG at 10 of each recommender against the popularity of its ten movies"
    figure = Figure("ranking", label, panels, ("cell",), "ranking")
    return Section("ranking", "Ranking all movies", [text], table, [figure], ("cell",))


def calibration(run: RunFiles) -> Section | None:
    """Whether intervals hold as much as they claim; None where there is no distribution."""
    table = _means(run, [*COVERAGE, "crps"])
    if table is None:
        return None
    text = (
        "How much of the held-out ratings lies within the central interval of 50, 80 and 95 %, of "
        "recommenders that predict how likely each number of stars is. On the diagonal an interval "
        "holds as much as it claims; below, it is too narrow."
    )

    def line(model: str, own: pd.DataFrame) -> Series:
        one = own.iloc[0]
        parts = {COVERAGE[name]: 100 * one[name] for name in COVERAGE if pd.notna(one.get(name))}
        texts = [hover(model, f"interval of {x} %: holds {y:.1f} %") for x, y in parts.items()]
        return Series(model, list(parts), list(parts.values()), texts)

    x = Axis("the interval claims, %", ticks=[(part, str(part)) for part in COVERAGE.values()])
    y = Axis("held-out ratings within, %")
    panels = {
        cell: Panel("lines", by_model(rows, line), x, y, diagonal=(45, 100), title=cell)
        for cell, rows in by_cell(table)
    }
    label = "Share of ratings within intervals against what the intervals claim"
    figure = Figure("calibration", label, panels, ("cell",), "calibration")
    return Section("calibration", "Calibration", [text], table, [figure], ("cell",))


def _means(run: RunFiles, names: list[str]) -> pd.DataFrame | None:
    """Means over iterations of those of the columns that there are, by cell and recommender."""
    there = list(run.done.filter(items=names).dropna(axis="columns", how="all"))
    if names[0] not in there:
        return None
    done = run.done.dropna(subset=names[0])
    return done.groupby([*CELL, "model"], sort=False)[there].mean().reset_index()
