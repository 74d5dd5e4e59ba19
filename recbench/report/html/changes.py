"""The page of what changed from one run to another: scores with intervals, costs, settings.

A score of a recommender in a cell is compared over the users that both runs have tested, paired,
where both have predictions.parquet of the same data; else it has no interval.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbench.errors import InputError
from recbench.evaluation.significance import READ_OUT, holm, two_sided_p
from recbench.files import CELL
from recbench.report.figure import best_first, forest
from recbench.report.html import user_sections as users
from recbench.report.html.grid_sections import HOLM
from recbench.report.html.page import Page, Section, write_page
from recbench.report.html.run_files import GRID, RunFiles, read_run
from recbench.report.html.words import facts
from recbench.report.style import run_looks, shown_at_first
from recbench.report.terminal import ALPHA, SCORES, cells_of, scores_of

COLUMNS = ["before", "after", "difference", "low", "high", "p", "p_holm", "users"]


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
    table = changed_scores(before, after)
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
    text = (
        "A point is the difference, after minus before, over the users that both runs have tested; "
        f"its line is the 95 % interval, paired by user. {HOLM} for all of the score); open: not "
        "significant, or not tested, as without predictions of the same users in both runs."
    )
    follows = ("cell", "score") if grid else ("score",)
    figure = forest(
        best_first(table, "difference"),
        "change of {score} ({side}: better)",
        name="changes",
        hover=("{+difference}", "[{+low}, {+high}]", "p = {p_holm} (Holm)"),
        follows=follows,
    )
    return Section("changes", "What changed", [text], figure.table, [figure], follows)


def _tables(before: RunFiles, after: RunFiles) -> list[Section]:
    costs = (
        "Seconds and bytes per user, and their ratio, after to before. Seconds have no interval, "
        "and mean nothing where the machines differ or were busy."
    )
    settings = changed_settings(before, after)
    what = "Differences between the two run.json." if len(settings) else "There are none."
    return [
        Section("costs", "What it costs", [costs], changed_costs(before, after)),
        Section("settings", "What was set differently", [what], settings),
    ]


# --- the tables ---------------------------------------------------------------------------------


def _key(run: RunFiles) -> list[str]:
    """The columns that name a result: a recommender, in a grid in its cell."""
    return [*CELL, "model"] if run.kind == GRID else ["model"]


def changed_scores(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """One row for each score, cell and recommender that both runs have: `before` and `after`, their
    `difference` with a 95 % interval `low` .. `high`, `p` and `p_holm` (corrected for all of a
    score), over how many `users`."""
    key = _key(before)
    sides = [
        {
            (score, *names): float(own[score].mean())
            for score in scores_of(run.done)
            for names, own in run.done.dropna(subset=score).groupby(key, sort=False)
        }
        for run in (before, after)
    ]
    paired = _paired(before, after) if before.kind == GRID else {}
    records = []
    for one, old in sides[0].items():
        if one in sides[1]:
            means = {"before": old, "after": sides[1][one], "difference": sides[1][one] - old}
            records.append(dict(zip(["score", *key], one, strict=True)) | paired.get(one, means))
    table = pd.DataFrame(records, columns=["score", *key, *COLUMNS])
    tested = table["p"].notna()
    by_score = table[tested].groupby("score")["p"]
    table.loc[tested, "p_holm"] = by_score.transform(lambda p: holm(p.to_numpy(dtype=float)))
    return table


def _paired(before: RunFiles, after: RunFiles) -> dict[tuple, dict[str, Any]]:
    """By score, cell and recommender; empty if a user id is not the same user in both."""
    data, other_data = (
        [(one.get("name"), one.get("fingerprint")) for one in run.metadata.get("datasets") or []]
        for run in (before, after)
    )
    if not data or data != other_data or before.losses.empty or after.losses.empty:
        return {}
    key = [*CELL, "model", "user_id"]
    sides = [users.losses_of_users(run).set_index(key) for run in (before, after)]
    both = sides[0].join(sides[1], how="inner", lsuffix="_before", rsuffix="_after")
    found = {}
    for names, rows in both.groupby([*CELL, "model"]):
        for loss in sides[0].columns.intersection(sides[1].columns):
            score, read_out, _ = READ_OUT[loss]
            pair = rows[[f"{loss}_before", f"{loss}_after"]].dropna().to_numpy()
            if len(pair) < users.FEWEST_USERS:
                continue
            old, new = pair.T
            of_root = read_out is np.sqrt
            interval = (users.rmse_difference if of_root else users.mean_difference)(new, old)
            p = two_sided_p(interval["difference"], interval.pop("standard_error"), len(pair))
            about = {"before": read_out(old.mean()), "after": read_out(new.mean()), "p": p}
            found[(score, *names)] = about | interval | {"users": len(pair)}
    return found


def changed_costs(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Seconds and bytes per user of each recommender (and cell), before and after, and their ratio
    after to before."""
    parts = ["fit_seconds", "predict_seconds"] if before.kind == GRID else ["total_seconds"]
    columns, tables = ["seconds", "bytes_per_user"], []
    for run in (before, after):
        done = run.done.assign(seconds=run.done[parts].sum(axis=1, skipna=False))
        done = done.reindex(columns=[*_key(run), *columns])
        tables.append(done.groupby(_key(run), sort=False)[columns].mean())
    both = tables[0].join(tables[1], how="inner", lsuffix="_before", rsuffix="_after")
    for name in columns:
        ratio = both[f"{name}_after"] / both[f"{name}_before"].where(both[f"{name}_before"] > 0)
        both[f"{name}_ratio"] = ratio
    return both.dropna(axis="columns", how="all").reset_index()


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
