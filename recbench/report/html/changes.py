"""The page of what changed from one run to another: scores with intervals, costs, settings.

The score of a recommender in a cell is compared over the users that both runs have tested, where
both have predictions.parquet of the same data: paired by user. Else over iterations, as means of
two independent samples (Welch 1947); a run of one iteration then has no interval.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from recbench.errors import InputError
from recbench.evaluation.significance import holm, two_sided_p
from recbench.files import CELL
from recbench.report.figure import best_first, forest
from recbench.report.html import user_sections as users
from recbench.report.html.grid_sections import HOLM
from recbench.report.html.page import Page, Section, write_page
from recbench.report.html.protocol import facts
from recbench.report.html.run_files import GRID, RunFiles, read_run
from recbench.report.style import run_looks, shown_at_first
from recbench.report.terminal import ALPHA, SCORES, cells_of, scores_of

PAIRED, ITERATIONS, WITHOUT = "paired users", "iterations", "no interval"
# score: the loss it is read from, and the difference of two
OF_LOSS = {
    "rmse": ("squared_error", users.rmse_difference),
    "mae": ("absolute_error", users.mean_difference),
    "accuracy_mean": ("right", users.mean_difference),
}
Z = 1.96  # half a 95 % interval in standard errors
COLUMNS = [*CELL, "score", "model", "before", "after", "difference", "low", "high", "p", "p_holm"]
COLUMNS += ["compared_by", "n"]


def write_changes(before: Path, after: Path) -> Path:
    """Write what changed from the run in `before` to that in `after` into the latter; the file.

    Raises:
        InputError: a folder is not that of a run that has ended, a file is damaged, or the two have
            nothing in common.
    """
    if before.resolve() == after.resolve():
        raise InputError(f"{after}: is named twice. Name the folders of two runs")
    runs = read_run(before), read_run(after)
    if runs[0].kind != runs[1].kind:
        raise InputError(
            f"{before} has {runs[0].kind}, {after} has {runs[1].kind}: runs of two scripts cannot "
            "be compared. Name two of one"
        )
    file = runs[1].folder / f"changes-from-{runs[0].folder.resolve().name}.html"
    return write_page(_page(*runs), file)


def _page(before: RunFiles, after: RunFiles) -> Page:
    grid = after.kind == GRID
    table = (changed_scores if grid else changed_replays)(before, after)
    if table.empty:
        raise InputError(
            f"{before.folder} and {after.folder} have no recommender in the same cell in common, "
            "so there is nothing to compare"
        )
    names = [run.folder.resolve().name for run in (before, after)]
    models = table["model"].unique()
    both = pd.concat([before.main, after.main])
    looks = {name: look for name, look in run_looks(both).items() if name in models}
    where = "recommenders in the cells" if grid else "recommenders"
    subject = f"{len(models)} {where} that both runs have, on {after.dataset}."
    if before.dataset != after.dataset:
        subject += f" The run before was on {before.dataset}: differences are of the data, too."
    return Page(
        title=f"from {names[0]} to {names[1]}",
        kicker="Recommender Systems Benchmark · two runs",
        heading=f"What changed from {names[0]} to {names[1]}?",
        subject=subject,
        answer=answer(table),
        sections=[_scores(table, grid), *_tables(before, after)],
        looks=looks,
        shown=shown_at_first(list(looks), pd.concat([before.done, after.done]), []),
        cells=cells_of(table) if grid else [],
        scores={name: title for name, title in SCORES.items() if name in set(table["score"])},
        facts={
            f"The run before: {names[0]}": facts(before),
            f"The run after: {names[1]}": facts(after),
        },
        command=f"python -m recbench.report {before.folder} {after.folder}",
    )


def answer(table: pd.DataFrame) -> str:
    """One sentence: how many RMSEs are significantly better, worse, and not."""
    rows = table[table["score"] == "rmse"]
    span = f"{rows['difference'].min():+.3f} to {rows['difference'].max():+.3f}".replace("-", "−")
    tested = rows[rows["p_holm"].notna()]
    if (rows["difference"] == 0).all():
        return f"Nothing changed: each of {len(rows)} RMSEs is the same."
    if tested.empty:
        return (
            f"{len(rows)} RMSEs changed by {span} stars; these files do not show whether that is "
            "significant."
        )
    significant = tested.loc[tested["p_holm"] < ALPHA, "difference"]
    better, worse = (significant < 0).sum(), (significant > 0).sum()
    rest = len(rows) - better - worse
    return (
        f"Of {len(rows)} RMSEs {better} are significantly better and {worse} significantly worse "
        f"than before; {rest} are not significantly different (changes of {span} stars)."
    )


def _scores(table: pd.DataFrame, grid: bool) -> Section:
    text = [
        "A point is the difference, after minus before; its line is the 95 % interval. "
        f"{HOLM} for all of the score); open: not significant, or not tested."
    ]
    if grid:
        by = table["compared_by"].value_counts()
        words = {
            PAIRED: "over the users that both runs have tested, paired, and of them alone",
            ITERATIONS: "over iterations as independent samples (Welch), which is too wide where "
            "both runs drew the same users",
            WITHOUT: "without an interval, for there is one iteration",
        }
        parts = [f"{by[name]} {text}" for name, text in words.items() if name in by]
        text.append(f"Compared: {'; '.join(parts)}.")
    else:
        text.append("The files have no interval of the whole replay; the curves below have some.")
    follows = ("cell", "score") if grid else ("score",)
    figure = forest(
        best_first(table, "difference"),
        "change of {score} ({side}: better)",
        name="forest",
        label="The change of each recommender's score with its interval",
        hover=("{+difference}", "[{+low}, {+high}]", "p = {p_holm} (Holm)"),
        follows=follows,
    )
    return Section("changes", "What changed", text, figure.table, [figure], follows)


def _tables(before: RunFiles, after: RunFiles) -> list[Section]:
    settings, one = changed_settings(before, after), in_one(before, after)
    curves = (
        "Change of the RMSE by earlier ratings of the user. The intervals are made from those of "
        "both runs as if their users were others, so they are too wide where they are not."
    )
    costs = (
        "Seconds and bytes per user, and their ratio, after to before. Seconds have no interval, "
        "and mean nothing where the machines differ or were busy."
    )
    set_words = "Differences between the two run.json."
    if settings.empty:
        set_words = "Both runs were made with the same settings."
    one_words = "Results of recommenders in cells."
    if one.empty:
        one_words = "Both have results of the same recommenders and cells."
    sections = [
        ("costs", "What it costs", costs, changed_costs(before, after)),
        ("settings", "What was set differently", set_words, settings),
        ("in-one", "What only one of them has", one_words, one),
    ]
    if after.kind != GRID:
        table = changed_curves(before, after)
        sections.insert(0, ("curves", "Changes by ratings of the user", curves, table))
    return [
        Section(name, title, [text], table if len(table) else None)
        for name, title, text, table in sections
    ]


# --- the tables ---------------------------------------------------------------------------------


def changed_scores(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """One row for each score, cell and recommender that both runs have: `before` and `after`, their
    `difference` with a 95 % interval `low` .. `high`, `p` and `p_holm` (corrected for all of a
    score), how they were `compared_by` and over how many (`n`: users; iterations of the run with
    fewer)."""
    paired, key = _paired(before, after), [*CELL, "model"]
    after_has = scores_of(after.done)
    records = []
    for score in [name for name in scores_of(before.done) if name in after_has]:
        old, new = (
            dict(list(run.done.dropna(subset=score).groupby(key)[score])) for run in (before, after)
        )
        for cell, model in product(cells_of(before.main), before.models):
            one = (*cell, model)
            if one in old and one in new:
                found = paired.get((*one, score))
                found = found or _of_iterations(old[one].to_numpy(), new[one].to_numpy())
                records.append({**dict(zip(key, one, strict=True)), "score": score, **found})
    table = pd.DataFrame(records, columns=COLUMNS)
    tested = table["p"].notna()
    by_score = table[tested].groupby("score")["p"]
    table.loc[tested, "p_holm"] = by_score.transform(lambda p: holm(p.to_numpy(dtype=float)))
    return table


def _paired(before: RunFiles, after: RunFiles) -> dict[tuple, dict[str, Any]]:
    """By cell, recommender and score; empty if a user id is not the same user in both."""
    files = [run.folder / users.PREDICTIONS for run in (before, after)]
    data, other_data = (
        [(one.get("name"), one.get("fingerprint")) for one in run.metadata.get("datasets") or []]
        for run in (before, after)
    )
    if not data or data != other_data or not all(file.is_file() for file in files):
        return {}
    key = [*CELL, "model", "user_id"]
    sides = [users.errors_of_users(users.scan(file)).set_index(key) for file in files]
    both = sides[0].join(sides[1], how="inner", lsuffix="_before", rsuffix="_after")
    found = {}
    for cell_and_model, rows in both.groupby([*CELL, "model"]):
        if len(rows) < users.FEWEST_USERS:
            continue
        for score, (loss, difference) in OF_LOSS.items():
            old, new = (rows[f"{loss}_{side}"].to_numpy() for side in ("before", "after"))
            interval = difference(new, old)
            p = two_sided_p(interval["difference"], interval.pop("standard_error"), len(rows))
            means = [np.sqrt(one.mean()) if score == "rmse" else one.mean() for one in (old, new)]
            ends = {"before": float(means[0]), "after": float(means[1])}
            about = {"p": p, "compared_by": PAIRED, "n": len(rows)}
            found[(*cell_and_model, score)] = ends | interval | about
    return found


def _of_iterations(old: np.ndarray, new: np.ndarray) -> dict[str, Any]:
    """The difference of two means of independent samples, with Welch's interval."""
    found: dict[str, Any] = {"before": float(old.mean()), "after": float(new.mean())}
    found["difference"] = float(new.mean() - old.mean())
    found["n"] = min(len(old), len(new))
    if found["n"] < 2:
        return found | {"compared_by": WITHOUT}
    found["compared_by"] = ITERATIONS
    if np.var(old) == np.var(new) == 0:
        return found | {"low": found["difference"], "high": found["difference"]}
    test = stats.ttest_ind(new, old, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return found | {"low": float(low), "high": float(high), "p": float(test.pvalue)}


def changed_replays(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Of each learner that both runs have, RMSE and MAE `before` and `after` over all ratings, and
    their difference; the files have no interval of these."""
    both = before.done.merge(after.done, on="model", suffixes=("_before", "_after"))
    tables = []
    for score in ("rmse", "mae"):
        old, new = (both[f"{score}_{side}"].astype(float) for side in ("before", "after"))
        table = pd.DataFrame({"score": score, "model": both["model"], "before": old, "after": new})
        tables.append(table.assign(difference=new - old, low=np.nan, high=np.nan, p_holm=np.nan))
    return pd.concat(tables, ignore_index=True)


def changed_curves(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Of each point of the learning curves that both runs have, the difference in RMSE with a 95 %
    interval made from those of both, as if their users were others: too wide where they are not."""
    key = ["model", "ratings_seen"]
    curves = [run.tables["learning_curve.csv"] for run in (before, after)]
    both = curves[0].merge(curves[1], on=key, suffixes=("_before", "_after"))
    errors = [
        (both[f"rmse_high_{side}"] - both[f"rmse_low_{side}"]) / (2 * Z)
        for side in ("before", "after")
    ]
    difference = both["rmse_after"] - both["rmse_before"]
    half = Z * np.hypot(*errors)
    table = both[[*key, "n_users_before", "n_users_after"]]
    table = table.assign(before=both["rmse_before"], after=both["rmse_after"])
    return table.assign(difference=difference, low=difference - half, high=difference + half)


def changed_costs(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Seconds and bytes per user of each recommender (and cell), before and after, and their ratio
    after to before."""
    tables = []
    for run in (before, after):
        parts = ["fit_seconds", "predict_seconds"] if run.kind == GRID else ["total_seconds"]
        done = run.done.assign(seconds=run.done[parts].sum(axis=1, skipna=False))
        key = [name for name in (*CELL, "model") if name in done]
        columns = [name for name in ("seconds", "bytes_per_user") if name in done]
        tables.append(done.groupby(key, sort=False)[columns].mean())
    both = tables[0].join(tables[1], how="inner", lsuffix="_before", rsuffix="_after")
    for name in ("seconds", "bytes_per_user"):
        if f"{name}_after" in both:
            ratio = both[f"{name}_after"] / both[f"{name}_before"].where(both[f"{name}_before"] > 0)
            both[f"{name}_ratio"] = ratio
    return both.reset_index()


def in_one(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """The recommenders, by cell, that have a result in one run alone: `only_in`."""
    key = [name for name in (*CELL, "model") if name in before.main]
    sides = [run.done[key].drop_duplicates() for run in (before, after)]
    merged = sides[0].merge(sides[1], on=key, how="outer", indicator="only_in")
    names = {"left_only": "before", "right_only": "after", "both": "both"}
    merged["only_in"] = merged["only_in"].astype(str).map(names)
    return merged[merged["only_in"] != "both"]


def changed_settings(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Where the two run.json differ: `setting`, `before`, `after`, as text."""
    sides = [_settings(run.metadata) for run in (before, after)]
    rows = [
        (name, *(side.get(name, "") for side in sides))
        for name in {**sides[0], **sides[1]}
        if sides[0].get(name) != sides[1].get(name)
    ]
    return pd.DataFrame(rows, columns=["setting", "before", "after"])


def _settings(metadata: dict) -> dict[str, str]:
    found = {"commit": metadata.get("git_commit"), "Python": metadata.get("python")}
    for part in ("parameters", "protocol", "packages", "machine"):
        for name, value in (metadata.get(part) or {}).items():
            found[f"{part}: {name}"] = value
    for one in metadata.get("datasets") or []:
        found[f"data: {one.get('name')}"] = one.get("fingerprint")
    return {
        name: " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in found.items()
        if value is not None
    }
