"""Differences between recommenders, with their uncertainty over users.

A paired bootstrap (Efron 1979): users are drawn with replacement, the same for both recommenders,
and the difference is computed for each draw. Ratings of one user are not independent, so users are
drawn, not ratings; a user in several iterations counts once, with the mean over them. Movies are
not resampled; `python -m experiments.claims` resamples them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from recbench.evaluation.metrics import (
    ROUNDING_STARS,
    auc_like_per_user,
    ndcg_at_10_per_user,
    right_within_one_star,
)
from recbench.evaluation.ranking import PER_USER
from recbench.files import CELL

RESAMPLES = 10_000
LEVEL = 0.95
ALPHA = 0.05
MARGIN = 0.005  # share of the reference's RMSE: smaller differences have no practical relevance
USERS_MEDIAN = "user's median"  # the role of the trivial reference, which is in no family
RESOLVED = 5e-4  # half of the last digit shown: smaller differences count as zero


# loss of a user -> score, its function of the mean loss, sign of an improvement
READ_OUT: dict[str, tuple[str, Callable[[Any], Any], int]] = {
    "squared_error": ("rmse", np.sqrt, -1),
    "absolute_error": ("mae", np.positive, -1),
    "right": ("accuracy_mean", np.positive, +1),
    **{score: (score, np.positive, +1) for score in ("auc_like", "ndcg_at_10", *PER_USER)},
}
COLUMNS = [
    *(*CELL, "score", "model", "reference_role", "reference", "difference", "low", "high"),
    *("p", "p_holm", "margin", "p_equivalent", "verdict"),
    *("better_share", "better_low", "better_high", "users"),
]
AT_ONCE = 4_000_000  # numbers of a block of resamples


def losses_per_user(predictions: pd.DataFrame) -> pd.DataFrame:
    """For each user in one iteration: user_id and the available losses of `READ_OUT`; nan if a
    score is not defined for the user, or no stars are predicted."""
    error = predictions["predicted"].astype(float) - predictions["stars"].astype(float)
    right = right_within_one_star(
        predictions["ones"].to_numpy(), predictions["predicted_ones"].to_numpy()
    )
    columns = {"squared_error": error**2, "absolute_error": error.abs(), "right": right}
    frame = predictions[["user_id"]].assign(**columns)
    by_user = frame.groupby("user_id", as_index=False).mean()
    rows = tuple(predictions[name].to_numpy() for name in ("stars", "predicted", "user_id"))
    by_user["auc_like"] = auc_like_per_user(*rows)
    by_user["ndcg_at_10"] = ndcg_at_10_per_user(*rows)
    if predictions["predicted"].isna().all():
        by_user[by_user.columns.drop("user_id")] = np.nan
    first = predictions["user_id"].drop_duplicates().sort_values().index
    for score in predictions.columns.intersection(PER_USER):  # in each of a user's rows
        by_user[score] = predictions.loc[first, score].to_numpy()
    return by_user


def significance(losses: pd.DataFrame, references: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Each recommender against each reference, in each cell and score.

    Args:
        losses: columns num_users, reviews_per_user, iteration, model and those of
            `losses_per_user`.
        references: columns num_users, reviews_per_user, reference (a model of `losses`) and
            reference_role (the reason).
        seed: of the resamples.

    Returns:
        One row per cell, score, recommender and reference: `difference` (of the scores,
        recommender minus reference), `low` and `high` (95 % percentile interval), `p` (that there
        is no difference, see `two_sided_p`), `p_holm` (corrected for the run's family, see
        `in_family`; empty outside it), `margin` and `p_equivalent` (of the RMSE: that it differs
        by `MARGIN` of the reference's or more), `verdict` (see `verdicts`), `better_share` (of
        users who are better served by the recommender; ties count half) with its 95 % interval,
        `better_low` and `better_high`, and `users`.
    """
    records = []
    for cell, of_cell in losses.groupby(CELL, sort=False):
        here = references[(references[CELL] == list(cell)).all(axis=1)]
        there = [loss for loss in READ_OUT if loss in of_cell]
        by_user = of_cell.groupby(["user_id", "model"])[there].mean().unstack("model")

        @cache
        def resampled(users: bytes, by_user: pd.DataFrame = by_user) -> pd.DataFrame:
            """Means over the users of a mask (bool [n]), [resamples, columns]."""
            values = by_user.to_numpy()[np.frombuffer(users, dtype=bool)]
            return pd.DataFrame(resampled_means(values, RESAMPLES, seed), columns=by_user.columns)

        for reference, role in zip(here["reference"], here["reference_role"], strict=True):
            for model in of_cell["model"].unique():
                if model != reference and reference in by_user["right"]:
                    key = {**dict(zip(CELL, cell, strict=True)), "model": model}
                    key |= {"reference_role": role, "reference": reference}
                    compared = _compare(by_user, resampled, model, reference)
                    records += [key | one for one in compared]
    if not records:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.DataFrame(records).reindex(columns=COLUMNS)  # not all where none is by RMSE
    family = in_family(table)
    table.loc[family, "p_holm"] = holm(table.loc[family, "p"].to_numpy())
    return table.assign(verdict=verdicts(table))


def in_family(table: pd.DataFrame) -> pd.Series:
    """Mask of the rows in the run's family, for which p is corrected together, bool [rows]: the
    comparisons by RMSE, the primary score, with the run's reference. All other rows have an
    interval and no verdict."""
    return (table["score"] == "rmse") & (table["reference_role"] != USERS_MEDIAN)


def verdicts(table: pd.DataFrame) -> pd.Series:
    """Results of the tests of differences in an error: "better" or "worse" (`p_holm` < `ALPHA`),
    else "level" (`p_equivalent` < `ALPHA`), else "undecided"; "" where there is no `p_holm`."""
    significant = table["p_holm"] < ALPHA
    cases = {
        "": table["p_holm"].isna(),
        "better": significant & (table["difference"] < 0),
        "worse": significant,
        "level": table["p_equivalent"] < ALPHA,
    }
    return pd.Series(np.select(list(cases.values()), list(cases), "undecided"), table.index)


def judged(table: pd.DataFrame, comparison: pd.DataFrame) -> pd.DataFrame:
    """significance.csv in its present form, from that of an earlier run without `verdict`. Margins
    use the RMSE in comparison.csv, see `with_verdicts`."""
    if "verdict" in table:
        return table
    rmse = comparison.groupby([*CELL, "model"])["rmse"].mean()
    key = pd.MultiIndex.from_frame(table[[*CELL, "reference"]])
    margin = (MARGIN * rmse.reindex(key)).set_axis(table.index).where(table["score"] == "rmse")
    return with_verdicts(table.assign(p_holm=table["p_holm"].where(in_family(table))), margin)


def with_verdicts(table: pd.DataFrame, margin: pd.Series | float) -> pd.DataFrame:
    """With `margin`, `p_equivalent` and `verdict`, from `difference`, `low`, `high` and `p_holm`:
    the standard error is that of a normal distribution with this 95 % interval, so the test of
    equivalence is approximate, without resamples."""
    error = (table["high"] - table["low"]) / (2 * stats.norm.ppf((1 + LEVEL) / 2))
    away = (margin - table["difference"].abs()) / error.clip(lower=1e-300)
    table = table.assign(margin=margin, p_equivalent=stats.norm.sf(away.astype(float)))
    return table.assign(verdict=verdicts(table))


def rmse_intervals(losses: pd.DataFrame, seed: int = 0) -> dict[tuple, tuple[float, float]]:
    """The 95 % percentile interval of each recommender's RMSE, the mean over iterations, in each
    cell: num_users, reviews_per_user, model -> low, high.

    Args:
        losses, seed: as in `significance`.
    """
    intervals = {}
    for cell, of_cell in losses.groupby(CELL, sort=False):
        errors = of_cell.pivot(
            index="user_id", columns=["model", "iteration"], values="squared_error"
        )
        there = errors.notna()
        sums = np.hstack([errors.fillna(0.0), there])  # (users, 2 · models · iterations)
        means = resampled_means(sums, RESAMPLES, seed)
        with np.errstate(invalid="ignore"):  # nobody of an iteration is drawn
            rmse = np.sqrt(means[:, : there.shape[1]] / means[:, there.shape[1] :])
        of_models = pd.DataFrame(rmse, columns=errors.columns).T.groupby("model", sort=False).mean()
        for model, resampled in of_models.iterrows():
            low, high = resampled.quantile([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            intervals[*cell, model] = float(low), float(high)
    return intervals


def _compare(
    by_user: pd.DataFrame,
    resampled: Callable[[bytes], pd.DataFrame],
    model: str,
    reference: str,
) -> Iterator[dict[str, object]]:
    """One record per score, over the users for which both recommenders have it."""
    for loss in by_user.columns.unique(0):
        score, read_out, better = READ_OUT[loss]
        both = by_user[loss][[model, reference]].notna().all(axis=1).to_numpy()
        if not both.any():
            continue
        means = resampled(both.tobytes())
        ours, theirs = (by_user[loss, name].to_numpy()[both] for name in (model, reference))
        differences = (read_out(means[loss, model]) - read_out(means[loss, reference])).to_numpy()
        low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        gain = better * (ours - theirs)
        gain[np.abs(gain) < ROUNDING_STARS] = 0
        difference = float(read_out(ours.mean()) - read_out(theirs.mean()))
        equivalence = {}
        if score == "rmse":  # two one-sided tests: the middle 90 % lie within the margin
            margin = MARGIN * float(np.sqrt(theirs.mean()))
            outside = max((differences <= -margin).mean(), (differences >= margin).mean())
            equivalence = {"margin": margin, "p_equivalent": float(outside)}
        yield {
            "score": score,
            "difference": difference,
            "low": float(low),
            "high": float(high),
            "p": two_sided_p(difference, float(differences.std()), len(ours)),
            **equivalence,
            **share_of_users((gain > 0) + 0.5 * (gain == 0)),
            "users": len(ours),
        }


def share_of_users(better: np.ndarray) -> dict[str, float]:
    """The mean of `better` (float [users], 0 .. 1) and its 95 % interval, by Wilson's score (1927)
    with the observed variance, which ties make smaller than that of a proportion."""
    share, n = float(better.mean()), len(better)
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    shrink = 1 + z**2 / n
    centre = (share + z**2 / (2 * n)) / shrink
    half = z / shrink * float(np.sqrt(better.var() / n + z**2 / (4 * n**2)))
    return {"better_share": share, "better_low": centre - half, "better_high": centre + half}


def resampled_means(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means of `values` (float [users, k]) over users drawn with replacement: [resamples, k].

    The draws depend only on the seed and the number of users, so all comparisons over the same
    users use the same resamples.
    """
    n = len(values)
    rng = np.random.default_rng(seed)
    block = max(AT_ONCE // n, 1)
    parts = []
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        times_drawn = rng.multinomial(n, np.full(n, 1 / n), size=size)  # (resamples, users)
        parts.append(times_drawn @ values / n)
    return np.concatenate(parts)


def two_sided_p(difference: float, standard_error: float, users: int) -> float:
    """p of Student's t = difference / standard error with users − 1 degrees of freedom.

    The standard error is that of the bootstrap. Counting resamples on the other side of zero would
    give no p below 1 / resamples, too large for a correction for some hundred comparisons. A
    difference below `RESOLVED` counts as zero: "0.000 is significantly worse than 0.000" is
    meaningless.
    """
    if users < 2 or abs(difference) < RESOLVED:
        return 1.0
    return float(2 * stats.t.sf(abs(difference) / max(standard_error, 1e-300), users - 1))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p (Holm 1979), float [n]."""
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1.0)
    return result
