"""How well one user's ratings alone predict, with nothing learned from other users.

Personal recommenders start from an item baseline, shrink to means over all users, and have settings
tuned on other users. Here a recommender is fitted only to one user's training ratings, external
votes are hidden, and the item baseline is three stars for every movie. The only other information
is movie metadata (genres, year, language). Each recommender runs with published or textbook
settings (`untuned`), and with those tuned on other users' ratings (`tuned`). `predictions.parquet`
is kept, so that `python -m experiments.claims` can compare any two.

    python -m experiments.no_population --dataset FOLDER --user-set test
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from experiments.common import Flags, Job, cells_of, grid, run_experiment
from recbench.command_line import run
from recbench.contract import Recommender, Training, fit
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import Cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS, Encoding, UserSet
from recbench.evaluation.significance import significance
from recbench.files import CELL
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.scales import Scales
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import DEFAULT_STARS
from recbench.registry import load_recommender
from recbench.runs.predictions import Predictions
from recbench.runs.run_folder import RunFolder


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    cells: tuple[str, ...] = ("250x10", "250x25", "250x50", "0x0")
    """users x ratings of each; 0: all"""
    iterations: int = 3
    """how often each cell is run"""
    user_set: UserSet = "test"
    """set of users to test"""
    encoding: Encoding = "extended"
    """the bits of a movie"""


# name -> (recommender, settings, how these were tuned)
BY_DEFAULT = {"alpha": 1.0, "damping": 0.0, "decay_power": 0.0}  # scikit-learn's, and no decay
CONTENDERS: dict[str, tuple[str, dict, str]] = {
    **{name: (name, {}, "no settings") for name in ("user_mean", "user_median", "always_3")},
    **{name: (name, {}, "never") for name in ("ao", "torch")},
    "ridge_untuned": ("ridge", BY_DEFAULT, "no settings"),
    "ridge": ("ridge", {}, "on other users"),
    "personal_untuned": ("personal", {}, "no settings"),
    "personal": ("personal", {}, "on other users"),
}
# Every part of the kernel is as large as the noise, instead of scales chosen on other users.
UNTUNED = Scales(**{one.name: 1.0 for one in fields(Scales)})
REFERENCE = "user_mean"


class OneUserAtATime(Recommender):
    """Fits a separate recommender to each user's ratings, as if there were no other user.

    Args:
        make: returns a new recommender.
        scales: kernel scales of an item table made without ratings; None: its defaults.
    """

    def __init__(self, make: Callable[[], Any], scales: Scales | None = None) -> None:
        self._make = make
        self._scales = scales

    def fit(self, training: Training) -> Self:
        movies, train = training.movies, training.ratings
        baseline = ItemBaseline(np.full(len(movies), DEFAULT_STARS))
        table = ItemTable.of_metadata(movies)
        tables = ItemTables.same_for_all(replace(table, scales=self._scales or table.scales))
        fits = {"item_baseline": lambda: baseline, "item_tables": lambda: tables}
        self._models = {}
        for user in np.unique(train.user).tolist():
            own = train.take(train.user == user)
            model = self._models[user] = self._make()
            fit(model, replace(training, ratings=own, everyone=None, fits=fits))
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        stars = np.full(len(user), DEFAULT_STARS, dtype=np.float32)
        for one, model in self._models.items():
            rows = np.flatnonzero(user == one)
            stars[rows] = model.predict(user[rows], movie[rows])
        return stars


def main(parameters: Parameters) -> int:
    keys = grid(parameters.cells, parameters.iterations, parameters.seed)
    protocol = PROTOCOLS["strict"].changed(
        background_users=0,
        user_set=parameters.user_set,
        votes=False,
        item_baseline=False,
        encoding=parameters.encoding,
    )
    dataset, described = load_dataset(parameters.dataset, protocol.join), protocol.columns()
    cell_of = cells_of(dataset, protocol)

    def jobs(folder: RunFolder) -> Iterator[Job]:
        predictions = Predictions(folder.path)
        for cell_key in keys:
            for name, (_, _, tuned) in CONTENDERS.items():
                key: dict[str, Any] = {**cell_key, "model": name}
                columns = {"dataset": dataset.source.name, **described, **key, "tuned": tuned}
                yield Job(key, columns, partial(work, key, cell_of, predictions))

    return run_experiment(parameters, "no-population", [dataset], jobs, tables, protocol=described)


def tables(rows: pd.DataFrame, folder: RunFolder) -> dict[str, pd.DataFrame]:
    predictions = Predictions(folder.path)
    losses = predictions.losses()
    predictions.finish()
    cells = rows[CELL].drop_duplicates()
    references = cells.assign(reference=REFERENCE, reference_role="named in advance")
    return {"significance.csv": significance(losses, references)}


def work(key: dict[str, Any], cell_of: Callable[..., Cell], predictions: Predictions) -> dict:
    """The scores of one contender in one cell."""
    name, settings, _ = CONTENDERS[key["model"]]
    make = partial(load_recommender(name), **settings)
    scales = UNTUNED if key["model"] == "personal_untuned" else None
    measured = measure(lambda: OneUserAtATime(make, scales), cell_of(**key))
    predictions.add(key, measured.predictions)
    return dict(measured.row)


if __name__ == "__main__":
    run(main, Parameters)
