"""The cost of full-size data -> <run>/speed.csv, growth.csv

Each recommender runs on all ratings of 1/16, 1/8, … and all of the users, from files to scores.
`item_tables` makes the item tables, which recommenders then read.

Each row is measured in a separate process: processor seconds and peak memory. It is meant for a
made-up dataset: `--make FOLDER` writes one of `--ratings` ratings, and measures nothing.

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
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import check_name, load_recommender
from recbench.runs.processes import end_with_parent
from recbench.runs.run_folder import RunFolder
from recbench.threads import on_one_thread

# Adam updates every embedding at every step, so twice as many users take four times as long.
LARGEST_SHARE = {"colab": 8}
MADE = "item_tables"  # a folder next to the table


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    shares: tuple[int, ...] = (16, 8, 4, 2, 1)
    """shares of the users: a sixteenth, an eighth, … all"""
    models: tuple[str, ...] = (
        *("personal", "ridge", "ao", "bias", "svd", "colab", "torch"),
        *("movie_mean", "user_mean", "user_median"),
    )
    """which recommenders"""
    make: str = ""
    """a new folder: write a made-up dataset in the layout of Kaggle's to it, and end"""
    ratings: int = KAGGLE_RATINGS
    """number of ratings of --make; it determines users and movies"""


def main(parameters: Parameters) -> int:
    if parameters.make:
        make_dataset(Path(parameters.make), parameters.ratings, seed=parameters.seed)
        return 0
    check_range("--shares", *parameters.shares, least=1)
    for name in parameters.models:
        check_name(name)
    dataset = load_dataset(parameters.dataset)

    def jobs(folder: RunFolder) -> Iterator[Job]:
        for share in parameters.shares:
            users = dataset.n_users // share
            cell = (parameters.dataset, users, parameters.seed, folder.path / MADE / f"{users}")
            for name in (MADE, *parameters.models):
                if share >= LARGEST_SHARE.get(name, 1):
                    key: dict[str, object] = {"share": share, "users": users, "model": name}
                    yield Job(key, key, partial(in_a_process, name, *cell))

    return run_experiment(parameters, "speed", [dataset], jobs, tables, "speed.csv")


def tables(rows: pd.DataFrame, folder: RunFolder) -> dict[str, pd.DataFrame]:
    shutil.rmtree(folder.path / MADE, ignore_errors=True)  # not needed any more
    return {"growth.csv": growth(rows)}


# --- rows, each in a separate process ----------------------------------------------------------


def in_a_process(*cell: Any) -> dict:
    """A row, measured in a separate process, so that its memory is only that of this work."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        return pool.submit(measured, *cell).result()


def measured(name: str, *cell: Any) -> dict:
    """The scores and costs of a recommender, without imports; matrix products on one thread."""
    numba.njit(lambda: 0)()  # numba imports the rest of itself when it is called first
    cls = None if name == MADE else load_recommender(name)
    elapsed, seconds = time.perf_counter(), time.process_time()
    row = on_one_thread(scores, cls, *cell)
    seconds, elapsed = time.process_time() - seconds, time.perf_counter() - elapsed
    return row | {"elapsed_seconds": elapsed, "seconds": seconds, "peak_gb": peak_memory() / 1e9}


def scores(
    cls: Callable[[], Any] | None, dataset: str, users: int, seed: int, folder: Path
) -> dict:
    """Scores of a recommender, files included, on all ratings of `users` users. Without a
    recommender, make the item tables in `folder`."""
    data = load_dataset(dataset)
    protocol = PROTOCOLS["strict"].changed(encoding="extended", background_users=0)
    drawn = users if users < data.n_users else 0  # 0: all who have two ratings or more
    cell = replace(make_cell(data, protocol, drawn, 0, seed), folder=folder)
    if cls is None:
        _ = cell.personal_tables
        return {}
    row = measure(cls, cell).row
    return {column: row[column] for column in ("n_users", "n_train", "n_test", "rmse")}


# --- the table ---------------------------------------------------------------------------------


def growth(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each recommender: processor seconds at each share of the users; the ratio of time
    between all and the smallest share, divided by the ratio of users (1: linear); the peak memory
    of all."""
    table = rows.pivot(index="model", columns="share", values="seconds")
    table = table.loc[rows["model"].unique(), sorted(table.columns, reverse=True)]
    by_share = rows.sort_values("share").groupby("model")[["seconds", "users", "peak_gb"]]
    most = by_share.first()
    times = most / by_share.last()
    table.columns = [f"1/{share}" if share > 1 else "all" for share in table.columns]
    growth = (times["seconds"] / times["users"]).where(times["users"] > 1)
    table = table.assign(per_user_growth=growth, peak_gb=most["peak_gb"])
    return table.reset_index()


def peak_memory() -> float:
    """The peak memory of this process: bytes, mapped files included.

    On Linux of this process only; `getrusage` includes the process that started it.
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
