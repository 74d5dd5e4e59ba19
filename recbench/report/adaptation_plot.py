"""The picture of how recommenders follow a user who changes."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from recbench.report.style import legend_beside, looks_of, plain_frame


def adaptation_plot(table: pd.DataFrame) -> Figure:
    """RMSE of what has changed, by ratings since; a panel for each change, a line for each
    recommender, from its error before."""
    looks = looks_of(list(table["model"].unique()))
    changes = list(table["change"].unique())
    figure = Figure(figsize=(4.2 * len(changes) + 2.5, 4.2), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(changes), sharey=True, squeeze=False)[0]
    for panel, change in zip(panels, changes, strict=True):
        of_change = table[table["change"] == change]
        windows = sorted(of_change["ratings_since"].unique())
        for model, rows in of_change.groupby("model", sort=False):
            y = [rows["rmse_before"].iloc[0], *rows.sort_values("ratings_since")["rmse"]]
            panel.plot(range(-1, len(y) - 1), y, **looks[str(model)], markersize=4, label=model)
        panel.axvline(-0.5, color="#555555", lw=1, ls=":")
        panel.set_xticks(range(-1, len(windows)), ["before", *[str(one) for one in windows]])
        panel.set_xlabel("ratings of that kind since the change (each up to the next)")
        plain_frame(panel, change)
    panels[0].set_ylabel("RMSE of ratings of that kind, stars")
    legend_beside(figure, panels[0], "")
    return figure
