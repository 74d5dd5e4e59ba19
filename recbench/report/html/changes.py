"""What is different between two runs: differences of scores with intervals, costs, settings.

The score of a recommender in a cell is compared over the users that both runs have tested, where
both have predictions.parquet of the same data: paired by user. Else over iterations, as means of
two independent samples (Welch 1947); a run of one iteration then has no interval.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from recbench.evaluation.significance import holm, two_sided_p
from recbench.keys import CELL
from recbench.report.html import users
from recbench.report.html.run_files import RunFiles
from recbench.report.html.scores import scores_of
from recbench.report.html.user_sections import PREDICTIONS
from recbench.report.terminal import cells_of

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


def changed_scores(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """One row for each score, cell and recommender that both runs have: `before` and `after`, their
    `difference` with a 95 % interval `low` .. `high`, `p` and `p_holm` (corrected for all of a
    score), how they were `compared_by` and over how many (`n`: users; iterations of the run with
    fewer)."""
    paired = _paired(before, after)
    after_has = {score.name for score in scores_of(after.done)}
    models = [name for name in before.models if name in after.models]
    records = []
    for score in (one.name for one in scores_of(before.done) if one.name in after_has):
        old, new = _values(before, score), _values(after, score)
        for cell, model in product(cells_of(before.main), models):
            key = (*cell, model)
            if key in old and key in new:
                found = paired.get((*key, score)) or _of_iterations(old[key], new[key])
                about = dict(zip([*CELL, "model"], key, strict=True))
                records.append({**about, "score": score, **found})
    table = pd.DataFrame(records, columns=COLUMNS)
    tested = table["p"].notna()
    by_score = table[tested].groupby("score")["p"]
    table.loc[tested, "p_holm"] = by_score.transform(lambda p: holm(p.to_numpy(dtype=float)))
    return table


def _values(run: RunFiles, score: str) -> dict[tuple, np.ndarray]:
    """Of each cell and recommender that has the score, its values of all iterations."""
    rows = run.done[run.done[score].notna()]
    by_model = rows.groupby([*CELL, "model"])[score]
    return {key: values.to_numpy() for key, values in by_model}


def same_data(before: RunFiles, after: RunFiles) -> bool:
    """Whether a user id means the same user in both."""
    data = [
        [(one.get("name"), one.get("fingerprint")) for one in run.metadata.get("datasets") or []]
        for run in (before, after)
    ]
    return bool(data[0]) and data[0] == data[1]


def _paired(before: RunFiles, after: RunFiles) -> dict[tuple, dict[str, Any]]:
    """By cell, recommender and score."""
    files = [run.folder / PREDICTIONS for run in (before, after)]
    if not (same_data(before, after) and all(file.is_file() for file in files)):
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
            levels = [np.sqrt(one.mean()) if score == "rmse" else one.mean() for one in (old, new)]
            found[(*cell_and_model, score)] = {
                "before": float(levels[0]),
                "after": float(levels[1]),
                **interval,
                "p": p,
                "compared_by": PAIRED,
                "n": len(rows),
            }
    return found


def _of_iterations(old: np.ndarray, new: np.ndarray) -> dict[str, Any]:
    """The difference of two means of independent samples, with Welch's interval."""
    difference = float(new.mean() - old.mean())
    about: dict[str, Any] = {
        "before": float(old.mean()),
        "after": float(new.mean()),
        "difference": difference,
    }
    n = min(len(old), len(new))
    nothing = {"low": np.nan, "high": np.nan, "p": np.nan}
    if n < 2:
        return {**about, **nothing, "compared_by": WITHOUT, "n": n}
    about |= {"compared_by": ITERATIONS, "n": n}
    if np.var(old) == np.var(new) == 0:
        return {**about, **nothing, "low": difference, "high": difference}
    test = stats.ttest_ind(new, old, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return {**about, "low": float(low), "high": float(high), "p": float(test.pvalue)}


def changed_replays(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Of each learner that both runs have, RMSE and MAE `before` and `after` over all ratings, and
    their difference; the files tell no interval of these."""
    records = []
    sides = [run.done.set_index("model") for run in (before, after)]
    for score in ("rmse", "mae"):
        for model in [name for name in sides[0].index if name in sides[1].index]:
            old, new = (float(side.loc[model, score]) for side in sides)
            record = {"score": score, "model": model, "before": old, "after": new}
            records.append(record | {"difference": new - old})
    columns = ["score", "model", "before", "after", "difference", "low", "high", "p_holm"]
    return pd.DataFrame(records, columns=columns).astype(dict.fromkeys(columns[2:], float))


def changed_curves(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Of each point of the learning curves that both runs have, the difference in RMSE with a 95 %
    interval made from those of both, as if their users were others: too wide where they are not."""
    key = ["model", "ratings_seen"]
    both = before.tables["learning_curve.csv"].merge(
        after.tables["learning_curve.csv"], on=key, suffixes=("_before", "_after")
    )
    errors = [
        (both[f"rmse_high_{side}"] - both[f"rmse_low_{side}"]) / (2 * Z)
        for side in ("before", "after")
    ]
    difference = both["rmse_after"] - both["rmse_before"]
    half = Z * np.hypot(*errors)
    return pd.DataFrame(
        {name: both[name] for name in (*key, "n_users_before", "n_users_after")}
        | {"before": both["rmse_before"], "after": both["rmse_after"], "difference": difference}
        | {"low": difference - half, "high": difference + half}
    )


def changed_costs(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """Seconds and bytes per user of each recommender (and cell), before and after, and their ratio
    after to before."""
    tables = []
    for run in (before, after):
        done = run.done
        if "total_seconds" in done:
            done = done.assign(seconds=done["total_seconds"])
        else:
            done = done.assign(seconds=done["fit_seconds"] + done["predict_seconds"])
        key = [name for name in (*CELL, "model") if name in done]
        wanted = [name for name in ("seconds", "bytes_per_user") if name in done]
        tables.append(done.groupby(key, sort=False)[wanted].mean())
    both = tables[0].join(tables[1], how="inner", lsuffix="_before", rsuffix="_after")
    for name in ("seconds", "bytes_per_user"):
        if f"{name}_after" in both:
            ratio = both[f"{name}_after"] / both[f"{name}_before"].where(both[f"{name}_before"] > 0)
            both[f"{name}_ratio"] = ratio
    return both.reset_index()


def changed_settings(before: RunFiles, after: RunFiles) -> pd.DataFrame:
    """What run.json says differently: `setting`, `before`, `after`, as text."""
    sides = [_settings(run.metadata) for run in (before, after)]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    rows = [
        (name, sides[0].get(name, ""), sides[1].get(name, ""))
        for name in names
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
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
