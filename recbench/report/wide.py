"""`final_results.csv`: one row per cell of the grid, in the published columns."""

from __future__ import annotations

import pandas as pd


def final_results(comparison: pd.DataFrame) -> pd.DataFrame:
    """num_users, reviews_per_user, then for each iteration and model its accuracies and time.

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
