"""Ratings replayed in time order and learned one by one -> results/<run>/.

Each rating is predicted before it is learned. A recommender with `learn_one` learns it at once; any
other is refitted from time to time and stays unchanged in between. So the error is the one users of
a deployed recommender would see, staleness included. docs/continual-learning.md explains the files.

    python continual.py
    python continual.py --dataset FOLDER --models personal@x1.5 bayes_fm@1000 bayes_fm@30d
    python continual.py --delay 86400 --models personal@x1.5 user_mean@never
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also ml-1m .. ml-32m, a folder, a zip
MODELS = [  # name@refitted: never, every 1000 ratings, every 7d, at x1.5 as many ratings
    "personal@x1.5", "personal_live@x1.5", "hybrid_implicit@x1.5",
    "ridge_recursive@x1.5", "ao@x1.5", "torch_online@never", "torch@10000",
    "bayes_fm_folded@x1.5", "bayes_fm_recent@x1.5", "bayes_fm@1000", "bayes_fm@10000",
    "bayes_fm@1d", "bayes_fm@7d", "bayes_fm@30d", "colab@10000",
    "river_biased_mf@never", "river_baseline@never", "movie_mean@never", "user_mean@never",
]  # fmt: skip
NUM_USERS = 0  # users whose ratings are replayed; 0: all
USER_SET = "all"  # or "development", "test"
ENCODING = "extended"  # bits of a movie; or "published"
DELAY = 0  # seconds until a rating becomes available for learning
SEED = 0  # of models, item tables and the order of equal times
WORKERS = 0  # segments replayed at the same time; 0: one per core, at most 4

from dataclasses import dataclass
from typing import Annotated, Literal

from recbench.command_line import check_once, read_flags, run, several, unset
from recbench.data.scales import TableFlags, with_flags
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
    """number of users to replay; 0: all"""
    user_set: UserSet = USER_SET  # type: ignore[assignment]
    """set of users: all, development, test ... (see compare_all.py)"""
    encoding: Literal["published", "extended"] = ENCODING  # type: ignore[assignment]
    """movie bits; votes are counted over the ratings so far"""


@dataclass
class ProtocolFlags:
    """Which recommenders learn, and when."""

    models: tuple[str, ...] = several(MODELS)
    """NAME@REFITTED: at the start only (never), every n ratings (1000), every period (1d; m, h, d,
    w), or when there are n times as many ratings (x1.5). All others are compared with the
    first"""
    settings: Annotated[tuple[str, ...], unset("their defaults")] = ()
    """settings of recommenders, such as bayes_fm_folded.rank=32; recommenders that build on one of
    them use these too"""
    delay: int = DELAY
    """seconds until a rating becomes available for learning"""
    seed: int = SEED
    """seed of recommenders, item tables, and the order of equal times"""


@dataclass
class ExecutionFlags:
    """Where and how the run executes; errors do not depend on it."""

    workers: int = WORKERS
    """number of segments to replay at a time; 0: one per core, at most 4. Use 1 to compare
    microseconds"""
    output_dir: Annotated[str, unset("results/<time>-<dataset>-continual")] = ""
    """the run's folder"""
    resume: Annotated[str, unset("a new run")] = ""
    """folder of a stopped run to continue with its own parameters"""
    accept_changes: bool = False
    """continue although the code or a package has changed since"""


@dataclass
class Parameters(DataFlags, TableFlags, ProtocolFlags, ExecutionFlags):
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
    check_once("--models", [one.name for one in learners])
    return learners


if __name__ == "__main__":
    GIVEN = read_flags(Parameters, check)  # --help ends here: what follows takes seconds

import shutil
import time

import numpy as np
import pandas as pd
from rich.console import Console

from data_prep import load_dataset
from recbench.files import write_csv
from recbench.report.html.run_report import write_report
from recbench.report.progress import PiecesProgress
from recbench.report.terminal import CONTINUAL_LEGEND, continual_table
from recbench.runs.processes import number_of_workers, resumable, work_through
from recbench.runs.resume import open_run, resume_command, resumed
from recbench.runs.run_folder import RunFolder
from recbench.runs.running import settings_of
from recbench.stream.replaying import KEY, Replay, Segment, stream_of, work
from recbench.stream.scores import make_tables
from recbench.stream.stream import date_of

TABLE = "segments.csv"
console = Console(highlight=False, markup=False, emoji=False)  # names and paths are plain text


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters, TABLE)
    learners = check(parameters)
    settings = settings_of(parameters.settings, [one.spec for one in learners])
    spec = with_flags(parameters.dataset, parameters)
    dataset = load_dataset(spec)
    name = dataset.source.name
    if not dataset.ratings.has_times():
        raise InputError(
            f"{name}: the ratings have no times to order them by. Use data "
            "with a column of times, or compare_all.py --holdout random"
        )
    folder = open_run(parameters, earlier, f"{name}-continual", [dataset], TABLE)
    with resumable(folder.path, resume_command(folder, parameters)):
        replay = Replay(
            dataset=name if parameters.dataset == "auto" else spec,
            user_set=parameters.user_set,
            num_users=parameters.num_users,
            encoding=parameters.encoding,
            seed=parameters.seed,
            delay=parameters.delay,
            settings=settings,
            folder=folder.path.absolute(),
        )
        segments = replay_all(replay, learners, folder, parameters)
        folder.close(started)
        return write_results(replay, segments, folder)


def replay_all(
    replay: Replay, learners: list[Learner], folder: RunFolder, parameters: Parameters
) -> dict[str, list[Segment]]:
    """Replay the remaining segments; each is saved as soon as it is done. Returns all segments by
    name of learner."""
    ratings = stream_of(replay).ratings
    if not len(ratings):
        raise InputError(f"{parameters.dataset}: there are no such ratings. Choose other users")
    name = folder.metadata["datasets"][0]["name"]
    first, last = (date_of(ratings.time[row]) for row in (0, -1))
    same = np.diff(ratings.time) == 0
    tied = int((np.append(False, same) | np.append(same, False)).sum())
    order = f", {tied:,} of them at tied times, in random order" if tied else ""
    console.print(
        f"{name}: {len(ratings):,} ratings by {ratings.user.max() + 1:,} users, from {first} to "
        f"{last}{order}; results in {folder.path}"
    )
    segments = {
        one.name: [Segment(replay, one, *piece) for piece in one.pieces(ratings.time)]
        for one in learners
    }
    left = {(one.learner.name, one.start): one for own in segments.values() for one in own}
    done = {tuple(row[name] for name in KEY): row for row in folder.rows}
    folder.rows = [row for key, row in done.items() if key in left and left[key].file.exists()]
    for row in folder.rows:
        del left[tuple(row[name] for name in KEY)]
    # by start, whatever the learner: segments with the same start share item tables
    tasks = sorted(left.values(), key=lambda one: (one.start, -one.end))
    workers = number_of_workers(parameters.workers, len(tasks))
    command = resume_command(folder, parameters, workers=1)
    with PiecesProgress(console, len(tasks)) as progress:
        for row, failure in work_through(work, tasks, workers, command):
            what = f"{row['name']} from rating {row['start']:,}"
            if failure:
                folder.log_failure(what, failure)
            folder.add(row)
            progress.add(what)
    return segments


def write_results(replay: Replay, segments: dict[str, list[Segment]], folder: RunFolder) -> int:
    """Write tables, plots and report of the run; returns the exit status."""
    rows, reference = pd.DataFrame(folder.rows), next(iter(segments))
    summary, curve, waiting = make_tables(stream_of(replay), segments, rows, reference)
    write_csv(summary, folder.path / "continual_summary.csv")
    write_csv(curve, folder.path / "learning_curve.csv")
    write_csv(waiting, folder.path / "waiting.csv")
    shutil.rmtree(folder.path / "item_tables", ignore_errors=True)
    if len(curve):
        console.print(continual_table(summary), CONTINUAL_LEGEND, sep="\n")
    failed = summary[summary["status"] == "failed"]
    failures = [f"{row.model}@{row.retrained}: {row.error}" for row in failed.itertuples()]
    return folder.print_end(console, write_report(folder.path), failures)


if __name__ == "__main__":
    run(main, GIVEN)
