"""Every recommender on every cell of the grid -> results/<run>/.

A cell is so many users with so many ratings each. For each cell and iteration users are drawn,
a part of their ratings is held out, each recommender learns from the rest and predicts what was
held out. The README says how to read the files that come out.

    python compare_all.py
    python compare_all.py --num-users 100 --reviews-per-user 25 100 --models ao torch
    python compare_all.py --models ao my_file:MyModel --protocol published
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path
from typing import Literal

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from command_line import run
from errors import InputError
from evaluation.cells import parse_cells
from evaluation.grid import CellTask, run_cells
from evaluation.holdout import check_split
from evaluation.predictions import Predictions
from evaluation.protocols import (
    PROTOCOLS,
    Encoding,
    Holdout,
    Join,
    Labels,
    Loss,
    Protocol,
    Samples,
    UserSet,
    VoteScale,
)
from evaluation.resume import about_dataset, check_same_data, parameters_of
from evaluation.run_folder import CELL, RunFolder, check_new, write_csv
from evaluation.significance import significance
from preparation.joining import Dataset, load_dataset
from recommender import RECOMMENDERS, build, load_recommender
from report.terminal import LEGEND, TABLES, score_table
from report.wide import final_results


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """auto (Kaggle's if it can be had, else ml-100k), the-movies-dataset,
    the-movies-dataset-small, ml-100k, or a folder of Kaggle's files"""
    num_users: tuple[int, ...] = (250,)
    """how many users to draw; 0: all"""
    reviews_per_user: tuple[int, ...] = (5, 10, 25, 100, 200)
    """how many ratings of each; 0: all they have"""
    cells: tuple[str, ...] = ()
    """in place of that grid, single cells such as 250x25 100x200 0x0"""
    iterations: int = 5
    """how often each cell is run"""
    models: tuple[str, ...] = tuple(name for name in RECOMMENDERS if name != "bayes_fm_ids")
    """names of recommenders, or one's own as file:Class; all but a variant for the literature"""
    split: float = 0.8
    """the part of the ratings to train on"""
    top_percentile: float = 0.0
    """keep the movies whose vote count reaches this quantile, such as 0.9; 0: all"""
    user_set: UserSet = "all"
    """who may be drawn: all, development (for research and tuning) or the reserved fifth"""
    crowd: bool = True
    """whether anybody knows the crowd's votes for a movie, and its opinion the ratings"""
    encoding: Encoding = "published"
    """the bits of a movie, for every recommender: the published 26, or the extended ones"""
    seed: int = 0
    """of samples, splits and recommenders; iteration k uses seed + k - 1"""
    wnn_engine: Literal["weightless", "ao_core"] = "weightless"
    """of ao: this project's open engine, or the private one of AO Labs"""

    protocol: Literal["strict", "published"] = "strict"
    """the choices below, as one; each given below is changed in it"""
    join: Join | None = None
    """how ratings find their movies: through links, or directly as published"""
    vote_scale: VoteScale | None = None
    """a vote average of 0 to 10: halved, or read as 0 to 5 as published"""
    holdout: Holdout | None = None
    """held out: each user's last in time, each user's at random, whatever comes after one date
    for all (global-time), or as published (at random; for collaborative models other rows)"""
    labels: Labels | None = None
    """thermometers that keep half stars, or truncated as published"""
    loss: Loss | None = None
    """of torch and colab: on logits, or with the sigmoid applied twice as published"""
    other_users: int | None = None
    """at most how many people outside the sample collaborative models learn from as well"""
    samples: Samples | None = None
    """a fresh sample for each iteration, or the same as published"""

    workers: int = 0
    """how many cells to run at a time; 0: one for each core, 4 at the most. The results are the
    same; for seconds to be compared with other runs, use 1"""
    output_dir: str = ""
    """the run's folder; default results/<time>-<dataset>"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""


RIVAL_COLUMNS = ["num_users", "reviews_per_user", "rival", "rival_is"]
MOST_WORKERS = 4  # each holds the dataset
TRIVIAL_RIVAL = "user_median"  # beside the best collaborative recommender
CHOICES = [field.name for field in fields(Protocol) if field.name != "name"]
console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    earlier = None
    if parameters.resume:
        earlier = RunFolder.resume(Path(parameters.resume))
        parameters = parameters_of(earlier, parameters)
    check(parameters)
    protocol = choose_protocol(parameters)
    with console.status("preparing (the first time, kernels are compiled)"):
        for spec in parameters.models:  # fail before the work
            build(load_recommender(spec), wnn_engine=parameters.wnn_engine)
    dataset = load_dataset(parameters.dataset, protocol.join)
    folder = earlier or RunFolder.create(
        Path(parameters.output_dir or default_folder(dataset)), about(parameters, protocol, dataset)
    )
    check_same_data(folder, dataset, folder.about["dataset"])

    console.print(f"{dataset.source.name}: {summary(dataset)}")
    console.print(f"protocol {protocol.name}; results in {folder.path}")
    run_grid(tasks_of(parameters, protocol, dataset, folder), workers_of(parameters), folder)

    table = folder.finish([name_of(spec) for spec in parameters.models], started)
    write_csv(final_results(table), folder.path / "final_results.csv")
    differences = write_significance(folder, protocol, table)
    for score, title in TABLES.items():
        console.print(score_table(table, differences, score, title))
    console.print(LEGEND)
    for file in sorted(folder.path.iterdir()):
        console.print(f"  {file}", soft_wrap=True)
    failed = int((table["status"] == "failed").sum())
    if failed:
        console.print(f"{failed} results failed; the reasons are in comparison.csv and errors.txt")
    return 1 if failed else 0


# --- the grid ----------------------------------------------------------------------------------


def run_grid(tasks: list[CellTask], workers: int, folder: RunFolder) -> None:
    """Run the tasks, cell by cell, and put down what comes of them."""
    predictions = Predictions(folder.path)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        cells = progress.add_task("cells", total=len(tasks))
        noted = set()
        for done in run_cells(tasks, workers):
            if done.note and done.note not in noted:
                console.print(done.note)
                noted.add(done.note)
            for name, frame in done.predictions.items():
                predictions.add({**where_of(done.rows[0]), "model": name}, frame)
            for name, story in done.failures.items():
                folder.log_failure(f"{name}, {where_of(done.rows[0])}", story)
            if done.rival:
                folder.note_rival(done.rival)
            folder.add(*done.rows)
            progress.advance(cells)


def tasks_of(
    parameters: Parameters, protocol: Protocol, dataset: Dataset, folder: RunFolder
) -> list[CellTask]:
    """What is to be done: the whole grid, but for what the folder holds already."""
    # "auto" was decided when the dataset was loaded, and is not decided again by each worker
    name = dataset.source.name if parameters.dataset == "auto" else parameters.dataset
    iterations = range(1, parameters.iterations + 1)
    tasks = []
    for iteration, (num_users, reviews) in product(iterations, cells_of(parameters)):
        where = dict(zip(CELL, (num_users, reviews, iteration), strict=True))
        models = {
            name_of(spec): spec
            for spec in parameters.models
            if not folder.has(**where, model=name_of(spec))
        }
        if models:
            tasks.append(
                CellTask(
                    dataset=name,
                    protocol=protocol,
                    where=where,
                    seed=parameters.seed,
                    models=models,
                    options={"wnn_engine": parameters.wnn_engine},
                    choose_rival=iteration == 1,
                )
            )
    return tasks


def cells_of(parameters: Parameters) -> list[tuple[int, int]]:
    if parameters.cells:
        return parse_cells(parameters.cells, least_reviews=2)
    return list(product(parameters.num_users, parameters.reviews_per_user))


def workers_of(parameters: Parameters) -> int:
    return parameters.workers or min(os.cpu_count() or 1, MOST_WORKERS)


def where_of(row: dict) -> dict:
    return {name: row[name] for name in CELL}


def write_significance(folder: RunFolder, protocol: Protocol, table: pd.DataFrame) -> pd.DataFrame:
    """significance.csv and predictions.parquet; the differences."""
    predictions = Predictions(folder.path)
    losses = predictions.losses()
    predictions.finish()
    if protocol.holdout == "published":  # the test rows differ: nothing to pair
        return significance(losses.iloc[:0], pd.DataFrame(columns=RIVAL_COLUMNS))
    rivals = [
        (choice["num_users"], choice["reviews_per_user"], choice["best"], "best collaborative")
        for choice in folder.about.get("rivals", [])
    ]
    cells = table[["num_users", "reviews_per_user"]].drop_duplicates().itertuples(index=False)
    rivals += [(*cell, TRIVIAL_RIVAL, "user's median") for cell in cells]
    differences = significance(losses, pd.DataFrame(rivals, columns=RIVAL_COLUMNS))
    write_csv(differences, folder.path / "significance.csv")
    return differences


# --- parameters --------------------------------------------------------------------------------


def check(parameters: Parameters) -> None:
    """Raises InputError for a value out of its range, before anything is read or written."""
    for flag, values in (
        ("--num-users", parameters.num_users),
        ("--reviews-per-user", parameters.reviews_per_user),
        ("--other-users", (parameters.other_users or 0,)),
        ("--seed", (parameters.seed,)),
        ("--workers", (parameters.workers,)),
    ):
        for value in values:
            if value < 0:
                raise InputError(f"{flag} is {value}. Expected 0 or more (0: all)")
        if not values:
            raise InputError(f"{flag} needs a value")
    cells_of(parameters)
    if 1 in parameters.reviews_per_user:
        raise InputError("--reviews-per-user is 1. Expected 2 or more: one to learn, one to test")
    if parameters.iterations < 1:
        raise InputError(f"--iterations is {parameters.iterations}. Expected 1 or more")
    if not 0 <= parameters.top_percentile < 1:
        raise InputError(
            f"--top-percentile is {parameters.top_percentile}. Expected a quantile from 0 (all "
            "movies) to below 1"
        )
    if not parameters.models:
        raise InputError(f"--models needs a name. There are {', '.join(RECOMMENDERS)}")
    names = [name_of(spec) for spec in parameters.models]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--models: {name} stands twice. A name can be in the tables once")
    check_split(parameters.split)
    if not parameters.resume and parameters.output_dir:
        check_new(Path(parameters.output_dir))


def choose_protocol(parameters: Parameters) -> Protocol:
    changes = {choice: getattr(parameters, choice) for choice in CHOICES}
    return PROTOCOLS[parameters.protocol].changed(**changes)


def name_of(spec: str) -> str:
    """The name in the tables: the class's, for one's own "file:Class"."""
    return spec.rpartition(":")[2]


def default_folder(dataset: Dataset) -> Path:
    return (
        Path("results")
        / f"{time.strftime('%Y%m%d-%H%M%S')}-{dataset.source.name.replace('/', '-')}"
    )


def about(parameters: Parameters, protocol: Protocol, dataset: Dataset) -> dict:
    """What run.json says of the run."""
    return {
        "parameters": asdict(parameters),
        "protocol": protocol.columns(),
        "dataset": about_dataset(dataset),
    }


def summary(dataset: Dataset) -> str:
    """The counts of cleaning and joining that are not zero, in one line."""
    return ", ".join(f"{count:,} {what}" for what, count in dataset.counts.items() if count)


if __name__ == "__main__":
    run(main, Parameters)
