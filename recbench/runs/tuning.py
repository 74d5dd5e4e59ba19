"""Fair tuning: the same number of trials for each recommender, and no test ratings.

The class attribute `search_space` of a recommender has, for each setting of its constructor, (low,
high, "log" | "linear" | "int") or a tuple of choices. The first trial uses the defaults, the others
are proposed by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for
hyper-parameter optimization"), seeded.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from recbench.contract import Recommender
from recbench.data.dataset import Dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.metrics import ROUNDING_STARS
from recbench.evaluation.protocols import Protocol

KINDS = ("log", "linear", "int")
DIGITS = 2  # significant digits of a proposed value; more would be noise

Settings = dict[str, object]
Columns = dict[str, object]


# --- where settings are tried ------------------------------------------------------------------


@dataclass(frozen=True)
class TuningCell:
    """A cell with validation rows, cut from its training rows, in place of its test rows.

    Attributes:
        name: "ml-100k_250x25_extended": the data, users × ratings of each and the encoding.
        cell: the cell; the test rows are in neither of its parts.
        reference_rmse: RMSE of a recommender without settings, in stars; errors in this cell are
            divided by it, so that cells have equal weight.
    """

    name: str
    cell: Cell
    reference_rmse: float


def tuning_cell(
    dataset: Dataset,
    protocol: Protocol,
    num_users: int,
    reviews_per_user: int,
    reference: type[Recommender],
    seed: int,
    model_seed: int,
) -> TuningCell:
    """Draw users and hold out a part of their *training* rows by the protocol's own holdout.

    Raises:
        ValueError: the protocol draws users outside the development set.
        InputError: there are too few users, or all their ratings are equal.
    """
    if protocol.user_set != "development":
        raise ValueError(f"tuning is for development users, not for user_set={protocol.user_set}")
    cell = make_cell(dataset, protocol, num_users, reviews_per_user, seed)
    cell = replace(validation_cell(cell, protocol, seed), model_seed=model_seed)
    size = f"{num_users or 'all'}x{reviews_per_user or 'all'}"
    name = f"{dataset.source.name}_{size}_{protocol.encoding}"
    rmse = measure(reference, cell).row["rmse"]
    if rmse < ROUNDING_STARS:
        raise InputError(f"{name}: all predictions are exact, so there is nothing to tune")
    return TuningCell(name, cell, rmse)


def relative_rmse(cls: type[Recommender], settings: Settings, cells: list[TuningCell]) -> Columns:
    """`relative_rmse`, to be minimised: the mean over cells of RMSE / RMSE of the reference;
    `rmse_<cell>` of each cell, in stars; and `seconds`."""
    started, errors = time.perf_counter(), []
    for one in cells:
        errors.append(measure(partial(one.cell.new, cls, **settings), one.cell).row["rmse"])
        one.cell.fits.clear()  # fitted models may take gigabytes
    relative = [error / one.reference_rmse for error, one in zip(errors, cells, strict=True)]
    each = {f"rmse_{one.name}": error for one, error in zip(cells, errors, strict=True)}
    seconds = time.perf_counter() - started
    return {"relative_rmse": float(np.mean(relative)), **each, "seconds": seconds}


# --- which settings are tried ------------------------------------------------------------------


def trials(
    space: dict[str, tuple],
    defaults: Settings,
    number: int,
    seed: int,
    evaluate: Callable[[Settings], Columns],
    earlier: dict[int, Columns] | None = None,
) -> Iterator[Columns]:
    """Try `number` settings, the defaults first; one row each, `trial` counting from 0.

    Args:
        seed: of the proposals.
        evaluate: the columns of a trial, `relative_rmse` and `status` among them. A trial with a
            status other than "ok" counts, too, so that no recommender gets more.
        earlier: rows of an interrupted run by trial; they are not evaluated again.

    Raises:
        InputError: an earlier row was made with other settings than are proposed now.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial(defaults)
    for place in range(number):
        trial = study.ask()
        proposed = {name: _propose(trial, name, values) for name, values in space.items()}
        settings = defaults if place == 0 else proposed
        row = (earlier or {}).get(place)
        if row is None:
            row = {"trial": place, "settings": json.dumps(settings), **evaluate(settings)}
        elif json.loads(str(row["settings"])) != settings:
            raise InputError(
                f"trial {place} was {row['settings']}, but now {json.dumps(settings)} is proposed: "
                "the search space, a default or Optuna has changed. Start a new run"
            )
        if row["status"] == "ok":
            study.tell(trial, row["relative_rmse"])  # type: ignore[arg-type]
        else:
            study.tell(trial, state=TrialState.FAIL)
        yield row


def _propose(trial: Trial, name: str, values: tuple) -> object:
    if values[-1] not in KINDS:
        return trial.suggest_categorical(name, values)
    low, high, kind = values
    if kind == "int":
        return trial.suggest_int(name, low, high)
    return float(f"{trial.suggest_float(name, low, high, log=kind == 'log'):.{DIGITS}g}")
