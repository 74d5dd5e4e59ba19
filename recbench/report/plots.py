"""Figures drawn with matplotlib, for files: what `recbench.report.figure` describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import matplotlib.figure as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from recbench.report.figure import Axis, Figure, Panel, Series, by_model, front, thinned
from recbench.report.html.grid_sections import errors_figure, scores_by_cell
from recbench.report.style import looks_of, save

GREY = "#555555"
LISTS = ("list", "boxes")


def write_figures(
    figures: Sequence[Figure], looks: dict[str, dict], shown: list[str], folder: Path
) -> list[Path]:
    """Each figure as .png and .svg; the files written.

    Args:
        looks: of each recommender, see `recbench.report.style.run_looks`.
        shown: the recommenders that are drawn where bars of many would lie upon each other.
    """
    files = []
    for figure in figures:
        if figure.file and figure.panels:
            folder.mkdir(exist_ok=True)
            crowded = figure.in_file[0].kind == "bars"
            files += save(draw(figure, looks, shown if crowded else None), folder / figure.file)
    return files


def error_by_ratings(done: pd.DataFrame, models: list[str] | None = None) -> mpl.Figure:
    """RMSE by ratings per user, a line for each recommender, or only `models`, with its band.

    Args:
        done: rows of comparison.csv that have a result.
    """
    models = models or done["model"].unique().tolist()
    table = scores_by_cell(done, pd.DataFrame({"score": []}), ["rmse"])
    dataset = str(done["dataset"].iloc[0])
    return draw(errors_figure(table, dataset, {"rmse": "RMSE, stars"}), looks_of(models), models)


def adaptation_plot(table: pd.DataFrame) -> mpl.Figure:
    """RMSE by ratings since a user's change; a panel for each change, a line for each recommender,
    from its error before.

    Args:
        table: change, model, ratings_since, rmse, rmse_before.
    """
    panels = {}
    for change, rows in table.groupby("change", sort=False):
        windows = sorted(rows["ratings_since"].unique())
        ticks = [(-1, "before"), *((at, str(window)) for at, window in enumerate(windows))]

        def line(model: str, own: pd.DataFrame) -> Series:
            own = own.sort_values("ratings_since")
            y = [own["rmse_before"].iloc[0], *own["rmse"]]
            return Series(model, range(-1, len(y) - 1), y)

        x = Axis("ratings of that kind since the change (each up to the next)", ticks=ticks)
        y = Axis("RMSE of ratings of that kind, stars")
        panels[str(change)] = Panel("lines", by_model(rows, line), x, y, title=str(change))
    return draw(Figure("adaptation", "", panels), looks_of(list(table["model"].unique())))


def draw(figure: Figure, looks: dict[str, dict], models: list[str] | None = None) -> mpl.Figure:
    """The figure with its panels side by side; `models`: only these, in this order."""
    panels = figure.in_file
    drawn_models = {series.model for panel in panels for series in panel.series}
    there = [name for name in models or looks if name in drawn_models]
    is_list = panels[0].kind in LISTS
    if is_list:
        there = _order(panels, there)
    alone, many = len(panels) == 1, len(panels)
    width = (9.0 if alone else 3.2 + 2.4 * many) if is_list else (9.0 if alone else 2 + 3.2 * many)
    height = 1.9 + 0.3 * len(there) if is_list else 5.0
    drawn = mpl.Figure(figsize=(width, height), dpi=120, layout="constrained")
    rows = drawn.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(rows, panels, strict=True):
        _draw_panel(axes, panel, looks, there)
        axes.set_title(figure.title if alone and figure.title else panel.title, loc="left")
        axes.title.set_fontsize(11)
    if is_list:
        rows[0].invert_yaxis()
    else:
        rows[0].set_ylabel(panels[0].y.title)
    if figure.title and not alone:
        drawn.suptitle(figure.title, x=0.01, ha="left", fontsize=11)
    if not is_list and panels[0].kind != "points":
        handles, labels = rows[0].get_legend_handles_labels()
        words = {"title": figure.note, "frameon": False, "alignment": "left"}
        drawn.legend(
            handles, labels, loc="outside right upper", fontsize=9, title_fontsize=9, **words
        )
    elif figure.note:
        drawn.supxlabel(figure.note, x=0.01, ha="left", fontsize=9)
    return drawn


def _order(panels: list[Panel], models: list[str]) -> list[str]:
    """By the mean place in the lists of all panels."""
    lists = [list(dict.fromkeys(one.model for one in panel.series)) for panel in panels]
    places = {name: [one.index(name) for one in lists if name in one] for name in models}
    return sorted(models, key=lambda name: float(np.mean(places[name])) if places[name] else 0.0)


def _draw_panel(axes: Axes, panel: Panel, looks: dict[str, dict], models: list[str]) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.rule is not None:
        line = axes.axvline if panel.kind in LISTS else axes.axhline
        line(panel.rule, color=GREY, lw=1)
    if panel.diagonal:
        axes.plot(panel.diagonal, panel.diagonal, color=GREY, lw=1, ls=":")
    for name, axis in (("x", panel.x), ("y", panel.y)):
        if axis.log:
            axes.set(**{f"{name}scale": "log"})
    series = [one for one in panel.series if one.model in models]
    if panel.front:
        axes.plot(
            *zip(*front((one.x[0], one.y[0]) for one in series), strict=True),
            color=GREY, lw=1, ls=":", drawstyle="steps-post",
        )  # fmt: skip
    for one in sorted(series, key=lambda one: models.index(one.model)):
        DRAWN[panel.kind](axes, one, looks[one.model], models)
    axes.set_xlabel(fill(panel.x.title, 34 if len(axes.figure.axes) > 1 else 90))
    for name, axis in (("x", panel.x), ("y", panel.y)):
        if axis.ticks:
            ends = axes.get_xlim() if name == "x" else axes.get_ylim()
            most = 6 if name == "x" and len(axes.figure.axes) > 1 else 12
            some = thinned(axis.ticks, abs(ends[1] - ends[0]) / most)
            axes.set(**{f"{name}ticks": [at for at, _ in some]})
            axes.set(**{f"{name}ticklabels": [text for _, text in some]})
    if panel.kind in LISTS:
        axes.set_yticks(range(len(models)), models)


def _line(axes: Axes, one: Series, look: dict, models: list[str]) -> None:
    order = np.argsort(one.x)
    x, y = np.asarray(one.x, dtype=float)[order], np.asarray(one.y, dtype=float)[order]
    axes.plot(x, y, **look, markersize=5, label=one.model)
    if len(one.low):
        low, high = (np.asarray(end, dtype=float)[order] for end in (one.low, one.high))
        alpha = 0.08 if len(models) > 6 else 0.15
        axes.fill_between(x, low, high, color=look["color"], alpha=alpha, lw=0)


def _bars(axes: Axes, one: Series, look: dict, models: list[str]) -> None:
    shift = 0.5 * (models.index(one.model) / max(len(models) - 1, 1) - 0.5)
    y = np.asarray(one.y, dtype=float)
    away = np.stack((y - np.asarray(one.low), np.asarray(one.high) - y))  # [2, n]
    words = look | {"linestyle": "", "markersize": 4, "lw": 1, "label": one.model}
    axes.errorbar(np.asarray(one.x) + shift, y, away, **words)


def _row(axes: Axes, one: Series, look: dict, models: list[str]) -> None:
    row = models.index(one.model)
    colour, y = look["color"], np.asarray(one.y, dtype=float) + row
    if len(one.low):
        axes.hlines(y, one.low, one.high, color=colour, lw=1.5)
    words = {"markerfacecolor": "white" if one.is_open else colour, "color": colour}
    axes.plot(one.x, y, look["marker"], **words)


def _box(axes: Axes, one: Series, look: dict, models: list[str]) -> None:
    y, colour = models.index(one.model), look["color"]
    p5, p25, p50, p75, p95 = one.x
    axes.plot([p5, p95], [y, y], color=colour, lw=1)
    axes.barh(y, p75 - p25, 0.6, p25, zorder=2, facecolor="white", edgecolor=colour)
    axes.plot([p50, p50], [y - 0.3, y + 0.3], color=colour, lw=2, zorder=3)


def _point(axes: Axes, one: Series, look: dict, models: list[str]) -> None:
    axes.plot(one.x, one.y, **look | {"linestyle": ""}, markersize=8)
    place = (float(one.x[0]), float(one.y[0]))
    axes.annotate(one.model, place, (7, 3), textcoords="offset points", fontsize=8, color=GREY)
    axes.margins(x=0.15)


DRAWN = {"list": _row, "boxes": _box, "lines": _line, "bars": _bars, "points": _point}
