"""The common part of experiments: flags, cells of a grid, a run from its jobs to its tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from typing import Any

import pandas as pd
from rich.console import Console

from recbench.command_line import parse_cells
from recbench.contract import Training
from recbench.data.dataset import Dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import Protocol
from recbench.files import write_csv
from recbench.ratings import Ratings
from recbench.report.progress import PiecesProgress
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import MAIN_TABLE, RunFolder

console = Console(highlight=False)


@dataclass
class Flags:
    """Flags of every experiment that makes a folder."""

    seed: int = 0
    """seed of all random numbers; iteration k uses seed + k - 1"""
    output_dir: str = ""
    """the run's folder; default results/<time>-<name of the experiment>"""
    resume: str = ""
    """folder of a stopped run to continue with its own parameters"""
    accept_changes: bool = False
    """continue a run although the code or a package has changed since"""


@dataclass(frozen=True)
class Job:
    """One row of the table.

    Attributes:
        key: the columns that identify it.
        columns: the columns before the scores, the key included.
        work: returns the scores; may fail in any way.
    """

    key: dict[str, object]
    columns: dict[str, object]
    work: Callable[[], dict]


def run_jobs(jobs: Iterable[Job], folder: RunFolder) -> None:
    """Do the jobs without a row in `folder`; see `RunFolder.attempt` for failures."""
    left = [job for job in jobs if not folder.has(**job.key)]
    with PiecesProgress(console, len(left)) as progress:
        for job in left:
            folder.add({**job.columns, **folder.attempt(job.work, str(job.key))})
            progress.add(", ".join(f"{name} {value}" for name, value in job.key.items()))


def run_experiment(
    parameters: Any,
    name: str,
    datasets: list[Dataset],
    jobs: Callable[[RunFolder], Iterable[Job]],
    tables: Callable[[pd.DataFrame, RunFolder], dict[str, pd.DataFrame]] = lambda *_: {},
    rows_file: str = MAIN_TABLE,
    **metadata: object,
) -> int:
    """Do the jobs of a run, new or continued, and write the tables of their results.

    Args:
        tables: takes the successful rows and the folder, and returns the tables to write, by file
            name; the last is printed.
        rows_file: the file of the rows themselves.
        metadata: further entries of run.json.

    Returns:
        The exit status: 1 if a job failed.
    """
    started = time.perf_counter()
    check_range("--seed", parameters.seed, least=0)
    parameters, earlier = resumed(parameters, rows_file)
    folder = open_run(parameters, earlier, name, datasets, rows_file, **metadata)
    run_jobs(jobs(folder), folder)
    rows = pd.DataFrame(folder.rows)
    ok = rows[rows["status"] == "ok"].reset_index(drop=True)
    table = ok
    for file, table in tables(ok, folder).items() if len(ok) else ():
        write_csv(table, folder.path / file)
    folder.close(started)
    shown = table.drop(columns=["status", "error"], errors="ignore")
    text = shown.to_string(index=False, float_format="{:.4g}".format, na_rep="")
    console.print(text, soft_wrap=True)
    console.print(f"in {folder.path}")
    return int(len(ok) < len(rows))


def grid(
    cells: tuple[str, ...], iterations: int, seed: int, least_ratings: int = 2
) -> list[dict[str, int]]:
    """The key of each cell ("250x50") in each iteration.

    Raises:
        InputError: a cell, the iterations or the seed are out of their range.
    """
    check_range("--iterations", iterations, least=1, most=1000)
    check_range("--seed", seed, least=0)
    sizes = parse_cells(cells, least_ratings)
    return [
        {"num_users": users, "reviews_per_user": reviews, "iteration": k, "seed": seed + k - 1}
        for k, (users, reviews) in product(range(1, iterations + 1), sizes)
    ]


def cells_of(dataset: Dataset, protocol: Protocol) -> Callable[..., Cell]:
    """A function from a key of `grid` to its cell; it caches the last cell, for its other jobs."""

    make = lru_cache(1)(partial(make_cell, dataset, protocol))
    return lambda num_users, reviews_per_user, seed, **_: make(num_users, reviews_per_user, seed)


def training_of(cell: Cell, ratings: Ratings) -> Training:
    """Training data with only some users of a cell, and the item statistics of the cell."""
    fits = {
        "item_baseline": lambda: cell.item_baseline,
        "item_tables": lambda: cell.personal_tables,
    }
    return Training(ratings, cell.movies, fits=fits)
