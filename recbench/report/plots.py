"""Figures drawn with matplotlib, for files: what `recbench.report.figure` describes."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import matplotlib.figure as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from recbench.report.figure import Axis, Figure, linear_part, minus
from recbench.report.style import looks_of
from recbench.report.terminal import MORE_IS_BETTER, SCORES

GREY = "#555555"
ROOM = 1.6  # by which factor two names of a front are apart
ACROSS = 3  # panels beside each other, more stand below them


def draw(figure: Figure, looks: dict[str, dict]) -> mpl.Figure:
    """The figure with its panels, of the recommenders that have a look, in its order.

    Args:
        looks: of each recommender, see `recbench.report.style.run_looks`.
    """
    score, panels = figure.panels_of_file()
    every = [name for rows in reversed(panels.values()) for name in rows["model"]]
    order = dict.fromkeys(every) if figure.kind == "list" else looks  # as in the last panel
    there = {name: looks[name] for name in order if name in every and name in looks}
    down = -(-len(panels) // ACROSS)
    across = -(-len(panels) // down)
    width, height = (9.0, 5.0) if len(panels) == 1 else (2 + 3.4 * across, 3.9 * down)
    if figure.kind == "list":
        height = (1.9 + 0.3 * len(there)) * down
    elif not figure.classes:
        height = max(height, 1.2 + 0.2 * len(there))  # of the legend
    drawn = mpl.Figure(figsize=(width, height), dpi=120, layout="constrained")
    legend: dict[str, Any] = {}
    first = None
    for place, (name, rows) in enumerate(panels.items()):
        same_x = first if figure.kind == "points" else None
        axes = drawn.add_subplot(down, across, place + 1, sharex=same_x, sharey=first)
        first = first or axes
        _draw_panel(axes, figure, rows, score, there)
        axes.set_title(name, loc="left", fontsize=11)
        axes.set_xlabel(fill(_title(figure.x.title, score), 38 if across > 1 else 90))
        axes.tick_params(labelleft=place % across == 0)
        if place % across == 0:
            axes.set_ylabel(_title(figure.y.title, score))
        handles, names = axes.get_legend_handles_labels()
        legend |= dict(zip(names, handles, strict=True))
    if first and figure.kind == "list":
        first.invert_yaxis()
    drawn.suptitle(figure.title, x=0.01, ha="left", fontsize=11)
    drawn.legend(
        [*legend.values()], [*legend], loc="outside right upper", fontsize=9,
        title=figure.note, title_fontsize=9, frameon=False, alignment="left",
    )  # fmt: skip
    return drawn


def _title(title: str, score: str) -> str:
    more = score in MORE_IS_BETTER
    words = {"better": "more" if more else "less", "side": "right" if more else "left"}
    return title.format(score=SCORES.get(score, score), **words)


def _draw_panel(
    axes: Axes, figure: Figure, rows: pd.DataFrame, score: str, looks: dict[str, dict]
) -> None:
    """The rows of one panel, those of the recommenders in `looks`."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    rows = rows[rows["model"].isin(list(looks))]
    x = _scaled(axes, "x", figure.x, rows)
    y = _scaled(axes, "y", figure.y, rows) if figure.y.column else rows["model"]
    points = rows.assign(_x=x, _y=y)
    looks = looks_of(list(figure.classes)) or looks
    groups = dict(list(points.groupby("_class" if figure.classes else "model", sort=False)))
    for name, look in looks.items():
        if name in groups:
            alpha = 0.08 if len(looks) > 6 else 0.15
            _draw_group(axes, figure.kind, groups[name], look | {"label": name}, alpha)
    if figure.kind == "points":
        _draw_front(axes, points[points["_front"]].sort_values("_x"), score in MORE_IS_BETTER)


def _scaled(axes: Axes, which: str, axis: Axis, rows: pd.DataFrame) -> pd.Series:
    """Set the scale; the places of the rows."""
    values = rows[axis.column]
    mpl_axis = axes.xaxis if which == "x" else axes.yaxis
    if axis.scale == "places":
        names = list(values.unique())
        texts = [f"{one:,g}" if isinstance(one, (int, float)) else str(one) for one in names]
        every = 1 + len(names) // 13
        mpl_axis.set_ticks(list(range(len(names)))[::every], texts[::every])
        return values.map(names.index)
    if axis.scale == "log":
        axes.set(**{f"{which}scale": "log"})
    elif axis.scale == "signed":
        (axes.axvline if which == "x" else axes.axhline)(0, color=GREY, lw=1)
        set_scale = axes.set_xscale if which == "x" else axes.set_yscale
        linear = linear_part(rows, axis.column)
        set_scale("symlog", linthresh=linear)
        mpl_axis.set_major_formatter(  # those beside zero crowd
            lambda at, _: minus(f"{at:+g}") if abs(at) >= linear / 2 else "" if at else "0"
        )
    return values


def _draw_group(axes: Axes, kind: str, own: pd.DataFrame, look: dict, alpha: float) -> None:
    """The points of one recommender or class."""
    colour, x, y = look["color"], own["_x"], own["_y"]
    ends = [own.get(end, x if kind == "list" else y).astype(float) for end in ("low", "high")]
    if kind == "lines":
        axes.plot(x, y, **look, markersize=5)
        axes.fill_between(x, *ends, color=colour, alpha=alpha, lw=0)
    elif kind == "points":
        axes.plot(x, y, **look | {"linestyle": ""}, markersize=7)
    else:
        axes.hlines(y, *ends, color=colour, lw=1.5)
        is_open = own.get("_open", pd.Series(False, own.index))
        for rows, face in ((own[is_open], "white"), (own[~is_open], colour)):
            words = {"markerfacecolor": face, "color": colour, "linestyle": ""}
            axes.plot(rows["_x"], rows["_y"], marker=look["marker"], **words)


def _draw_front(axes: Axes, front: pd.DataFrame, above: bool) -> None:
    """The line, and names on that side of it where nothing else stands, if they have room."""
    axes.step(front["_x"], front["_y"], where="post", color=GREY, lw=1, ls=":", zorder=1)
    axes.set_xlim(left=front["_x"].min() / 8)
    axes.margins(y=0.3)
    beside, va, angle = ((-3, 3), "bottom", -40) if above else ((-3, -3), "top", 40)
    last = np.inf
    for name, x, y in front[["model", "_x", "_y"]][::-1].itertuples(index=False):
        if x * ROOM < last:
            last = x
            axes.annotate(
                name, (x, y), beside, textcoords="offset points", ha="right", va=va,
                rotation=angle, fontsize=8, color=GREY,
            )  # fmt: skip
