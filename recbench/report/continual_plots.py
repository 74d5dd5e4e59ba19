"""The pictures of a replay: learning curves, the price of waiting, error by cost, latency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recbench.report.style import GREY, legend_beside, plain_frame, run_looks, save

FEWEST_USERS = 30  # of a point of a learning curve: of fewer the interval fills the picture
BAND = "band: 95 % interval\nover users\n"


def write_continual_plots(
    summary: pd.DataFrame, curve: pd.DataFrame, waiting: pd.DataFrame, folder: Path
) -> list[Path]:
    """All pictures that the tables of a run allow, as .png and .svg; the files written."""
    folder.mkdir(exist_ok=True)
    done, looks = summary[summary["rmse"].notna()], replay_looks(summary)
    files = save(learning_curves(curve, looks), folder / "learning_curves")
    if len(waiting):
        files += save(price_of_waiting(waiting, looks), folder / "waiting")
    files += save(error_by_cost(done, looks), folder / "error_by_cost")
    return files + save(latency(done), folder / "latency")


def replay_looks(summary: pd.DataFrame) -> dict[str, dict]:
    """The look of each recommender@when of continual_summary.csv, in all pictures the same."""
    return run_looks(summary.assign(model=_names(summary)))


def _names(table: pd.DataFrame) -> pd.Series:
    return table["model"] + "@" + table["retrained"]


def _axes(height: float = 5) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.5, height), dpi=120, layout="constrained")
    return figure, figure.add_subplot()


def learning_curves(
    curve: pd.DataFrame, looks: dict[str, dict], names: list[str] | None = None
) -> Figure:
    """RMSE by how many ratings the user has given before, a line for each learner."""
    curve = curve.assign(name=_names(curve))
    curve = curve[curve["n_users"] >= min(FEWEST_USERS, curve["n_users"].max())]
    figure, axes = _axes()
    seen = sorted(curve["ratings_seen"].unique())
    place = {number: at for at, number in enumerate(seen)}
    for name in names or curve["name"].unique():
        rows = curve[curve["name"] == name]
        x = rows["ratings_seen"].map(place)
        axes.plot(x, rows["rmse"], **looks[name], markersize=4, label=name)
        axes.fill_between(
            x, rows["rmse_low"], rows["rmse_high"], color=looks[name]["color"], alpha=0.08, lw=0
        )
    typical = curve.loc[curve["ratings_seen"] > 0, "rmse"]
    axes.set_ylim(top=min(curve["rmse"].max(), typical.quantile(0.9) * 1.15))
    axes.set_xticks(range(len(seen)), [f"{number:,}" for number in seen])
    axes.set_xlabel("ratings that the user has given before (each up to the next)")
    axes.set_ylabel("RMSE of the next ratings, stars")
    plain_frame(axes, "Error by ratings of the user, each predicted before it is learned")
    legend_beside(figure, axes, BAND)
    return figure


def price_of_waiting(waiting: pd.DataFrame, looks: dict[str, dict]) -> Figure:
    """How much larger the error is than that of the reference, by the age of the last fit."""
    waiting = waiting.assign(name=_names(waiting))
    figure, axes = _axes()
    ages = list(dict.fromkeys(waiting["age"]))
    order = ["under a minute", "minutes", "hours", "days", "weeks", "months"]
    ages = [age for age in order if age in ages]
    axes.axhline(0, color=GREY, lw=1)
    for name, rows in waiting.groupby("name", sort=False):
        axes.plot(
            rows["age"].map(ages.index), rows["percent"], **looks[str(name)], markersize=5,
            label=name,
        )  # fmt: skip
    axes.set_xticks(range(len(ages)), ages)
    axes.set_yscale("symlog", linthresh=5)
    ticks = [-5, -2, 0, 2, 5, 10, 20, 50]
    axes.set_yticks(ticks, [f"{tick:+g} %" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("how old the last fit is")
    axes.set_ylabel("RMSE beside the reference on the same ratings\n(logarithmic beyond 5 %)")
    plain_frame(axes, "The price of waiting")
    legend_beside(figure, axes, "")
    return figure


def error_by_cost(done: pd.DataFrame, looks: dict[str, dict]) -> Figure:
    """RMSE against the processor seconds of the whole replay."""
    figure, axes = _axes()
    axes.set_xscale("log")
    for row, name in zip(done.itertuples(), _names(done), strict=True):
        look = looks[name] | {"linestyle": ""}
        axes.plot(max(row.total_seconds, 0.01), row.rmse, markersize=7, label=name, **look)
    axes.set_xlabel("processor seconds of the whole replay (log scale)")
    axes.set_ylabel("RMSE, stars (mean over users)")
    plain_frame(axes, "Error by cost")
    legend_beside(figure, axes, "")
    return figure


def latency(done: pd.DataFrame) -> Figure:
    """Microseconds to predict and to learn one rating: median and 99th percentile."""
    figure, axes = _axes(height=1.5 + 0.28 * len(done))
    axes.set_xscale("log")
    places = np.arange(len(done))[::-1]
    for shift, what, colour in ((0.12, "predict", "#0072B2"), (-0.12, "learn", "#D55E00")):
        p50, p99 = done[f"{what}_us_p50"], done[f"{what}_us_p99"]
        axes.hlines(places + shift, p50, p99, color=colour, lw=2, alpha=0.5)
        axes.plot(p50, places + shift, "o", color=colour, label=f"{what}: median, line to the 99th")
    axes.set_yticks(places, list(_names(done)))
    axes.set_xlabel("microseconds (log scale)")
    plain_frame(axes, "Predicting and learning one rating")
    legend_beside(figure, axes, "no point: it does not learn\na rating by itself\n")
    return figure
