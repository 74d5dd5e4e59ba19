"""Are the reasons of `personal` true? -> results/<run>/agreement.csv

`explain_one` gives two numbers for each remembered rating: its share in the prediction, of its
stars and of having been watched, and by how much the prediction would change without it. For
ratings drawn at random both are compared with the change when that rating is really forgotten.

    python -m experiments.explanations --dataset FOLDER
"""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.common import Flags, training_of
from PerUser.personal import Personal
from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.files import write_csv
from recbench.runs.resume import open_run
from recbench.threads import one_thread

SUMS = 1e-9  # stars


@dataclass
class Parameters(Flags):
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    ratings: int = 3000
    """how many pairs of a rating and a prediction for its user to draw"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--ratings", parameters.ratings, least=1)
    check_range("--seed", parameters.seed, least=0)
    protocol = PROTOCOLS["strict"].changed(user_set="development", encoding="extended")
    dataset = load_dataset(parameters.dataset)
    folder = open_run(parameters, None, "explanations", [dataset], protocol=protocol.columns())
    cell = make_cell(dataset, protocol, 0, 0, parameters.seed)
    with one_thread():  # the products are small
        table = shares_and_changes(cell, parameters.ratings, parameters.seed)
    real = table["change"]
    rows = [
        {
            "compared": column,
            "ratings": len(table),
            "same_sign": (np.sign(table[column]) == np.sign(real)).mean(),
            "rank_correlation": table[column].corr(real, method="spearman"),
            "mean_difference": (table[column] - real).abs().mean(),
            "mean_change": real.abs().mean(),
            "sums": table["sums"].mean(),
        }
        for column in ("share", "if_forgotten")
    ]
    write_csv(pd.DataFrame(rows), folder.path / "agreement.csv")
    folder.close(started)
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4f}".format))
    print(f"in {folder.path}")


def shares_and_changes(cell: Cell, ratings: int, seed: int) -> pd.DataFrame:
    """For ratings and held-out movies of the same user drawn at random, in stars: the rating's
    `share` in the prediction; `if_forgotten` as what the rating adds; the `change`, by which the
    prediction (before it is cut to the scale) really is higher with it than without; and whether
    the explanation `sums` to the prediction."""
    test = cell.personal.test
    model = Personal().fit(training_of(cell, cell.personal.train))
    rng = np.random.default_rng(seed)
    rows = []
    for row in rng.integers(0, len(test), ratings):
        user, movie, pair = int(test.user[row]), int(test.movie[row]), slice(row, row + 1)
        explanation = model.explain_one(user, movie)
        sums = abs(explanation.stars - model.predict_one(user, movie)) < SUMS
        parts = explanation.contributions
        of_stars = [one for one in parts if one.if_forgotten is not None]
        chosen = of_stars[int(rng.integers(len(of_stars)))]
        assert chosen.movie is not None
        assert chosen.if_forgotten is not None
        share = sum(one.stars for one in parts if one.movie == chosen.movie)
        memory = deepcopy(model.memories[user])
        before = float(model.predict_normal(test.user[pair], test.movie[pair])[0][0])
        model.forget_one(user, chosen.movie)
        after = float(model.predict_normal(test.user[pair], test.movie[pair])[0][0])
        model.memories[user] = memory
        rows.append((share, -chosen.if_forgotten, before - after, sums))
    return pd.DataFrame(rows, columns=["share", "if_forgotten", "change", "sums"])


if __name__ == "__main__":
    run(main, Parameters)
