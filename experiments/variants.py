"""The common part of scripts that compare variants of recommenders on development users."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from experiments.common import Flags, Job, cells_of, grid, run_experiment
from recbench.contract import Recommender, Training, time_for
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import Cell
from recbench.evaluation.metrics import rmse
from recbench.evaluation.protocols import PROTOCOLS, Encoding
from recbench.models.item_table.table import ItemTables
from recbench.runs.run_folder import RunFolder
from recbench.threads import on_one_thread

SAMPLE = ["dataset", "num_users", "reviews_per_user", "iteration"]
# The columns that identify it, and a function that returns its scores in a cell.
Variant = tuple[dict[str, object], Callable[[Cell], dict]]


@dataclass
class VariantFlags(Flags):
    """Flags of each such script."""

    datasets: tuple[str, ...] = ("auto",)
    """each as in compare_all.py"""
    cells: tuple[str, ...] = ("250x0",)
    """users x ratings of each; 0: all"""
    iterations: int = 3
    """number of samples of users"""


def run_variants(
    parameters: Any,
    name: str,
    variants: Callable[[Encoding], Iterable[Variant]],
    tables: Callable[[pd.DataFrame, RunFolder], dict[str, pd.DataFrame]],
    encodings: tuple[Encoding, ...] = ("extended",),
) -> int:
    """Each variant in each cell of each dataset; see `run_experiment`.

    Args:
        variants: the variants for an encoding of the movies' bits.
    """
    keys = grid(parameters.cells, parameters.iterations, parameters.seed, least_ratings=5)
    protocol = PROTOCOLS["strict"].changed(user_set="development", background_users="all")
    datasets = [load_dataset(name, protocol.join) for name in parameters.datasets]

    def jobs(_: RunFolder) -> Iterable[Job]:
        for dataset in datasets:
            for encoding in encodings:
                cell_of = cells_of(dataset, protocol.changed(encoding=encoding))
                for cell_key in keys:
                    for columns, work in variants(encoding):
                        key: dict[str, Any] = {"dataset": dataset.source.name, **cell_key}
                        doing = partial(_scores, partial(cell_of, **cell_key), work)
                        yield Job(key | columns, key | columns, doing)

    described = protocol.columns()
    return run_experiment(parameters, name, datasets, jobs, tables, protocol=described)


def _scores(cell_of: Callable[[], Cell], work: Callable[[Cell], dict]) -> dict:
    return on_one_thread(work, cell_of())


def error(model: Recommender, cell: Cell, tables: ItemTables, seed: int = 0) -> dict:
    """RMSE on the test ratings of a cell, for a model that learns from item tables."""
    fits = {"item_tables": lambda: tables}
    test = cell.personal.test
    model.fit(Training(cell.personal.train, cell.movies, seed=seed, fits=fits))
    predicted = model.predict(test.user, test.movie, **time_for(model, test.time))
    return {"n_users": cell.n_users, "rmse": rmse(test.stars, predicted, test.user)}


def with_percent(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the excess of RMSE over that of `personal` in the same sample, in percent."""
    whole = rows[rows["model"] == "personal"].set_index(SAMPLE)["rmse"]
    own = rows.set_index(SAMPLE)["rmse"]
    return rows.assign(percent=100 * (own / whole.reindex(own.index) - 1).to_numpy())
