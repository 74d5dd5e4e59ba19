"""Settings of the recommenders that only rank movies, chosen by nDCG at 10 on validation rows.

Of development users, with a part of their *training* rows held out in place of the test; all others
who may be drawn are background. Each setting of `GRID` with each other of its recommender.

    python -m experiments.ranking_settings --datasets ml-1m ml-100k
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import pandas as pd

from experiments.variants import Variant, VariantFlags, run_variants
from recbench.command_line import run
from recbench.evaluation.cells import Cell, validation_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import Encoding
from recbench.registry import load_recommender
from recbench.runs.run_folder import RunFolder

Choices = dict[str, tuple[float, ...]]
STARS: Choices = {"least_stars": (0.5, 4.0)}  # whatever was rated, or liked
GRID: dict[str, Choices] = {
    "most_popular": STARS,
    "ease_implicit": STARS | {"regularisation": (100.0, 300.0, 1000.0)},
    "ials": STARS | {"weight": (1.0, 4.0, 16.0), "regularisation": (1.0, 10.0, 100.0)},
    "bpr": STARS | {"learning_rate": (0.003, 0.01, 0.03), "regularisation": (0.001, 0.01, 0.1)},
}
SCORES = ("ranking_users", "ranking_ndcg_at_10", "ranking_recall_at_10", "ranking_popularity")


@dataclass
class Parameters(VariantFlags):
    """Edit them here, or give them as flags."""

    cells: tuple[str, ...] = ("500x0",)
    """users x ratings of each; 0: all"""
    iterations: int = 1
    """samples of users"""


def main(parameters: Parameters) -> int:
    return run_variants(parameters, "ranking-settings", variants, tables)


def variants(_: Encoding) -> Iterator[Variant]:
    for name, choices in GRID.items():
        for values in product(*choices.values()):
            settings = dict(zip(choices, values, strict=True))
            yield {"model": name, "settings": json.dumps(settings)}, partial(work, name, settings)


def work(name: str, settings: dict[str, Any], cell: Cell) -> dict:
    inner = validation_cell(cell, cell.protocol, cell.seed)
    row = measure(partial(load_recommender(name), **settings), inner, rank=True).row
    return {score: row[score] for score in (*SCORES, "fit_seconds")}


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    """nDCG at 10 of each dataset, the mean over samples, and its mean over the datasets, of all in
    percent of the best of the recommender; the best first."""
    key, score = ["model", "settings"], "ranking_ndcg_at_10"
    table = rows.pivot_table(index=key, columns="dataset", values=score, sort=False)
    best = table.groupby("model").transform("max")
    table["percent_of_best"] = (100 * table / best).mean(axis=1)
    order = ["model", "percent_of_best"]
    return {"summary.csv": table.reset_index().sort_values(order, ascending=[True, False])}


if __name__ == "__main__":
    run(main, Parameters)
