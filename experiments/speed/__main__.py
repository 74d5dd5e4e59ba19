"""What things cost, each beside a named alternative measured in the same run -> <run>/speed.csv

Parts:

- `engine`: the weightless engine, beside vectorised numpy and MLPs.
- `networks`: networks of many users trained at once, beside a loop over users; and the network of
  all users, beside the loop over dictionaries of the published code.
- `models`: recommenders on all users and ratings of a dataset, and what one more rating costs;
  models.csv has them, a line each.

`value` and `against_value` are processor seconds where the unit is a second, else what it says.
`ratio`: how many times as fast as the alternative (of sizes: how many times as much).

    python -m experiments.speed --dataset FOLDER
    python -m experiments.speed --parts engine --quick
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from rich.console import Console

from experiments.speed.engine import engine_rows
from experiments.speed.measuring import Row
from experiments.speed.models import model_costs, one_by_one_rows
from experiments.speed.networks import network_rows
from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import load_recommender
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv
from recbench.threads import one_thread

Part = Literal["engine", "networks", "models"]


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """of the part `models`; as in compare_all.py"""
    parts: tuple[Part, ...] = ("engine", "networks", "models")
    """which of the parts above"""
    models: tuple[str, ...] = (
        *("bayes_fm", "bayes_fm_implicit", "hybrid", "hybrid_implicit", "svd", "bias", "colab"),
        *("item_knn", "user_knn", "ease", "boosted_trees", "autorec", "river_mf"),
        *("personal", "personal_exact", "ridge", "mlp_tuned", "ao", "torch", "user_mean"),
    )
    """of the part `models`; the first is what the others are compared with"""
    quick: bool = False
    """small sizes, to see that it works"""
    output_dir: str = ""
    """the run's folder; default results/<time>-speed"""


console = Console(highlight=False)


def main(parameters: Parameters) -> None:
    if not parameters.parts or not parameters.models:
        raise InputError("--parts and --models need a name")
    started = time.perf_counter()
    for name in parameters.models:
        load_recommender(name)
    cell, datasets = None, []
    if "models" in parameters.parts:
        datasets = [load_dataset(parameters.dataset)]
        size = (20, 10) if parameters.quick else (0, 0)
        cell = make_cell(datasets[0], PROTOCOLS["strict"].changed(encoding="extended"), *size)
    folder = open_run(parameters, None, "speed", datasets, "speed.csv")
    for part in parameters.parts:
        with console.status(f"{part} (about a minute)"), one_thread():
            for row in rows_of(part, parameters.quick, cell):
                folder.add({"part": part, **vars(row)})
                other = f"  ({row.against}: {row.against_value:.3g})" if row.against else ""
                ratio = f"  {row.ratio:.3g} ×" if row.ratio else ""
                console.print(f"{row.what}: {row.value:.3g} {row.unit}{other}{ratio}")
    if cell is not None:
        costs = model_costs(cell, parameters.models, console)
        write_csv(pd.DataFrame(costs), folder.path / "models.csv")
    folder.close(started)
    console.print(f"speed.csv is in {folder.path}")


def rows_of(part: Part, quick: bool, cell: Cell | None) -> Iterator[Row]:
    users = 40 if quick else 1_000
    if cell is not None and part == "models":
        return one_by_one_rows(cell)
    return engine_rows(users) if part == "engine" else network_rows(users // 4)


if __name__ == "__main__":
    run(main, Parameters)
