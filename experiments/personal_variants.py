"""What each part of `personal` is worth.

On development users. The item table of a cell is made once; each variant changes it, and nothing is
fitted again: what a part gives when the others are as they are.

    python -m experiments.personal_variants --datasets FOLDER ml-100k
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from experiments.common import Flags, Job, cells_of, grid, run_experiment
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.contract import Training
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import Cell
from recbench.evaluation.metrics import rmse
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.runs.run_folder import RunFolder
from recbench.threads import one_thread

FACTORS = (1, 2, 4, 8)


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    datasets: tuple[str, ...] = ("auto",)
    """each as in compare_all.py"""
    cells: tuple[str, ...] = ("250x10", "250x50", "250x0")
    """users x ratings of each; 0: all"""
    iterations: int = 3
    """samples of users"""


Variant = Callable[[ItemTable, Cell], ItemTable]  # made from the cell's own


def variants() -> dict[str, Variant]:
    """By name; the first is `personal` as it is."""
    found: dict[str, Variant] = {"personal": lambda table, _: table}
    for part in (field.name for field in fields(Scales)):
        if part != "noise":
            found[f"without {part}"] = partial(without, part)
    found["without who watched what"] = without_implicit
    found["mean: item baseline"] = of_item_baseline
    for number in FACTORS:
        found[f"{number} factors"] = partial(first_factors, number)
    return found


def without(part: str, table: ItemTable, cell: Cell) -> ItemTable:
    return replace(table, scales=replace(table.scales, **{part: 0.0}))


def of_item_baseline(table: ItemTable, cell: Cell) -> ItemTable:
    stars = ItemBaseline.fit(cell.personal.background, cell.movies.without_codes()).stars
    return replace(table, mean=stars)


def without_implicit(table: ItemTable, cell: Cell) -> ItemTable:
    nothing = np.zeros_like(table.implicit), np.zeros_like(table.implicit_mean)
    return replace(table, implicit=nothing[0], implicit_mean=nothing[1])


def first_factors(number: int, table: ItemTable, cell: Cell) -> ItemTable:
    return replace(
        table,
        factors=table.factors[:, :number],
        implicit=table.implicit[:, :number],
        implicit_mean=table.implicit_mean[:number],
    )


def main(parameters: Parameters) -> int:
    keys = grid(parameters.cells, parameters.iterations, parameters.seed, least_ratings=5)
    protocol = PROTOCOLS["strict"].changed(user_set="development", background_users="all")
    datasets = [load_dataset(name, protocol.join) for name in parameters.datasets]
    jobs = []
    for dataset in datasets:
        cell_of = cells_of(dataset, protocol)
        for cell_key in keys:
            for name, variant in variants().items():
                key: dict[str, Any] = {"dataset": dataset.source.name, **cell_key, "model": name}
                jobs.append(Job(key, key, partial(work, variant, partial(cell_of, **cell_key))))
    described = protocol.columns()
    return run_experiment(
        parameters, "personal-variants", datasets, lambda _: jobs, tables, protocol=described
    )


def work(variant: Variant, cell_of: Callable[[], Cell]) -> dict:
    cell = cell_of()
    tables = ItemTables.same_for_all(variant(cell.personal_tables.tables[0], cell))
    test, model = cell.personal.test, Personal()
    fits = {"item_tables": lambda: tables}
    with one_thread():
        model.fit(Training(cell.personal.train, cell.movies, fits=fits))
        predicted = model.predict(test.user, test.movie)
    return {
        "n_users": cell.n_users,
        "n_background_users": cell.n_background_users,
        "rmse": rmse(test.stars, predicted, test.user),
    }


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    """RMSE over that of `personal` in the same cell and iteration, in percent: its mean over
    iterations in each dataset and cell, and over all of these with its standard error."""
    cell = ["dataset", "num_users", "reviews_per_user"]
    whole = rows[rows["model"] == "personal"].set_index([*cell, "iteration"])["rmse"]
    rows = rows.set_index([*cell, "iteration"])
    rows["percent"] = 100 * (rows["rmse"] / whole.reindex(rows.index) - 1)
    rows = rows.reset_index()
    table = rows.pivot_table(index="model", columns=cell, values="percent", sort=False)
    table.columns = [f"{d} {u or 'all'} × {r or 'all'}" for d, u, r in table.columns]
    of_model = rows.groupby("model", sort=False)
    table.insert(0, "mean", of_model["percent"].mean())
    table.insert(1, "standard_error", of_model["percent"].sem())
    return {"summary.csv": table.reset_index()}


if __name__ == "__main__":
    run(main, Parameters)
