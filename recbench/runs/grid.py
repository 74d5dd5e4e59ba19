"""The cells of a grid, one after another or several at a time, each recommender on each."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

import pandas as pd

from recbench.data.joining import Dataset, load_dataset
from recbench.errors import InputError, TooFewUsers
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.measure import Fitted, Measured, measure
from recbench.evaluation.protocols import Protocol
from recbench.recommender import Options, build, declared
from recbench.registry import family_of, load_recommender

COLLABORATIVE = "Collaborative"  # the family that the reference is chosen from


@dataclass(frozen=True)
class CellTask:
    """One cell of the grid in one iteration, and what to do there.

    Attributes:
        dataset: its name or folder, see `recbench.data.joining.load_dataset`.
        key: num_users, reviews_per_user and iteration.
        seed: of the whole run.
        models: name in the tables -> what `recbench.registry.load_recommender` takes.
        wnn_engine: an option of the recommenders, see `recbench.recommender.Options`.
        choose_reference: whether to choose the best collaborative recommender on validation rows.
    """

    dataset: str
    protocol: Protocol
    key: dict[str, int]
    seed: int
    models: dict[str, str]
    wnn_engine: str
    choose_reference: bool

    def options(self) -> Options:
        """For the recommenders; another seed in each iteration."""
        return Options(
            seed=self.seed + self.key["iteration"] - 1,
            labels=self.protocol.labels,
            loss=self.protocol.loss,
            wnn_engine=self.wnn_engine,
        )

    def in_order(self) -> list[str]:
        """The names of the models, each after the one that it builds on."""
        builds_on = {
            name: declared(load_recommender(spec), "builds_on")
            for name, spec in self.models.items()
        }
        return sorted(self.models, key=lambda name: _depth(name, builds_on))


@dataclass
class CellDone:
    """What came of it.

    Attributes:
        rows: of comparison.csv, one per model.
        predictions: model -> its predictions.
        failures: model -> the traceback.
        reference: the validation scores and the best, or None.
        note: what the user should know, or "".
    """

    rows: list[dict] = field(default_factory=list)
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    reference: dict | None = None
    note: str = ""


def run_cells(tasks: list[CellTask], workers: int) -> Iterator[CellDone]:
    """Run the tasks; each is yielded when it is done, in any order. The results do not depend on
    the number of workers: every random number comes from a seed of the task's own.

    Raises:
        InputError: a worker was killed.
    """
    if workers == 1 or len(tasks) <= 1:
        yield from map(run_cell, tasks)
        return
    # spawned, not forked: a forked child may inherit locks of numeric libraries
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context)
    try:
        for future in as_completed([pool.submit(run_cell, task) for task in tasks]):
            yield future.result()
    except BrokenProcessPool:
        raise InputError(
            "a worker was killed, perhaps for want of memory. Go on with fewer: "
            "--workers 1 in a new run"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_cell(task: CellTask) -> CellDone:
    """Draw the cell and let each recommender learn and predict; one's failure stays its own."""
    done = CellDone()
    dataset = load_dataset(task.dataset, task.protocol.join)
    cell, reason = _cell_with_those_there_are(task, dataset, done)
    fitted: dict[str, Fitted] = {}
    for name in task.in_order():
        cls = load_recommender(task.models[name])
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
            measured = _measure(task, name, cell, fitted)
            done.predictions[name] = measured.predictions
            row |= {**measured.row, "status": "ok", "error": None}
        except Exception as error:  # a model may fail in any way; the others go on
            text = " ".join(f"{type(error).__name__}: {error}".split())
            row |= {"status": "failed", "error": text}
            done.failures[name] = traceback.format_exc()
        done.rows.append(row)
    if cell is not None and task.choose_reference:
        done.reference = _best_on_validation_rows(task, cell)
    return done


def _measure(task: CellTask, name: str, cell: Cell, fitted: dict[str, Fitted]) -> Measured:
    """Measure a model, with what it builds on if that is in `fitted`; itself is added there."""
    model = build(load_recommender(task.models[name]), task.options())
    measured = measure(model, cell, task.protocol.labels, fitted.get(declared(model, "builds_on")))
    fitted[name] = Fitted(model, float(measured.row["fit_seconds"] or 0.0))
    return measured


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


def _best_on_validation_rows(task: CellTask, cell: Cell) -> dict | None:
    """Which collaborative recommender predicts best a part held out of the *training* rows."""
    inner = validation_cell(cell, task.protocol, task.seed)
    rmse: dict[str, float] = {}
    fitted: dict[str, Fitted] = {}
    for name in task.in_order():
        if family_of(load_recommender(task.models[name])) == COLLABORATIVE:
            try:
                rmse[name] = _measure(task, name, inner, fitted).rmse
            except Exception:  # it fails on the test rows too, and says so there
                continue
    if not rmse:
        return None
    return {**task.key, "rmse": rmse, "best": min(rmse, key=lambda name: rmse[name])}
