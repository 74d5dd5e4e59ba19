"""A small run, and what two runs of the same parameters must have alike."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
from tests_paths import SYNTHETIC

ALL = os.environ.get("FAULTS") == "all"
TIMES = ["fit_seconds", "predict_seconds", "ranking_seconds"]
SMALL = ["--dataset", SYNTHETIC, "--num-users", 8, "--reviews-per-user", 10, 20]
SMALL += ["--iterations", 2, "--workers", 1, "--models", "user_mean", "movie_mean", "bias"]
SMALL += ["user_median"]
PLOTS = ["error_by_ratings.svg", "differences.svg"]  # the third shows times


def some(faults: list, few: int) -> list:
    """All of them with FAULTS=all, else `few`, spread evenly."""
    if ALL or len(faults) <= few:
        return faults
    return [faults[round(place * (len(faults) - 1) / (few - 1))] for place in range(few)]


def rows_of(folder: Path) -> tuple[str, str]:
    """The rows and predictions of a run, but for times."""
    predictions = pd.read_parquet(folder / "predictions.parquet").to_csv()
    return pd.read_csv(folder / "comparison.csv").drop(columns=TIMES).to_csv(), predictions


def contents(folder: Path) -> dict[str, object]:
    """Everything that a run has written, but for times, as can be compared."""
    comparison = pd.read_csv(folder / "comparison.csv").drop(columns=TIMES)
    wide = pd.read_csv(folder / "final_results.csv")
    wide = wide[[column for column in wide if not column.endswith("_time")]]
    results = pd.read_csv(folder / "results.csv")
    metadata = json.loads((folder / "run.json").read_text())
    for name in ("started", "finished", "seconds"):
        metadata.pop(name, None)
    return {
        "comparison.csv": comparison.to_csv(),
        "results.csv": results.drop(columns=["seconds_to_learn", "seconds_to_predict"]).to_csv(),
        "final_results.csv": wide.to_csv(),
        "significance.csv": (folder / "significance.csv").read_text(),
        "predictions.parquet": pd.read_parquet(folder / "predictions.parquet").to_csv(),
        "run.json": json.dumps(metadata, indent=1, sort_keys=True),
        **{name: (folder / "plots" / name).read_text() for name in PLOTS},
        "names": sorted(
            str(file.relative_to(folder))
            for file in folder.rglob("*")
            if file.name not in (".lock", "errors.txt")
        ),
    }
