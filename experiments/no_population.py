"""What one user's ratings are worth by themselves, with nothing learned from anybody else.

Personal recommenders start from an item baseline, shrink to means over all users, and have settings
tuned on other users. Here each user is alone: a recommender is fitted to that user's training
ratings and nothing else, external votes are hidden, and the item baseline is the same three stars
for every movie. What is left of others are the movies' facts (genres, year, language). Each is run
with the settings that its authors published or a textbook would begin with (`untuned`), and with
those tuned on other users' ratings (`tuned`). `predictions.parquet` is kept, so that
`python -m experiments.claims` can compare any two.

    python -m experiments.no_population --dataset FOLDER --user-set test
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from typing import Self

import numpy as np
from rich.console import Console

from recbench.command_line import parse_cells, run
from recbench.contract import Options, Recommender, build, fit_on
from recbench.data.dataset import Dataset
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Encoding, Protocol, UserSet
from recbench.evaluation.significance import significance
from recbench.keys import CELL
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.kernel import Scales
from recbench.models.item_table.table import ItemTable
from recbench.models.item_table.tables import ItemTables
from recbench.ratings import DEFAULT_STARS, Movies, Ratings
from recbench.registry import load_recommender
from recbench.runs.jobs import Job, run_jobs
from recbench.runs.predictions import Predictions
from recbench.runs.resume import open_run, resumed
from recbench.runs.run_folder import write_csv


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    cells: tuple[str, ...] = ("250x10", "250x25", "250x50", "0x0")
    """users x ratings of each; 0: all"""
    iterations: int = 3
    """how often each cell is run"""
    user_set: UserSet = "test"
    """who is tested"""
    encoding: Encoding = "extended"
    """the bits of a movie"""
    seed: int = 0
    """iteration k uses seed + k - 1"""
    output_dir: str = ""
    """the run's folder; default results/<time>-no-population"""
    resume: str = ""
    """the folder of a run that was stopped: go on with it, with its own parameters"""
    accept_changes: bool = False
    """go on with a run although the code or a package has changed since"""


# name -> (recommender, settings); without settings it is as published, or has none
CONTENDERS: dict[str, tuple[str, dict]] = {
    "user_mean": ("user_mean", {}),
    "user_median": ("user_median", {}),
    "always_3": ("always_3", {}),
    "ao": ("ao", {}),
    "torch": ("torch", {}),
    # scikit-learn's default, and no decay
    "ridge_untuned": ("ridge", {"alpha": 1.0, "damping": 0.0, "decay_power": 0.0}),
    "ridge": ("ridge", {}),
    "personal_untuned": ("personal", {}),
    "personal": ("personal", {}),
}
# Every part of the kernel as large as the noise, in place of scales chosen on other users.
UNTUNED = Scales(**{one.name: 1.0 for one in fields(Scales)})
REFERENCE = "user_mean"
console = Console(highlight=False)


class OneUserAtATime(Recommender):
    """Fits a recommender of its own to each user's ratings, as if there were no other user.

    Args:
        make: gives a new recommender.
        scales: of the kernel of an item table that knows no ratings; None: its own.
    """

    def __init__(self, make: Callable[[], Recommender], scales: Scales | None = None) -> None:
        self._make = make
        self._scales = scales

    def fit(self, train: Ratings, movies: Movies) -> Self:
        nobody_knows = ItemBaseline(np.full(len(movies), DEFAULT_STARS))
        table = ItemTable.of_metadata(movies)
        tables = ItemTables.same_for_all(replace(table, scales=self._scales or table.scales))
        self._models = {
            user: fit_on(
                self._make(),
                train.take(train.user == user),
                movies,
                nobody_knows,
                item_tables=tables,
            )
            for user in np.unique(train.user).tolist()
        }
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = np.full(len(user), DEFAULT_STARS, dtype=np.float32)
        for one, model in self._models.items():
            rows = np.flatnonzero(user == one)
            if len(rows):
                stars[rows] = model.predict(user[rows], movie[rows])
        return stars

    def state_bytes(self) -> int:
        return sum(model.state_bytes() or 0 for model in self._models.values())


def main(parameters: Parameters) -> int:
    started = time.perf_counter()
    parameters, earlier = resumed(parameters)
    check_range("--iterations", parameters.iterations, least=1, most=1000)
    check_range("--seed", parameters.seed, least=0)
    sizes = parse_cells(parameters.cells, least_ratings=2)
    protocol = PROTOCOLS["strict"].changed(
        background_users=0,
        user_set=parameters.user_set,
        votes=False,
        item_baseline=False,
        encoding=parameters.encoding,
    )
    dataset = load_dataset(parameters.dataset, protocol.join)
    folder = open_run(parameters, earlier, "no-population", [dataset], protocol=protocol.columns())
    predictions = Predictions(folder.path)

    @lru_cache(1)  # all contenders of a cell come one after another
    def cell_of(num_users: int, reviews: int, seed: int) -> Cell:
        return make_cell(dataset, protocol, num_users, reviews, seed)

    jobs = [
        Job(
            key,
            columns_of(key, dataset, protocol),
            partial(work, key, cell_of, protocol, predictions),
        )
        for iteration in range(1, parameters.iterations + 1)
        for num_users, reviews in sizes
        for key in (
            {
                "num_users": num_users,
                "reviews_per_user": reviews,
                "iteration": iteration,
                "seed": parameters.seed + iteration - 1,
                "model": name,
            }
            for name in CONTENDERS
        )
    ]
    run_jobs(jobs, folder, console)
    losses = predictions.losses()
    predictions.finish()
    rows = folder.finish(list(CONTENDERS), started)
    cells = rows[CELL].drop_duplicates()
    references = cells.assign(reference=REFERENCE, reference_role="named beforehand")
    write_csv(significance(losses, references), folder.path / "significance.csv")
    shown = rows.pivot_table(
        index="model", columns=["num_users", "reviews_per_user"], values="rmse", sort=False
    )
    console.print(shown.to_string(float_format="{:.3f}".format))
    console.print(f"RMSE; comparison.csv is in {folder.path}")
    return int((rows["status"] == "failed").any())


def columns_of(key: dict, dataset: Dataset, protocol: Protocol) -> dict:
    """The columns before the scores."""
    tuned = "never" if key["model"] in ("ao", "torch") else "no settings"
    if key["model"] in ("ridge", "personal"):
        tuned = "on other users"
    return {"dataset": dataset.source.name, **protocol.columns(), **key, "tuned": tuned}


def work(
    key: dict, cell_of: Callable[..., Cell], protocol: Protocol, predictions: Predictions
) -> dict:
    """The scores of one contender in one cell."""
    cell = cell_of(key["num_users"], key["reviews_per_user"], key["seed"])
    name, settings = CONTENDERS[key["model"]]
    options = Options(seed=key["seed"], labels=protocol.labels, loss=protocol.loss)
    cls = load_recommender(name)
    scales = UNTUNED if key["model"] == "personal_untuned" else None
    one_by_one = OneUserAtATime(lambda: build(cls, options, **settings), scales)
    measured = measure(one_by_one, cell, protocol.labels)
    predictions.add(key, measured.predictions)
    return dict(measured.row)


if __name__ == "__main__":
    run(main, Parameters)
