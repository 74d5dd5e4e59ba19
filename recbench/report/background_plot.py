"""Error by the number of background users, as a picture."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recbench.report.style import GREY, centred, legend_beside, looks_of, plain_frame

DASHES = (
    (0, (6, 2)),
    (0, (2, 2)),
    (0, (8, 2, 1, 2)),
    (0, (1, 1)),
    "solid",
    (0, (3, 1, 1, 1, 1, 1)),
)


def plot_background(comparison: pd.DataFrame, title: str) -> Figure:
    """One line per collaborative recommender, a level one for each of the others.

    Args:
        comparison: rows with model, iteration, background_users (nan: learns from no other user)
            and rmse.
        title: above the picture.
    """
    by_model = comparison.assign(centred=centred(comparison, ["iteration"], "rmse")).groupby(
        "model", sort=False
    )
    figure = Figure(figsize=(10, 6), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("function", functions=(np.log1p, np.expm1))
    collaborative = [name for name, rows in by_model if rows["background_users"].notna().all()]
    for name, look in looks_of(collaborative).items():
        by_size = by_model.get_group(name).groupby("background_users")
        mean, spread = by_size["rmse"].mean(), by_size["centred"].std().fillna(0)
        axes.plot(mean.index, mean, **look, markersize=5, label=name)
        band = (mean - spread, mean + spread)
        axes.fill_between(mean.index, *band, color=look["color"], alpha=0.13, lw=0)
    personal = [name for name in by_model.groups if name not in collaborative]
    for dashes, name in zip(cycle(DASHES), personal, strict=False):
        level = by_model.get_group(name)["rmse"].mean()
        axes.axhline(level, color=GREY, linestyle=dashes, lw=1.4, label=f"{name} (one user)")
    sizes = sorted(comparison["background_users"].dropna().unique())
    axes.set_xticks(sizes, [f"{int(size):,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("background users whose ratings the model has learned from (log(1 + n))")
    axes.set_ylabel("RMSE of held-out ratings, stars (mean over users)")
    plain_frame(axes, title)
    legend_beside(figure, axes, "band: ± standard deviation\nbetween iterations\n")
    return figure
