"""Are the reasons of `personal` what they say? -> results/<run>/*.csv

`explain_one` gives two numbers for each remembered rating: its share in the prediction, and by how
much the prediction would change without it. For ratings drawn at random both are compared with what
happens when that rating is really forgotten.

    python -m experiments.explanations --dataset FOLDER
"""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd

from PerUser.personal import Personal
from recbench.command_line import run
from recbench.data.loading import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv
from recbench.threads import one_thread

SUMS = 1e-9  # stars


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    ratings: int = 3000
    """how many ratings of a user and movies asked about to draw"""
    seed: int = 0
    """of the draws"""
    output_dir: str = ""
    """the run's folder; default results/<time>-explanations"""


def main(parameters: Parameters) -> None:
    started = time.perf_counter()
    check_range("--ratings", parameters.ratings, least=1)
    check_range("--seed", parameters.seed, least=0)
    protocol = PROTOCOLS["strict"].changed(user_set="development", encoding="extended")
    dataset = load_dataset(parameters.dataset)
    folder = open_run(parameters, None, "explanations", [dataset], protocol=protocol.columns())
    cell = make_cell(dataset, protocol, 0, 0, parameters.seed)
    with one_thread():  # the products are small
        table, exact = shares_and_changes(cell, parameters.ratings, parameters.seed)
    real = table["change"]
    rows = [
        {
            "compared": column,
            "ratings": len(table),
            "same_sign": (np.sign(table[column]) == np.sign(real)).mean(),
            "rank_correlation": table[column].corr(real, method="spearman"),
            "mean_difference": (table[column] - real).abs().mean(),
            "mean_change": real.abs().mean(),
            "sums": exact.mean() if column == "share" else None,
        }
        for column in ("share", "if_forgotten")
    ]
    write_csv(pd.DataFrame(rows), folder.path / "agreement.csv")
    folder.close(started)
    for row in rows:
        print(f"{row['compared']}: same sign in {row['same_sign']:.4f} of {len(table):,}")
    print(f"in {folder.path}")


def shares_and_changes(cell: Cell, ratings: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Of ratings and held-out movies of the same user drawn at random: the rating's share in the
    prediction, what is said of its deletion, both as what the rating adds, and by how much the
    prediction is really higher with it than without, stars. And whether each explanation summed to
    the prediction, bool [ratings]."""
    train, test = cell.personal.train, cell.personal.test
    model = Personal().fit(train, cell.movies, cell.personal_tables)
    rng = np.random.default_rng(seed)
    rows, exact = [], []
    for asked in rng.integers(0, len(test), ratings):
        user, movie = int(test.user[asked]), int(test.movie[asked])
        explanation = model.explain_one(user, movie)
        before = explained_mean(model, user, movie)
        exact.append(abs(explanation.stars - model.predict_one(user, movie)) < SUMS)
        of_ratings = [one for one in explanation.contributions if one.movie is not None]
        chosen = of_ratings[int(rng.integers(len(of_ratings)))]
        assert chosen.movie is not None
        assert chosen.if_forgotten is not None
        kept = deepcopy(model.memories[user])
        model.forget_one(user, chosen.movie)
        change = before - explained_mean(model, user, movie)
        model.memories[user] = kept
        rows.append((chosen.stars, -chosen.if_forgotten, change))
    return pd.DataFrame(rows, columns=["share", "if_forgotten", "change"]), np.array(exact)


def explained_mean(model: Personal, user: int, movie: int) -> float:
    """The prediction before it is cut off at the ends of the scale."""
    return float(model.predict_normal(np.array([user]), np.array([movie]))[0][0])


if __name__ == "__main__":
    run(main, Parameters)
