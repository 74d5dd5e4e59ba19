"""The cells of a grid, one after another or several at a time, each recommender on each.

A task is one cell in one iteration. Of a cell of many users a worker makes parts first
(`recbench.evaluation.shards`): what recommenders learn of each user apart becomes a task for
each of them and each part, and a task is left for the other recommenders. What a task finds goes to
the folder of the run, as soon as it is there; only rows of the table are handed back.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from recbench.contract import Options, build, declared, whose_ratings, why_together
from recbench.data.loading import load_dataset
from recbench.errors import InputError, TooFewUsers
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.measure import Fitted, Measured, fit_and_predict, measure, score
from recbench.evaluation.protocols import Protocol
from recbench.evaluation.shards import (
    number_of_parts,
    of_all_of,
    read_part,
    save_predicted,
    whole,
    write_parts,
)
from recbench.keys import in_file_name
from recbench.models.item_table.tables import ItemTables
from recbench.plugin import line_of
from recbench.registry import family_of, file_of, load_recommender
from recbench.runs.at_work import Piece, report
from recbench.runs.predictions import CELLS, write_part
from recbench.runs.time_limit import OutOfTime, time_limit

MAY_FAIL = (Exception, SystemExit, OutOfTime)  # what a model can do


@dataclass(frozen=True)
class CellTask:
    """One cell of the grid in one iteration, and what to do there.

    Attributes:
        dataset: its name or folder, see `recbench.data.loading.load_dataset`.
        key: num_users, reviews_per_user and iteration.
        seed: of the whole run.
        models: name in the tables -> what `recbench.registry.load_recommender` takes.
        wnn_engine: an option of the recommenders, see `recbench.contract.Options`.
        reference_of: which models are to be scored on validation rows as well, so that the best
            collaborative one can be chosen; name -> spec.
        folder: where results are written to; None: nowhere.
        model_timeout: how long a model may take, seconds; 0: as long as it likes.
        ranking: whether each model also ranks all movies, see `recbench.evaluation.ranking`.
        cache: whether a large dataset is kept in the user's cache.
        users_per_task: a cell with more users than that is done in parts; 0: never.
    """

    dataset: str
    protocol: Protocol
    key: dict[str, int]
    seed: int
    models: dict[str, str]
    wnn_engine: str
    reference_of: dict[str, str]
    folder: Path | None = None
    model_timeout: float = 0.0
    ranking: bool = False
    cache: bool = True
    users_per_task: int = 0

    def options(self) -> Options:
        """For the recommenders; another seed in each iteration."""
        return Options(
            seed=self.seed + self.key["iteration"] - 1,
            labels=self.protocol.labels,
            loss=self.protocol.loss,
            wnn_engine=self.wnn_engine,
            background=self.protocol.background_users != 0,
        )

    def pieces(self) -> tuple[Piece, ...]:
        """What it consists of."""
        return tuple(Piece(**self.key, model=name) for name in self.models)

    def parts(self) -> Path:
        """The folder of the cell in parts."""
        assert self.folder is not None
        return self.folder / CELLS / "-".join(map(str, self.key.values()))


@dataclass(frozen=True)
class PartTask:
    """One recommender on one part of the users of a cell.

    Attributes:
        cell: the task of the whole cell, the recommender being the only one of its `models`.
        part: its number, of so many `parts`.
    """

    cell: CellTask
    part: int
    parts: int

    @property
    def name(self) -> str:
        """Of the recommender."""
        return next(iter(self.cell.models))

    def pieces(self) -> tuple[Piece]:
        """What it consists of."""
        return (Piece(**self.cell.key, model=self.name, part=self.part, parts=self.parts),)

    @property
    def file(self) -> Path:
        """Where what it says is written to."""
        folder = self.cell.parts()
        name = f"{in_file_name(self.name)}-{self.cell.users_per_task}-{self.part}.parquet"
        return folder.with_name(f"{folder.name}-said") / name


@dataclass
class CellDone:
    """What came of a task.

    Attributes:
        key: num_users, reviews_per_user and iteration.
        rows: of comparison.csv, one per model.
        failures: model -> the traceback.
        reference: the scores on validation rows, or None.
        notes: what the user should know.
        then: tasks that can be done now.
        part: the task, if it was of a part of the users.
        pieces: what the task consisted of.
    """

    key: dict[str, int]
    rows: list[dict] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    reference: dict | None = None
    notes: list[str] = field(default_factory=list)
    then: list[CellTask | PartTask] = field(default_factory=list)
    part: PartTask | None = None
    pieces: tuple[Piece, ...] = ()


def run_task(task: CellTask | PartTask) -> CellDone:
    """What a worker does. It reports what it is at (`recbench.runs.at_work`)."""
    try:
        done = run_cell(task) if isinstance(task, CellTask) else run_part(task)
    finally:
        report(None)
    return replace(done, pieces=task.pieces())


def run_cell(task: CellTask) -> CellDone:
    """Draw the cell and let each recommender learn and predict; one's failure stays its own."""
    done = CellDone(task.key)
    cell, reason = _cell_with_those_there_are(task, done)
    apart = _models_apart(task, cell) if cell is not None else {}
    if apart:
        assert cell is not None
        done.then = _in_parts(task, cell, apart)
        return done
    fitted: dict[str, Fitted] = {}
    names = in_order(task.models)
    for place, name in enumerate(names):
        if cell is None:
            done.rows.append({**_row(task, name), "status": "failed", "error": reason})
            continue
        chosen = cell

        def measured(name: str = name, cell: Cell = chosen) -> Measured:
            return _measure(task, name, task.models[name], cell, fitted)

        report(Piece(**task.key, model=name))
        _keep(task, name, measured, done)
        _drop(fitted, names[place + 1 :], task.models)
    if cell is not None and task.reference_of:
        done.reference = _scores_on_validation_rows(task, cell)
    return done


def run_part(task: PartTask) -> CellDone:
    """Let the recommender learn and predict a part of the users."""
    done, cell, name = CellDone(task.cell.key, part=task), task.cell, task.name
    if task.file.exists():  # of an earlier run that was stopped
        return done
    cls = load_recommender(cell.models[name])
    report(*task.pieces())
    try:
        part = read_part(cell.parts(), task.part, name)
        with kept_working_folder(), time_limit(cell.model_timeout):
            said = fit_and_predict(
                build(cls, cell.options()),
                part.cell,
                of_all=part.of_all,
                otherwise=part.mean_stars,
            )
        save_predicted(said, task.file)
    except MAY_FAIL as error:
        done.rows.append(_failed(cell, name, error))
        done.failures[name] = traceback.format_exc()
    return done


class Parts:
    """What has come of the parts of cells so far: a recommender is scored when all are there."""

    def __init__(self) -> None:
        self._done: dict[tuple, list[CellDone]] = {}

    def add(self, done: CellDone) -> CellDone:
        """The result of one more part. Returned is that of the recommender on the cell, if it was
        the last one, else one without rows."""
        assert done.part is not None
        task, name = done.part.cell, done.part.name
        of_model = self._done.setdefault((*task.key.values(), name), [])
        of_model.append(done)
        if len(of_model) < done.part.parts:
            return CellDone(done.key)
        of_model.sort(key=lambda one: one.part.part if one.part else 0)
        failed = [one for one in of_model if one.failures]
        if failed:
            return CellDone(done.key, failed[0].rows, failed[0].failures)
        files = [one.part.file for one in of_model if one.part]
        together = CellDone(done.key)

        def measured() -> Measured:
            cell, users = _whole_cell(*_what_makes(task)), task.users_per_task
            return score(whole(files, cell, users), cell, task.protocol.labels, False)

        _keep(task, name, measured, together)
        return together


def in_order(models: dict[str, str]) -> list[str]:
    """The names of the models, each after the one that it builds on."""
    builds_on = {name: _base_of(spec) for name, spec in models.items()}
    return sorted(models, key=lambda name: _depth(name, builds_on))


def _base_of(spec: str) -> str:
    """The name of the model that one builds on, or ""."""
    return declared(load_recommender(spec), "builds_on")


def _depth(name: str, builds_on: dict[str, str]) -> int:
    """How many of the models stand below this one."""
    base = builds_on[name]
    return 1 + _depth(base, builds_on) if base in builds_on else 0


# --- a recommender on a cell -------------------------------------------------------------------


def _keep(task: CellTask, name: str, measured: Callable[[], Measured], done: CellDone) -> None:
    """Put what `measured` finds into `done`, and into the folder at once."""
    try:
        found = measured()
        row = {**_row(task, name), **found.row, "status": "ok", "error": None}
        row = json.loads(json.dumps(row, default=lambda number: number.item()))
        if task.folder is not None:
            write_part(task.folder, row, found.predictions)
        done.rows.append(row)
        of_cell = f"{task.key['num_users']} × {task.key['reviews_per_user']}, {name}"
        for what, users in found.notes.items():
            done.notes.append(f"{of_cell}: {users} of {row['n_users']} users {what}")
    except MAY_FAIL as error:  # in any way; the others go on
        done.rows.append(_failed(task, name, error))
        done.failures[name] = traceback.format_exc()


def _row(task: CellTask, name: str) -> dict:
    """The columns of comparison.csv before the scores."""
    cls = load_recommender(task.models[name])
    return {
        "dataset": load_dataset(task.dataset, task.protocol.join, task.cache).source.name,
        **task.protocol.columns(),
        **task.key,
        "seed": task.options().seed,
        "model": name,
        "family": family_of(cls),
        "learns_from": whose_ratings(cls),
        "tuned": declared(cls, "tuned"),
    }


def _failed(task: CellTask, name: str, error: BaseException) -> dict:
    file = file_of(load_recommender(task.models[name]))
    return {**_row(task, name), "status": "failed", "error": line_of(error, file)}


def _measure(
    task: CellTask, name: str, spec: str, cell: Cell, fitted: dict[str, Fitted]
) -> Measured:
    """Measure a model, with what it builds on if that is in `fitted`; itself is added there."""
    model = build(load_recommender(spec), task.options())
    base = fitted.get(declared(model, "builds_on"))
    with kept_working_folder(), time_limit(task.model_timeout):
        measured = measure(model, cell, task.protocol.labels, base, task.ranking)
    fitted[name] = Fitted(model, float(measured.row["fit_seconds"] or 0.0))
    return measured


def _drop(fitted: dict[str, Fitted], to_come: list[str], models: dict[str, str]) -> None:
    """Let go of the fitted models that none of those to come builds on: one may take gigabytes."""
    needed = {_base_of(models[name]) for name in to_come}
    for name in fitted.keys() - needed:
        del fitted[name]


# --- a cell in parts ---------------------------------------------------------------------------


def _models_apart(task: CellTask, cell: Cell) -> dict[str, Any]:
    """The recommenders, not fitted, that are to learn the cell in parts.

    None does if movies are ranked: the part of the catalogue that is shown is a product over all
    users. Nor under learned bits with an item table for each fold of users.
    """
    many = 0 < task.users_per_task < cell.n_users
    if not many or task.ranking or len(cell.movies_of_folds()) > 1 or not len(cell.personal.test):
        return {}
    models = {}
    for name, spec in task.models.items():
        try:
            model = build(load_recommender(spec), task.options())
            if not why_together(model):
                with kept_working_folder(), time_limit(task.model_timeout):
                    of_all_of(model, cell)
                models[name] = model
        except MAY_FAIL:  # it fails again, and is a row then
            continue
    return models


def _in_parts(task: CellTask, cell: Cell, apart: dict[str, Any]) -> list[CellTask | PartTask]:
    """Write the parts, if they are not there already; the tasks that are left."""
    folder, users = task.parts(), task.users_per_task
    parts = number_of_parts(folder, users, apart) or write_parts(cell, users, apart, folder)
    together = {name: spec for name, spec in task.models.items() if name not in apart}
    tasks: list[CellTask | PartTask] = []
    if together or task.reference_of:  # first: it cannot be divided
        tasks.append(replace(task, models=together, users_per_task=0))
    for name in apart:
        alone = replace(task, models={name: task.models[name]}, reference_of={})
        tasks += [PartTask(alone, part, parts) for part in range(parts)]
    return tasks


def _what_makes(task: CellTask) -> tuple:
    """What a cell follows from, as `_whole_cell` takes it."""
    seed = task.protocol.sample_seed(task.seed, task.key["iteration"])
    sizes = task.key["num_users"], task.key["reviews_per_user"]
    return task.dataset, task.cache, task.protocol, *sizes, seed


@lru_cache(maxsize=1)  # several recommenders are scored on it
def _whole_cell(
    dataset: str, cache: bool, protocol: Protocol, num_users: int, reviews: int, seed: int
) -> Cell:
    loaded = load_dataset(dataset, protocol.join, cache)
    try:
        return make_cell(loaded, protocol, num_users, reviews, seed)
    except TooFewUsers as too_few:
        if not too_few.there_are:
            raise
        return make_cell(loaded, protocol, too_few.there_are, reviews, seed)


@contextmanager
def kept_working_folder() -> Iterator[None]:
    """A model may go elsewhere; the files of the run do not."""
    folder = os.getcwd()
    try:
        yield
    finally:
        os.chdir(folder)


def _cell_with_those_there_are(task: CellTask, done: CellDone) -> tuple[Cell | None, str]:
    """The cell, with fewer users where there are not as many; or None and the reason."""
    num_users, reviews = task.key["num_users"], task.key["reviews_per_user"]
    try:
        cell = _whole_cell(*_what_makes(task))
    except InputError as error:
        return None, str(error)
    if cell.n_users < num_users:
        done.notes.append(
            f"{num_users} × {reviews}: only {cell.n_users} users have that many ratings; "
            "running with those"
        )
    tables = ItemTables.load(task.parts()) if task.folder is not None else None
    if tables is not None and not cell.code_bits:
        cell.__dict__["personal_tables"] = tables  # made already
    return cell, ""


def _scores_on_validation_rows(task: CellTask, cell: Cell) -> dict:
    """How well collaborative recommenders predict a part held out of the *training* rows."""
    inner = validation_cell(cell, task.protocol, task.seed)
    task = replace(task, ranking=False)  # it is chosen by its error
    rmse: dict[str, float] = {}
    fitted: dict[str, Fitted] = {}
    names = in_order(task.reference_of)
    for place, name in enumerate(names):
        _drop(fitted, names[place:], task.reference_of)
        try:
            rmse[name] = _measure(task, name, task.reference_of[name], inner, fitted).rmse
        except MAY_FAIL:  # it fails on the test rows too, and says so there
            continue
    return {**task.key, "rmse": rmse}
