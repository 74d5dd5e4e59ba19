"""The cells of a grid, one after another or several at a time, each recommender on each.

A task is one cell in one iteration, or one recommender on a shard of the users of a large cell. It
holds what the cell follows from, not the cell: who works on it makes the cell, or has it from the
task before. The results of a task go to the folder of the run as soon as they are there; only rows
of the table are returned.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import chdir
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

MAY_FAIL = (Exception, SystemExit, OutOfTime)  # what a model can do


@dataclass(frozen=True)
class CellTask:
    """One cell of the grid in one iteration, and what to do there. Tasks of one cell are equal.

    Attributes:
        dataset: its name or folder, see `recbench.data.loading.load_dataset`.
        key: num_users, reviews_per_user and iteration.
        seed: of the whole run.
        models: name in the tables -> what `recbench.registry.load_recommender` takes.
        wnn_engine: see `recbench.contract.Training`.
        reference_of: which models are to be scored on validation rows as well, so that the best
            collaborative one can be chosen; name -> spec.
        folder: where results are written to; None: nowhere.
        model_timeout: how long a model may take, seconds; 0: as long as it likes.
        ranking: whether each model also ranks all movies, see `recbench.evaluation.ranking`.
        cache: whether a large dataset is stored in the user's cache.
        users_per_task: a cell with more users than that is done in shards; 0: never.
    """

    dataset: str
    protocol: Protocol
    key: dict[str, int] = field(hash=False)
    seed: int
    models: dict[str, str] = field(compare=False)
    wnn_engine: str
    reference_of: dict[str, str] = field(compare=False)
    folder: Path | None = None
    model_timeout: float = 0.0
    ranking: bool = False
    cache: bool = True
    users_per_task: int = 0

    @property
    def model_seed(self) -> int:
        """Of the recommenders; another in each iteration."""
        return self.seed + self.key["iteration"] - 1

    @property
    def cell_folder(self) -> Path:
        """Of what workers share about a cell in shards: item tables, predictions."""
        assert self.folder is not None
        return self.folder / CELLS / "-".join(map(str, self.key.values()))

    def pieces(self) -> tuple[Piece, ...]:
        """What it consists of."""
        return tuple(Piece(**self.key, model=name) for name in self.models)


@dataclass(frozen=True)
class ShardTask:
    """One recommender on shard number `shard` of the `shards` of a cell; it is the only one of the
    `models` of `cell`."""

    cell: CellTask
    shard: int
    shards: int

    @property
    def name(self) -> str:
        """Of the recommender."""
        return next(iter(self.cell.models))

    def pieces(self) -> tuple[Piece]:
        """What it consists of."""
        return (Piece(**self.cell.key, model=self.name, part=self.shard, parts=self.shards),)

    @property
    def file(self) -> Path:
        """Where its predictions are written to."""
        name = f"{in_file_name(self.name)}-{self.cell.users_per_task}-{self.shard}.parquet"
        return self.cell.cell_folder / name


@dataclass
class CellDone:
    """The result of a task on the cell of `key`."""

    key: dict[str, int]
    rows: list[dict] = field(default_factory=list)  # of comparison.csv, one per model
    failures: dict[str, str] = field(default_factory=dict)  # model -> the traceback
    reference: dict | None = None  # the scores on validation rows
    notes: list[str] = field(default_factory=list)  # for the user
    then: list[CellTask | ShardTask] = field(default_factory=list)  # tasks that can be done now
    shard: ShardTask | None = None  # the task, if it was of a shard
    pieces: tuple[Piece, ...] = ()  # what the task consisted of


def run_task(task: CellTask | ShardTask) -> CellDone:
    """What a worker does. It reports its progress (`recbench.runs.processes`)."""
    try:
        done = run_cell(task) if isinstance(task, CellTask) else run_shard(task)
    finally:
        report(None)
    return replace(done, pieces=task.pieces())


def run_cell(task: CellTask) -> CellDone:
    """Draw the cell and let each recommender learn and predict; one's failure stays its own."""
    done, (num_users, reviews, _) = CellDone(task.key), task.key.values()
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
    for name, measured in _each(task, task.models, cell):
        report(Piece(**task.key, model=name))
        _add(task, name, measured, done)
    if task.reference_of:
        done.reference = _scores_on_validation_rows(task, cell)
    return done


def run_shard(task: ShardTask) -> CellDone:
    """Let the recommender learn and predict the users of a shard."""
    done, of_cell, name = CellDone(task.cell.key, shard=task), task.cell, task.name
    if task.file.exists():  # of an earlier run that was stopped
        return done
    report(*task.pieces())
    try:
        cell = cell_of(of_cell)
        model = cell.new(load_recommender(of_cell.models[name]))
        with chdir("."), time_limit(of_cell.model_timeout):
            shard = cell.shards(of_cell.users_per_task)[task.shard]
            predictions = fit_and_predict(model, cell, shard)
        predictions.save(task.file)
    except MAY_FAIL as error:
        _fail(of_cell, name, error, done)
    return done


class Shards:
    """The results of shards so far: a recommender is scored when all are there."""

    def __init__(self) -> None:
        self._done: dict[tuple, list[CellDone]] = {}

    def add(self, done: CellDone) -> CellDone:
        """The result of one more shard. Returned is that of the recommender on the cell, if it was
        the last one, else one without rows."""
        assert done.shard is not None
        task, name = done.shard.cell, done.shard.name
        of_model = self._done.setdefault((*task.key.values(), name), [])
        of_model.append(done)
        if len(of_model) < done.shard.shards:
            return CellDone(done.key)
        of_model.sort(key=lambda one: one.shard.shard if one.shard else 0)
        failed = [one for one in of_model if one.failures]
        if failed:
            return CellDone(done.key, failed[0].rows, failed[0].failures)
        files = [one.shard.file for one in of_model if one.shard]
        whole = CellDone(done.key)

        def measured() -> Measured:
            cell = cell_of(task)
            parts = [Predictions.load(file) for file in files]
            whole = together(parts, cell.shards(task.users_per_task), cell)
            return score(whole, cell, collaborative=False)

        _add(task, name, measured, whole)
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


def _each(
    task: CellTask, models: dict[str, str], cell: Cell
) -> Iterator[tuple[str, Callable[[], Measured]]]:
    """Each model's name and how to measure it, bases first. A fitted model stays in memory while
    one that builds on it is still to come."""
    names = in_order(models)
    for place, name in enumerate(names):
        later = [load_recommender(models[one]) for one in names[place:]]
        needed = {declared(cls, "builds_on") for cls in later}
        for unneeded in cell.fits.keys() - needed:
            del cell.fits[unneeded]

        def measured(name: str = name, keep_as: str = name if name in needed else "") -> Measured:
            make = partial(cell.new, load_recommender(models[name]))
            with chdir("."), time_limit(task.model_timeout):  # a model may go elsewhere
                return measure(make, cell, task.ranking, keep_as)

        yield name, measured
    cell.fits.clear()


def _add(task: CellTask, name: str, measured: Callable[[], Measured], done: CellDone) -> None:
    """Put what `measured` returns into `done`, and into the folder at once."""
    try:
        found = measured()
        dataset = load_dataset(task.dataset, task.protocol.join, task.cache)
        row = {**_row(task, name), **found.row}
        if (unit := dataset.source.unit) != 1:
            row |= {f"{one}_original": row[one] and unit * row[one] for one in ("rmse", "mae")}
        row |= {"status": "ok", "error": None}
        row = json.loads(json.dumps(row, default=lambda number: number.item()))
        if task.folder is not None:
            write_part(task.folder, row, dataset.with_own_ids(found.predictions))
        done.rows.append(row)
        of_cell = f"{task.key['num_users']} × {task.key['reviews_per_user']}, {name}"
        for what, users in found.notes.items():
            done.notes.append(f"{of_cell}: {users} of {row['n_users']} users {what}")
    except MAY_FAIL as error:  # in any way; the others go on
        _fail(task, name, error, done)


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
        "tuned": declared(cls, "tuned"),
    }


def _fail(task: CellTask, name: str, error: BaseException, done: CellDone) -> None:
    if disk_is_full(error):  # which is not the model's fault, and the others' as well
        raise error
    reason = line_of(error, file_of(load_recommender(task.models[name])))
    done.rows.append({**_row(task, name), "status": "failed", "error": reason})
    done.failures[name] = traceback.format_exc()


def _scores_on_validation_rows(task: CellTask, cell: Cell) -> dict:
    """How well collaborative recommenders predict a part held out of the *training* rows."""
    rmse: dict[str, float] = {}
    try:
        inner = validation_cell(cell, task.protocol, task.seed)
    except InputError:  # too few rows to choose on: there is no reference
        return {**task.key, "rmse": rmse}
    task = replace(task, ranking=False)  # it is chosen by its error
    for name, measured in _each(task, task.reference_of, inner):
        try:
            rmse[name] = measured().rmse
        except MAY_FAIL:  # it fails on the test rows too, and says so there
            continue
    return {**task.key, "rmse": rmse}


# --- a cell, and its shards --------------------------------------------------------------------


@lru_cache(maxsize=1)
def cell_of(task: CellTask) -> Cell:
    """The cell of a task; with fewer users, if there are not as many."""
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
        wnn_engine=task.wnn_engine,
        folder=task.cell_folder if task.users_per_task else None,
    )


def _in_shards(task: CellTask, cell: Cell) -> list[CellTask | ShardTask]:
    """The tasks of a cell that is divided: one for each recommender and shard, and before them one
    for all recommenders that cannot be divided. Empty: it is done as a whole, as it is if movies
    are ranked, since the part of the catalogue that is shown is a product over all users."""
    divided = {
        name: spec for name, spec in task.models.items() if shardable(load_recommender(spec))
    }
    many = 0 < task.users_per_task < cell.n_users
    if not many or task.ranking or not divided:
        return []
    tasks: list[CellTask | ShardTask] = []
    whole = {name: spec for name, spec in task.models.items() if name not in divided}
    if whole or task.reference_of:
        tasks.append(replace(task, models=whole))
    n = len(cell.shards(task.users_per_task))
    for name, spec in divided.items():
        alone = replace(task, models={name: spec}, reference_of={})
        tasks += [ShardTask(alone, shard, n) for shard in range(n)]
    return tasks
