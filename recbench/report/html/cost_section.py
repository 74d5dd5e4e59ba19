"""Error by cost: which recommender, where a device may hold so much and answer so fast."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from recbench.files import CELL
from recbench.report.figure import Axis, Figure
from recbench.report.html.page import Section
from recbench.report.terminal import MORE_IS_BETTER, bytes_text

BYTES = {"up to 1 kB": 1e3, "up to 10 kB": 1e4, "up to 100 kB": 1e5, "any": np.inf}
MICROSECONDS = {"up to 100 µs": 1e2, "up to 1 ms": 1e3, "any time": np.inf}
SPEEDS = ("up to 10 µs", "up to 100 µs", "up to 1 ms", "over 1 ms", "not measured")
TEXT = (
    "The line joins recommenders that none is both smaller and better than. All have their names "
    "when pointed at, and in the last table. Bytes per user are of the user's own part of a model; "
    "what all users share stands in brackets in the first table. In runs that did not count it "
    "apart, bytes per user are of the whole, divided by the users."
)


def cost_section(means: pd.DataFrame, scores: Iterable[str], time: str) -> Section:
    """Each score by bytes per user and time of a prediction, and the best within limits of both.

    Args:
        means: a row for each recommender, of each cell where there are cells: the scores, and of
            bytes_per_user, bytes_shared, us_per_prediction and seconds those that were measured.
        time: of what and where it was measured, a sentence.
    """
    costs = ["bytes_per_user", "bytes_shared", "us_per_prediction", "seconds"]
    keys = [name for name in (*CELL, "model") if name in means]
    rows = means.reindex(columns=[*keys, *costs, *scores]).melt([*keys, *costs], var_name="score")
    unknown = rows.loc[rows["bytes_per_user"].isna(), "model"].unique()
    rows = rows.dropna(subset=["value", "bytes_per_user"]).reset_index(drop=True)
    text = [f"{TEXT} {time}"]
    if len(unknown):
        text.append(f"Left out, as their bytes were not measured: {', '.join(unknown)}.")
    title, table = "Error by cost", means.dropna(axis="columns", how="all")
    if rows.empty:
        return Section("cost", title, text[1:], table, follows=("cell",))
    follows = ("cell", "score") if len(keys) > 1 else ("score",)
    figure = Figure(
        "error_by_cost",
        "points",
        _placed(rows, [*keys[:-1], "score"]),
        Axis("_bytes", "bytes per user (log scale)", "log"),
        Axis("value", "{score} ({better} is better)"),
        classes=SPEEDS,
        title="Error by bytes per user and time of a prediction",
        note="a prediction takes",
    )
    best = best_within_limits(rows, ["score", *keys[:-1]])
    summary = ("the best within limits of bytes per user and of time", best)
    return Section("cost", title, text, table, figure, follows, summary)


def _placed(rows: pd.DataFrame, panel: list[str]) -> pd.DataFrame:
    """With `_bytes`, where zero stands left of all others, the `_class` of time, and `_front`."""
    size, time = rows["bytes_per_user"], rows["us_per_prediction"]
    bins = pd.cut(time, [-np.inf, 10, 100, 1000, np.inf], labels=SPEEDS[:-1])
    rows = rows.assign(
        _bytes=size.clip(lower=size[size > 0].min() / 3 if size.any() else 1),
        _class=bins.astype(object).fillna(SPEEDS[-1]),
        _loss=_loss(rows),
    ).sort_values(["bytes_per_user", "_loss"], kind="stable")
    lowest = rows.groupby(panel)["_loss"].cummin()
    before = lowest.groupby([rows[name] for name in panel]).shift(fill_value=np.inf)
    return rows.assign(_front=lowest < before).drop(columns="_loss")


def _loss(rows: pd.DataFrame) -> pd.Series:
    """The score, negative where more is better."""
    return rows["value"].where(~rows["score"].isin(list(MORE_IS_BETTER)), -rows["value"])


def best_within_limits(rows: pd.DataFrame, panel: list[str]) -> pd.DataFrame:
    """The best recommender by limits of bytes per user (rows) and of time (columns), with its score
    and what all users share; "none" where none is within both. Without times one column.

    Args:
        rows: `model`, `score`, `value`, the costs; `panel`: for each of these a table.
    """
    timed = rows["us_per_prediction"].notna().any()
    times = MICROSECONDS if timed else {"any time": np.inf}
    rows = rows.assign(_loss=_loss(rows)).fillna({"us_per_prediction": np.inf})
    lines = []
    for key, own in rows.groupby(panel, sort=False):
        for name, size in BYTES.items():
            line = dict(zip(panel, key, strict=True)) | {"bytes_per_user": name}
            fits = own[own["bytes_per_user"] <= size]
            for head, time in times.items():
                within = fits[fits["us_per_prediction"] <= time]
                line[head] = "none"
                if len(within):
                    best = within.loc[within["_loss"].idxmin()]
                    shared = best["bytes_shared"]
                    more = f" ({bytes_text(shared)})" if shared > 0 else ""
                    line[head] = f"{best['model']} {best['value']:.3f}{more}"
            lines.append(line)
    return pd.DataFrame(lines)
