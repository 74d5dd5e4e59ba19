"""The tasks of workers: all recommenders on a cell, or one on a shard of a large cell's users.

A task holds the parameters of a cell, not the cell: the worker makes it, or still has it from the
previous task. Results are written to the run's folder as soon as they exist; only rows of the table
are returned.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from recbench.contract import declared, learns_from_words, shardable
from recbench.data.loading import load_dataset
from recbench.errors import InputError, TooFewUsers, disk_is_full
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.measure import Measured, measure, score
from recbench.evaluation.predicting import Predictions, fit_and_predict, together
from recbench.evaluation.protocols import Protocol
from recbench.files import in_file_name
from recbench.registry import family_of, file_of, line_of, load_recommender
from recbench.runs.predictions import CELLS, write_part
from recbench.runs.processes import OutOfTime, Piece, report, time_limit

MAY_FAIL = (Exception, SystemExit, OutOfTime)  # how a model can fail


@dataclass(frozen=True)
class CellTask:
    """One cell of the grid in one iteration, and the work on it. Tasks of one cell compare equal.

    Attributes:
        dataset: its name or folder, see `recbench.data.loading.load_dataset`.
        key: num_users, reviews_per_user and iteration.
        seed: of the whole run.
        models: name in the tables -> what `recbench.registry.load_recommender` takes.
        settings: of the models' constructors, by name; see `recbench.runs.running.settings_of`.
        wnn_engine: see `recbench.contract.Training`.
        reference_of: models that are also scored on validation rows, so that the best collaborative
            one can be chosen; name -> spec.
        folder: the folder for results; None: they are not written.
        model_timeout: time limit of a model, seconds; 0: none.
        ranking: whether each model also ranks all movies, see `recbench.evaluation.ranking`.
        cache: whether a large dataset is stored in the user's cache.
        users_per_task: a cell with more users is divided into shards; 0: never.
        shard: number of the shard, of `shards`; its task has only one of the `models`.
    """

    dataset: str
    protocol: Protocol
    key: dict[str, int] = field(hash=False)
    seed: int
    models: dict[str, str] = field(compare=False)
    settings: dict[str, dict[str, object]] = field(compare=False)
    wnn_engine: str
    reference_of: dict[str, str] = field(compare=False)
    folder: Path | None = None
    model_timeout: float = 0.0
    ranking: bool = False
    cache: bool = True
    users_per_task: int = 0
    shard: int = field(default=0, compare=False)
    shards: int = field(default=1, compare=False)

    @property
    def model_seed(self) -> int:
        """Seed of the recommenders, which differs between iterations."""
        return self.seed + self.key["iteration"] - 1

    @property
    def cell_folder(self) -> Path:
        """Folder for data of a divided cell that workers share: item tables, predictions."""
        assert self.folder is not None
        return self.folder / CELLS / "-".join(map(str, self.key.values()))

    @property
    def shard_file(self) -> Path:
        """File of the predictions for the shard."""
        (name,) = self.models
        return self.cell_folder / f"{in_file_name(name)}-{self.users_per_task}-{self.shard}.npz"

    def pieces(self) -> tuple[Piece, ...]:
        """The pieces of work, for progress."""
        key = {**self.key, "part": self.shard, "parts": self.shards}
        return tuple(Piece(**key, model=name) for name in self.models)


@dataclass
class CellDone:
    """The result of a task."""

    task: CellTask
    rows: list[dict] = field(default_factory=list)  # of comparison.csv, one per model
    failures: dict[str, str] = field(default_factory=dict)  # model -> the traceback
    reference: dict | None = None  # the scores on validation rows
    notes: list[str] = field(default_factory=list)  # for the user
    then: list[CellTask] = field(default_factory=list)  # tasks that can start now

    @contextmanager
    def failing_alone(self, name: str) -> Iterator[None]:
        """Within the block this recommender may fail in any way; the others continue."""
        try:
            yield
        except MAY_FAIL as error:
            if disk_is_full(error):  # not the fault of the model, and all others would fail, too
                raise
            reason = line_of(error, file_of(load_recommender(self.task.models[name])))
            self.rows.append({**_row(self.task, name), "status": "failed", "error": reason})
            self.failures[name] = traceback.format_exc()

    def add(self, name: str, found: Measured) -> None:
        """Add the result of a recommender, and write it to the folder at once."""
        task = self.task
        dataset = load_dataset(task.dataset, task.protocol.join, task.cache)
        row = {**_row(task, name), **found.row}
        if (unit := dataset.source.unit) != 1:
            row |= {f"{one}_original": row[one] and unit * row[one] for one in ("rmse", "mae")}
        row |= {"status": "ok", "error": None}
        row = json.loads(json.dumps(row, default=lambda number: number.item()))
        if task.folder is not None:
            write_part(task.folder, row, dataset.with_own_ids(found.predictions))
        self.rows.append(row)
        of_cell = f"{task.key['num_users']} × {task.key['reviews_per_user']}, {name}"
        for what, users in found.notes.items():
            self.notes.append(f"{of_cell}: {users} of {row['n_users']} users {what}")


def run_task(task: CellTask) -> CellDone:
    """Do a task in a worker, which reports its progress (`recbench.runs.processes`)."""
    try:
        return run_cell(task) if task.shards == 1 else run_shard(task)
    finally:
        report(None)


def run_cell(task: CellTask) -> CellDone:
    """Draw the cell, then fit and score each recommender; failures stay separate."""
    done, (num_users, reviews, _) = CellDone(task), task.key.values()
    try:
        cell = cell_of(task)
    except InputError as error:
        failed = {"status": "failed", "error": str(error)}
        done.rows = [_row(task, name) | failed for name in in_order(task.models)]
        return done
    if cell.n_users < num_users:
        done.notes.append(
            f"{num_users} × {reviews}: only {cell.n_users} users have that many ratings; "
            "running with those"
        )
    done.then = _in_shards(task, cell)
    if done.then:
        return done
    for name in _one_by_one(task.models, cell):
        report(Piece(**task.key, model=name))
        with done.failing_alone(name):
            done.add(name, _measured(task, task.models[name], name, cell))
    if task.reference_of:
        done.reference = _scores_on_validation_rows(task, cell)
    return done


def run_shard(task: CellTask) -> CellDone:
    """Fit the recommender to the users of a shard, and predict their test ratings."""
    done, ((name, spec),) = CellDone(task), task.models.items()
    if task.shard_file.exists():  # from an earlier run that was stopped
        return done
    report(*task.pieces())
    with done.failing_alone(name):
        cell = cell_of(task)
        model = cell.new(load_recommender(spec))
        with chdir("."), time_limit(task.model_timeout):
            shard = cell.shards(task.users_per_task)[task.shard]
            predictions = fit_and_predict(model, cell, shard)
        predictions.save(task.shard_file)
    return done


class Shards:
    """The results of shards so far: a recommender is scored when all its shards are done."""

    def __init__(self) -> None:
        self._done: dict[tuple, list[CellDone]] = {}

    def add(self, done: CellDone) -> CellDone:
        """Add the result of a shard. After the last one, returns the result of the recommender on
        the cell; before, a result without rows."""
        task, whole, (name,) = done.task, CellDone(done.task), done.task.models
        of_model = self._done.setdefault((*task.key.values(), name), [])
        of_model.append(done)
        if len(of_model) < task.shards:
            return whole
        of_model.sort(key=lambda one: one.task.shard)
        for one in of_model:
            if one.failures:
                return one
        with whole.failing_alone(name):
            cell = cell_of(task)
            parts = [Predictions.load(one.task.shard_file) for one in of_model]
            predictions = together(parts, cell.shards(task.users_per_task), cell)
            whole.add(name, score(predictions, cell, collaborative=False))
        return whole


def in_order(models: dict[str, str]) -> list[str]:
    """The names of the models, each after the one that it builds on."""
    builds_on = {
        name: declared(load_recommender(spec), "builds_on") for name, spec in models.items()
    }

    def depth(name: str) -> int:
        return 1 + depth(builds_on[name]) if builds_on[name] in builds_on else 0

    return sorted(models, key=depth)


# --- a recommender on a cell -------------------------------------------------------------------


def _one_by_one(models: dict[str, str], cell: Cell) -> Iterator[str]:
    """Yield the names `in_order`. A fitted model, which may take gigabytes, stays in memory only as
    long as a later model builds on it."""
    names = in_order(models)
    for place, name in enumerate(names, 1):
        yield name
        to_come = {declared(load_recommender(models[one]), "builds_on") for one in names[place:]}
        for base in cell.fits.keys() - to_come:
            del cell.fits[base]


def _measured(task: CellTask, spec: str, name: str, cell: Cell) -> Measured:
    make = partial(cell.new, load_recommender(spec))
    with chdir("."), time_limit(task.model_timeout):  # a model may leave the folder
        return measure(make, cell, task.ranking, keep_as=name)


def _row(task: CellTask, name: str) -> dict:
    """The columns of comparison.csv before the scores."""
    cls = load_recommender(task.models[name])
    return {
        "dataset": load_dataset(task.dataset, task.protocol.join, task.cache).source.name,
        **task.protocol.columns(),
        **task.key,
        "seed": task.model_seed,
        "model": name,
        "family": family_of(cls),
        "learns_from": learns_from_words(cls),
        "tuned": "by --settings" if name in task.settings else declared(cls, "tuned"),
    }


def _scores_on_validation_rows(task: CellTask, cell: Cell) -> dict:
    """The RMSE of collaborative recommenders on validation rows, cut from the *training* rows."""
    rmse: dict[str, float] = {}
    try:
        inner = validation_cell(cell, task.protocol, task.seed)
    except InputError:  # too few rows for validation: there is no reference
        return {**task.key, "rmse": rmse}
    task = replace(task, ranking=False)  # the reference is chosen by RMSE
    for name in _one_by_one(task.reference_of, inner):
        with suppress(*MAY_FAIL):  # it fails on the test rows, too, where that is reported
            rmse[name] = _measured(task, task.reference_of[name], name, inner).row["rmse"]
    return {**task.key, "rmse": rmse}


# --- a cell, and its shards --------------------------------------------------------------------


@lru_cache(maxsize=1)
def cell_of(task: CellTask) -> Cell:
    """The cell of a task; with fewer users, if there are not enough."""
    dataset = load_dataset(task.dataset, task.protocol.join, task.cache)
    num_users, reviews, iteration = task.key.values()
    seed = task.protocol.sample_seed(task.seed, iteration)
    try:
        cell = make_cell(dataset, task.protocol, num_users, reviews, seed)
    except TooFewUsers as too_few:
        if not too_few.there_are:
            raise
        cell = make_cell(dataset, task.protocol, too_few.there_are, reviews, seed)
    return replace(
        cell,
        model_seed=task.model_seed,
        settings={
            load_recommender(task.models.get(name, name)): values
            for name, values in task.settings.items()
        },
        wnn_engine=task.wnn_engine,
        folder=task.cell_folder if task.users_per_task else None,
    )


def _in_shards(task: CellTask, cell: Cell) -> list[CellTask]:
    """The tasks of a divided cell: one for all recommenders that are not shardable, then one for
    each shardable recommender and shard. Empty if the cell is not divided, which includes all cells
    with ranking, since the share of the catalogue that is shown needs all users."""
    divided = {
        name: spec for name, spec in task.models.items() if shardable(load_recommender(spec))
    }
    many = 0 < task.users_per_task < cell.n_users
    if not many or task.ranking or not divided:
        return []
    tasks = []
    whole = {name: spec for name, spec in task.models.items() if name not in divided}
    if whole or task.reference_of:
        tasks.append(replace(task, models=whole))
    n = len(cell.shards(task.users_per_task))
    for name, spec in divided.items():
        alone = replace(task, models={name: spec}, reference_of={}, shards=n)
        tasks += [replace(alone, shard=shard) for shard in range(n)]
    return tasks
