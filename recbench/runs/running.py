"""Run a grid: find the remaining tasks and write each result to the run's folder, with the scores
that references are chosen by."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from recbench.contract import NO_BITS, declared
from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import LEARNED_ENCODINGS
from recbench.data.sampling import user_sets
from recbench.errors import InputError
from recbench.evaluation.protocols import Protocol
from recbench.files import ITERATION
from recbench.registry import (
    check_name,
    family_of,
    file_of,
    line_of,
    load_recommender,
    name_of,
)
from recbench.runs.grid import CELLS, CellTask, Shards, run_task
from recbench.runs.predictions import KEY, Predictions
from recbench.runs.processes import Piece, number_of_workers, work_through
from recbench.runs.run_folder import RunFolder

COLLABORATIVE = "Collaborative"  # the family that the reference is chosen from
DEFAULT_ENGINE = "weightless"
LOOKED_AT = 2_000_000  # approximate number of ratings to check a holdout on


def check_models(specs: Sequence[str], wnn_engine: str, ranking: bool) -> None:
    """Make each recommender once, so that errors show before any work.

    Raises:
        InputError: a recommender does not exist, cannot be made, or predicts no stars although
            nothing is ranked; or none has an engine.
    """
    for spec in specs:
        check_name(spec, ranking)
    classes = [load_recommender(spec) for spec in specs]
    with_engine = [cls for cls in classes if hasattr(_mean_of(cls), "check_engine")]
    if wnn_engine != DEFAULT_ENGINE and not with_engine:
        raise InputError(
            f"--wnn-engine {wnn_engine}: no recommender of this run has an engine. "
            "Add one that has (ao), or leave the flag out"
        )
    for spec, cls in zip(specs, classes, strict=True):
        try:
            cls()
            if cls in with_engine:
                _mean_of(cls).check_engine(wnn_engine)
        except InputError:
            raise
        except Exception as error:  # a plugin may fail in any way
            raise InputError(
                f"--models {spec}: {cls.__name__} cannot be made. {line_of(error, file_of(cls))}"
            ) from None


def settings_of(given: Sequence[str], specs: Sequence[str]) -> dict[str, dict[str, object]]:
    """--settings by recommender: "name.rank=8" is {"name": {"rank": 8}}.

    Args:
        given: "name.setting=value", a value of JSON, or else text.
        specs: of the recommenders that run.

    Raises:
        InputError: a text has another form; its recommender neither runs nor is built on; the
            constructor has no such keyword, has a default of another type, or refuses the value.
    """
    classes = {name_of(spec): load_recommender(spec) for spec in specs}
    for base in [declared(cls, "builds_on") for cls in classes.values()]:
        if base:
            classes.setdefault(base, load_recommender(base))
    found: dict[str, dict[str, object]] = {}
    for one in given:
        target, _, text = one.partition("=")
        name, _, setting = target.rpartition(".")
        if not text or name not in classes:
            there = ", ".join(classes)
            raise InputError(f"--settings {one}: expected name.setting=value, name one of {there}")
        keywords = inspect.signature(classes[name]).parameters
        if setting not in keywords:
            there = ", ".join(keywords) or "none"
            raise InputError(
                f"--settings {one}: {name} has no {setting}. Its settings are: {there}"
            )
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        default = keywords[setting].default
        if type(value) is int and isinstance(default, float):
            value = float(value)
        if default is not None and type(value) is not type(default):
            kind = type(default).__name__
            raise InputError(f"--settings {one}: expected {kind}, such as {json.dumps(default)}")
        found.setdefault(name, {})[setting] = value
        try:
            classes[name](**found[name])
        except Exception as error:  # a plugin may fail in any way
            reason = line_of(error, file_of(classes[name]))
            raise InputError(f"--settings {one}: {name} cannot be made. {reason}") from None
    return found


def check_holdout(dataset: Dataset, protocol: Protocol) -> str:
    """A warning if the holdout differs from what its name suggests (see `Holdout.check`), computed
    on the users who may be drawn; if they are many, on a part of them.

    Raises:
        InputError: the holdout leaves nothing for training or for the test.
    """
    holdout = protocol.holdout_rule().fitted_to(dataset.ratings)
    users = np.arange(dataset.n_users)
    if protocol.user_set != "all":
        users = np.flatnonzero(user_sets(dataset.user_id)[protocol.user_set])
    every = 1 + len(dataset.ratings) // LOOKED_AT
    return holdout.check(dataset.ratings.take(dataset.rows_of(users[::every])))


def with_bits(specs: Sequence[str], dataset: Dataset, protocol: Protocol) -> tuple[str, ...]:
    """The recommenders that can learn from this dataset: without bits only those that need none.

    Raises:
        InputError: there are none.
    """
    if dataset.source.has_features or protocol.encoding in LEARNED_ENCODINGS:
        return tuple(specs)
    can = [one for one in specs if not declared(_mean_of(load_recommender(one)), "needs_bits")]
    if specs and not can:
        raise InputError(f"--models: {NO_BITS.format(' '.join(specs))}")
    return tuple(can)


def _mean_of(cls: type) -> Any:
    """The class that a median variant is made from; for other classes, the class itself."""
    return getattr(cls, "mean", cls)


def open_predictions(folder: RunFolder, anew: bool) -> Predictions:
    """The predictions of the run so far; the run folder keeps only rows with predictions.

    Args:
        anew: whether unfinished cells start over, because the code has changed.
    """
    if anew:
        shutil.rmtree(folder.path / CELLS, ignore_errors=True)
    predictions = Predictions(folder.path)
    rows: dict[tuple, dict] = {}
    for row in (*folder.rows, *predictions.rows):
        rows.setdefault(tuple(row[name] for name in KEY), row)
    there = predictions.keys()
    folder.rows = [row for key, row in rows.items() if key in there]
    return predictions


def tasks_left(
    task: CellTask,
    cells: Sequence[tuple[int, int]],
    iterations: int,
    choose_reference: bool,
    folder: RunFolder,
    dataset: Dataset,
) -> list[CellTask]:
    """The remaining tasks of a grid, for the rows that the folder lacks.

    The reference of a cell is chosen among all collaborative models of the run, over all
    iterations; an iteration is scored again if one of them is run again.

    Args:
        task: the common part of all tasks, with all models.
        cells: users and ratings of each.
        choose_reference: whether the best collaborative model of each cell is the reference.
    """
    collaborative = {
        name: spec
        for name, spec in task.models.items()
        if choose_reference and _may_be_reference(load_recommender(spec))
    }
    scored = [tuple(one[name] for name in ITERATION) for one in folder.references]
    tasks = []
    for iteration, (num_users, reviews) in product(range(1, iterations + 1), cells):
        key = dict(zip(ITERATION, (num_users, reviews, iteration), strict=True))
        left = {
            name: spec for name, spec in task.models.items() if not folder.has(**key, model=name)
        }
        again = tuple(key.values()) not in scored or left.keys() & collaborative
        reference_of = collaborative if again else {}
        divided = (num_users or dataset.n_users) > task.users_per_task
        if left or reference_of:
            left_task = replace(task, key=key, models=left, reference_of=reference_of)
            tasks.append(left_task if divided else replace(left_task, users_per_task=0))
    return tasks


def run_tasks(
    tasks: list[CellTask],
    folder: RunFolder,
    predictions: Predictions,
    dataset: Dataset,
    workers: int,
    resume_command: str,
    show_progress: Callable[..., Any],
) -> None:
    """Run the tasks; each result is saved as soon as it is done.

    Args:
        workers: number of processes, see `number_of_workers`.
        show_progress: `recbench.report.progress.GridProgress`, without `tasks` and `size_of`.
    """
    divided = any(task.users_per_task for task in tasks)
    workers = number_of_workers(workers, None if divided else len(tasks))
    shards, pieces = Shards(), [task.pieces() for task in tasks]

    def ratings_in(piece: Piece) -> float:
        each = piece.reviews_per_user or len(dataset.ratings) / dataset.n_users
        return (piece.num_users or dataset.n_users) * each / piece.parts

    with show_progress(tasks=pieces, size_of=ratings_in) as progress:
        for result in work_through(run_task, tasks, workers, resume_command, progress.observer):
            task = result.task
            done = result if task.shards == 1 else shards.add(result)
            for remark in done.notes:
                if folder.remark(remark):
                    progress.note(remark)
            for row in done.rows:
                if row["status"] == "ok":
                    predictions.take(row)
            for name, traceback in done.failures.items():
                folder.log_failure(f"{name}, {task.key}", traceback)
            if scores := done.reference:
                every = {tuple(one[k] for k in ITERATION): one for one in folder.references}
                every[tuple(scores[k] for k in ITERATION)] = scores
                folder.note("references", [every[key] for key in sorted(every)])
            folder.add(*done.rows)
            then = [more.pieces() for more in done.then]
            progress.add(task.pieces(), task.key, done.rows, then)


def _may_be_reference(cls: type) -> bool:
    """Whether it is collaborative, predicts stars and builds on no other recommender: hybrids
    contain a personal model."""
    predicts = hasattr(cls, "predict") and not declared(cls, "builds_on")
    return family_of(cls) == COLLABORATIVE and predicts
