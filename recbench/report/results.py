"""`results.csv`, a row for each cell and recommender, and `final_results.csv`, as published."""

from __future__ import annotations

import pandas as pd

from recbench.evaluation.significance import rmse_intervals
from recbench.keys import CELL
from recbench.report.terminal import cells_of, learns_from

RESULTS = "results.csv"
MEANS = {  # over iterations: column of comparison.csv -> column here
    "rmse": "rmse",
    "accuracy_mean": "accuracy",
    "fit_seconds": "seconds_to_learn",
    "predict_seconds": "seconds_to_predict",
    "bytes_per_user": "bytes_per_user",
    "bytes_shared": "bytes_shared",
}
COLUMNS = [
    *("users", "ratings_per_user", "model", "learns_from", "rmse", "rmse_low", "rmse_high"),
    *list(MEANS.values())[1:],
]


def results_table(comparison: pd.DataFrame, losses: pd.DataFrame) -> pd.DataFrame:
    """Means over iterations, rounded for reading, the cells from small to large.

    Args:
        comparison: the rows of comparison.csv.
        losses: of `Predictions.losses`; where there are none, the interval of the RMSE is empty.
    """
    means = comparison.reindex(columns=[*CELL, "model", *MEANS])
    means = means.groupby([*CELL, "model"], sort=False)[list(MEANS)].mean().rename(columns=MEANS)
    intervals = rmse_intervals(losses)
    records = []
    for cell in cells_of(comparison):
        for model, values in means.loc[cell].iterrows():
            low, high = intervals.get((*cell, model), (None, None))
            users, ratings = (number or "all" for number in cell)
            record = {"users": users, "ratings_per_user": ratings, "model": model}
            record |= {"learns_from": learns_from(comparison, str(model)), **values}
            records.append(record | {"rmse_low": low, "rmse_high": high})
    return _rounded(pd.DataFrame(records, columns=COLUMNS))


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Scores to four decimals, seconds to three digits, whole bytes."""
    for name in table.columns[4:]:
        numbers = pd.to_numeric(table[name])
        if name.startswith("seconds"):
            table[name] = numbers.map(lambda value: float(f"{value:.3g}"))
        else:
            table[name] = numbers.round().astype("Int64") if "bytes" in name else numbers.round(4)
    return table


def final_results(comparison: pd.DataFrame) -> pd.DataFrame:
    """One row per cell, in the published columns: num_users, reviews_per_user, then for each
    iteration and model its accuracies and time.

    A collaborative model has one accuracy (pooled over all test ratings, as published), the
    others have a mean and a median over users. Seconds are those of fitting and predicting.
    """
    records = []
    for (num_users, reviews), cell in comparison.groupby(
        ["num_users", "reviews_per_user"], sort=False
    ):
        record = {"num_users": num_users, "reviews_per_user": reviews}
        for row in cell.to_dict("records"):
            name = f"iter_{row['iteration']}_{row['model']}"
            if row["family"] == "Collaborative":
                record[f"{name}_accuracy"] = row["accuracy_pooled"]
            else:
                record[f"{name}_avg_accuracy"] = row["accuracy_mean"]
                record[f"{name}_median_accuracy"] = row["accuracy_median"]
            record[f"{name}_time"] = row["fit_seconds"] + row["predict_seconds"]
        records.append(record)
    return pd.DataFrame(records)
