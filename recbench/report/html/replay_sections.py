"""The sections of a run of continual.py."""

from __future__ import annotations

from recbench.report.continual_plots import FEWEST_USERS
from recbench.report.html.grid_sections import bytes_said
from recbench.report.html.run_files import RunFiles
from recbench.report.html.section import Section


def learning_curves(run: RunFiles) -> Section:
    """Error by how many ratings the user has given before."""
    curve = run.tables["learning_curve.csv"]
    fewest = min(FEWEST_USERS, curve["n_users"].max()) if len(curve) else 0
    curve = curve[curve["n_users"] >= fewest]
    text = (
        "Error of the next ratings by how many the user has given before; each is predicted before "
        f"it is learned. Bands: 95 % intervals over users; points of fewer than {fewest:.0f} users "
        "are left out."
    )
    columns = ["model", "ratings_seen", "up_to", "n_events", "n_users"]
    columns += [f"{score}{end}" for score in ("rmse", "mae") for end in ("", "_low", "_high")]
    table = curve[[name for name in columns if name in curve]]
    return Section(
        "learning-curves",
        "Error by ratings of the user",
        [text],
        table,
        {"learning": "Error of each recommender by ratings that the user has given before"},
    )


def differences(run: RunFiles) -> Section:
    """The RMSE of each learner beside the first one's."""
    table = run.done[run.done["percent"].notna()].rename(columns={"percent": "difference"})
    text = (
        "A point is how much higher or lower the RMSE is than that of the first recommender of the "
        "run, in percent; its line is the 95 % interval over users. Filled: significant (p < .05 "
        "after Holm's correction); open: not significant. The scale is linear about zero and "
        "logarithmic beyond."
    )
    columns = ["model", "rmse", "mae", "difference", "low", "high", "p", "p_holm"]
    return Section(
        "differences",
        "Differences from the first recommender",
        [text],
        table[[name for name in columns if name in table]],
        {"forest_percent": "Each recommender's RMSE beside the first one's, in percent"},
    )


def waiting(run: RunFiles) -> Section | None:
    """What it costs to be fitted anew only from time to time; None where nobody is."""
    table = run.tables["waiting.csv"]
    if table.empty:
        return None
    text = (
        "RMSE beside that of the first recommender on the same ratings, by how old the last fit "
        "was when they came. The scale is linear about zero and logarithmic beyond."
    )
    columns = ["model", "age", "n_events", "rmse", "rmse_reference", "percent"]
    return Section(
        "waiting",
        "The price of waiting",
        [text],
        table[[name for name in columns if name in table]],
        {"waiting": "RMSE beside the first recommender's by the age of the last fit"},
    )


def cost(run: RunFiles) -> Section:
    """Error beside processor seconds and the bytes of a user."""
    columns = ["model", "rmse", "total_seconds", "fit_seconds", "fits", "bytes_per_user"]
    columns += ["bytes_shared"]
    done = run.done
    table = done[[name for name in columns if name in done and done[name].notna().any()]]
    table = table.rename(columns={"total_seconds": "seconds"})
    charts = {"cost_seconds": "RMSE of each recommender against its processor seconds"}
    if "bytes_per_user" in table:
        charts["cost_bytes"] = "RMSE of each recommender against the bytes it keeps of a user"
    text = (
        "RMSE against processor seconds of the whole replay, fits and item tables included. The "
        "line joins recommenders that none is both quicker (smaller) and better than."
    ) + bytes_said(done)
    return Section("cost", "Error by cost", [text], table, charts)


def latency(run: RunFiles) -> Section:
    """Microseconds to predict and to learn one rating."""
    text = (
        "Microseconds to predict and to learn one rating: a point is the median, the line reaches "
        "to the 99th percentile. Who has no point for learning does not learn a rating by itself."
    )
    columns = ["model", "predict_us_p50", "predict_us_p99", "learn_us_p50", "learn_us_p99"]
    return Section(
        "latency",
        "Predicting and learning one rating",
        [text],
        run.done[[name for name in columns if name in run.done]],
        {"latency": "Microseconds of each recommender to predict and to learn one rating"},
    )
