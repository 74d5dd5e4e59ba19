"""The tables of a replay, made from the predictions of its segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from recbench.stream import scores
from recbench.stream.segments import Segment
from recbench.stream.stream import Stream, ratings_before

SUMMARY = [
    *("dataset", "model", "retrained", "n_events", "n_users"),
    *("rmse", "mae", "rmse_pooled", "mae_pooled"),
    *("percent", "low", "high", "p", "p_holm"),
    *("learn_us_p50", "learn_us_p99", "predict_us_p50", "predict_us_p99"),
    *("bytes_per_user", "bytes_shared", "fits", "fit_seconds", "total_seconds"),
    *("status", "error"),
]
SIZES = ("bytes_per_user", "bytes_shared")


@dataclass
class Tables:
    """summary.csv, learning_curve.csv and waiting.csv of a run of `continual.py`."""

    summary: pd.DataFrame
    learning_curve: pd.DataFrame
    waiting: pd.DataFrame


def make_tables(
    stream: Stream, segments: dict[str, list[Segment]], rows: pd.DataFrame, reference: str
) -> Tables:
    """Of the learners all of whose segments are there; of the others the summary says what failed.

    Args:
        segments: of each learner, by its name.
        rows: of segments.csv.
        reference: the learner that others are compared with.
    """
    ratings = stream.ratings
    whole = {
        name: theirs
        for name, theirs in segments.items()
        if (rows.loc[rows["name"] == name, "status"] == "ok").sum() == len(theirs)
    }
    predicted, latencies = {}, {}
    for name, theirs in whole.items():
        frame = pl.concat(pl.read_parquet(one.file) for one in theirs)
        predicted[name] = frame["predicted"].to_numpy()
        latencies[name] = {
            f"{what}_us_p{part}": _quantile(frame[f"{what}_us"].to_numpy(), part)
            for what in ("learn", "predict")
            for part in (50, 99)
        }
    costs = [_cost(rows[rows["name"] == name], name) for name in segments]
    about = {"dataset": stream.dataset.source.name, "n_events": len(ratings)}
    about["n_users"] = int(ratings.user.max(initial=-1)) + 1
    summary = pd.DataFrame([{**about, **cost, **latencies.get(cost["name"], {})} for cost in costs])
    if not predicted:
        return Tables(summary.reindex(columns=SUMMARY), pd.DataFrame(), pd.DataFrame())
    base = reference if reference in predicted else next(iter(predicted))
    errors = scores.summary(ratings.stars, ratings.user, predicted, base)
    summary = summary.merge(errors, on="name", how="left").reindex(columns=SUMMARY)
    seen = ratings_before(ratings)
    curve = scores.learning_curve(ratings.stars, ratings.user, seen, predicted, base)
    ages = {name: _age(ratings.time, theirs) for name, theirs in whole.items() if len(theirs) > 1}
    waiting = scores.by_age(ratings.stars, ages, predicted, base)
    return Tables(summary, _split_names(curve), _split_names(waiting))


def _quantile(values: np.ndarray, part: int) -> float | None:
    values = values[~np.isnan(values)]
    return float(np.percentile(values, part)) if len(values) else None


def _cost(rows: pd.DataFrame, name: str) -> dict:
    """Of all segments of a learner together."""
    failed = rows[rows["status"] == "failed"]
    ok = rows[rows["status"] == "ok"]
    last = ok.sort_values("start").tail(1)
    model, _, retrained = name.rpartition("@")
    return {
        "name": name,
        "model": model,
        "retrained": retrained,
        "fits": len(ok),
        "fit_seconds": ok["fit_seconds"].sum() if len(ok) else None,
        "total_seconds": ok["seconds"].sum() if len(ok) else None,
        **{name: last[name].iloc[0] for name in SIZES if name in last and len(last)},
        "status": "failed" if len(failed) else "ok",
        "error": failed["error"].iloc[0] if len(failed) else None,
    }


def _age(time: np.ndarray, segments: list[Segment]) -> np.ndarray:
    """Seconds since the last fit, float64 [rows]; nan before there was anything to fit to."""
    age = np.full(len(time), np.nan)
    for one in segments:
        if one.start:
            age[one.start : one.end] = time[one.start : one.end] - time[one.start]
    return age


def _split_names(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        return table
    names = table["name"].str.rpartition("@")
    table = table.drop(columns="name")
    table.insert(0, "model", names[0])
    table.insert(1, "retrained", names[2])
    return table
