"""The cells of a grid, one after another or several at a time, each recommender on each."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pandas as pd

from recbench.data.dataset import Dataset
from recbench.data.joining import load_dataset
from recbench.errors import InputError, TooFewUsers
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.measure import Fitted, Measured, measure
from recbench.evaluation.protocols import Protocol
from recbench.own_class import line_of
from recbench.recommender import Options, build, declared
from recbench.registry import family_of, file_of, load_recommender
from recbench.runs.time_limit import OutOfTime, time_limit

MAY_FAIL = (Exception, SystemExit, OutOfTime)  # what a model can do


@dataclass(frozen=True)
class CellTask:
    """One cell of the grid in one iteration, and what to do there.

    Attributes:
        dataset: its name or folder, see `recbench.data.joining.load_dataset`.
        key: num_users, reviews_per_user and iteration.
        seed: of the whole run.
        models: name in the tables -> what `recbench.registry.load_recommender` takes.
        wnn_engine: an option of the recommenders, see `recbench.recommender.Options`.
        reference_of: which models are to be scored on validation rows as well, so that the best
            collaborative one can be chosen; name -> spec.
        model_timeout: how long a model may take, seconds; 0: as long as it likes.
        ranking: whether each model also ranks all films, see `recbench.evaluation.ranking`.
        cache: whether a large dataset is kept in the user's cache.
    """

    dataset: str
    protocol: Protocol
    key: dict[str, int]
    seed: int
    models: dict[str, str]
    wnn_engine: str
    reference_of: dict[str, str]
    model_timeout: float = 0.0
    ranking: bool = False
    cache: bool = True

    def options(self) -> Options:
        """For the recommenders; another seed in each iteration."""
        return Options(
            seed=self.seed + self.key["iteration"] - 1,
            labels=self.protocol.labels,
            loss=self.protocol.loss,
            wnn_engine=self.wnn_engine,
            background=self.protocol.background_users != 0,
        )


def in_order(models: dict[str, str]) -> list[str]:
    """The names of the models, each after the one that it builds on."""
    builds_on = {
        name: declared(load_recommender(spec), "builds_on") for name, spec in models.items()
    }
    return sorted(models, key=lambda name: _depth(name, builds_on))


@dataclass
class CellDone:
    """What came of it.

    Attributes:
        key: num_users, reviews_per_user and iteration.
        rows: of comparison.csv, one per model.
        predictions: model -> its predictions.
        failures: model -> the traceback.
        reference: the scores on validation rows, or None.
        note: what the user should know, or "".
    """

    key: dict[str, int]
    rows: list[dict] = field(default_factory=list)
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    reference: dict | None = None
    note: str = ""


def run_cell(task: CellTask) -> CellDone:
    """Draw the cell and let each recommender learn and predict; one's failure stays its own."""
    done = CellDone(task.key)
    dataset = load_dataset(task.dataset, task.protocol.join, task.cache)
    cell, reason = _cell_with_those_there_are(task, dataset, done)
    fitted: dict[str, Fitted] = {}
    for name in in_order(task.models):
        spec = task.models[name]
        cls = load_recommender(spec)
        row = {
            "dataset": dataset.source.name,
            **task.protocol.columns(),
            **task.key,
            "seed": task.options().seed,
            "model": name,
            "family": family_of(cls),
            "tuned": declared(cls, "tuned"),
        }
        if cell is None:
            done.rows.append({**row, "status": "failed", "error": reason})
            continue
        try:
            measured = _measure(task, name, spec, cell, fitted)
            done.predictions[name] = measured.predictions
            row |= {**measured.row, "status": "ok", "error": None}
        except MAY_FAIL as error:  # in any way; the others go on
            row |= {"status": "failed", "error": line_of(error, file_of(cls))}
            done.failures[name] = traceback.format_exc()
        done.rows.append(row)
    if cell is not None and task.reference_of:
        done.reference = _scores_on_validation_rows(task, cell)
    return done


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


@contextmanager
def kept_working_folder() -> Iterator[None]:
    """A model may go elsewhere; the files of the run do not."""
    folder = os.getcwd()
    try:
        yield
    finally:
        os.chdir(folder)


def _depth(name: str, builds_on: dict[str, str]) -> int:
    """How many of the models stand below this one."""
    base = builds_on[name]
    return 1 + _depth(base, builds_on) if base in builds_on else 0


def _cell_with_those_there_are(
    task: CellTask, dataset: Dataset, done: CellDone
) -> tuple[Cell | None, str]:
    """The cell, with fewer users where there are not as many; or None and the reason."""
    num_users, reviews = task.key["num_users"], task.key["reviews_per_user"]
    seed = task.protocol.sample_seed(task.seed, task.key["iteration"])
    try:
        try:
            return make_cell(dataset, task.protocol, num_users, reviews, seed), ""
        except TooFewUsers as too_few:
            if not too_few.there_are:
                raise
            done.note = (
                f"{num_users} × {reviews}: only {too_few.there_are} users have that many ratings; "
                "running with those"
            )
            return make_cell(dataset, task.protocol, too_few.there_are, reviews, seed), ""
    except InputError as error:
        return None, str(error)


def _scores_on_validation_rows(task: CellTask, cell: Cell) -> dict:
    """How well collaborative recommenders predict a part held out of the *training* rows."""
    inner = validation_cell(cell, task.protocol, task.seed)
    task = replace(task, ranking=False)  # it is chosen by its error
    rmse: dict[str, float] = {}
    fitted: dict[str, Fitted] = {}
    for name in in_order(task.reference_of):
        try:
            rmse[name] = _measure(task, name, task.reference_of[name], inner, fitted).rmse
        except MAY_FAIL:  # it fails on the test rows too, and says so there
            continue
    return {**task.key, "rmse": rmse}
