"""What full size costs: all ratings of a large dataset -> full_size.csv and tables made of it

Each row is made in a process of its own: processor seconds and peak memory. Parts:

- `preparing`: joining the dataset for the first time and reading it later, beside a bare
  `polars.read_csv` of its ratings just before.
- `shares`: each recommender on all ratings of 1/16, 1/8, … and all of the users, from the files to
  predictions in Parquet. `item_tables` makes the item tables, which recommenders then read;
  `significance` is the paired bootstrap between the first two recommenders over all users.
- `background`: the error for some users as a function of how many others a recommender that learns
  from all, or an item table, learns from.

Meant for data that is made up (`python -m experiments.make_full_size`): a test load, whose errors
say nothing of recommenders.

    python -m experiments.full_size --dataset FOLDER
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numba
import pandas as pd
import polars as pl
from rich.console import Console

from recbench.command_line import run
from recbench.contract import Options, build, declared
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.evaluation.significance import significance
from recbench.keys import CELL
from recbench.models.item_table.making import make_item_table
from recbench.models.item_table.tables import ItemTables
from recbench.registry import load_recommender
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.parent import end_with_parent
from recbench.runs.peak_memory import peak_memory
from recbench.runs.predictions import Predictions, write_part
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import write_csv
from recbench.threads import on_one_thread

Part = Literal["preparing", "shares", "background"]
PREPARING = ("bare read", "first time", "later", "without cache")
ENCODING = "extended"
MADE = ("item_tables", "predictions", "cache")  # folders beside the table
# Adam moves every embedding at every step: four times as long for twice as many users.
LARGEST_SHARE = {"colab": 8}


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py; the folder that experiments.make_full_size wrote"""
    parts: tuple[Part, ...] = ("preparing", "shares", "background")
    """which of the parts above"""
    repeats: int = 15
    """of the part `preparing`"""
    shares: tuple[int, ...] = (16, 8, 4, 2, 1)
    """of the users: a sixteenth, an eighth, … all"""
    models: tuple[str, ...] = (
        *("personal", "ridge", "ao", "personal_exact", "bias", "svd", "colab", "torch"),
        *("movie_mean", "user_mean", "user_median"),
    )
    """of the part `shares`"""
    background_users: tuple[int, ...] = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
    """of the part `background`: how many others are learned from"""
    background_models: tuple[str, ...] = ("bayes_fm", "personal")
    """of the part `background`"""
    tested_users: int = 2_000
    """of the part `background`: who is predicted, the same for each number of others"""
    seed: int = 0
    """of the samples and recommenders"""
    output_dir: str = ""
    """the run's folder; default results/<time>-full-size"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


console = Console(highlight=False)


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters, "full_size.csv")
    check(parameters)
    dataset = load_dataset(parameters.dataset)
    folder = open_run(parameters, earlier, "full-size", [dataset], "full_size.csv")
    users = len(dataset.user_id)
    console.print(f"{dataset.source.name}: {len(dataset.ratings):,} ratings by {users:,} users")
    jobs = [
        job for part in parameters.parts for job in PARTS[part][0](parameters, dataset, folder.path)
    ]
    run_jobs(jobs, folder, console)
    for made in MADE:  # large, and of no use any more
        shutil.rmtree(folder.path / made, ignore_errors=True)
    rows = pd.DataFrame(folder.rows)
    for part in parameters.parts:
        name = "growth" if part == "shares" else part
        write_csv(PARTS[part][1](rows), folder.path / f"{name}.csv")
    folder.close(started)
    console.print(f"full_size.csv and the tables made of it are in {folder.path}")


def check(parameters: Parameters) -> None:
    check_range("--shares", *parameters.shares, least=1)
    check_range("--background-users", *parameters.background_users, least=1)
    check_range("--tested-users", parameters.tested_users, least=1)
    check_range("--repeats", parameters.repeats, least=1)
    check_range("--seed", parameters.seed, least=0)
    for name in (*parameters.models, *parameters.background_models):
        load_recommender(name)
    if not parameters.parts:
        raise InputError("--parts needs a name")


def row(
    cost: float, key: dict[str, object], *work: Any, before: Callable[[], object] = dict
) -> Job:
    """A row of the table; `work` is a function and what it is given, `before` is not counted."""
    return Job(key, key, partial(in_a_process, before, *work), cost)


def in_a_process(*work: Any) -> dict:
    """Do it in a process of its own, whose memory is that of this work alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        return pool.submit(measured, *work).result()


def measured(before: Callable[[], object], work: Callable[..., dict], *arguments: Any) -> dict:
    """What `work` gives, and what it costs, imports apart; matrices on one thread."""
    numba.njit(lambda: 0)()  # numba imports the rest of itself when it is called first
    before()
    elapsed, seconds = time.perf_counter(), time.process_time()
    given = on_one_thread(work, *arguments)
    seconds, elapsed = time.process_time() - seconds, time.perf_counter() - elapsed
    return given | {
        "elapsed_seconds": elapsed,
        "seconds": seconds,
        "peak_gb": peak_memory() / 1e9,
    }


def jobs_of_preparing(parameters: Parameters, data: Dataset, folder: Path) -> Iterator[Job]:
    """In turn, so that what is compared is measured in the same minute."""
    file, cache = data.source.files[0], folder / "cache"
    for repeat in range(1, parameters.repeats + 1):
        for what in PREPARING:
            key: dict[str, object] = {"part": "preparing", "repeat": repeat, "model": what}
            before = partial(shutil.rmtree, cache, True) if what == "first time" else dict
            yield row(1_000, key, prepare, what, parameters.dataset, file, cache, before=before)


def prepare(what: str, dataset: str, file: Path, cache: Path) -> dict:
    """Read the file, or load the dataset."""
    os.environ["RECBENCH_CACHE"] = str(cache)
    if what == "bare read":
        pl.read_csv(file)
    else:
        load_dataset(dataset, cache=what != "without cache")
    return {}


def jobs_of_shares(parameters: Parameters, data: Dataset, folder: Path) -> Iterator[Job]:
    """Each recommender on all ratings of 1/`share` of the users, and the significance of it."""
    kinds = [load_recommender(name) for name in parameters.models]
    for share in parameters.shares:
        users = len(data.user_id) // share
        arguments = (parameters.dataset, users, parameters.seed)
        tables, predictions = (folder / made / f"{users}" for made in MADE[:2])
        common: dict[str, object] = {"part": "shares", "share": share, "users": users}
        if any(declared(kind, "starts_from_item_table") for kind in kinds):
            yield row(users, common | {"model": "item_tables"}, save_tables, *arguments, tables)
        for name in parameters.models:
            if share >= LARGEST_SHARE.get(name, 1):
                work: tuple = (fit_and_predict, *arguments, name, tables, predictions)
                before = partial(load_recommender, name)
                yield row(users, common | {"model": name}, *work, before=before)
        if len(kinds) > 1:
            work = (compare, predictions, parameters.models[:2])
            yield row(users, common | {"model": "significance"}, *work)


def save_tables(dataset: str, users: int, seed: int, folder: Path) -> dict:
    """The item tables of the share."""
    folder.mkdir(parents=True, exist_ok=True)
    cell_of(dataset, users, seed).personal_tables.save(folder)
    return {}


def fit_and_predict(
    dataset: str, users: int, seed: int, name: str, tables: Path, folder: Path
) -> dict:
    """A recommender from the files to its predictions on disk: scores."""
    cell, cls = cell_of(dataset, users, seed), load_recommender(name)
    if declared(cls, "starts_from_item_table"):
        made = ItemTables.load(tables)
        if made is None:
            raise FileNotFoundError(f"{tables}: the item tables of this share are not there")
        cell.__dict__["personal_tables"] = made
    done = measure(build(cls, Options(seed=seed)), cell, "half_stars")
    key = {**dict.fromkeys(CELL, 0), "num_users": users, "iteration": 1, "model": name}
    write_part(folder, key, done.predictions)
    return scores_of(done.row)


def cell_of(dataset: str, users: int, seed: int, background_users: int = 0) -> Cell:
    """All ratings of so many users, and of so many others to learn from."""
    data = load_dataset(dataset)
    protocol = PROTOCOLS["strict"].changed(encoding=ENCODING, background_users=background_users)
    drawn = users if users < data.n_users else 0  # 0: all who have two ratings or more
    return make_cell(data, protocol, drawn, 0, seed)


def compare(folder: Path, models: tuple[str, str]) -> dict:
    """The paired bootstrap over all users between two recommenders whose predictions are there."""
    losses = Predictions(folder).losses()
    losses = losses[losses["model"].isin(models)]
    cell = losses[CELL].drop_duplicates()
    reference = cell.assign(reference=models[1], reference_role="named beforehand")
    return {"n_users": int(significance(losses, reference)["users"].max())}


def jobs_of_background(parameters: Parameters, _: Dataset, __: Path) -> Iterator[Job]:
    arguments = (parameters.dataset, parameters.tested_users, parameters.seed)
    for others in parameters.background_users:
        for name in parameters.background_models:
            key: dict[str, object] = {"part": "background", "users": others, "model": name}
            before = partial(load_recommender, name)
            yield row(2 * others, key, learn_from_others, *arguments, others, name, before=before)


def learn_from_others(dataset: str, tested: int, seed: int, others: int, name: str) -> dict:
    """Errors for `tested` users of a recommender that learns from `others` as well: itself, or by
    one item table of all of them, be they more than `MOST_USERS`."""
    cell, cls = cell_of(dataset, tested, seed, others), load_recommender(name)
    if declared(cls, "starts_from_item_table"):
        background, movies = cell.personal.background, cell.movies.without_codes()
        table = make_item_table(
            background, movies, seed, movies_without=cell.movies_without, most_users=others
        )
        cell.__dict__["personal_tables"] = ItemTables.same_for_all(table)
    return scores_of(measure(build(cls, Options(seed=seed)), cell, "half_stars").row)


def scores_of(of_cell: dict) -> dict:
    return {name: of_cell[name] for name in ("n_users", "n_train", "n_test", "rmse")}


def preparing_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each way to read the ratings: the median over repeats of seconds and of processor
    seconds; how many times those of the bare read just before, median, least and most; memory."""
    ok = rows[(rows["part"] == "preparing") & (rows["status"] == "ok")]
    bare = ok[ok["model"] == "bare read"].set_index("repeat")
    table = []
    for what, of_what in ok.groupby("model", sort=False):
        one = of_what.set_index("repeat")
        row = {"what": what, "peak_gb": one["peak_gb"].max()}
        for name, unit in (("elapsed_seconds", "seconds"), ("seconds", "processor seconds")):
            times = one[name] / bare[name]
            row |= {unit: one[name].median(), f"times the bare read, {unit}": times.median()}
            row |= {f"least, {unit}": times.min(), f"most, {unit}": times.max()}
        table.append(row)
    return pd.DataFrame(table)


def growth(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each recommender: processor seconds at each share of the users; how many times
    as long all take as the smallest share, over how many times as many users (1: linear); the peak
    memory of all."""
    ok = rows[(rows["part"] == "shares") & (rows["status"] == "ok")]
    shares = sorted(ok["share"].astype(int).unique(), reverse=True)
    table = []
    for name, of_model in ok.groupby("model", sort=False):
        by_share = of_model.set_index("share").sort_index(ascending=False)
        work = by_share["seconds"]
        row: dict[str, object] = {"model": name}
        row |= {f"1/{share}" if share > 1 else "all": work.get(share) for share in shares}
        most, fewest = by_share.index.max(), by_share.index.min()
        times = by_share["users"][fewest] / by_share["users"][most]
        row["per_user_growth"] = work[fewest] / work[most] / times if most != fewest else None
        row["peak_gb"] = by_share["peak_gb"][fewest]
        table.append(row)
    return pd.DataFrame(table)


def background_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the part `background`: errors and costs by how many others are learned from."""
    columns = ["model", "users", "n_train", "rmse", "seconds", "peak_gb"]
    ok = rows[(rows["part"] == "background") & (rows["status"] == "ok")]
    table = ok.reindex(columns=columns).rename(columns={"users": "background_users"})
    return table.sort_values(["model", "background_users"], kind="stable")


JOBS = (jobs_of_preparing, jobs_of_shares, jobs_of_background)
TABLES = (preparing_table, growth, background_table)
PARTS = dict(zip(get_args(Part), zip(JOBS, TABLES, strict=True), strict=True))

if __name__ == "__main__":
    run(main, Parameters)
