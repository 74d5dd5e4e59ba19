"""The sections of a run of continual.py."""

from __future__ import annotations

import pandas as pd

from recbench.report.figure import (
    Axis,
    Figure,
    Panel,
    Series,
    SignedLog,
    by_model,
    hover,
    interval,
    number,
)
from recbench.report.html.cost_sections import bytes_of_whom, cost_figures
from recbench.report.html.grid_sections import HOLM, forest_panel
from recbench.report.html.run_files import RunFiles
from recbench.report.html.section import Section

FEWEST_USERS = 30  # of a point of a learning curve: the interval of fewer fills the figure
AGES = ["under a minute", "minutes", "hours", "days", "weeks", "months"]
SEEN = "earlier ratings of the user (each up to the next)"


def learning_curves(run: RunFiles) -> Section:
    """Error by the number of earlier ratings of the user."""
    curve = _of_many_users(run.tables["learning_curve.csv"])
    fewest = min(FEWEST_USERS, curve["n_users"].max()) if len(curve) else 0
    text = (
        "Error of the next ratings by the number of earlier ratings of the user; each is predicted "
        "before it is learned. Bands: 95 % intervals over users; points of fewer than "
        f"{fewest:.0f} users are left out."
    )
    columns = ["model", "ratings_seen", "up_to", "n_events", "n_users"]
    columns += [f"{score}{end}" for score in ("rmse", "mae") for end in ("", "_low", "_high")]
    table = curve.filter(items=columns)
    title = "Error by ratings of the user"
    return Section("learning-curves", title, [text], table, [curves_figure(curve)])


def _of_many_users(curve: pd.DataFrame) -> pd.DataFrame:
    return curve[curve["n_users"] >= min(FEWEST_USERS, curve["n_users"].max())]


def curves_figure(curve: pd.DataFrame) -> Figure:
    """Lines of RMSE, or MAE, with bands; `curve`: rows of learning_curve.csv."""
    curve = _of_many_users(curve)
    place = {seen: at for at, seen in enumerate(sorted(curve["ratings_seen"].unique()))}
    x = Axis(SEEN, ticks=[(at, number(seen)) for seen, at in place.items()])
    panels = {}
    for score in [name for name in ("rmse", "mae") if f"{name}_low" in curve]:

        def line(model: str, own: pd.DataFrame, score: str = score) -> Series:
            own = own.sort_values("ratings_seen")
            names = (score, f"{score}_low", f"{score}_high")
            y, low, high = (own[name].to_numpy() for name in names)
            texts = [
                hover(
                    model,
                    f"after {number(row.ratings_seen)} ratings, {number(row.n_users)} users",
                    f"{score.upper()} {number(y[at])}{interval(low[at], high[at])}",
                )
                for at, row in enumerate(own.itertuples())
            ]
            return Series(model, own["ratings_seen"].map(place), y, texts, low, high)

        y = Axis(f"{score.upper()} of the next ratings, stars (less is better)")
        panels[score] = Panel("lines", by_model(curve, line), x, y)
    label = "Error of each recommender by earlier ratings of the user"
    title = "Error by ratings of the user, each predicted before it is learned"
    note = "band: 95 % interval\nover users\n"
    return Figure("learning", label, panels, ("score",), "learning_curves", title, note)


def differences(run: RunFiles) -> Section:
    """The RMSE of each learner beside the first one's."""
    table = run.done[run.done["percent"].notna()].rename(columns={"percent": "difference"})
    text = (
        "A point is how much higher or lower the RMSE is than that of the first recommender of the "
        f"run, in percent; its line is the 95 % interval over users. {HOLM}); open: not "
        "significant. The scale is linear about zero and logarithmic beyond."
    )
    columns = ["model", "rmse", "mae", "difference", "low", "high", "p", "p_holm"]
    axis = "difference in RMSE, % (left of the line: better)"
    rows = table.sort_values("difference")
    panels = {"": forest_panel(rows, axis, " %", "+.2f")} if len(table) else {}
    label = "Each recommender's RMSE beside the first one's, in percent"
    return Section(
        "differences",
        "Differences from the first recommender",
        [text],
        table.filter(items=columns),
        [Figure("forest_percent", label, panels)],
    )


def waiting(run: RunFiles) -> Section | None:
    """What staleness costs: RMSE by the age of the last fit; None where nobody is refitted."""
    table = run.tables["waiting.csv"]
    if table.empty:
        return None
    text = (
        "RMSE beside that of the first recommender on the same ratings, by how old the last fit "
        "was when they came. The scale is linear about zero and logarithmic beyond."
    )
    columns = ["model", "age", "n_events", "rmse", "rmse_reference", "percent"]
    shown = table.filter(items=columns)
    return Section("waiting", "Staleness", [text], shown, [waiting_figure(table)])


def waiting_figure(table: pd.DataFrame) -> Figure:
    """Lines of the difference in RMSE by the age of the last fit; `table`: rows of waiting.csv."""
    ages = [age for age in AGES if age in set(table["age"])]
    scale = SignedLog(5.0, table["percent"].tolist())

    def line(model: str, own: pd.DataFrame) -> Series:
        own = own.sort_values("age", key=lambda age: age.map(ages.index))
        texts = [
            hover(model, f"{row.age}: {row.percent:+.1f} %", f"{number(row.n_events)} ratings")
            for row in own.itertuples()
        ]
        return Series(model, own["age"].map(ages.index), scale.at(own["percent"]), texts)

    x = Axis("how old the last fit is", ticks=list(enumerate(ages)))
    y = scale.axis("RMSE beside the first recommender, %")
    panel = Panel("lines", by_model(table, line), x, y, rule=0)
    label = "RMSE beside the first recommender's by the age of the last fit"
    return Figure("waiting", label, {"": panel}, file="waiting", title="Staleness")


def cost(run: RunFiles) -> Section:
    """Error beside processor seconds and the bytes of a user."""
    columns = ["model", "rmse", "total_seconds", "fit_seconds", "fits", "bytes_per_user"]
    columns += ["bytes_shared"]
    table = run.done.filter(items=columns).dropna(axis="columns", how="all")
    table = table.rename(columns={"total_seconds": "seconds"})
    figures = cost_figures({"": table}, "processor seconds of the whole replay")
    text = (
        "RMSE against processor seconds of the whole replay, fits and item tables included. The "
        "line joins recommenders that none is both quicker (smaller) and better than."
    ) + bytes_of_whom(run.done)
    return Section("cost", "Error by cost", [text], table, figures)


def latency(run: RunFiles) -> Section:
    """Microseconds to predict and to learn one rating."""
    text = (
        "Microseconds to predict and to learn one rating: a point is the median, the line reaches "
        "to the 99th percentile. A recommender without a point for learning does not learn a "
        "rating by itself."
    )
    columns = ["model", "predict_us_p50", "predict_us_p99", "learn_us_p50", "learn_us_p99"]
    table = run.done.filter(items=columns)
    series = []
    for row in table.sort_values("predict_us_p50").to_dict("records"):
        for what, shift in (("predict", -0.16), ("learn", 0.16)):
            p50, p99 = row[f"{what}_us_p50"], row[f"{what}_us_p99"]
            if pd.notna(p50):
                line = f"{what}: {number(p50)} µs, 99th percentile {number(p99)} µs"
                text_at = [hover(row["model"], line)]
                ends = ([p50], [p99])
                series.append(Series(row["model"], [p50], [shift], text_at, *ends, what == "learn"))
    axis = Axis("microseconds (log scale); filled: predict, open: learn", log=True)
    title = "Predicting and learning one rating"
    label = "Microseconds of each recommender to predict and to learn one rating"
    panels = {"": Panel("list", series, axis)}
    figure = Figure("latency", label, panels, file="latency", title=title)
    return Section("latency", title, [text], table, [figure])
