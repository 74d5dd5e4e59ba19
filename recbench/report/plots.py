"""Figures drawn with matplotlib, for files: what `recbench.report.figure` describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import matplotlib.figure as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from recbench.report.figure import Axis, Figure, linear_part, minus
from recbench.report.style import looks_of, save
from recbench.report.terminal import MORE_IS_BETTER, SCORES

GREY = "#555555"
ACROSS = 3  # panels of points beside each other, more below them


def write_figures(figures: Sequence[Figure], looks: dict[str, dict], folder: Path) -> None:
    """Each figure as .png and .svg.

    Args:
        looks: of each recommender, see `recbench.report.style.run_looks`.
    """
    for figure in figures:
        if len(figure.table):
            folder.mkdir(exist_ok=True)
            save(draw(figure, looks), folder / figure.name)


def draw(figure: Figure, looks: dict[str, dict]) -> mpl.Figure:
    """The figure with its panels, of the recommenders that have a look, in its order."""
    score, panels = figure.panels_of_file()
    drawn_models = [name for rows in reversed(panels.values()) for name in rows["model"]]
    is_list, many = figure.is_list, len(panels)
    order = dict.fromkeys(drawn_models) if is_list else looks  # a list's as in its last panel
    there = {name: looks[name] for name in order if name in drawn_models and name in looks}
    across = min(many, ACROSS) if figure.kind == "points" else many
    down = -(-many // across)
    width = 9.0 if many == 1 else 3.2 + 2.4 * many if is_list else 2 + 3.2 * across
    height = 1.9 + 0.3 * len(there) if is_list else 5.0 if down == 1 else 0.8 + 3.6 * down
    drawn = mpl.Figure(figsize=(width, height), dpi=120, layout="constrained")
    every = drawn.subplots(down, across, sharey=True, sharex=down > 1, squeeze=False).flat
    for axes in every[many:]:
        axes.remove()
    first = every[0]
    for place, (name, rows) in enumerate(panels.items()):
        axes = every[place]
        _draw_panel(axes, figure, rows[rows["model"].isin(list(there))], score, there)
        title = ", ".join(filter(None, (figure.title, name))) if many == 1 else name
        axes.set_title(title, loc="left", fontsize=11)
        axes.tick_params(labelbottom=True)
        if place + across >= many:
            axes.set_xlabel(fill(_title(figure.x.title, score), 34 if many > 1 else 90))
        if not is_list and place % across == 0:
            axes.set_ylabel(_title(figure.y.title, score))
    if is_list:
        first.set_yticks(range(len(there)), list(there))
        first.invert_yaxis()
    if figure.title and many > 1:
        drawn.suptitle(figure.title, x=0.01, ha="left", fontsize=11)
    if figure.kind == "lines" or figure.classes:
        labels = [axes.get_legend_handles_labels() for axes in drawn.axes]
        named = {name: one for ones, names in labels for one, name in zip(ones, names, strict=True)}
        drawn.legend(
            list(named.values()), list(named), loc="outside right upper", fontsize=9,
            title=figure.note, title_fontsize=9, frameon=False, alignment="left",
        )  # fmt: skip
    elif figure.note:
        drawn.supxlabel(figure.note, x=0.01, ha="left", fontsize=9)
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
    if figure.rule is not None:
        (axes.axvline if figure.is_list else axes.axhline)(figure.rule, color=GREY, lw=1)
    x = _scaled(axes, "x", figure.x, rows)
    y = _scaled(axes, "y", figure.y, rows) if figure.y.column else 0.0
    low, high = (rows.get(name) for name in figure.ends)
    points = rows.assign(_x=x, _y=y, _low=low, _high=high)
    looks = looks_of(list(figure.classes)) or looks
    groups = dict(list(points.groupby("_class" if figure.classes else "model", sort=False)))
    for place, (name, look) in enumerate(looks.items()):
        if name in groups:
            _draw_group(axes, figure.kind, groups[name], look | {"label": name}, place, len(looks))
    if figure.kind == "points":
        _name_points(axes, points, score in MORE_IS_BETTER)


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
    elif axis.scale == "percent":
        mpl_axis.set_major_formatter(PercentFormatter(1.0))
        mpl_axis.set_major_locator(MaxNLocator(6))
    elif axis.scale == "signed":
        set_scale = axes.set_xscale if which == "x" else axes.set_yscale
        linear = linear_part(rows, axis.column)
        set_scale("symlog", linthresh=linear)
        mpl_axis.set_major_formatter(  # those beside zero crowd
            lambda at, _: minus(f"{at:+g}") if abs(at) >= linear / 2 else "" if at else "0"
        )
    return values


def _draw_group(
    axes: Axes, kind: str, own: pd.DataFrame, look: dict, place: int, many: int
) -> None:
    """The points of one recommender or class, in a list in the row `place`, out of `many`."""
    colour, x, y = look["color"], own["_x"], own["_y"]
    ends = (own["_low"].astype(float), own["_high"].astype(float))
    if kind == "lines":
        axes.plot(x, y, **look, markersize=5)
        axes.fill_between(x, *ends, color=colour, alpha=0.08 if many > 6 else 0.15, lw=0)
    elif kind == "points":
        axes.plot(x, y, **look | {"linestyle": ""}, markersize=7)
    else:
        axes.hlines([place] * len(x), *ends, color=colour, lw=1.5)
        is_open = own.get("_open", pd.Series(False, own.index))
        for rows, face in ((own[is_open], "white"), (own[~is_open], colour)):
            words = {"markerfacecolor": face, "color": colour, "linestyle": ""}
            axes.plot(rows["_x"], [place] * len(rows), marker=look["marker"], **words)


def _name_points(axes: Axes, points: pd.DataFrame, above: bool) -> None:
    """All of them; or those of a front, on that side of its line where nothing stands."""
    ha, at = "left", (6, 3)
    if "_front" in points:
        points = points[points["_front"]].sort_values("_x")
        axes.step(points["_x"], points["_y"], where="post", color=GREY, lw=1, ls=":", zorder=1)
        axes.set_xlim(left=points["_x"].min() / 30)
        axes.margins(y=0.08)
        ha, at = "right", (-4, 3 if above else -3)
    else:
        axes.margins(x=0.15)
    va = "bottom" if at[1] > 0 else "top"
    for name, x, y in points[["model", "_x", "_y"]].itertuples(index=False):
        axes.annotate(
            name, (x, y), at, textcoords="offset points", fontsize=8, color=GREY, ha=ha, va=va
        )
