"""How the pictures look: colours, frames, and files that are equal when the picture is."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's, which the colour-blind can tell apart, and darker shades of the same
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#003E61", "#7A3600", "#00573F", "#74445F", "#7A5400", "#2F627F"),
)
# the same on a dark ground, where dark shades are not seen: light ones take their place
DARK_COLOURS = (
    *("#4AA3DF", "#F07F3C", "#2DC49A", "#DD93BC", "#F0B429", "#8FD3FF"),
    *("#B9CCF5", "#F9C6A6", "#A8E6C3", "#F0CFE1", "#F7E7A8", "#6F9FC0"),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
LINES = ("-", "--", ":")  # of the first twelve, the next twelve ..
GREY = "#555555"


def looks_of(models: list[str]) -> dict[str, dict]:
    """Colour, marker and line of each recommender, by its place in `models`."""
    looks = [
        {"color": colour, "marker": marker, "linestyle": line}
        for line in LINES
        for colour, marker in zip(COLOURS, MARKERS, strict=True)
    ]
    return dict(zip(models, cycle(looks), strict=False))


def run_looks(results: pd.DataFrame) -> dict[str, dict]:
    """The look of each recommender of a run, in all its pictures the same: by the order of the run
    while there are colours enough, else by the mean RMSE, the lowest first.

    Args:
        results: all rows of a run, failed ones too: `model` and `rmse`.
    """
    models = list(results["model"].unique())
    if len(models) > len(COLOURS):
        mean = results.groupby("model", sort=False)["rmse"].mean()
        models = list(mean.sort_values(kind="stable", na_position="last").index)
    return looks_of(models)


def plain_frame(axes: Axes, title: str) -> None:
    """A light grid, no upper and right border, the title on the left."""
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def legend_beside(figure: Figure, axes: Axes, title: str) -> None:
    """The legend outside on the right; `title` says what the band is."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside right upper",
        title=title,
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        alignment="left",
    )


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem`.png and `stem`.svg; the same picture is the same file."""
    files = [stem.with_suffix(f".{suffix}") for suffix in ("png", "svg")]
    with mpl.rc_context({"svg.hashsalt": stem.name}):
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else None
            figure.savefig(file, metadata=metadata)
    return files


def centred(rows: pd.DataFrame, by: list[str], score: str) -> pd.Series:
    """`score` with the difference between iterations taken away (Cousineau 2005).

    The users that an iteration draws move all recommenders alike; that is no uncertainty of the
    differences between them.

    Args:
        by: the columns that name what is drawn together, such as a cell and the iteration.
    """
    of_iteration = rows.groupby(by)[score].transform("mean")
    of_all = rows.groupby(by[:-1])[score].transform("mean") if by[:-1] else rows[score].mean()
    return rows[score] - of_iteration + of_all
