"""The cells of a grid, one after another or several at a time, each recommender on each."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

import pandas as pd

from errors import InputError, TooFewUsers
from evaluation.cells import Cell, make_cell, validation_cell
from evaluation.measure import measure
from evaluation.protocols import Protocol
from preparation.joining import Dataset, load_dataset
from recommender import build, family_of, load_recommender

COLLABORATIVE = "Collaborative"  # the family that the best rival is chosen from


@dataclass(frozen=True)
class CellTask:
    """One cell of the grid in one iteration, and what to do there.

    Attributes:
        dataset: its name or folder, see `preparation.joining.load_dataset`.
        where: num_users, reviews_per_user and iteration.
        seed: of the whole run.
        models: name in the tables -> what `recommender.load_recommender` takes.
        options: for the constructors, beside seed, labels and loss.
        choose_rival: whether to choose the best collaborative recommender on validation rows.
    """

    dataset: str
    protocol: Protocol
    where: dict[str, int]
    seed: int
    models: dict[str, str]
    options: dict[str, object]
    choose_rival: bool

    def recommender_seed(self) -> int:
        """The seed of the recommenders: another one in each iteration."""
        return self.seed + self.where["iteration"] - 1


@dataclass
class CellDone:
    """What came of it.

    Attributes:
        rows: of comparison.csv, one per model.
        predictions: model -> its predictions.
        failures: model -> the traceback.
        rival: the validation scores and the best, or None.
        note: what the user should be told, or "".
    """

    rows: list[dict] = field(default_factory=list)
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    rival: dict | None = None
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
    for name, spec in task.models.items():
        row = {
            "dataset": dataset.source.name,
            **task.protocol.columns(),
            **task.where,
            "seed": task.recommender_seed(),
            "model": name,
            "family": family_of(load_recommender(spec)),
            "tuned": getattr(load_recommender(spec), "tuned", "never"),
        }
        if cell is None:
            done.rows.append({**row, "status": "failed", "error": reason})
            continue
        try:
            row |= _measure(task, spec, cell, name, done)
        except Exception as error:  # a model may fail in any way; the others go on
            text = " ".join(f"{type(error).__name__}: {error}".split())
            row |= {"status": "failed", "error": text}
            done.failures[name] = traceback.format_exc()
        done.rows.append(row)
    if cell is not None and task.choose_rival:
        done.rival = _best_on_validation_rows(task, cell)
    return done


def _measure(task: CellTask, spec: str, cell: Cell, name: str, done: CellDone) -> dict:
    measured = measure(_build(task, spec), cell, task.protocol.labels)
    done.predictions[name] = measured.predictions
    return {**measured.row, "status": "ok", "error": None}


def _build(task: CellTask, spec: str):  # type: ignore[no-untyped-def]
    protocol = task.protocol
    return build(
        load_recommender(spec),
        seed=task.recommender_seed(),
        labels=protocol.labels,
        loss=protocol.loss,
        **task.options,
    )


def _cell_with_those_there_are(
    task: CellTask, dataset: Dataset, done: CellDone
) -> tuple[Cell | None, str]:
    """The cell, with fewer users where there are not as many; or None and the reason."""
    num_users, reviews = task.where["num_users"], task.where["reviews_per_user"]
    seed = task.protocol.sample_seed(task.seed, task.where["iteration"])
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
    for name, spec in task.models.items():
        if family_of(load_recommender(spec)) == COLLABORATIVE:
            try:
                measured = measure(_build(task, spec), inner, task.protocol.labels)
                rmse[name] = measured.rmse
            except Exception:  # it fails on the test rows too, and says so there
                continue
    if not rmse:
        return None
    return {**task.where, "rmse": rmse, "best": min(rmse, key=lambda name: rmse[name])}
