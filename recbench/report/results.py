"""What is written when a grid is done: `results.csv`, a row for each cell and recommender,
`final_results.csv` in the published columns, `significance.csv`; and the tables in the terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from recbench.evaluation.protocols import Protocol
from recbench.evaluation.significance import (
    USERS_MEDIAN,
    in_family,
    rmse_intervals,
    significance,
)
from recbench.files import CELL, write_csv
from recbench.report.terminal import (
    TABLES,
    cells_of,
    learns_from,
    legend,
    score_table,
)
from recbench.runs.predictions import Predictions
from recbench.runs.run_folder import RunFolder

RESULTS = "results.csv"
REFERENCE_COLUMNS = [*CELL, "reference", "reference_role"]
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
            ends = intervals.get((*cell, model), (None, None))
            key = (*(n or "all" for n in cell), model, learns_from(comparison, str(model)))
            records.append([*key, values.iloc[0], *ends, *values.iloc[1:]])
    table = pd.DataFrame(records, columns=COLUMNS)
    for name in table.columns[4:]:  # four decimals of scores, three digits of seconds, whole bytes
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
    for numbers, cell in comparison.groupby(CELL, sort=False):
        record = dict(zip(CELL, numbers, strict=True))
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


def write_results(
    table: pd.DataFrame,
    predictions: Predictions,
    protocol: Protocol,
    reference: str | None,
    trivial: str,
    folder: RunFolder,
    console: Console,
) -> None:
    """The other files of a run, and its tables in the terminal.

    Args:
        table: the rows of the run.
        reference, trivial: see `references_of`.
    """
    losses = predictions.losses()
    predictions.finish()
    write_csv(results_table(table, losses), folder.path / RESULTS)
    write_csv(final_results(table), folder.path / "final_results.csv")
    cells = list(table[CELL].drop_duplicates().itertuples(index=False, name=None))
    if not protocol.holdout_rule().same_test_rows:  # there is nothing to pair
        losses = losses.iloc[:0]
    differences = significance(losses, references_of(cells, reference, trivial, folder))
    if protocol.holdout_rule().same_test_rows:
        write_csv(differences, folder.path / "significance.csv")
        family = differences[in_family(differences)]
        if len(family):
            names = ", ".join(family["reference"].unique())
            folder.note("family", f"{len(family)} comparisons of RMSE with {names}")
    for score, title in TABLES.items():
        if table[score].notna().any():
            console.print(f"\n{title}", score_table(table, differences, score), sep="\n")
    console.print(legend(differences), soft_wrap=True)


def references_of(
    cells: list[tuple[int, int]], reference: str | None, trivial: str, folder: RunFolder
) -> pd.DataFrame:
    """Of each cell the reference and the trivial one, with their roles.

    Args:
        reference: named in advance; None: the collaborative one with the lowest mean RMSE on the
            validation rows of all iterations of the cell, among those that succeeded in each.
    """
    rows = [(*cell, reference, "named beforehand") for cell in cells]
    if reference is None:
        rows = []
        scores: dict[tuple[int, int], list[dict]] = {}
        for one in folder.references:
            scores.setdefault((one[CELL[0]], one[CELL[1]]), []).append(one["rmse"])
        for cell, rmse in scores.items():
            if in_all := sorted(set.intersection(*map(set, rmse))):
                best = min(in_all, key=lambda name: sum(one[name] for one in rmse))
                rows.append((*cell, best, "best collaborative"))
    rows += [(*cell, trivial, USERS_MEDIAN) for cell in cells]
    return pd.DataFrame(rows, columns=REFERENCE_COLUMNS)
