"""Tune the settings of all recommenders by the same rule -> results/<run>/.

Each gets the same number of trials over its `search_space`; the first trial is its defaults. A
trial learns from some of the *training* ratings of development users and is scored on the others,
so no test rating and no test user is ever seen. The score is the RMSE (mean over users) divided by
the RMSE of user_mean in each cell, so that cells have equal weight.

The author of a class copies the best settings into it as defaults; runs never read them from here.

    python tune.py
    python tune.py --models svd ridge --trials 50 --cells 250x25 --encodings extended
    python tune.py --dataset auto ml-100k
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also a folder; or ["auto", "ml-1m"]
MODELS = ()  # names, see compare_all.py --list-models; (): all that have a search space
TRIALS = 20  # per model; the first is its defaults
CELLS = ["250x10", "250x25", "250x50", "80x200"]  # users x ratings of each; 0: all
ENCODINGS = ["published", "extended"]  # bits of a movie; each cell is run on each
BACKGROUND_USERS = 2000  # other users that collaborative models learn from; 0: none; or "all"
SEED = 0  # of samples, splits, proposals and models

from dataclasses import dataclass
from typing import Annotated

from recbench.command_line import check_once, parse_cells, read_flags, run, several, unset
from recbench.errors import InputError, check_range
from recbench.evaluation.protocols import PROTOCOLS, BackgroundUsers, Encoding
from recbench.registry import RECOMMENDERS, check_name, name_of

# --- flags -------------------------------------------------------------------------------------


@dataclass
class TrialFlags:
    """What is tuned, and on which ratings."""

    dataset: tuple[str, ...] = several(DATASET)
    """as in compare_all.py; flags of a table of ratings follow its name, as in
    "books.csv?scale=0-10"; several datasets are tuned on together"""
    models: Annotated[tuple[str, ...], unset("all that have a search space")] = several(MODELS)
    """names of recommenders, or your own as file:Class"""
    trials: int = TRIALS
    """number of trials per recommender; the first is its defaults"""
    cells: tuple[str, ...] = several(CELLS)
    """cells that a trial is scored on: users × ratings per user (0: all)"""
    encodings: tuple[Encoding, ...] = several(ENCODINGS)
    """movie bits; each cell runs with each encoding, and settings are tuned on them together"""
    background_users: BackgroundUsers = BACKGROUND_USERS
    """number of users outside the sample that collaborative models also learn from; 0 tunes their
    `defaults_without_background`"""
    seed: int = SEED
    """seed of samples, splits, proposals and recommenders"""


@dataclass
class ExecutionFlags:
    """Where and how the run executes."""

    cache: bool = True
    """whether a large dataset is cached, joined, for later runs"""
    output_dir: Annotated[str, unset("results/<time>-tuning")] = ""
    """the run's folder"""
    resume: Annotated[str, unset("a new run")] = ""
    """folder of a stopped run to continue with its own parameters"""
    accept_changes: bool = False
    """continue although the code or a package has changed since"""


@dataclass
class Parameters(TrialFlags, ExecutionFlags):
    """All of them."""


def check(parameters: Parameters) -> list[tuple[int, int]]:
    """The cells as numbers.

    Raises:
        InputError: a value is out of its range; before anything is read or written.
    """
    check_range("--trials", parameters.trials, least=1, most=100_000)
    check_range("--seed", parameters.seed, least=0)
    if isinstance(parameters.background_users, int):
        check_range("--background-users", parameters.background_users, least=0)
    for flag, values, expected in (
        ("--encodings", parameters.encodings, "published, extended or both"),
        ("--dataset", parameters.dataset, "one or more"),
    ):
        if not values or len(set(values)) < len(values):
            shown = " ".join(values) or "empty"
            raise InputError(f"{flag} is {shown}. Expected {expected}, once each")
    if not parameters.cells:
        raise InputError("--cells is empty. Expected users x ratings of each, such as 250x25")
    for spec in parameters.models:
        check_name(spec)
    check_once("--models", [name_of(spec) for spec in parameters.models])
    # three: for training, for validation, and for the test, which is not used here
    return parse_cells(parameters.cells, least_ratings=3)


if __name__ == "__main__":
    GIVEN = read_flags(Parameters, check)  # --help ends here: what follows takes seconds

import json
import time
from collections.abc import Iterator
from functools import partial

import pandas as pd
from rich.console import Console

from data_prep import load_dataset
from recbench.contract import Recommender, declared, defaults_of
from recbench.files import write_csv
from recbench.registry import family_of, load_recommender
from recbench.report.progress import PiecesProgress
from recbench.runs.processes import resumable
from recbench.runs.resume import open_run, resume_command, resumed
from recbench.runs.run_folder import RunFolder
from recbench.runs.tuning import (
    Columns,
    Settings,
    TuningCell,
    relative_rmse,
    trials,
    tuning_cell,
)

REFERENCE = "user_mean"  # has no settings; all errors are divided by its error
TABLE = "trials.csv"
console = Console(highlight=False, markup=False, emoji=False)  # names and paths are plain text


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters, TABLE)
    sizes = check(parameters)
    classes = choose_classes(parameters)
    protocol = PROTOCOLS["strict"].changed(
        user_set="development", background_users=parameters.background_users
    )
    datasets = [load_dataset(name, protocol.join, parameters.cache) for name in parameters.dataset]
    reference = load_recommender(REFERENCE)
    cells = [  # a new sample for each encoding, so that twice as many users are tuned on
        tuning_cell(
            dataset,
            protocol.changed(encoding=encoding),
            *size,
            reference,
            seed=parameters.seed + place,
            model_seed=parameters.seed,
        )
        for dataset in datasets
        for place, encoding in enumerate(parameters.encodings)
        for size in sizes
    ]
    columns = protocol.columns() | {"encoding": " ".join(parameters.encodings)}
    folder = open_run(
        parameters,
        earlier,
        "tuning",
        datasets,
        TABLE,
        protocol=columns,
        search_spaces={name: declared(cls, "search_space") for name, cls in classes.items()},
        cells=[
            {
                "cell": one.name,
                "users": one.cell.n_users,
                "background_users": one.cell.n_background_users,
                "validation_ratings": len(one.cell.personal.test),
                f"rmse_of_{REFERENCE}": one.reference_rmse,
            }
            for one in cells
        ],
    )

    names = " ".join(dataset.source.name for dataset in datasets)
    console.print(f"{names}, {parameters.trials} trials each; in {folder.path}")
    with resumable(folder.path, resume_command(folder, parameters)):
        tune_all(parameters, classes, cells, {"dataset": names, **columns}, folder)
    rows = pd.DataFrame(folder.rows)
    best = best_of(rows, classes, parameters.background_users != 0)
    write_csv(best, folder.path / "best.csv")
    folder.close(started)
    for line in lines_of(best):
        console.print(line, soft_wrap=True)
    failed = int((rows["status"] == "failed").sum())
    return folder.print_end(console, None, [f"{failed} trials, see {TABLE}"] if failed else [])


def choose_classes(parameters: Parameters) -> dict[str, type[Recommender]]:
    """The recommenders of --models, or all with a search space."""
    specs = parameters.models or tuple(RECOMMENDERS)
    classes = {name_of(spec): load_recommender(spec) for spec in specs}
    tuned = {name: cls for name, cls in classes.items() if declared(cls, "search_space")}
    if parameters.models and len(tuned) < len(classes):
        name = next(name for name in classes if name not in tuned)
        raise InputError(f"--models: {name} has no search_space, so there is nothing to tune")
    return tuned


def tune_all(
    parameters: Parameters,
    classes: dict[str, type[Recommender]],
    cells: list[TuningCell],
    columns: dict[str, object],
    folder: RunFolder,
) -> None:
    """Run all trials, recommender by recommender; each trial adds a row when it is done."""
    with PiecesProgress(console, len(classes) * parameters.trials) as progress:
        for name, cls in classes.items():
            done = {row["trial"]: row for row in folder.rows if row["model"] == name}
            about = {"seed": parameters.seed, "model": name, "family": family_of(cls)}

            def evaluate(
                settings: Settings, name: str = name, cls: type[Recommender] = cls
            ) -> Columns:
                work = partial(relative_rmse, cls, settings, cells)
                return folder.attempt(work, f"{name}, {json.dumps(settings)}")

            space = declared(cls, "search_space")
            defaults = defaults_of(cls, parameters.background_users != 0)
            for row in trials(space, defaults, parameters.trials, parameters.seed, evaluate, done):
                if row["trial"] not in done:
                    folder.add({**columns, **about, **row})
                progress.add(name)


def best_of(
    rows: pd.DataFrame, classes: dict[str, type[Recommender]], background: bool
) -> pd.DataFrame:
    """best.csv: one row per setting of each tuned recommender. `default` is the value in the class,
    `best` the value in the trial with the lowest relative_rmse."""
    records = []
    for name, cls in classes.items():
        own = rows[(rows["model"] == name) & (rows["status"] == "ok")]
        if own.empty:
            continue
        first = own.loc[own["relative_rmse"].idxmin()]
        of_defaults = own[own["trial"] == 0]["relative_rmse"]
        settings = json.loads(first["settings"])
        for setting, default in defaults_of(cls, background).items():
            records.append(
                {
                    "model": name,
                    "setting": setting,
                    "space": json.dumps(declared(cls, "search_space")[setting]),
                    "default": json.dumps(default),
                    "best": json.dumps(settings[setting]),
                    "trial": first["trial"],
                    "trials": len(own),
                    "relative_rmse": first["relative_rmse"],
                    "relative_rmse_of_defaults": of_defaults.iloc[0] if len(of_defaults) else None,
                }
            )
    return pd.DataFrame(records)


def lines_of(best: pd.DataFrame) -> Iterator[str]:
    """For each recommender, the errors of its defaults and best trial, and what differs."""
    if len(best):
        yield f"\nRMSE / RMSE of {REFERENCE}: defaults, best trial; settings that differ"
    for name, rows in best.groupby("model", sort=False) if len(best) else ():
        one, changed = rows.iloc[0], rows[rows["default"] != rows["best"]].itertuples()
        changes = ", ".join(f"{row.setting} {row.default} -> {row.best}" for row in changed)
        errors = f"{one['relative_rmse_of_defaults']:.4f} {one['relative_rmse']:.4f}"
        yield f"{name}: {errors} (trial {one['trial']}) {changes or 'the defaults are best'}"


if __name__ == "__main__":
    run(main, GIVEN)
