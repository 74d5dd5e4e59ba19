"""Error by the size of the crowd, as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito's
GREY = "#555555"
DASHES = (
    (0, (6, 2)),
    (0, (2, 2)),
    (0, (8, 2, 1, 2)),
    (0, (1, 1)),
    "solid",
    (0, (3, 1, 1, 1, 1, 1)),
)


def plot_crowd(comparison: pd.DataFrame, title: str, files: list[Path]) -> None:
    """One line per collaborative recommender, a level one for each of the others.

    The band is the standard deviation over iterations of what is left when each iteration's mean
    over all lines is taken away (Cousineau 2005): whom an iteration draws moves all lines alike,
    and is no doubt about where they cross.

    Args:
        comparison: rows with model, iteration, people (nan: learns from nobody else) and rmse.
        title: above the picture.
        files: where to write it, such as a .png and a .svg.
    """
    of_iteration = comparison.groupby("iteration")["rmse"].transform("mean")
    centred = comparison["rmse"] - of_iteration + comparison["rmse"].mean()
    by_model = comparison.assign(centred=centred).groupby("model", sort=False)
    figure = Figure(figsize=(10, 6), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("function", functions=(np.log1p, np.expm1))
    collaborative = [name for name, rows in by_model if rows["people"].notna().all()]
    for colour, name in zip(_cycle(COLOURS, collaborative), collaborative, strict=True):
        by_people = by_model.get_group(name).groupby("people")
        mean, spread = by_people["rmse"].mean(), by_people["centred"].std().fillna(0)
        axes.plot(mean.index, mean, color=colour, marker="o", markersize=5, label=name)
        axes.fill_between(mean.index, mean - spread, mean + spread, color=colour, alpha=0.13, lw=0)
    personal = [name for name in by_model.groups if name not in collaborative]
    for dashes, name in zip(_cycle(DASHES, personal), personal, strict=True):
        level = by_model.get_group(name)["rmse"].mean()
        axes.axhline(level, color=GREY, linestyle=dashes, lw=1.4, label=f"{name} (nobody else)")
    sizes = sorted(comparison["people"].dropna().unique())
    axes.set_xticks(sizes, [f"{int(size):,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("other people whose ratings the model has learned from (log(1 + n))")
    axes.set_ylabel("RMSE of held-out ratings, stars (mean over users)")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        *(handles, labels),
        loc="outside right upper",
        title="band: ± standard deviation\nbetween iterations\n",
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        handlelength=4,
        alignment="left",
    )
    with mpl.rc_context({"svg.hashsalt": "crowd"}):  # the same picture is the same file
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else None
            figure.savefig(file, metadata=metadata)


def _cycle(values: tuple, names: list) -> list:
    return [values[place % len(values)] for place in range(len(names))]
