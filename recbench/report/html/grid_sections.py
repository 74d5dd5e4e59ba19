"""The sections of a run of compare_all.py that are made from its CSV files."""

from __future__ import annotations

import pandas as pd

from recbench.keys import CELL, ITERATION
from recbench.report.html.run_files import RunFiles
from recbench.report.html.scores import scores_of
from recbench.report.html.section import Section
from recbench.report.style import centred

COVERAGE = {"coverage_50": 0.50, "coverage_80": 0.80, "coverage_95": 0.95}


def error_by_ratings(run: RunFiles) -> Section:
    """Every score of every recommender in every cell, with a band."""
    done = run.done
    several = done["iteration"].nunique() > 1
    tables = []
    for score in (one.name for one in scores_of(done)):
        rows = done[done[score].notna()]
        rows = rows.assign(centred=centred(rows, ITERATION, score))
        by_model = rows.groupby([*CELL, "model"], sort=False)
        table = by_model[score].agg(["mean", "count"]).reset_index()
        spread = by_model["centred"].std().to_numpy()
        if several:
            table = table.assign(low=table["mean"] - spread, high=table["mean"] + spread)
        else:
            table = _with_interval_of_difference(table, run.differences, score)
        tables.append(table.assign(score=score))
    table = pd.concat(tables).rename(columns={"count": "iterations"})
    columns = ["score", *CELL, "model", "mean", "low", "high", "iterations"]
    band = (
        "Bands: ± the standard deviation between iterations, less what all recommenders share."
        if several
        else "Bars: the 95 % interval of the difference from the reference, over "
        "users, set on the reference's own score; the reference has none."
    )
    return Section(
        "error-by-ratings",
        "Error by ratings per user" if len(table[CELL].drop_duplicates()) > 1 else "Error",
        [f"The score of held-out ratings, mean over iterations. {band}"],
        table[columns],
        {"by_ratings": "Each recommender's score in each cell, with bands; the table has the same"},
        ("score",),
        "matrix",
    )


def _with_interval_of_difference(
    table: pd.DataFrame, differences: pd.DataFrame, score: str
) -> pd.DataFrame:
    """`low` and `high`: the reference's score and the interval of the difference from it."""
    here = differences[differences["score"] == score].drop_duplicates([*CELL, "model"])
    of_reference = table.rename(columns={"model": "reference", "mean": "reference_mean"})
    here = here[[*CELL, "model", "reference", "low", "high"]].merge(
        of_reference[[*CELL, "reference", "reference_mean"]], on=[*CELL, "reference"]
    )
    table = table.merge(here, on=[*CELL, "model"], how="left")
    for end in ("low", "high"):
        table[end] = table["reference_mean"] + table[end]
    return table


def differences(run: RunFiles) -> Section:
    """Each recommender beside the references."""
    table = run.tables["significance.csv"]
    title = "Differences from the reference"
    if table.empty:
        return Section(
            "differences",
            title,
            [
                "No differences were tested: either there is no reference in this run, or its "
                "holdout tests recommenders on different rows, which cannot be paired."
            ],
        )
    text = [
        "A point is the difference in the score, recommender minus reference; its line is the 95 % "
        "interval over users (paired bootstrap). Filled: significant (p < .05 after Holm's "
        "correction for all recommenders and cells); open: not significant. The scale is linear "
        "about zero and logarithmic beyond.",
        "How many users each recommender serves better than the reference does; ties count half.",
    ]
    columns = [*CELL, "score", "model", "reference_role", "reference", "difference", "low", "high"]
    columns += ["p", "p_holm", "better_share", "better_low", "better_high", "users"]
    table = table[[name for name in columns if name in table]]
    charts = {
        "forest": "Each recommender's difference from the reference with its interval",
        "share": "The share of users whom each recommender serves better than the reference",
    }
    return Section("differences", title, text, table, charts, ("cell", "score", "role"))


def bytes_said(done: pd.DataFrame) -> str:
    """What bytes per user are in the rows of a run: before there was `bytes_shared`, of all."""
    if "bytes_shared" in done:
        return " Bytes per user are of the user's own part of a model; what serves all is not in."
    return " Bytes per user: of a model of all users, the whole shared out among them."


def cost(run: RunFiles) -> Section:
    """Error beside seconds, and beside the bytes of a user."""
    done = run.done.assign(seconds=run.done["fit_seconds"] + run.done["predict_seconds"])
    if "bytes_per_user" not in done:
        done["bytes_per_user"] = float("nan")
    wanted = ["rmse", "seconds", "fit_seconds", "predict_seconds", "bytes_per_user"]
    wanted += ["bytes_shared"] if "bytes_shared" in done else []
    table = done.groupby([*CELL, "model"], sort=False)[wanted].mean().reset_index()
    charts = {"cost_seconds": "RMSE of each recommender against the seconds it takes"}
    text = (
        "RMSE against seconds to fit and predict the cell, mean over iterations, on the machine "
        "named below; item tables and item baselines are made beforehand and not counted. The "
        "line joins recommenders that none is both quicker (smaller) and better than."
    )
    if table["bytes_per_user"].notna().any():
        charts["cost_bytes"] = "RMSE of each recommender against the bytes it keeps of a user"
        text += bytes_said(done)
    return Section("cost", "Error by cost", [text], table, charts, ("cell",))


def ranking(run: RunFiles) -> Section | None:
    """How well all movies are ranked; None where that was not measured."""
    names = ["ranking_ndcg_at_10", "ranking_recall_at_10", "ranking_popularity"]
    names += ["ranking_catalogue_share", "ranking_users", "ranking_seconds"]
    table = _means(run, names)
    if table is None:
        return None
    text = (
        "All movies that a user has not rated in training, ranked by predicted stars. nDCG counts "
        "liked movies that were held out; read it beside how popular the ten movies are: popular "
        "movies are rated more often, so who shows them scores higher."
    )
    charts = {"ranking": "nDCG at 10 of each recommender against the popularity of its ten movies"}
    return Section("ranking", "Ranking all movies", [text], table, charts, ("cell",))


def calibration(run: RunFiles) -> Section | None:
    """Whether intervals hold what they say; None where no recommender has a distribution."""
    table = _means(run, [*COVERAGE, "crps"])
    if table is None:
        return None
    text = (
        "How much of the held-out ratings lies within the central interval of 50, 80 and 95 %, of "
        "recommenders that say how likely each number of stars is. On the diagonal an interval "
        "holds what it says; below, it is too narrow."
    )
    charts = {"calibration": "Share of ratings within intervals against what the intervals say"}
    return Section("calibration", "Calibration", [text], table, charts, ("cell",))


def _means(run: RunFiles, names: list[str]) -> pd.DataFrame | None:
    """Means over iterations of those of the columns that there are, by cell and recommender."""
    done = run.done
    there = [name for name in names if name in done and done[name].notna().any()]
    if names[0] not in there:
        return None
    done = done[done[names[0]].notna()]
    return done.groupby([*CELL, "model"], sort=False)[there].mean().reset_index()
