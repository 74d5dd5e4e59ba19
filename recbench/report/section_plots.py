"""The pictures of what a run's page shows beside errors: users, ranking, calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recbench.keys import CELL
from recbench.report.html.grid_sections import COVERAGE
from recbench.report.html.section import Section
from recbench.report.style import GREY, legend_beside, plain_frame, save
from recbench.report.terminal import cell_name, cells_of

Looks = dict[str, dict]


def write_section_plots(
    sections: list[Section], looks: Looks, shown: list[str], folder: Path
) -> list[Path]:
    """A picture of each section that has one here, as .png and .svg; the files written.

    Args:
        sections: of the run's page.
        looks: of each recommender, see `recbench.report.style.run_looks`.
        shown: the recommenders that are drawn where many lines cross.
    """
    files = []
    for section in sections:
        if section.name in DRAWN and section.table is not None and len(section.table):
            folder.mkdir(exist_ok=True)
            table = section.table
            if section.name == "for-whom":
                table = table[table["model"].isin(shown)]
            stem = folder / section.name.replace("-", "_")
            files += save(DRAWN[section.name](table, looks), stem)
    return files


def spread(table: pd.DataFrame, looks: Looks) -> Figure:
    """Boxes of the RMSE of single users: quartiles, whiskers to the 5th and 95th percentile."""
    order = list(table.groupby("model")["p50"].mean().sort_values().index)
    figure, panels = _panels(table, height=1.4 + 0.3 * len(order), sharey=True)
    for panel, rows in panels:
        for row in rows.itertuples():
            y, colour = order.index(row.model), looks[row.model]["color"]
            panel.plot([row.p5, row.p95], [y, y], color=colour, lw=1)
            box = {"facecolor": "white", "edgecolor": colour}
            panel.barh(y, row.p75 - row.p25, 0.6, row.p25, zorder=2, **box)
            panel.plot([row.p50, row.p50], [y - 0.3, y + 0.3], color=colour, lw=2, zorder=3)
        panel.set_yticks(range(len(order)), order)
        panel.set_xlabel("RMSE of single users, stars")
    figure.axes[0].invert_yaxis()
    return figure


def for_whom(table: pd.DataFrame, looks: Looks) -> Figure:
    """RMSE beside the reference by groups of users, in the largest cell that has them."""
    cell = cells_of(table)[-1]
    table = table[(table[CELL] == list(cell)).all(axis=1)]
    kinds = list(table["by"].unique())
    figure = Figure(figsize=(4.6 * len(kinds) + 2, 4.4), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    models = [name for name in looks if name in set(table["model"])]
    for panel, kind in zip(panels, kinds, strict=True):
        rows_of_kind = table[table["by"] == kind]
        panel.axhline(0, color=GREY, lw=1)
        for place, model in enumerate(models):
            rows = rows_of_kind[rows_of_kind["model"] == model].sort_values("group")
            x = rows["group"] + 0.5 * (place / max(len(models) - 1, 1) - 0.5)
            away = np.stack(  # (2, groups)
                (rows["difference"] - rows["low"], rows["high"] - rows["difference"])
            )
            look = looks[model] | {"linestyle": ""}
            panel.errorbar(x, rows["difference"], away, **look, markersize=4, lw=1, label=model)
        groups = rows_of_kind.drop_duplicates("group").sort_values("group")
        ends = [f"{row.least:.2g} – {row.most:.2g}" for row in groups.itertuples()]
        panel.set_xticks(groups["group"], ends)
        panel.set_xlabel(f"{kind}, quarters of the users")
        plain_frame(panel, f"{cell_name(cell)}, by {kind}")
    panels[0].set_ylabel("difference in RMSE from the reference, stars")
    legend_beside(figure, panels[0], "bar: 95 % interval\nover users\n")
    return figure


def ranking(table: pd.DataFrame, looks: Looks) -> Figure:
    """nDCG of all movies against how popular the ten first are."""
    figure, panels = _panels(table, height=4.6, sharey=True)
    for panel, rows in panels:
        for row in rows.itertuples():
            x, y = row.ranking_popularity, row.ranking_ndcg_at_10
            panel.plot(x, y, **looks[row.model] | {"linestyle": ""}, markersize=7)
            panel.annotate(
                row.model, (x, y), (5, 3), textcoords="offset points", fontsize=8, color=GREY
            )
        panel.margins(x=0.2)
        panel.set_xlabel("mean popularity percentile of the ten movies")
    figure.axes[0].set_ylabel("nDCG at 10 of all movies")
    return figure


def calibration(table: pd.DataFrame, looks: Looks) -> Figure:
    """How much lies within central intervals, against what they say."""
    figure, panels = _panels(table, height=4.2, sharey=True)
    said = np.array(list(COVERAGE.values()))
    for panel, rows in panels:
        panel.plot([0.45, 1], [0.45, 1], color=GREY, lw=1, ls=":")
        for row in rows.to_dict("records"):
            held = [row.get(name, np.nan) for name in COVERAGE]
            panel.plot(said, held, **looks[row["model"]], markersize=5, label=row["model"])
        panel.set_xticks(said, [f"{part:.0%}" for part in said])
        panel.set_xlabel("the interval says")
    figure.axes[0].set_ylabel("held-out ratings within")
    legend_beside(figure, figure.axes[0], "")
    return figure


def _panels(
    table: pd.DataFrame, height: float, sharey: bool
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A figure with a panel for each cell, and the rows of each."""
    cells = cells_of(table)
    size = (2.2 + 2.8 * len(cells), height)
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    panels = figure.subplots(1, len(cells), sharex=True, sharey=sharey, squeeze=False)[0]
    for panel, cell in zip(panels, cells, strict=True):
        plain_frame(panel, cell_name(cell))
    rows = [table[(table[CELL] == list(cell)).all(axis=1)] for cell in cells]
    return figure, list(zip(panels, rows, strict=True))


DRAWN = {
    "users": spread,
    "for-whom": for_whom,
    "ranking": ranking,
    "calibration": calibration,
}
