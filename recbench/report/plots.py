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
from recbench.report.style import save
from recbench.report.terminal import MORE_IS_BETTER, SCORES

GREY = "#555555"


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
    """The figure with its panels side by side, of the recommenders that have a look, in its
    order."""
    score, panels = figure.panels_of_file()
    drawn_models = [name for rows in reversed(panels.values()) for name in rows["model"]]
    is_list, many = figure.is_list, len(panels)
    order = dict.fromkeys(drawn_models) if is_list else looks  # a list's as in its last panel
    there = [name for name in order if name in drawn_models and name in looks]
    width = 9.0 if many == 1 else 3.2 + 2.4 * many if is_list else 2 + 3.2 * many
    height = 1.9 + 0.3 * len(there) if is_list else 5.0
    drawn = mpl.Figure(figsize=(width, height), dpi=120, layout="constrained")
    axes_of_panels = drawn.subplots(1, many, sharey=True, squeeze=False)[0]
    for axes, (name, rows) in zip(axes_of_panels, panels.items(), strict=True):
        _draw_panel(axes, figure, rows, score, {name: looks[name] for name in there})
        title = ", ".join(filter(None, (figure.title, name))) if many == 1 else name
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_xlabel(fill(_title(figure.x.title, score), 34 if many > 1 else 90))
    first = axes_of_panels[0]
    if is_list:
        first.set_yticks(range(len(there)), there)
        first.invert_yaxis()
    else:
        first.set_ylabel(_title(figure.y.title, score))
    if figure.title and many > 1:
        drawn.suptitle(figure.title, x=0.01, ha="left", fontsize=11)
    if figure.kind == "lines":
        drawn.legend(
            *first.get_legend_handles_labels(), loc="outside right upper", fontsize=9,
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
    if figure.diagonal:
        axes.plot(figure.diagonal, figure.diagonal, color=GREY, lw=1, ls=":")
    rows = rows[rows["model"].isin(list(looks))]
    x = _scaled(axes, "x", figure.x, score, rows)
    y = _scaled(axes, "y", figure.y, score, rows) if figure.y.column else 0.0
    low, high = (rows.get(name.format(score=score)) for name in figure.ends)
    points = rows.assign(_x=x, _y=y, _low=low, _high=high)
    groups = dict(list(points.groupby("model", sort=False)))
    for place, (model, look) in enumerate(looks.items()):
        if model in groups:
            _draw_model(
                axes, figure.kind, groups[model], look | {"label": model}, place, len(looks)
            )


def _scaled(axes: Axes, which: str, axis: Axis, score: str, rows: pd.DataFrame) -> pd.Series:
    """Set the scale; the places of the rows."""
    column = axis.column.format(score=score)
    mpl_axis = axes.xaxis if which == "x" else axes.yaxis
    if axis.scale == "places":
        names = list(rows[column].unique())
        texts = [f"{one:,g}" if isinstance(one, (int, float)) else str(one) for one in names]
        every = 1 + len(names) // 13
        mpl_axis.set_ticks(list(range(len(names)))[::every], texts[::every])
        return rows[column].map(names.index)
    if axis.scale == "log":
        axes.set(**{f"{which}scale": "log"})
    elif axis.scale == "percent":
        mpl_axis.set_major_formatter(PercentFormatter(1.0))
        mpl_axis.set_major_locator(MaxNLocator(6))
    elif axis.scale == "signed":
        set_scale = axes.set_xscale if which == "x" else axes.set_yscale
        linear = linear_part(rows, column)
        set_scale("symlog", linthresh=linear)
        mpl_axis.set_major_formatter(  # those beside zero crowd
            lambda at, _: minus(f"{at:+g}") if abs(at) >= linear / 2 else "" if at else "0"
        )
    return rows[column]


def _draw_model(
    axes: Axes, kind: str, own: pd.DataFrame, look: dict, place: int, many: int
) -> None:
    """The points of one recommender, in a list in the row `place`, out of `many`."""
    colour, x, y = look["color"], own["_x"], own["_y"]
    ends = (own["_low"].astype(float), own["_high"].astype(float))
    if kind == "lines":
        axes.plot(x, y, **look, markersize=5)
        axes.fill_between(x, *ends, color=colour, alpha=0.08 if many > 6 else 0.15, lw=0)
    elif kind == "points":
        axes.plot(x, y, **look | {"linestyle": ""}, markersize=8)
        at = (float(x.iloc[0]), float(y.iloc[0]))
        axes.annotate(look["label"], at, (7, 3), textcoords="offset points", fontsize=8, color=GREY)
        axes.margins(x=0.15)
    else:
        axes.hlines([place] * len(x), *ends, color=colour, lw=1.5)
        is_open = own.get("_open", pd.Series(False, own.index))
        for rows, face in ((own[is_open], "white"), (own[~is_open], colour)):
            words = {"markerfacecolor": face, "color": colour, "linestyle": ""}
            axes.plot(rows["_x"], [place] * len(rows), marker=look["marker"], **words)
