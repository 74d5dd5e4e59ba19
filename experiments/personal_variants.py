"""The contribution of each part of `personal`.

On development users. The item table of a cell is made once; each variant changes it without fitting
again, so it measures a part while the others stay as they are.

    python -m experiments.personal_variants --datasets FOLDER ml-100k
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
import pandas as pd

from experiments.variants import SAMPLE, Variant, VariantFlags, error, run_variants, with_percent
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.evaluation.cells import Cell
from recbench.evaluation.protocols import Encoding
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.runs.run_folder import RunFolder

FACTORS = (1, 2, 4, 8)


@dataclass
class Parameters(VariantFlags):
    """Edit them here, or give them as flags."""

    cells: tuple[str, ...] = ("250x10", "250x50", "250x0")
    """users x ratings of each; 0: all"""


Change = Callable[[ItemTable, Cell], ItemTable]  # changes the cell's item table


def changes() -> dict[str, Change]:
    """Changes by name; the first leaves `personal` as it is."""
    found: dict[str, Change] = {"personal": lambda table, _: table}
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
    return run_variants(parameters, "personal-variants", variants, tables)


def variants(_: Encoding) -> Iterator[Variant]:
    for name, change in changes().items():
        yield {"model": name}, partial(work, change)


def work(change: Change, cell: Cell) -> dict:
    tables = ItemTables.same_for_all(change(cell.personal_tables.tables[0], cell))
    found = error(Personal(), cell, tables)
    return {"n_users": found.pop("n_users"), "n_background_users": cell.n_background_users, **found}


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    """The excess of RMSE over that of `personal` in the same cell and iteration, in percent: mean
    over iterations in each dataset and cell, and over all of these, with standard error."""
    rows = with_percent(rows)
    table = rows.pivot_table(index="model", columns=SAMPLE[:-1], values="percent", sort=False)
    table.columns = [f"{d} {u or 'all'} × {r or 'all'}" for d, u, r in table.columns]
    of_model = rows.groupby("model", sort=False)
    table.insert(0, "mean", of_model["percent"].mean())
    table.insert(1, "standard_error", of_model["percent"].sem())
    return {"summary.csv": table.reset_index()}


if __name__ == "__main__":
    run(main, Parameters)
