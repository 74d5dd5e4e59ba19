"""The sections of a run of compare_all.py that are made from its CSV files."""

from __future__ import annotations

import pandas as pd

from recbench.evaluation.significance import USERS_MEDIAN
from recbench.files import CELL, ITERATION
from recbench.report.figure import Axis, Figure, forest, minus
from recbench.report.html.cost_section import cost_section
from recbench.report.html.page import Section
from recbench.report.html.run_files import RunFiles
from recbench.report.terminal import (
    SCORES,
    cell_name,
    cells_of,
    means_of_cells,
    scores_of,
)

QUANTILES = {0.05: "low", 0.25: "quarter", 0.5: "median", 0.75: "three_quarters", 0.95: "high"}

# --- error by ratings per user ------------------------------------------------------------------


def error_by_ratings(run: RunFiles) -> Section:
    """Every score of every recommender in every cell, with a band."""
    table = scores_by_cell(run.done, list(scores_of(run.done)))
    figure = errors_figure(table, run.dataset)
    text = (
        "The score of held-out ratings, mean over iterations; bands, where there are several: ± "
        "their standard deviation, less what all recommenders share. Of RMSE, + −: significantly "
        "better, worse than the reference, =: level with it."
    )
    return Section(
        "error-by-ratings",
        "Error by ratings per user" if len(cells_of(table)) > 1 else "Error",
        [text],
        figure.table,
        figure,
        ("score",),
        ("scores by cell", _scores_to_read(run)),
    )


def scores_by_cell(done: pd.DataFrame, scores: list[str]) -> pd.DataFrame:
    """The mean of each score over iterations by cell and recommender, and ± their standard
    deviation, `low` and `high`, without what iterations differ by (Cousineau 2005): the users that
    an iteration draws move all recommenders alike, which makes no difference uncertain."""
    rows = done.melt([*ITERATION, "model"], scores, "score").dropna(subset="value")
    of_iteration, of_cell = (
        rows.groupby(["score", *keys])["value"].transform("mean") for keys in (ITERATION, CELL)
    )
    rows["centred"] = rows["value"] - of_iteration + of_cell
    groups = rows.groupby(["score", *CELL, "model"], sort=False)
    mean, spread = groups["value"].mean(), groups["centred"].std()
    columns = {"mean": mean, "low": mean - spread, "high": mean + spread}
    return pd.DataFrame(columns | {"iterations": groups.size()}).reset_index()


def errors_figure(table: pd.DataFrame, dataset: str) -> Figure:
    """Lines over the cells, or a list where there is one cell; `table` of `scores_by_cell`."""
    cells = cells_of(table)
    several = len(cells) > 1
    place = table[CELL].apply(lambda row: cells.index(tuple(row)), axis=1)
    table = table.assign(_cell=[cell_name(cells[at]) for at in place])
    table = table.loc[place.sort_values(kind="stable").index]
    score = Axis("mean", "{score} ({better} is better)")
    return Figure(
        "error_by_ratings",
        "lines" if several else "list",
        table,
        Axis("_cell", "users × ratings of each", "places") if several else score,
        score if several else Axis(),
        title=f"Error by ratings per user, {dataset}",
        note="band: ± standard deviation\nbetween iterations, less what\nall recommenders share\n",
    )


def _scores_to_read(run: RunFiles) -> pd.DataFrame:
    """A line for each score and recommender, a column for each cell; the best is to be bold, and +
    and − are those of the terminal's tables."""
    lines = []
    for score in scores_of(run.done):
        for model, cells in means_of_cells(run.done.dropna(subset=score), run.differences, score):
            line: dict[str, object] = {"score": score, "model": model}
            for one in cells:
                failed = pd.isna(one.mean)
                line |= {one.name: "failed" if failed else one.mean}
                line |= {f"{one.name}_best": one.best, f"{one.name}_mark": minus(one.mark)}
            lines.append(line)
    return pd.DataFrame(lines)


# --- differences from the reference -------------------------------------------------------------


def differences(run: RunFiles) -> Section:
    """Each recommender beside the references."""
    table = run.tables["significance.csv"]
    title = "Differences from the reference"
    if table.empty:
        why = (
            "No differences were tested: either there is no reference in this run, or its "
            "holdout tests recommenders on different rows, which cannot be paired."
        )
        return Section("differences", title, [why])
    text = (
        "A point is the difference in the score, recommender minus reference; its line is the 95 % "
        "interval over users (paired bootstrap). Filled: significant (p < .05 after Holm's "
        "correction for all of the run's comparisons of RMSE with its reference). Level: the RMSEs "
        "differ by less than .5 % (two one-sided tests, p < .05). Other scores have intervals "
        "alone. The scale is linear about zero and logarithmic beyond. better_share in the table: "
        "how many of the users are better served than by the reference; ties count half."
    )
    table = table[table["score"].isin(list(SCORES))].drop(columns="p")  # which is not corrected
    table = table.sort_values(
        "reference_role", key=lambda role: role == USERS_MEDIAN, kind="stable"
    )
    names = " or ".join(run.differences["reference"].unique())
    follows = ("cell", "score", "role")
    figure = forest(
        table,
        "difference in {score} ({side} of the line: better)",
        name="differences",
        title=f"Difference from {names}, RMSE in stars",
        note="line: 95 % interval over\nusers; filled: significant\nafter Holm",
    )
    return Section("differences", title, [text], figure.table, figure, follows)


# --- cost, single users, ranking of all movies, calibration -------------------------------------


def cost(run: RunFiles) -> Section | None:
    """Every score beside bytes per user and time of a prediction; None where nobody has a cost."""
    done = run.done.assign(seconds=run.done["fit_seconds"] + run.done["predict_seconds"])
    if "n_test" in done:
        done["us_per_prediction"] = 1e6 * done["predict_seconds"] / done["n_test"]
    scores = list(scores_of(done))
    costs = ["seconds", "fit_seconds", "us_per_prediction", "bytes_per_user", "bytes_shared"]
    time = (
        "Time is that of predicting all held-out ratings of a cell at once, for each of them, mean "
        "over iterations, on the machine named below; item tables and item baselines are made in "
        "advance and not counted."
    )
    return cost_section(_means(done, [*costs, *scores]), scores, time)


def error_spread(run: RunFiles) -> Section | None:
    """How errors spread over users; None without predictions.

    Raises:
        InputError: predictions.parquet cannot be read, or is not one.
    """
    if run.losses.empty:
        return None
    losses = run.losses[run.losses["model"].isin(run.models)]
    of_user = losses.groupby([*CELL, "model", "user_id"], sort=False)["squared_error"].mean() ** 0.5
    of_model = of_user.groupby([*CELL, "model"], sort=False)
    table = of_model.quantile(list(QUANTILES)).unstack().rename(columns=QUANTILES)
    table = table.assign(users=of_model.size()).reset_index()
    title, axis = "How errors spread over users", Axis("median", "RMSE of single users, stars")
    figure = Figure("users", "list", table, axis, title=title)
    text = (
        "RMSE of single users: a point is their median, its line reaches from the 5th to the 95th "
        "percentile. The table has the quartiles, too."
    )
    return Section("users", title, [text], table, figure, ("cell",))


def ranking(run: RunFiles) -> Section | None:
    """How well all movies are ranked; None where that was not measured."""
    names = ["ndcg_at_10", "recall_at_10", "popularity", "catalogue_share", "users", "seconds"]
    table = _means(run.done, [f"ranking_{name}" for name in names])
    text = (
        "All movies that a user has not rated in training, ranked by predicted stars, or by the "
        "scores of a recommender that predicts none. nDCG counts liked movies that were held out; "
        "read it beside how popular the ten movies are: popular movies are rated more often, so a "
        "recommender that shows them scores higher."
    )
    title = "Ranking all movies"
    return None if table.empty else Section("ranking", title, [text], table, None, ("cell",))


def calibration(run: RunFiles) -> Section | None:
    """Whether intervals hold as much as they claim; None where there is no distribution."""
    table = _means(run.done, ["coverage_50", "coverage_80", "coverage_95", "crps"])
    text = (
        "How much of the held-out ratings lies within the central interval of 50, 80 and 95 %, of "
        "recommenders that predict how likely each number of stars is: below that, intervals are "
        "too narrow."
    )
    title = "Calibration"
    return None if table.empty else Section("calibration", title, [text], table, None, ("cell",))


def _means(done: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Means over iterations of those of the columns that there are, by cell and recommender, of the
    rows that have the first; empty if nobody has it."""
    there = list(done.filter(items=names).dropna(axis="columns", how="all"))
    if names[0] not in there:
        return pd.DataFrame()
    groups = done.dropna(subset=names[0]).groupby([*CELL, "model"], sort=False)
    return groups[there].mean().reset_index()
