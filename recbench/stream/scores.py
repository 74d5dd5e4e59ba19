"""What a replay says: error of each learner, by how many ratings a user has given before, and by
how old the learner's last fit is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from recbench.evaluation.significance import (
    LEVEL,
    holm,
    resampled_means,
    two_sided_p,
)

RESAMPLES = 2_000
SEEN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)  # each up to the next
MINUTE, HOUR, DAY = 60, 3_600, 86_400
AGES = {
    "under a minute": MINUTE,
    "minutes": HOUR,
    "hours": DAY,
    "days": 7 * DAY,
    "weeks": 30 * DAY,
    "months": np.inf,
}  # name -> seconds below which it is


class OfUsers:
    """Errors summed by user, so that users can be drawn.

    Args:
        user: int [rows], 0 .. users − 1.
    """

    def __init__(self, user: np.ndarray) -> None:
        self._user = user
        self.users = int(user.max(initial=-1)) + 1

    def sums(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Sums of `values` (float [rows]) over the `rows` (mask) of each user, float64 [users]."""
        return np.bincount(self._user[rows], values[rows], minlength=self.users)

    def counts(self, rows: np.ndarray) -> np.ndarray:
        return np.bincount(self._user[rows], minlength=self.users)


def summary(
    stars: np.ndarray,
    user: np.ndarray,
    predicted: dict[str, np.ndarray],
    reference: str,
    seed: int = 0,
) -> pd.DataFrame:
    """One row for each learner: its errors, and how it compares with the reference.

    Args:
        stars: float32 [rows], given.
        user: int [rows].
        predicted: learner -> stars, float32 [rows].
        reference: one of them.
        seed: of the resamples of users.

    Returns:
        `name`; `rmse`, `mae`: means over users, as elsewhere; `rmse_pooled`, `mae_pooled`: over all
        ratings alike; `percent`: of RMSE, learner less reference, with the interval `low` .. `high`
        over users (95 %), `p` that there is no difference, `p_holm` corrected for all learners.
    """
    by_user = OfUsers(user)
    everything = np.ones(len(stars), dtype=bool)
    count = np.maximum(by_user.counts(everything), 1)  # every user has a rating
    squared = {
        name: by_user.sums((stars - one) ** 2.0, everything) / count
        for name, one in predicted.items()
    }
    names = list(predicted)
    means = resampled_means(np.column_stack(list(squared.values())), RESAMPLES, seed)
    resampled = dict(zip(names, np.sqrt(means).T, strict=True))
    rows = []
    for name in names:
        error = stars - predicted[name]
        of_users = by_user.sums(np.abs(error), everything) / count
        row: dict[str, object] = {
            "name": name,
            "rmse": float(np.sqrt(squared[name].mean())),
            "mae": float(of_users.mean()),
            "rmse_pooled": float(np.sqrt(np.mean(error.astype(np.float64) ** 2))),
            "mae_pooled": float(np.mean(np.abs(error), dtype=np.float64)),
        }
        if name != reference:
            base = float(np.sqrt(squared[reference].mean()))
            percent = 100 * (resampled[name] / resampled[reference] - 1)
            difference = float(row["rmse"]) - base  # type: ignore[arg-type]
            spread = float((resampled[name] - resampled[reference]).std())
            low, high = np.quantile(percent, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            row |= {
                "percent": 100 * difference / base,
                "low": float(low),
                "high": float(high),
                "p": two_sided_p(difference, spread, by_user.users),
            }
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
    seed: int = 0,
) -> pd.DataFrame:
    """Errors by how many ratings the user has given before.

    Args:
        seen: int [rows], that number.

    Returns:
        One row for each learner and interval from `ratings_seen` up to below `up_to`: `n_events`,
        `n_users`; `mae` and `rmse` over those ratings, each with its 95 % interval over users;
        `percent`: of RMSE, from the reference.
    """
    by_user = OfUsers(user)
    edges = [*[edge for edge in SEEN if edge <= seen.max(initial=0)], np.inf]
    records = []
    for first, up_to in pairwise(edges):
        rows = (seen >= first) & (seen < up_to)
        base = _rmse(stars, predicted[reference], rows)
        for name, one in predicted.items():
            count = by_user.counts(rows)
            there = count > 0
            error = stars - one
            sums = np.column_stack(
                (by_user.sums(np.abs(error), rows), by_user.sums(error**2.0, rows), count)
            )[there]
            means = resampled_means(sums, RESAMPLES, seed)
            mae, rmse = means[:, 0] / means[:, 2], np.sqrt(means[:, 1] / means[:, 2])
            ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
            own = _rmse(stars, one, rows)
            records.append(
                {
                    "name": name,
                    "ratings_seen": first,
                    "up_to": None if up_to == np.inf else up_to,
                    "n_events": int(rows.sum()),
                    "n_users": int(there.sum()),
                    "mae": float(np.abs(error[rows]).mean(dtype=np.float64)),
                    **dict(zip(("mae_low", "mae_high"), np.quantile(mae, ends), strict=True)),
                    "rmse": own,
                    **dict(zip(("rmse_low", "rmse_high"), np.quantile(rmse, ends), strict=True)),
                    "percent": 100 * (own / base - 1),
                }
            )
    return pd.DataFrame(records)


def by_age(
    stars: np.ndarray,
    age: dict[str, np.ndarray],
    predicted: dict[str, np.ndarray],
    reference: str,
) -> pd.DataFrame:
    """Errors by how old the last fit of a learner is.

    Other ratings come after minutes than after months. So beside each error stands that of the
    reference on the same ratings.

    Args:
        age: learner -> seconds since its last fit, float [rows]; nan before there was one.

    Returns:
        One row for each learner and age: `n_events`, `rmse`, `rmse_reference`, `percent`.
    """
    records = []
    for name, seconds in age.items():
        lower = -np.inf
        for what, upper in AGES.items():
            rows = (seconds >= lower) & (seconds < upper)
            lower = upper
            if rows.any():
                own = _rmse(stars, predicted[name], rows)
                base = _rmse(stars, predicted[reference], rows)
                records.append(
                    {
                        "name": name,
                        "age": what,
                        "n_events": int(rows.sum()),
                        "rmse": own,
                        "rmse_reference": base,
                        "percent": 100 * (own / base - 1),
                    }
                )
    return pd.DataFrame(records)


def _rmse(stars: np.ndarray, predicted: np.ndarray, rows: np.ndarray) -> float:
    return float(np.sqrt(np.mean((stars[rows] - predicted[rows]).astype(np.float64) ** 2)))
