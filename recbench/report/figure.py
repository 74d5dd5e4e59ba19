"""Figures, each described once: plotly.js draws the description in the page, matplotlib in files.

`html/template/figures.js` and `recbench.report.plots` are the two that draw. A figure has one panel
for each choice of the page's switches; files show the panels of all cells side by side.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

Kind = Literal["list", "boxes", "lines", "bars", "points"]
Numbers: TypeAlias = Sequence[float] | np.ndarray | pd.Series


@dataclass(frozen=True)
class Axis:
    """An axis of a panel.

    Attributes:
        title: what is measured, with its unit.
        log: whether it is logarithmic.
        ticks: (place, text), the most important first; empty: the library chooses.
    """

    title: str = ""
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True)
class Series:
    """Points of one recommender.

    Attributes:
        x, y: places, float [n]; in a list `y` is counted from the middle of the recommender's row.
        hover: a line of HTML for each point, names escaped.
        low, high: ends of intervals, float [n], nan where there is none: of x in a list, else of y.
        is_open: whether markers are open; None: as the recommender's look has it.
    """

    model: str
    x: Numbers
    y: Numbers
    hover: Sequence[str] = ()
    low: Numbers = ()
    high: Numbers = ()
    is_open: bool | None = None


@dataclass(frozen=True)
class Panel:
    """What is drawn for one choice.

    Attributes:
        kind: "list": a row for each recommender; "boxes": the same, `x` are the 5, 25, 50, 75 and
            95 % quantiles; "lines": joined points with bands; "bars": joined points with bars, side
            by side; "points": points with names.
        series: in the order of the rows of a list.
        rule: of a line that differences are read from: x in a list, else y; None: there is none.
        diagonal: the ends of a line x = y; None: there is none.
        front: whether a line joins the points that none is both left of and below.
        title: of the panel in a file.
    """

    kind: Kind
    series: list[Series]
    x: Axis
    y: Axis = Axis()
    rule: float | None = None
    diagonal: tuple[float, float] | None = None
    front: bool = False
    title: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure of the page and of a file.

    Attributes:
        name: in the page.
        label: what is seen, for a reader who does not see it.
        panels: by the values of `follows`, joined with "|".
        follows: the switches that choose a panel: "cell", "score", "role".
        file: in plots/, without the ending; "": there is none.
        title: of the file.
        note: how bands or bars are read, in the legend of the file.
        one_cell: whether the file shows the last cell alone.
    """

    name: str
    label: str
    panels: dict[str, Panel]
    follows: tuple[str, ...] = ()
    file: str = ""
    title: str = ""
    note: str = ""
    one_cell: bool = False

    @property
    def in_file(self) -> list[Panel]:
        """The panels of the file: those of the first score and role."""
        at = [place for place, name in enumerate(self.follows) if name != "cell"]
        first = next(iter(self.panels)).split("|")
        same = [
            panel
            for key, panel in self.panels.items()
            if all(key.split("|")[place] == first[place] for place in at)
        ]
        return same[-1:] if self.one_cell else same

    @property
    def models(self) -> set[str]:
        return {series.model for panel in self.panels.values() for series in panel.series}

    @property
    def names_rows(self) -> bool:
        """Whether every panel writes names beside its rows, so that no legend is needed."""
        return all(panel.kind in ("list", "boxes") for panel in self.panels.values())


@dataclass(frozen=True)
class SignedLog:
    """A scale that is linear about zero and logarithmic beyond `linear`."""

    linear: float
    values: Numbers = field(repr=False)

    def at(self, values: Any) -> np.ndarray:
        """Places of the values, float of the same shape."""
        values = np.asarray(values, dtype=float)
        return np.sign(values) * np.log1p(np.abs(values) / self.linear)

    def axis(self, title: str) -> Axis:
        """With ticks at 1 and 3 times powers of ten."""
        finite = [value for value in self.values if math.isfinite(value)]
        low, high = min([0.0, *finite]), max([0.0, *finite])
        sizes = [step * 10.0**power for power in range(-7, 7) for step in (1, 3)]
        values = [sign * size for size in sizes for sign in (1, -1)]
        ticks = [(0.0, "0")]
        ticks += [
            (float(self.at(value)), minus(f"{value:+g}"))
            for value in values
            if 1.2 * low <= value <= 1.2 * high
        ]
        return Axis(title, ticks=thinned(ticks, float(self.at(high) - self.at(low)) / 40))


def difference_scale(rows: pd.DataFrame) -> SignedLog:
    """For `difference`, `low` and `high`: linear as far as half a median interval reaches."""
    half = float(((rows["high"] - rows["low"]) / 2).dropna().median())
    linear = half if half > 0 else float(rows["difference"].abs().median())
    ends = rows[["difference", "low", "high"]].to_numpy(dtype=float).ravel()
    return SignedLog(linear if linear > 0 else 1.0, ends.tolist())


def thinned(ticks: Sequence[tuple[float, str]], apart: float) -> list[tuple[float, str]]:
    """Those ticks that are more than `apart` from all that come before them."""
    kept: list[tuple[float, str]] = []
    for place, text in ticks:
        if all(abs(place - other) > apart for other, _ in kept):
            kept.append((place, text))
    return kept


def front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (x, y) that none is both left of and below, from left to right."""
    found: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not found or y < found[-1][1]:
            found.append((x, y))
    return found


def by_model(rows: pd.DataFrame, make: Callable[[str, pd.DataFrame], Series]) -> list[Series]:
    """`make` of each recommender's rows, in the order of their first."""
    return [make(str(model), own) for model, own in rows.groupby("model", sort=False)]


def hover(model: str, *lines: str) -> str:
    """The text at a point: the recommender's name in bold, and the lines, which are escaped."""
    texts = [html.escape(text, quote=False) for text in (model, *lines)]
    return "<br>".join([f"<b>{texts[0]}</b>", *texts[1:]])


def number(value: float) -> str:
    """A number as tables show it; "" if it is none."""
    if not math.isfinite(value):
        return ""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1e}" if abs(value) < 0.0005 else f"{value:.3f}"


def interval(low: float, high: float, form: str = ".3f") -> str:
    """ " [0.1, 0.2]"; "" without ends."""
    return f" [{low:{form}}, {high:{form}}]" if math.isfinite(low) and math.isfinite(high) else ""


def minus(text: str) -> str:
    """With a minus sign in place of each hyphen."""
    return text.replace("-", "−")


def as_json(figure: Figure) -> dict[str, Any]:
    """The figure for plotly.js: numbers to six digits, None for nan, nothing that is empty."""
    panels = {
        key: {
            "kind": panel.kind,
            "x": _axis(panel.x),
            "y": _axis(panel.y),
            "rule": panel.rule,
            "diagonal": panel.diagonal,
            "front": panel.front,
            "series": [_series(one) for one in panel.series],
        }
        for key, panel in figure.panels.items()
    }
    return {"follows": figure.follows, "panels": panels}


def _axis(axis: Axis) -> dict[str, Any]:
    ticks = [[_short(place), text] for place, text in axis.ticks]
    return {"title": html.escape(axis.title, quote=False), "log": axis.log, "ticks": ticks}


def _series(one: Series) -> dict[str, Any]:
    parts: dict[str, Any] = {"model": one.model, "hover": list(one.hover)}
    parts |= {name: list(map(_short, getattr(one, name))) for name in ("x", "y")}
    if any(math.isfinite(value) for value in one.low):
        parts |= {name: list(map(_short, getattr(one, name))) for name in ("low", "high")}
    return parts if one.is_open is None else parts | {"open": one.is_open}


def _short(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
