"""Chosen recommenders of a finished run against any rivals, pair by pair -> <run>/claims*.csv

`significance.csv` has every recommender against two rivals; a claim about one recommender needs it
against each that it is claimed to beat. The same bootstrap, from the run's predictions.parquet.
claims.csv has every cell, claims_summary.csv in how many of them who is ahead, and how surely.

    python benchmarks/claims.py --run results/my-run --models hybrid --rivals ridge bayes_fm
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from recbench.command_line import run
from recbench.errors import InputError
from recbench.evaluation.significance import READ_OUT, significance
from recbench.runs.predictions import Predictions
from recbench.runs.run_folder import write_csv


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    run: str
    """the folder of a run of compare_all.py, with its predictions.parquet"""
    models: tuple[str, ...] = ("wnn_vote", "hybrid")
    """whom something is claimed of"""
    rivals: tuple[str, ...] = ("ridge", "mlp_tuned", "user_mean", "bayes_fm", "wnn_vote")
    """whom they are compared with, where the run has them"""


CELL = ["num_users", "reviews_per_user"]


def main(parameters: Parameters) -> None:
    folder = Path(parameters.run)
    losses = Predictions(folder).losses()
    if losses.empty:
        raise InputError(
            f"--run {folder}: has no predictions.parquet. Give a run of compare_all.py"
        )
    there = set(losses["model"])
    missing = [name for name in parameters.models if name not in there]
    if missing:
        raise InputError(f"--models: the run has no {', '.join(missing)}, only {', '.join(there)}")
    cells = losses[CELL].drop_duplicates()
    rivals = [
        cells.assign(rival=name, rival_is=name) for name in parameters.rivals if name in there
    ]
    table = significance(losses, pd.concat(rivals, ignore_index=True))
    table = table[table["model"].isin(parameters.models)].drop(columns="rival_is")
    table = with_levels(table, losses)
    write_csv(table, folder / "claims.csv")
    write_csv(summary(table), folder / "claims_summary.csv")
    print(f"{len(table)} comparisons in {folder / 'claims.csv'}, and claims_summary.csv")


def with_levels(table: pd.DataFrame, losses: pd.DataFrame) -> pd.DataFrame:
    """The difference in percent of the rival's error beside each, where the score is an RMSE."""
    by_user = losses.groupby([*CELL, "model", "user_id"])["squared_error"].mean()
    rmse = by_user.groupby([*CELL, "model"]).mean() ** 0.5
    key = pd.MultiIndex.from_frame(table[[*CELL, "rival"]])
    percent = 100 * table["difference"].to_numpy() / rmse.loc[key].to_numpy()
    place = list(table.columns).index("difference") + 1
    table.insert(place, "percent", pd.Series(percent, table.index).where(table["score"] == "rmse"))
    return table


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row per model, rival and score: in how many cells it is better and worse, in how many of
    those the interval excludes zero (`surely`), and from how much better to how much worse."""
    sign = table["score"].map({score: sign for score, _, sign in READ_OUT.values()})
    gain = sign * table["difference"]
    sure = (table["low"] > 0) | (table["high"] < 0)
    counted = table.assign(
        cells=1,
        better=gain > 0,
        surely_better=(gain > 0) & sure,
        worse=gain < 0,
        surely_worse=(gain < 0) & sure,
    )
    groups = counted.groupby(["model", "rival", "score"], sort=False)
    counts = groups[["cells", "better", "surely_better", "worse", "surely_worse"]].sum()
    least, most = groups["percent"].min(), groups["percent"].max()
    return counts.assign(percent_least=least, percent_most=most).reset_index()


if __name__ == "__main__":
    run(main, Parameters)
