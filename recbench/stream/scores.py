"""The tables of a replay: errors and costs of each learner; errors by the user's number of earlier
ratings, and by the age of the learner's last fit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from recbench.evaluation.metrics import ROUNDING_STARS
from recbench.evaluation.significance import LEVEL, holm, resampled_means, two_sided_p
from recbench.stream.replaying import Segment
from recbench.stream.stream import Stream, ratings_before

RESAMPLES = 2_000
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)  # quantiles, of an interval
SEEN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)  # intervals, each up to the next
MINUTE, HOUR, DAY = 60, 3_600, 86_400
AGES = {
    "under a minute": MINUTE,
    "minutes": HOUR,
    "hours": DAY,
    "days": 7 * DAY,
    "weeks": 30 * DAY,
    "months": np.inf,
}  # name -> upper limit, seconds
SUMMARY = [
    *("dataset", "model", "retrained", "n_events", "n_users"),
    *("rmse", "mae", "rmse_pooled", "mae_pooled"),
    *("percent", "low", "high", "p", "p_holm"),
    *("learn_us_p50", "learn_us_p99", "predict_us_p50", "predict_us_p99"),
    *("bytes_per_user", "bytes_shared", "fits", "fit_seconds", "total_seconds"),
    *("status", "error"),
]


def make_tables(
    stream: Stream, segments: dict[str, list[Segment]], rows: pd.DataFrame, reference: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """continual_summary.csv, learning_curve.csv and waiting.csv for learners with all their
    segments; for others the summary has the error. `rows` are those of segments.csv, and
    `reference` is the learner to compare others with."""
    ratings = stream.ratings
    n_ok = rows.loc[rows["status"] == "ok", "name"].value_counts()
    complete = {name: own for name, own in segments.items() if n_ok.get(name) == len(own)}
    predicted, latencies = {}, {}
    for name, own in complete.items():
        frame = pl.concat(pl.read_parquet(one.file, glob=False) for one in own)
        predicted[name] = frame["predicted"].to_numpy()
        latencies[name] = {
            f"{what}_us_p{percent}": _percentile(frame[f"{what}_us"].to_numpy(), percent)
            for what in ("learn", "predict")
            for percent in (50, 99)
        }
    about = {"dataset": stream.dataset.source.name, "n_events": len(ratings)}
    about["n_users"] = stream.n_users
    table = pd.DataFrame(
        {**about, **_cost(rows[rows["name"] == name], name), **latencies.get(name, {})}
        for name in segments
    )
    if not predicted:
        return table.reindex(columns=SUMMARY), pd.DataFrame(), pd.DataFrame()
    base = reference if reference in predicted else next(iter(predicted))
    errors = summary(ratings.stars, ratings.user, predicted, base)
    table = table.merge(errors, on="name", how="left").reindex(columns=SUMMARY)
    curve = learning_curve(ratings.stars, ratings.user, ratings_before(ratings), predicted, base)
    ages = {name: _age(ratings.time, own) for name, own in complete.items() if len(own) > 1}
    return table, _split_names(curve), _split_names(by_age(ratings.stars, ages, predicted, base))


def summary(
    stars: np.ndarray, user: np.ndarray, predicted: dict[str, np.ndarray], reference: str
) -> pd.DataFrame:
    """One row for each learner: its errors, and how it compares with the reference.

    Args:
        stars: float32 [rows], the ratings.
        user: int [rows], 0 .. users − 1; each has a rating.
        predicted: learner -> stars, float32 [rows]; `reference` is one of them.

    Returns:
        `name`; `rmse`, `mae`: means over users, as elsewhere; `rmse_pooled`, `mae_pooled`: over all
        ratings; `percent`: difference of RMSE from the reference, with its 95 % interval `low` ..
        `high` over users; `p` of no difference, `p_holm` corrected for all learners.
    """
    count = np.bincount(user)
    errors = {name: stars - one for name, one in predicted.items()}
    squared = {name: np.bincount(user, error**2.0) / count for name, error in errors.items()}
    means = resampled_means(np.column_stack(list(squared.values())), RESAMPLES, seed=0)
    resampled = dict(zip(predicted, np.sqrt(means).T, strict=True))
    rmse = {name: float(np.sqrt(of_users.mean())) for name, of_users in squared.items()}
    rows = []
    for name, error in errors.items():
        row: dict[str, object] = {
            "name": name,
            "rmse": rmse[name],
            "mae": float((np.bincount(user, np.abs(error)) / count).mean()),
            "rmse_pooled": _rmse(error),
            "mae_pooled": float(np.mean(np.abs(error), dtype=np.float64)),
        }
        if name != reference:
            difference = rmse[name] - rmse[reference]
            spread = float((resampled[name] - resampled[reference]).std())
            percent = _percent(resampled[name], resampled[reference])
            row["percent"] = _percent(rmse[name], rmse[reference])
            row |= dict(zip(("low", "high"), np.quantile(percent, ENDS), strict=True))
            row["p"] = two_sided_p(difference, spread, len(count))
        rows.append(row)
    table = pd.DataFrame(rows)
    if "p" in table:
        compared = table["p"].notna()
        table.loc[compared, "p_holm"] = holm(table.loc[compared, "p"].to_numpy())
    return table


def learning_curve(
    stars: np.ndarray,
    user: np.ndarray,
    seen: np.ndarray,
    predicted: dict[str, np.ndarray],
    reference: str,
) -> pd.DataFrame:
    """Errors by the number of earlier ratings of the user.

    Args:
        seen: int [rows], that number; the others as in `summary`.

    Returns:
        One row for each learner and interval from `ratings_seen` up to below `up_to`: `n_events`,
        `n_users`; `mae` and `rmse` over those ratings, each with its 95 % interval over users;
        `percent`: difference of RMSE from the reference.
    """
    edges = [*[edge for edge in SEEN if edge <= seen.max(initial=0)], np.inf]
    records = []
    for first, up_to in pairwise(edges):
        rows = (seen >= first) & (seen < up_to)
        _, here, count = np.unique(user[rows], return_inverse=True, return_counts=True)
        base = _rmse(stars[rows] - predicted[reference][rows])
        for name, one in predicted.items():
            error = stars[rows] - one[rows]
            sums = [np.bincount(here, np.abs(error)), np.bincount(here, error**2.0), count]
            means = resampled_means(np.column_stack(sums), RESAMPLES, seed=0)
            mae, rmse = means[:, 0] / means[:, 2], np.sqrt(means[:, 1] / means[:, 2])
            records.append(
                {
                    "name": name,
                    "ratings_seen": first,
                    "up_to": None if up_to == np.inf else up_to,
                    "n_events": int(rows.sum()),
                    "n_users": len(count),
                    "mae": float(np.abs(error).mean(dtype=np.float64)),
                    **dict(zip(("mae_low", "mae_high"), np.quantile(mae, ENDS), strict=True)),
                    "rmse": _rmse(error),
                    **dict(zip(("rmse_low", "rmse_high"), np.quantile(rmse, ENDS), strict=True)),
                    "percent": float(_percent(_rmse(error), base)),
                }
            )
    return pd.DataFrame(records)


def by_age(
    stars: np.ndarray,
    age: dict[str, np.ndarray],
    predicted: dict[str, np.ndarray],
    reference: str,
) -> pd.DataFrame:
    """Errors by the age of the last fit of a learner (staleness).

    Ratings minutes after a fit differ from those months after it, so each error is shown beside the
    error of the reference on the same ratings.

    Args:
        age: learner -> seconds since its last fit, float [rows]; nan before there was one.

    Returns:
        One row for each learner and age: `n_events`, `rmse`, `rmse_reference`, `percent`.
    """
    records = []
    for name, seconds in age.items():
        for (what, upper), lower in zip(AGES.items(), (-np.inf, *AGES.values()), strict=False):
            rows = (seconds >= lower) & (seconds < upper)
            if rows.any():
                own, base = (_rmse(stars[rows] - predicted[one][rows]) for one in (name, reference))
                records.append((name, what, int(rows.sum()), own, base, float(_percent(own, base))))
    columns = ["name", "age", "n_events", "rmse", "rmse_reference", "percent"]
    return pd.DataFrame(records, columns=columns if records else None)


def _rmse(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error.astype(np.float64) ** 2)))


def _percent(own: Any, base: Any) -> Any:
    """Percent by which `own` exceeds `base`; nan if `base` is only rounding error."""
    return 100 * (own / np.where(np.asarray(base) > ROUNDING_STARS, base, np.nan) - 1)


def _percentile(values: np.ndarray, percent: int) -> float | None:
    values = values[~np.isnan(values)]
    return float(np.percentile(values, percent)) if len(values) else None


def _cost(rows: pd.DataFrame, name: str) -> dict:
    """The costs of all segments of a learner together."""
    failed = rows[rows["status"] == "failed"]
    ok = rows[rows["status"] == "ok"].sort_values("start")
    model, _, retrained = name.rpartition("@")
    cost = {"name": name, "model": model, "retrained": retrained, "fits": len(ok)}
    if len(ok):
        cost |= {"fit_seconds": ok["fit_seconds"].sum(), "total_seconds": ok["seconds"].sum()}
        cost |= ok.iloc[-1][["bytes_per_user", "bytes_shared"]].to_dict()
    error = failed["error"].iloc[0] if len(failed) else None
    return {**cost, "status": "failed" if len(failed) else "ok", "error": error}


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
    names = table.pop("name").str.rpartition("@")
    table.insert(0, "model", names[0])
    table.insert(1, "retrained", names[2])
    return table
