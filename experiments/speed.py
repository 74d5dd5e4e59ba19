"""What full size costs -> <run>/speed.csv, growth.csv

Each recommender on all ratings of 1/16, 1/8, … and all of the users, from the files to its scores.
`item_tables` makes the item tables, which recommenders then read.

Each row is measured in a process of its own: processor seconds and peak memory. Meant for a made-up
dataset: `--make FOLDER` writes one of `--ratings` ratings, and measures nothing.

    python -m experiments.speed --make MADE-UP
    python -m experiments.speed --dataset MADE-UP
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numba
import pandas as pd

from experiments.common import Flags, Job, run_experiment
from experiments.made_up import KAGGLE_RATINGS, make_dataset
from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import check_name, load_recommender
from recbench.runs.processes import end_with_parent
from recbench.runs.run_folder import RunFolder
from recbench.threads import on_one_thread

# Adam moves every embedding at every step: four times as long for twice as many users.
LARGEST_SHARE = {"colab": 8}
MADE = "item_tables"  # a folder beside the table


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    shares: tuple[int, ...] = (16, 8, 4, 2, 1)
    """of the users: a sixteenth, an eighth, … all"""
    models: tuple[str, ...] = (
        *("personal", "ridge", "ao", "bias", "svd", "colab", "torch"),
        *("movie_mean", "user_mean", "user_median"),
    )
    """which recommenders"""
    make: str = ""
    """a new folder: write a made-up dataset in the layout of Kaggle's to it, and end"""
    ratings: int = KAGGLE_RATINGS
    """of --make: how many; users and movies follow"""


def main(parameters: Parameters) -> int:
    if parameters.make:
        make_dataset(Path(parameters.make), parameters.ratings, seed=parameters.seed)
        return 0
    check_range("--shares", *parameters.shares, least=1)
    for name in parameters.models:
        check_name(name)
    dataset = load_dataset(parameters.dataset)

    def jobs(folder: RunFolder) -> Iterator[Job]:
        return jobs_of_shares(parameters, dataset.n_users, folder.path)

    return run_experiment(parameters, "speed", [dataset], jobs, tables, "speed.csv")


def tables(rows: pd.DataFrame, folder: RunFolder) -> dict[str, pd.DataFrame]:
    shutil.rmtree(folder.path / MADE, ignore_errors=True)  # of no use any more
    return {"growth.csv": growth(rows)}


# --- rows, each in a process of its own --------------------------------------------------------


def job(key: dict[str, object], *work: Any, before: Callable[[], object] = dict) -> Job:
    """A row of the table: `work` is a function and its arguments, `before` is not counted."""
    return Job(key, key, partial(in_a_process, before, *work))


def in_a_process(*work: Any) -> dict:
    """Do it in a process of its own, whose memory is that of this work alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        return pool.submit(measured, *work).result()


def measured(before: Callable[[], object], work: Callable[..., dict], *arguments: Any) -> dict:
    """What `work` returns, and its costs, imports apart; matrices on one thread."""
    numba.njit(lambda: 0)()  # numba imports the rest of itself when it is called first
    before()
    elapsed, seconds = time.perf_counter(), time.process_time()
    row = on_one_thread(work, *arguments)
    seconds, elapsed = time.process_time() - seconds, time.perf_counter() - elapsed
    return row | {"elapsed_seconds": elapsed, "seconds": seconds, "peak_gb": peak_memory() / 1e9}


def jobs_of_shares(parameters: Parameters, users: int, folder: Path) -> Iterator[Job]:
    for share in parameters.shares:
        drawn = users // share
        cell = (parameters.dataset, drawn, parameters.seed, folder / MADE / f"{drawn}")
        common: dict[str, object] = {"share": share, "users": drawn}
        yield job(common | {"model": MADE}, make_tables, *cell)
        for name in parameters.models:
            if share >= LARGEST_SHARE.get(name, 1):
                load = partial(load_recommender, name)
                yield job(common | {"model": name}, scores, name, *cell, before=load)


def cell_of(dataset: str, users: int, seed: int, folder: Path) -> Cell:
    """All ratings of so many users; item tables are stored in `folder`."""
    data = load_dataset(dataset)
    protocol = PROTOCOLS["strict"].changed(encoding="extended", background_users=0)
    drawn = users if users < data.n_users else 0  # 0: all who have two ratings or more
    return replace(make_cell(data, protocol, drawn, 0, seed), folder=folder)


def make_tables(*cell: Any) -> dict:
    """The item tables of the share, which stay in the folder."""
    _ = cell_of(*cell).personal_tables
    return {}


def scores(name: str, *cell: Any) -> dict:
    """Of a recommender, from the files."""
    row = measure(load_recommender(name), cell_of(*cell)).row
    return {column: row[column] for column in ("n_users", "n_train", "n_test", "rmse")}


# --- the table ---------------------------------------------------------------------------------


def growth(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each recommender: processor seconds at each share of the users; how many times
    as long all take as the smallest share, over how many times as many users (1: linear); the peak
    memory of all."""
    shares = sorted(rows["share"].astype(int).unique(), reverse=True)
    table = []
    for name, of_model in rows.groupby("model", sort=False):
        by_share = of_model.set_index("share").sort_index()
        seconds, users = by_share["seconds"], by_share["users"]
        row: dict[str, object] = {"model": name}
        row |= {f"1/{share}" if share > 1 else "all": seconds.get(share) for share in shares}
        times = seconds.iloc[0] / seconds.iloc[-1] / (users.iloc[0] / users.iloc[-1])
        row["per_user_growth"] = times if len(by_share) > 1 else None
        table.append(row | {"peak_gb": by_share["peak_gb"].iloc[0]})
    return pd.DataFrame(table)


def peak_memory() -> float:
    """The most memory that this process has had: bytes, mapped files included.

    On Linux of this process alone; `getrusage` includes the process that started it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1.0 if sys.platform == "darwin" else 1024.0)


if __name__ == "__main__":
    run(main, Parameters)
