"""The pictures of a run: error by ratings per user, differences from the reference, cost."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recbench.keys import CELL, ITERATION
from recbench.report.style import (
    GREY,
    centred,
    legend_beside,
    looks_of,
    plain_frame,
    run_looks,
    save,
)
from recbench.report.terminal import USERS_MEDIAN, cell_name, cells_of

LINEAR_STARS = 0.05  # differences below are drawn to scale, larger ones logarithmically
TICKS = (-0.3, -0.1, -0.03, 0, 0.03, 0.1, 0.3)
BAND = "band: ± standard deviation\nbetween iterations, less what\nall recommenders share\n"


def write_plots(comparison: pd.DataFrame, differences: pd.DataFrame, folder: Path) -> list[Path]:
    """All pictures of a run that its rows allow, as .png and .svg; the files written.

    Args:
        comparison: the rows of comparison.csv.
        differences: the rows of significance.csv; may be empty.
        folder: where they go; made if it is not there.
    """
    done = comparison[comparison["status"] == "ok"]
    if done.empty:
        return []
    folder.mkdir(exist_ok=True)
    looks = run_looks(comparison)
    files = save(error_by_ratings(done, looks=looks), folder / "error_by_ratings")
    to_reference = differences[differences["score"] == "rmse"]
    to_reference = to_reference[to_reference["reference_role"] != USERS_MEDIAN]
    if len(to_reference):
        files += save(forest(to_reference, looks), folder / "differences")
    files += save(error_by_cost(done, looks, "seconds"), folder / "error_by_cost")
    if "bytes_per_user" in done and (done["bytes_per_user"] > 0).any():
        files += save(error_by_cost(done, looks, "bytes_per_user"), folder / "error_by_bytes")
    return files


def error_by_ratings(
    done: pd.DataFrame, models: list[str] | None = None, looks: dict[str, dict] | None = None
) -> Figure:
    """RMSE against ratings per user, a line for each recommender, or only `models`, with its band;
    `looks` as of `run_looks`, None: as far apart as can be."""
    models = models or done["model"].unique().tolist()
    looks = looks or looks_of(models)
    done = done.assign(centred=centred(done, ITERATION, "rmse"))
    cells = sorted(cells_of(done), key=lambda cell: cell[1] or float("inf"))  # by ratings per user
    place = {cell: number for number, cell in enumerate(cells)}
    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    last = {}
    for model in models:
        by_cell = done[done["model"] == model].groupby(CELL)
        mean, spread = by_cell["rmse"].mean(), by_cell["centred"].std().fillna(0)
        x = np.array([place[cell] for cell in mean.index])
        order = np.argsort(x)
        x, y, band = x[order], mean.to_numpy()[order], spread.to_numpy()[order]
        axes.plot(x, y, **looks[model], markersize=5, label=model)
        axes.fill_between(x, y - band, y + band, color=looks[model]["color"], alpha=0.15, lw=0)
        last[model] = y[-1]
    axes.set_xticks(range(len(cells)), [cell_name(cell) for cell in cells])
    axes.set_xlabel("users × ratings of each, of which a fifth or so is held out")
    axes.set_ylabel("RMSE of held-out ratings, stars (mean over users)")
    plain_frame(axes, f"Error by ratings per user, {done['dataset'].iloc[0]}")
    legend_beside(figure, axes, BAND)
    return figure


def forest(to_reference: pd.DataFrame, looks: dict[str, dict]) -> Figure:
    """Each recommender's difference in RMSE from the reference, with its interval, by cell."""
    cells = cells_of(to_reference)
    by_model = to_reference.groupby("model")["difference"].mean().sort_values()
    models = list(by_model.index)  # the best first
    figure = Figure(
        figsize=(2.2 + 2.0 * len(cells), 1.6 + 0.3 * len(models)), dpi=120, layout="constrained"
    )
    panels = figure.subplots(1, len(cells), sharex=True, sharey=True, squeeze=False)[0]
    for panel, cell in zip(panels, cells, strict=True):
        rows = to_reference[(to_reference[CELL] == list(cell)).all(axis=1)]
        panel.axvline(0, color=GREY, lw=1)
        for row in rows.itertuples():
            y = models.index(row.model)
            significant = row.p_holm < 0.05
            colour, marker = looks[row.model]["color"], looks[row.model]["marker"]
            panel.plot([row.low, row.high], [y, y], color=colour, lw=1.5)
            panel.plot(
                row.difference,
                y,
                marker,
                color=colour,
                markerfacecolor=colour if significant else "white",
            )
        panel.set_xscale("symlog", linthresh=LINEAR_STARS)
        panel.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS], fontsize=8)
        panel.minorticks_off()
        plain_frame(panel, f"{cell_name(cell)}\nagainst {rows['reference'].iloc[0]}")
        panel.set_yticks(range(len(models)), models)
        panel.set_xlabel("RMSE difference, stars")
    panels[0].invert_yaxis()
    figure.suptitle(
        "Difference from the reference (left of the line: better)\n"
        "line: 95 % interval over users; filled: significant after Holm; "
        f"logarithmic beyond {LINEAR_STARS:g} stars",
        fontsize=10,
        x=0.01,
        ha="left",
    )
    return figure


COSTS = {
    "seconds": "seconds to fit and predict a cell (log scale)",
    "bytes_per_user": "bytes per user (log scale)",
}


def error_by_cost(
    done: pd.DataFrame, looks: dict[str, dict], cost: Literal["seconds", "bytes_per_user"]
) -> Figure:
    """RMSE against what it costs, both means over the run's cells."""
    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    done = done.assign(seconds=done["fit_seconds"] + done["predict_seconds"])
    by_model = done[done[cost] > 0].groupby("model", sort=False)
    for model, rows in by_model:
        axes.plot(
            rows[cost].mean(),
            rows["rmse"].mean(),
            markersize=8,
            label=model,
            **looks[str(model)] | {"linestyle": ""},
        )
        axes.annotate(
            str(model),
            (rows[cost].mean(), rows["rmse"].mean()),
            xytext=(7, 3),
            textcoords="offset points",
            fontsize=8,
            color=GREY,
        )
    axes.margins(x=0.15)
    axes.set_xlabel(COSTS[cost])
    axes.set_ylabel("RMSE of held-out ratings, stars")
    plain_frame(axes, f"Error by cost, mean over cells, {done['dataset'].iloc[0]}")
    return figure
