"""The page of what changed from one run to another: scores with intervals, cost, settings.

A score of a recommender in a cell is compared over the users that both runs have tested, paired,
where both have predictions.parquet of the same data; else it has no interval.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import holm, significance, verdicts
from recbench.files import CELL
from recbench.report.figure import forest
from recbench.report.html.page import Page, Section, write_page
from recbench.report.html.run_files import GRID, RunFiles, read_run
from recbench.report.html.words import counts
from recbench.report.style import run_looks, shown_at_first
from recbench.report.terminal import SCORES, cells_of, scores_of

COSTS = {"seconds": "seconds to fit and predict", "bytes_per_user": "bytes per user"}
KEY = ["score", *CELL, "model"]
TESTED = ["difference", "low", "high", "p", "p_holm", "p_equivalent", "users"]


def write_changes(before: Path, after: Path) -> Path:
    """Write what changed from the run in `before` to that in `after` into the latter; the file.

    Raises:
        InputError: a folder is not that of a run that has ended, a file is damaged, or the two have
            nothing in common.
    """
    if before.resolve() == after.resolve():
        raise InputError(f"{after}: is named twice. Name the folders of two runs")
    runs = read_run(before), read_run(after)
    for run in runs:
        if run.kind != GRID:
            raise InputError(f"{run.folder}: has no {GRID}. Name two runs of compare_all.py")
    file = runs[1].folder / f"changes-from-{runs[0].folder.resolve().name}.html"
    return write_page(_page(*runs), file)


def _page(before: RunFiles, after: RunFiles) -> Page:
    table = changed_scores(before, after)
    if table.empty:
        raise InputError(
            f"{before.folder} and {after.folder} have no recommender in the same cell in common, "
            "so there is nothing to compare"
        )
    settings, title = changed_settings(before, after), "What was set differently"
    what = "Differences between the two run.json." if len(settings) else "There are none."
    names = [run.folder.resolve().name for run in (before, after)]
    models = table["model"].unique()
    both = pd.concat([before.main, after.main])
    looks = {name: look for name, look in run_looks(both).items() if name in models}
    subject = f"{len(models)} recommenders in the cells that both runs have, on {after.dataset}."
    if before.dataset != after.dataset:
        subject += f" The run before was on {before.dataset}: differences are of the data, too."
    return Page(
        title=f"from {names[0]} to {names[1]}",
        heading=f"What changed from {names[0]} to {names[1]}?",
        subject=subject,
        answer=answer(table),
        sections=[_scores(table), Section("settings", title, [what], settings)],
        looks=looks,
        shown=shown_at_first(list(looks), pd.concat([before.done, after.done]), []),
        cells=cells_of(table),
        scores={k: v for k, v in (SCORES | COSTS).items() if k in set(table["score"])},
        command=f"python -m recbench.report {before.folder} {after.folder}",
    )


def answer(table: pd.DataFrame) -> str:
    """One sentence: what the tests say of the RMSEs."""
    rows = table[table["score"] == "rmse"]
    if (rows["difference"] == 0).all():
        return f"Nothing changed: each of {len(rows)} RMSEs is the same."
    tested = rows[rows["verdict"] != ""]
    if tested.empty:
        return f"These files do not show whether changes of the {len(rows)} RMSEs are significant."
    return f"RMSE after, beside before: {counts(tested)}."


def _scores(table: pd.DataFrame) -> Section:
    text = (
        "A point is the difference, after minus before, over the users that both runs have tested; "
        "its line is the 95 % interval, paired by user. Filled: significant (p < .05 after Holm's "
        "correction for all RMSEs). Level: less than .5 % apart. Other scores have intervals "
        "alone, and there is none without predictions of the same users in both runs, nor of cost: "
        "seconds mean nothing where the machines differ or were busy."
    )
    follows = ("cell", "score")
    figure = forest(
        table,
        "change of {score} ({side}: better)",
        name="changes",
    )
    return Section("changes", "What changed", [text], figure.table, figure, follows)


# --- the tables ---------------------------------------------------------------------------------


def changed_scores(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """One row for each score or cost, cell and recommender that both runs have: the means `before`
    and `after`, and over the `users` of both their `difference` with a 95 % interval `low` ..
    `high` and `p`; of RMSE `p_holm` (corrected for all of them) and `verdict`."""
    means = pd.concat([_means(before), _means(after)], axis=1, join="inner")
    means = means.set_axis(["before", "after"], axis=1)
    table = means.join(_paired(before, after)).reset_index()
    table["difference"] = table["difference"].fillna(table["after"] - table["before"])
    tested = table["p_holm"].notna()
    table.loc[tested, "p_holm"] = holm(table.loc[tested, "p"].to_numpy(float))
    return table.assign(verdict=verdicts(table))


def _means(run: RunFiles) -> pd.Series:
    """The mean of each score and cost, by score, cell and recommender."""
    done = run.done.assign(seconds=run.done["fit_seconds"] + run.done["predict_seconds"])
    names = [*scores_of(done), *(name for name in COSTS if name in done)]
    long = done.melt([*CELL, "model"], names, "score")
    return long.groupby(KEY, sort=False)["value"].mean().dropna()


def _paired(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """By `KEY`, of `significance`; empty if a user id is not the same user in both."""
    data, other_data = (
        [(one.get("name"), one.get("fingerprint")) for one in run.metadata.get("datasets") or []]
        for run in (before, after)
    )
    sides = {side: run.losses for side, run in (("before", before), ("after", after))}
    names = [set(one["model"]) if len(one) else set() for one in sides.values()]
    found = []
    for model in sorted(names[0] & names[1]) if data and data == other_data else ():
        rows = [one[one["model"] == model].assign(model=side) for side, one in sides.items()]
        cells = rows[0][CELL].drop_duplicates().assign(reference="before", reference_role="")
        found.append(significance(pd.concat(rows), cells).assign(model=model))
    table = pd.concat(found) if found else pd.DataFrame(columns=[*KEY, *TESTED], dtype=float)
    return table.set_index(KEY)[TESTED].astype(float)


def changed_settings(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Where the two run.json differ, but for times: `setting`, `before`, `after`, as text."""
    names = ["git_commit", "python", "parameters", "protocol", "packages", "machine", "datasets"]
    sides = []
    for run in (before, after):
        made = {name: run.metadata[name] for name in names if name in run.metadata}
        data = run.metadata.get("datasets") or []
        made["datasets"] = {one.get("name"): one.get("fingerprint") for one in data}
        sides.append({k: str(v) for k, v in pd.json_normalize(made, sep=": ").iloc[0].items()})
    table = pd.DataFrame(sides, index=["before", "after"]).T.fillna("")
    table = table[table["before"] != table["after"]]
    return table.rename_axis("setting").reset_index()
