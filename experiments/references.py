"""Tune the references that learn from all users -> fits.csv, chosen.csv

Only training ratings of development users are used: a part of them is held out by the protocol's
own holdout, and recommenders learn from the rest and from all other development users. Each
reference has at most twelve configurations: ranks, without and with the drift of a user's latest
errors (`_recent`), `bayes_fm_implicit` also without and with bins of days. For a sampler, one fit
gives the error after 16, 32, 64 … sweeps. `chosen.csv` has the best configuration of each,
including the number of sweeps (`best_rank`, `best_sweeps`).

    python -m experiments.references --dataset ml-100k --cell 0x0 --holdout last
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from experiments.common import Flags, Job, run_experiment
from recbench.command_line import parse_cells, run
from recbench.contract import time_for
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import Cell, make_cell, validation_cell
from recbench.evaluation.metrics import rmse
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.factorization import BURN_IN
from recbench.ratings import MAX_STARS, MIN_STARS
from recbench.registry import load_recommender
from recbench.runs.run_folder import RunFolder

FIRST_SWEEPS = 16  # then twice as many, and so on


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = (
        *("vb_all", "vb_all_recent", "bayes_fm", "bayes_fm_recent"),
        *("bayes_fm_implicit", "bayes_fm_implicit_recent"),
    )
    """which references; one with drift needs the one without"""
    cell: str = "0x0"
    """users x ratings of each; 0: all"""
    holdout: Literal["last", "global-time"] = "last"
    """how validation ratings are cut from the training ratings"""
    ranks: tuple[int, ...] = (8, 16, 32, 64)
    """ranks of bayes_fm"""
    implicit_ranks: tuple[int, ...] = (4, 8, 16, 32)
    """ranks of bayes_fm_implicit, whose sweeps take twice as long"""
    vb_ranks: tuple[int, ...] = (8, 14, 24, 40, 64)
    """ranks of vb_all"""
    sweeps: int = 512
    """sweeps of bayes_fm"""
    implicit_sweeps: int = 256
    """sweeps of bayes_fm_implicit"""
    days: tuple[int, ...] = (7,)
    """days in a time bin of bayes_fm_implicit"""


def main(parameters: Parameters) -> int:
    dataset = load_dataset(parameters.dataset)
    protocol = PROTOCOLS["strict"].changed(
        user_set="development",
        background_users="all",
        encoding="extended",
        holdout=parameters.holdout,
    )
    (size,) = parse_cells((parameters.cell,), 3)
    cell = make_cell(dataset, protocol, *size, parameters.seed)
    cell = validation_cell(cell, protocol, parameters.seed)
    warm = np.isin(cell.personal.test.user, np.unique(cell.personal.train.user))
    about = {"dataset": dataset.source.name, "holdout": parameters.holdout, "cell": parameters.cell}

    def jobs(folder: RunFolder) -> Iterator[Job]:
        for name, settings in configurations(parameters):
            if name not in parameters.models:
                continue
            key = {"model": name, **settings}
            work = partial(scored, cell, name, settings, warm, folder)
            yield Job(key, {**about, **key}, work)

    return run_experiment(
        parameters, "references", [dataset], jobs, lambda rows, _: best_of(rows), "fits.csv"
    )


def configurations(parameters: Parameters) -> Iterator[tuple[str, dict[str, int]]]:
    """Names and settings. Rank 0 stands for the rank that was best without time or drift."""

    def settings(rank: int, sweeps: int, days: int = -1) -> dict[str, int]:
        return {"rank": rank, "samples": sweeps, "days": days}

    sweeps, implicit_sweeps = parameters.sweeps, parameters.implicit_sweeps
    for rank in (*parameters.vb_ranks, 0):
        yield "vb_all" if rank else "vb_all_recent", settings(rank, -1)
    for rank in (*parameters.ranks, 0):
        yield "bayes_fm" if rank else "bayes_fm_recent", settings(rank, sweeps)
    for rank in (*parameters.implicit_ranks, 0):
        name = "bayes_fm_implicit" if rank else "bayes_fm_implicit_recent"
        yield name, settings(rank, implicit_sweeps, 0)
    for days in parameters.days:
        yield "bayes_fm_implicit", settings(0, implicit_sweeps, days)


def scored(
    cell: Cell, name: str, settings: dict[str, int], warm: np.ndarray, folder: RunFolder
) -> dict[str, Any]:
    """RMSE of all and of warm users, the curve over sweeps as "16:0.9012 32:…", seconds."""
    base = name.removesuffix("_recent")
    kept = {key: value for key, value in settings.items() if value >= 0}
    if not settings["rank"]:
        before = [row for row in folder.rows if row["model"] == base and row["status"] == "ok"]
        kept["rank"] = int(min(before, key=lambda row: row["rmse"])["best_rank"])
    if base == "bayes_fm_implicit":
        kept["rank_of_many"] = 0
    fitted = cell.fit(cell.new(load_recommender(base), **kept))
    test, model = cell.collaborative.test, fitted.recommender
    curve = dict[int, float]()
    if base != name:
        cell.fits[base] = fitted
        fitted = cell.fit(cell.new(load_recommender(name)))
        model = fitted.recommender
        cell.fits.clear()
    elif base.startswith("bayes_fm"):
        curve = by_sweeps(model, test)
    stars = model.predict(test.user, test.movie, **time_for(model, test.time))
    return {
        "best_rank": kept["rank"],
        "rmse": rmse(test.stars, stars, test.user),
        "rmse_warm": rmse(test.stars[warm], stars[warm], test.user[warm]),
        "warm_users": len(np.unique(test.user[warm])),
        "curve": " ".join(f"{sweeps}:{error:.5f}" for sweeps, error in curve.items()),
        "seconds": fitted.seconds,
    }


def by_sweeps(model: Any, test: Any) -> dict[int, float]:
    """Error of the mean over the sweeps so far, at 16, 32, 64 … of them."""
    design = model._design(test.user, test.movie, test.time)
    samples = model._model._model.predictor_.samples
    total, errors, at = np.zeros(len(test)), dict[int, float](), FIRST_SWEEPS
    for number, sample in enumerate(samples, start=1):
        total += sample.predict_score(design.columns, design.blocks)
        if number + BURN_IN == at or number == len(samples):
            stars = (model._model.mean + total / number).clip(MIN_STARS, MAX_STARS)
            errors[number + BURN_IN] = rmse(test.stars, stars.astype(np.float32), test.user)
            at *= 2
    return errors


def best_of(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """chosen.csv: for each model, the fit and number of sweeps with the lowest error."""
    best = [min(_curve_of(row)) for row in rows.itertuples()]
    rows = rows.assign(
        best_sweeps=[sweeps for _, sweeps in best], best_rmse=[error for error, _ in best]
    )
    return {"chosen.csv": rows.loc[rows.groupby("model", sort=False)["best_rmse"].idxmin()]}


def _curve_of(row: Any) -> list[tuple[float, int]]:
    """Error and number of sweeps of each point of the curve; without a curve, of the end only."""
    if not row.curve or pd.isna(row.curve):
        return [(row.rmse, row.samples)]
    points = (point.split(":") for point in row.curve.split())
    return [(float(error), int(sweeps)) for sweeps, error in points]


if __name__ == "__main__":
    run(main, Parameters)
