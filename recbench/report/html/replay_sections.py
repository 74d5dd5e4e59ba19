"""The sections of a run of continual.py."""

from __future__ import annotations

import pandas as pd

from recbench.report.figure import Axis, Figure, forest
from recbench.report.html.cost_section import cost_section
from recbench.report.html.page import Section
from recbench.report.html.run_files import RunFiles

FEWEST_USERS = 30  # of a point of a learning curve: the interval of fewer fills the figure
AGES = ["under a minute", "minutes", "hours", "days", "weeks", "months"]


def learning_curves(run: RunFiles) -> Section:
    """Error by the number of earlier ratings of the user."""
    curve = run.tables["learning_curve.csv"].drop(columns="recommender", errors="ignore")
    fewest = min(FEWEST_USERS, curve["n_users"].max()) if len(curve) else 0
    curve = curve[curve["n_users"] >= fewest].sort_values("ratings_seen", kind="stable")
    keys = ["model", "ratings_seen", "n_users"]
    curve = pd.concat(
        curve.reindex(columns=[*keys, score, f"{score}_low", f"{score}_high"])
        .set_axis([*keys, "value", "low", "high"], axis=1)
        .assign(score=score)
        for score in ("rmse", "mae")
    )
    figure = Figure(
        "learning_curves",
        "lines",
        curve,
        Axis("ratings_seen", "earlier ratings of the user (each up to the next)", "places"),
        Axis("value", "{score}, of the next ratings ({better} is better)"),
        title="Error by ratings of the user, each predicted before it is learned",
        note="band: 95 % interval\nover users\n",
    )
    text = (
        "Error of the next ratings by the number of earlier ratings of the user; each is predicted "
        "before it is learned. A name ends with when the recommender is refitted: @never, after n "
        "ratings (@1000), after some time (@1d), with n times as many ratings (@x1.5). Bands: 95 % "
        f"intervals over users; points of fewer than {fewest:.0f} users are left out."
    )
    title = "Error by ratings of the user"
    return Section("learning-curves", title, [text], figure.table, figure, ("score",))


def differences(run: RunFiles) -> Section:
    """The RMSE of each learner beside the first one's."""
    columns = ["model", "rmse", "mae", "difference", "low", "high", "verdict", "p_holm"]
    table = run.done[run.done["percent"].notna()]
    axis = "difference in RMSE, % (left of the line: better)"
    figure = forest(table.filter(items=columns), axis, name="differences")
    text = (
        "A point is how much higher or lower the RMSE is than that of the first recommender of the "
        "run, in percent; its line is the 95 % interval over users. Filled: significant (p < .05 "
        "after Holm's correction for all recommenders). Level: less than .5 % apart. The scale is "
        "linear about zero and logarithmic beyond."
    )
    title = "Differences from the first recommender"
    return Section("differences", title, [text], figure.table, figure)


def waiting(run: RunFiles) -> Section | None:
    """What staleness costs: RMSE by the age of the last fit; None where nobody is refitted."""
    table = run.tables["waiting.csv"]
    if table.empty:
        return None
    figure = Figure(
        "waiting",
        "lines",
        table.sort_values("age", key=lambda age: age.map(AGES.index), kind="stable"),
        Axis("age", "how old the last fit is", "places"),
        Axis("percent", "RMSE beside the first recommender, %", "signed"),
        title="Staleness",
    )
    text = (
        "RMSE beside that of the first recommender on the same ratings, by how old the last fit "
        "was when they came. The scale is linear about zero and logarithmic beyond."
    )
    return Section("waiting", "Staleness", [text], figure.table, figure)


def cost(run: RunFiles) -> Section:
    """Error beside the bytes of a user and the time of a prediction."""
    columns = {"predict_us_p50": "us_per_prediction", "total_seconds": "seconds"}
    table = run.done.rename(columns=columns)
    time = (
        "Time is the median of predicting one rating; the last table has that of learning one, too "
        "(none: it does not learn a rating by itself), and 99th percentiles. Seconds are processor "
        "seconds of the whole replay, fits and item tables included."
    )
    names = ["model", "rmse", "mae", "bytes_per_user", "bytes_shared", *columns.values()]
    names += ["predict_us_p99", "learn_us_p50", "learn_us_p99", "fit_seconds", "fits"]
    return cost_section(table.filter(items=names), ["rmse", "mae"], time)
