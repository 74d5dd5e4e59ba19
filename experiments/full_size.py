"""What full size costs: all ratings of a large dataset -> full_size.csv and tables made of it

Parts:

- `preparing`: joining the dataset for the first time and reading it later, beside a bare
  `polars.read_csv` of its ratings just before, each in a process of its own.
- `shares`: each recommender on all ratings of 1/16, 1/8, … and all of the users, each in a process
  of its own: processor seconds and peak memory by stage. Predictions go to Parquet. `film_tables`
  makes the film tables, which recommenders then read; `significance` is the paired bootstrap
  between the first two recommenders over all users of the share.
- `background`: the error for some users as a function of how many others a recommender that learns
  from all, or a film table, learns from; and what fitting to all would cost, said before it starts.

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
from typing import Any, Literal, TypeVar

import numba
import pandas as pd
import polars as pl
from rich.console import Console

from recbench.command_line import run
from recbench.data.joining import load_dataset
from recbench.errors import InputError, check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.evaluation.significance import significance
from recbench.film_table.making import make_film_table
from recbench.film_table.tables import FilmTables
from recbench.keys import CELL
from recbench.peak_memory import peak_memory
from recbench.recommender import Options, build, declared
from recbench.registry import load_recommender
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.parent import end_with_parent
from recbench.runs.predictions import Predictions, write_part
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import write_csv
from recbench.threads import on_one_thread

T = TypeVar("T")
Part = Literal["preparing", "shares", "background"]
PREPARING = ("bare read", "first time", "later", "without cache")
ENCODING = "extended"
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
    jobs: list[Job] = []
    if "preparing" in parameters.parts:
        jobs += jobs_of_preparing(parameters, dataset.source.files[0], folder.path / "cache")
    if "shares" in parameters.parts:
        for share in parameters.shares:
            jobs += jobs_of_share(parameters, share, users // share, folder.path)
    if "background" in parameters.parts:
        jobs += jobs_of_background(parameters, len(dataset.ratings), users)
    run_jobs(jobs, folder, console)
    for made in ("predictions", "film_tables", "cache"):  # large, and of no use any more
        shutil.rmtree(folder.path / made, ignore_errors=True)
    rows = pd.DataFrame(folder.rows)
    if "preparing" in parameters.parts:
        write_csv(preparing_table(rows), folder.path / "preparing.csv")
    if "shares" in parameters.parts:
        write_csv(growth(rows, parameters.shares), folder.path / "growth.csv")
    if "background" in parameters.parts:
        write_csv(background_table(rows), folder.path / "background.csv")
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


# --- preparing -----------------------------------------------------------------------------------


def jobs_of_preparing(parameters: Parameters, file: Path, cache: Path) -> Iterator[Job]:
    """In turn, so that what is compared is measured in the same minute."""
    for repeat in range(1, parameters.repeats + 1):
        for what in PREPARING:
            key: dict[str, object] = {"part": "preparing", "repeat": repeat, "model": what}
            work = partial(in_a_process, prepare, what, parameters.dataset, file, cache)
            yield Job(key, {**key, "share": None, "users": None}, work, cost=1_000)


def prepare(what: str, dataset: str, file: Path, cache: Path) -> dict:
    """Seconds and peak memory of reading the file, or of loading the dataset, imports apart."""
    os.environ["RECBENCH_CACHE"] = str(cache)
    numba.njit(lambda: 0)()  # numba imports the rest of itself when it is called first
    if what == "first time":
        shutil.rmtree(cache, ignore_errors=True)
    stages = Stages()
    started = time.perf_counter()
    if what == "bare read":
        stages.time("load", lambda: pl.read_csv(file))
    else:
        stages.time("load", lambda: load_dataset(dataset, cache=what != "without cache"))
    return {"elapsed_seconds": time.perf_counter() - started} | stages.columns()


# --- all users -----------------------------------------------------------------------------------


def jobs_of_share(parameters: Parameters, share: int, users: int, folder: Path) -> Iterator[Job]:
    """Each recommender on all ratings of 1/`share` of the users, and the significance of it."""
    arguments = (parameters.dataset, users, parameters.seed)
    predictions, tables = folder / "predictions" / f"{users}", folder / "film_tables" / f"{users}"
    kinds = [load_recommender(name) for name in parameters.models]
    if any(declared(kind, "starts_from_film_table") for kind in kinds):
        key: dict[str, object] = {"part": "shares", "share": share, "model": "film_tables"}
        work = partial(in_a_process, make_film_tables, *arguments, tables)
        yield Job(key, {**key, "users": users}, work, cost=users)
    for name in parameters.models:
        if share < LARGEST_SHARE.get(name, 1):
            continue
        key = {"part": "shares", "share": share, "model": name}
        work = partial(in_a_process, fit_and_predict, *arguments, name, tables, predictions)
        yield Job(key, {**key, "users": users}, work, cost=users)
    if len(parameters.models) > 1:
        key = {"part": "shares", "share": share, "model": "significance"}
        work = partial(in_a_process, compare, predictions, parameters.models[:2])
        yield Job(key, {**key, "users": users}, work, cost=users)


def make_film_tables(dataset: str, users: int, seed: int, folder: Path) -> dict:
    """The film tables of the share, in `folder`; what each stage cost."""
    stages = Stages()
    cell = cell_of(dataset, users, seed, stages)
    tables = stages.time("film_tables", lambda: cell.personal_tables)
    folder.mkdir(parents=True, exist_ok=True)
    stages.time("write", lambda: tables.save(folder))
    return stages.columns()


def fit_and_predict(
    dataset: str, users: int, seed: int, name: str, tables: Path, folder: Path
) -> dict:
    """A recommender from the files to its predictions on disk: scores, and what each stage cost."""
    stages = Stages()
    cell = cell_of(dataset, users, seed, stages)
    cls = load_recommender(name)
    if declared(cls, "starts_from_film_table"):
        made = FilmTables.load(tables)
        if made is None:
            raise FileNotFoundError(f"{tables}: the film tables of this share are not there")
        cell.__dict__["personal_tables"] = made
    model = build(cls, Options(seed=seed))
    measured = stages.time("fit_predict_score", lambda: measure(model, cell, "half_stars"))
    folder.mkdir(parents=True, exist_ok=True)
    key = {**dict.fromkeys(CELL, 0), "num_users": users, "iteration": 1, "model": name}
    stages.time("write", lambda: write_part(folder, key, measured.predictions))
    return scores_of(measured.row) | stages.columns()


def cell_of(dataset: str, users: int, seed: int, stages: Stages) -> Cell:
    """All ratings of so many users, who are all that there are."""
    data = stages.time("load", lambda: load_dataset(dataset))
    protocol = PROTOCOLS["strict"].changed(encoding=ENCODING, background_users=0)
    drawn = users if users < data.n_users else 0  # 0: all who have two ratings or more
    return stages.time("cell", lambda: make_cell(data, protocol, drawn, 0, seed))


def compare(folder: Path, models: tuple[str, str]) -> dict:
    """The paired bootstrap over all users between two recommenders whose predictions are there."""
    stages = Stages()
    losses = stages.time("load", lambda: Predictions(folder).losses())
    losses = losses[losses["model"].isin(models)]
    cell = losses[CELL].drop_duplicates()
    reference = cell.assign(reference=models[1], reference_role="named beforehand")
    table = stages.time("fit_predict_score", lambda: significance(losses, reference))
    return {"n_users": int(table["users"].max())} | stages.columns()


# --- background users ----------------------------------------------------------------------------


def jobs_of_background(parameters: Parameters, ratings: int, users: int) -> Iterator[Job]:
    for others in parameters.background_users:
        for name in parameters.background_models:
            key: dict[str, object] = {"part": "background", "users": others, "model": name}
            arguments = (parameters.dataset, parameters.tested_users, others, parameters.seed)
            work = partial(in_a_process, learn_from_others, *arguments, name, ratings, users)
            yield Job(key, {**key, "share": None}, work, cost=2 * others)


def learn_from_others(
    dataset: str, tested: int, others: int, seed: int, name: str, ratings: int, users: int
) -> dict:
    """Errors for `tested` users of a recommender that learns from `others` users as well; what it
    was expected to cost, and what all would."""
    stages = Stages()
    data = stages.time("load", lambda: load_dataset(dataset))
    protocol = PROTOCOLS["strict"].changed(encoding=ENCODING, background_users=others)
    cell = stages.time("cell", lambda: make_cell(data, protocol, tested, 0, seed))
    cls = load_recommender(name)
    model = build(cls, Options(seed=seed))
    expected: dict[str, float] = {}
    if hasattr(model, "expected_cost"):
        train = cell.personal.training_ratings(with_background=True)
        of_this = model.expected_cost(len(train), tested + others, len(cell.movies))
        of_all = model.expected_cost(ratings, users, len(cell.movies))
        expected = {
            "expected_seconds": of_this[0],
            "expected_seconds_of_all": of_all[0],
            "expected_gb_of_all": of_all[1] / 1e9,
        }
    if declared(cls, "starts_from_film_table"):
        stages.time("film_tables", lambda: one_table(cell, others, seed))
    measured = stages.time("fit_predict_score", lambda: measure(model, cell, "half_stars"))
    return scores_of(measured.row) | expected | stages.columns()


def one_table(cell: Cell, users: int, seed: int) -> None:
    """Give the cell one film table, learned from all background users that there are, be they more
    than `MOST_USERS`."""
    background, movies = cell.personal.background, cell.movies.without_codes()
    table = make_film_table(
        background, movies, seed, movies_without=cell.movies_without, most_users=users
    )
    cell.__dict__["personal_tables"] = FilmTables.same_for_all(table)


# --- what it costs -------------------------------------------------------------------------------


class Stages:
    """Processor seconds and peak memory of this process, stage by stage."""

    def __init__(self) -> None:
        self._columns: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], T]) -> T:
        started = time.process_time()
        result = work()
        self._columns[f"{stage}_seconds"] = time.process_time() - started
        self._columns[f"{stage}_peak_gb"] = peak_memory() / 1e9
        return result

    def columns(self) -> dict[str, float]:
        seconds = sum(value for name, value in self._columns.items() if name.endswith("_seconds"))
        return self._columns | {"seconds": seconds, "peak_gb": peak_memory() / 1e9}


def scores_of(row: dict) -> dict:
    return {name: row[name] for name in ("n_users", "n_train", "n_test", "rmse", "bytes_per_user")}


def in_a_process(work: Callable[..., T], *arguments: Any) -> T:
    """Do it in a process of its own, whose memory is that of this work alone, on one thread as far
    as matrices go."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        return pool.submit(on_one_thread, work, *arguments).result()


# --- tables --------------------------------------------------------------------------------------


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


def growth(rows: pd.DataFrame, shares: tuple[int, ...]) -> pd.DataFrame:
    """One row for each recommender: processor seconds at each share of the users; how many times
    as long all take as the smallest share, over how many times as many users (1: linear); the peak
    memory of all."""
    ok = rows[(rows["part"] == "shares") & (rows["status"] == "ok")]
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
    columns = ["model", "users", "n_train", "rmse", "film_tables_seconds", "seconds", "peak_gb"]
    columns += ["expected_seconds", "expected_seconds_of_all", "expected_gb_of_all"]
    ok = rows[(rows["part"] == "background") & (rows["status"] == "ok")]
    table = ok.reindex(columns=columns).rename(columns={"users": "background_users"})
    return table.sort_values(["model", "background_users"], kind="stable")


if __name__ == "__main__":
    run(main, Parameters)
