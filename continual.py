"""Ratings replayed in the order of their time, learned one by one -> results/<run>/.

Each rating is predicted before it is learned. A recommender that can learns it at once; one that
cannot is fitted anew from time to time, and is as old as its last fit in between. So the error is
that of a system in use, and waiting has its price. docs/continual-learning.md says how to read the
files that come out.

    python continual.py
    python continual.py --dataset FOLDER --models personal@x1.5 bayes_fm@1000 bayes_fm@30d
    python continual.py --delay 86400 --models personal@x1.5 user_mean@never
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if it can be had, else ml-100k; also ml-1m .. ml-32m, a folder, a zip
MODELS = [  # and when it is fitted again: never, after 1000 ratings, 7d, x1.5 as many
    "personal@x1.5", "personal_live@x1.5", "personal_exact@x1.5", "hybrid@x1.5",
    "ridge_recursive@x1.5", "ao@x1.5", "torch_online@never", "torch@10000",
    "bayes_fm_folded@x1.5", "bayes_fm@1000", "bayes_fm@10000", "bayes_fm@1d", "bayes_fm@7d",
    "bayes_fm@30d", "colab@10000",
    "river_biased_mf@never", "river_baseline@never", "movie_mean@never", "user_mean@never",
]  # fmt: skip
NUM_USERS = 0  # users whose ratings are replayed; 0: all
USER_SET = "all"  # or "development", "test"
ENCODING = "extended"  # bits of a movie; or "published"
DELAY = 0  # seconds from a rating until it is known
SEED = 0  # of models, item tables and the order of equal times
WORKERS = 0  # pieces that are replayed at a time; 0: one for each core, 4 at the most

from dataclasses import dataclass
from typing import Annotated, Literal

from recbench.command_line import read_flags, run, several, unset
from recbench.errors import InputError, check_range
from recbench.evaluation.protocols import UserSet
from recbench.stream.learners import Learner

# --- flags -------------------------------------------------------------------------------------


@dataclass
class DataFlags:
    """Which ratings are replayed."""

    dataset: str = DATASET
    """as in compare_all.py"""
    num_users: int = NUM_USERS
    """how many users to replay; 0: all"""
    user_set: UserSet = USER_SET  # type: ignore[assignment]
    """whose ratings: all, development, test (see compare_all.py)"""
    encoding: Literal["published", "extended"] = ENCODING  # type: ignore[assignment]
    """the bits of a movie; its votes are those counted so far"""


@dataclass
class ProtocolFlags:
    """Who learns from them, and when."""

    models: tuple[str, ...] = several(MODELS)
    """recommender@when it is fitted anew: never but at the start, after so many ratings (1000),
    when so much time has passed (1d; m, h, d, w), or whenever there are so many times as many
    ratings (x1.5). The first is the one that all others are compared with"""
    delay: int = DELAY
    """seconds between a rating and the moment from which it is known"""
    seed: int = SEED
    """of recommenders, item tables, and the order of equal times"""


@dataclass
class ExecutionFlags:
    """Where and how it is run; the errors are the same."""

    workers: int = WORKERS
    """how many pieces to replay at a time; 0: one for each core, 4 at the most. For microseconds
    to be compared, use 1"""
    cluster: Annotated[str, unset("this machine alone")] = ""
    """as in compare_all.py; the run's folder must be one that all machines share"""
    output_dir: Annotated[str, unset("results/<time>-<dataset>-continual")] = ""
    """the run's folder"""
    resume: Annotated[str, unset("a new run")] = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


@dataclass
class Parameters(DataFlags, ProtocolFlags, ExecutionFlags):
    """All of them."""


def check(parameters: Parameters) -> list[Learner]:
    """The learners.

    Raises:
        InputError: a parameter is out of its range.
    """
    check_range("--num-users", parameters.num_users, least=0)
    check_range("--seed", parameters.seed, least=0)
    check_range("--workers", parameters.workers, least=0, most=1024)
    check_range("--delay", parameters.delay, least=0)
    if not parameters.models:
        raise InputError("--models needs a recommender, such as personal@x1.5")
    learners = [Learner.parse(text) for text in parameters.models]
    names = [one.name for one in learners]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--models: {name} stands twice. A name can be in the tables once")
    return learners


if __name__ == "__main__":
    GIVEN = read_flags(Parameters, check)  # --help ends here: what follows takes seconds

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from data_prep import Dataset, load_dataset
from recbench.data.datasets import absolute_path
from recbench.registry import absolute, load_recommender
from recbench.report.continual_plots import write_continual_plots
from recbench.report.continual_terminal import LEGEND, continual_table
from recbench.report.html.run_report import write_report
from recbench.report.progress import PiecesProgress
from recbench.runs.cluster import Cluster, Needed, open_cluster
from recbench.runs.interruption import resumable
from recbench.runs.resume import how_to_go_on, open_run, resumed
from recbench.runs.run_folder import RunFolder, check_new, write_csv
from recbench.runs.workers import work_through
from recbench.stream.segments import KEY, Replay, Segment, segments_of, work
from recbench.stream.tables import make_tables

TABLE = "segments.csv"
MOST_WORKERS = 4  # each holds the dataset
console = Console(highlight=False)


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters, TABLE)
    learners = check(parameters)
    if earlier is None and parameters.output_dir:
        check_new(Path(parameters.output_dir))
    for one in learners:
        load_recommender(one.spec)
    if parameters.cluster:  # whose workers are in other folders
        learners = [replace(one, spec=absolute(one.spec)) for one in learners]
    dataset = load_dataset(parameters.dataset)
    name = dataset.source.name
    with open_cluster(parameters.cluster) as cluster:
        folder = open_run(parameters, earlier, f"{name}-continual", [dataset], TABLE)
        with resumable(how_to_go_on(folder, parameters)):
            return carry_out(parameters, learners, dataset, folder, cluster, started)


def carry_out(
    parameters: Parameters,
    learners: list[Learner],
    dataset: Dataset,
    folder: RunFolder,
    cluster: Cluster | None,
    started: float,
) -> int:
    """What is left of a run whose folder is there; the exit status."""
    name = dataset.source.name
    replay = Replay(
        dataset=name if parameters.dataset == "auto" else absolute_path(parameters.dataset),
        user_set=parameters.user_set,
        num_users=parameters.num_users,
        encoding=parameters.encoding,
        seed=parameters.seed,
        delay=parameters.delay,
        folder=folder.path.absolute(),
    )
    stream = replay.stream()
    if not len(stream.ratings):
        raise InputError(f"{name}: there is no rating of such users. Choose others")
    console.print(
        f"{name}: {len(stream.ratings):,} ratings by {stream.ratings.user.max() + 1:,} users, from "
        f"{day(stream.ratings.time[0])} to {day(stream.ratings.time[-1])}; results in {folder.path}"
    )
    segments = {one.name: segments_of(replay, one, stream) for one in learners}
    go_through(segments, folder, parameters, cluster)

    rows = pd.DataFrame(folder.rows)
    tables = make_tables(stream, segments, rows, learners[0].name)
    write_csv(tables.summary, folder.path / "continual_summary.csv")
    write_csv(tables.learning_curve, folder.path / "learning_curve.csv")
    write_csv(tables.waiting, folder.path / "waiting.csv")
    folder.close(started)
    shutil.rmtree(folder.path / "item_tables", ignore_errors=True)
    if len(tables.learning_curve):
        write_continual_plots(
            tables.summary, tables.learning_curve, tables.waiting, folder.path / "plots"
        )
        console.print(continual_table(tables.summary), LEGEND, sep="\n")
    report = write_report(folder.path)
    for file in sorted(folder.path.glob("[!.]*")):
        console.print(f"  {file}", soft_wrap=True, markup=False)
    status = tell_failures(tables.summary, folder)
    console.print(f"to look at: {report}", soft_wrap=True, markup=False)
    return status


def go_through(
    segments: dict[str, list[Segment]],
    folder: RunFolder,
    parameters: Parameters,
    cluster: Cluster | None,
) -> None:
    """Replay what the folder does not hold yet; each piece is kept as soon as it is there."""
    folder.rows = [row for row in folder.rows if _file_of(row, segments).exists()]
    tasks = [
        one
        for theirs in segments.values()
        for one in theirs
        if not folder.has(**dict(zip(KEY, (one.learner.name, one.start), strict=True)))
    ]
    # the first ones first, whoever learns: so that item tables are made for all who need them
    tasks.sort(key=lambda one: (one.start, -one.end))
    if cluster and tasks:
        replay, specs = tasks[0].replay, {one.learner.spec: None for one in tasks}
        cluster.check(Needed(replay.dataset, "links", True, tuple(specs), replay.folder))
    asked = parameters.workers or min(os.cpu_count() or 1, MOST_WORKERS)
    workers = cluster or min(asked, len(tasks))
    go_on = how_to_go_on(folder, replace(parameters, workers=0 if cluster else 1))
    with PiecesProgress(console, len(tasks)) as progress:
        for done in work_through(work, tasks, workers, go_on):
            what = f"{done.row['name']} from rating {done.row['start']:,}"
            if done.failure:
                folder.log_failure(what, done.failure)
            folder.add(done.row)
            progress.add(what)


def _file_of(row: dict, segments: dict[str, list[Segment]]) -> Path:
    starts = {one.start: one.file for one in segments.get(row["name"], [])}
    return starts.get(int(row["start"]), Path("none"))


def day(seconds: int) -> str:
    """Of a time in seconds since 1970, the day."""
    return time.strftime("%Y-%m-%d", time.gmtime(int(seconds)))


def tell_failures(summary: pd.DataFrame, folder: RunFolder) -> int:
    """Each failure, and where to read more; the exit status."""
    failed = summary[summary["status"] == "failed"]
    for row in failed.itertuples():
        console.print(f"failed: {row.model}@{row.retrained}: {row.error}", markup=False)
    if len(failed):
        console.print(f"the tracebacks are in {folder.path / 'errors.txt'}", markup=False)
    return 1 if len(failed) else 0


if __name__ == "__main__":
    run(main, GIVEN)
