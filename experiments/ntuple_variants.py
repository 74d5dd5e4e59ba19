"""What `ntuple` makes of bits, codes and factors, and how its size matters.

On development users. The item table of a cell is made once; tuples are drawn several times. λ goes
with n, for the more bits a tuple has, the fewer tuples fire.

    python -m experiments.ntuple_variants --datasets FOLDER ml-100k
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from experiments.common import Flags, Job, cells_of, grid, run_experiment
from PerUser.ntuple import ImplicitMean, NTuple
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.contract import Recommender, Training
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import Cell
from recbench.evaluation.metrics import rmse
from recbench.evaluation.protocols import PROTOCOLS
from recbench.runs.run_folder import RunFolder
from recbench.threads import one_thread

BITS_OF_TUPLE = (4, 5, 6, 7, 8, 10, 12)
TUPLES = (32, 128, 256, 512)
CODE_BITS = (64, 128, 512)
WEIGHT, WEIGHT_FALLS = 0.4, 0.7  # λ of seven bits, and for each further bit so many times that


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    datasets: tuple[str, ...] = ("auto",)
    """each as in compare_all.py"""
    cells: tuple[str, ...] = ("200x0",)
    """users x ratings of each; 0: all"""
    iterations: int = 3
    """samples of users"""
    draws: int = 3
    """of tuples, in each sample"""


Make = Callable[[], Recommender]


def of_size(n: int, tuples: int = 256) -> NTuple:
    return NTuple(n=n, tuples=tuples, weight=round(WEIGHT * WEIGHT_FALLS ** (n - 7), 3))


def variants(encoding: str) -> dict[str, Make]:
    """By name; `personal` is what the others are compared with."""
    if encoding == "published":
        return {"published bits": partial(NTuple, reads="bits")}
    found: dict[str, Make] = {
        "personal": Personal,
        "no counters": ImplicitMean,
        "extended bits": partial(NTuple, reads="bits"),
        "factors": partial(NTuple, reads="factors"),
    }
    for bits in CODE_BITS:
        found[f"codes of {bits} bits"] = partial(NTuple, reads="codes", code_bits=bits)
    for n in BITS_OF_TUPLE:
        for tuples in TUPLES:
            found[f"n {n}, T {tuples}"] = partial(of_size, n, tuples)
    return found


def main(parameters: Parameters) -> int:
    keys = grid(parameters.cells, parameters.iterations, parameters.seed, least_ratings=5)
    protocol = PROTOCOLS["strict"].changed(user_set="development", background_users="all")
    datasets = [load_dataset(name, protocol.join) for name in parameters.datasets]
    jobs = []
    for dataset in datasets:
        for encoding in ("extended", "published"):
            cell_of = cells_of(dataset, protocol.changed(encoding=encoding))
            for cell_key in keys:
                for name, make in variants(encoding).items():
                    for draw in range(parameters.draws if is_drawn(name) else 1):
                        key: dict[str, Any] = {"dataset": dataset.source.name, **cell_key}
                        key |= {"model": name, "draw": draw}
                        doing = partial(work, make, draw, partial(cell_of, **cell_key))
                        jobs.append(Job(key, key, doing))
    described = protocol.columns()
    return run_experiment(
        parameters, "ntuple-variants", datasets, lambda _: jobs, tables, protocol=described
    )


def is_drawn(name: str) -> bool:
    """More than once: codes take seconds to choose, the others are not drawn."""
    return name.startswith("n ") or name in ("factors", "extended bits", "published bits")


def work(make: Make, draw: int, cell_of: Callable[[], Cell]) -> dict:
    cell = cell_of()
    test, tables = cell.personal.test, cell.personal_tables
    training = Training(
        cell.personal.train, cell.movies, seed=draw, fits={"item_tables": lambda: tables}
    )
    with one_thread():
        predicted = make().fit(training).predict(test.user, test.movie)
    return {"n_users": cell.n_users, "rmse": rmse(test.stars, predicted, test.user)}


def tables(rows: pd.DataFrame, _: RunFolder) -> dict[str, pd.DataFrame]:
    """RMSE over that of `personal` in the same sample, in percent, the mean over datasets: by n and
    T. And RMSE, the mean over samples and draws, for each dataset."""
    sample = ["dataset", "num_users", "reviews_per_user", "iteration"]
    whole = rows[rows["model"] == "personal"].set_index(sample)["rmse"]
    own = rows.set_index(sample)["rmse"]
    rows = rows.assign(percent=100 * (own / whole.reindex(own.index) - 1).to_numpy())
    of_model = rows.pivot_table(index="model", columns="dataset", values="rmse", sort=False)
    by_dataset = rows.groupby(["model", "dataset"], sort=False)["percent"].mean()
    of_model["percent"] = by_dataset.groupby("model").mean()
    sized = of_model["percent"].filter(regex="^n ")
    n, tuples = sized.index.str.extract(r"n (\d+), T (\d+)").astype(int).to_numpy().T
    by_size = pd.DataFrame({"n": n, "T": tuples, "percent": sized.to_numpy()})
    size = by_size.pivot_table(index="n", columns="T", values="percent")
    size.columns = [f"T {column}" for column in size.columns]
    return {"size.csv": size.reset_index(), "summary.csv": of_model.reset_index()}


if __name__ == "__main__":
    run(main, Parameters)
