"""Is a rating's part in an explanation what its deletion would change? -> results/<run>/*.csv

`explain_one` says what each remembered rating adds to a prediction in the last step of `wnn_vote`.
But a rating also moves user bias, slope and feature weights. So for ratings drawn at random the
part is compared with the change of the prediction when that rating is forgotten.

    python -m experiments.explanations --dataset FOLDER
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from PerUser.wnn_vote import WnnVote
from recbench.command_line import run
from recbench.data.joining import load_dataset
from recbench.errors import check_range
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.runs.resume import open_run
from recbench.runs.run_folder import write_csv
from recbench.threads import one_thread


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    ratings: int = 3000
    """how many ratings of a user and films asked about to draw"""
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
        table = parts_and_changes(cell, parameters.ratings, parameters.seed)
    agree = np.sign(table["part"]) == np.sign(table["change_if_deleted"])
    summary = {
        "ratings": len(table),
        "same_sign": agree.mean(),
        "correlation": table["part"].corr(table["change_if_deleted"]),
        "mean_size_of_part": table["part"].abs().mean(),
        "mean_size_of_change": table["change_if_deleted"].abs().mean(),
    }
    write_csv(pd.DataFrame([summary]), folder.path / "agreement.csv")
    folder.close(started)
    print(f"same sign in {agree.mean():.3f} of {len(table):,}; in {folder.path}")


def parts_and_changes(cell: Cell, ratings: int, seed: int) -> pd.DataFrame:
    """Of ratings and held-out films of the same user drawn at random: the rating's part in the
    prediction, and by how much the prediction is higher with the rating than without, stars."""
    train, test = cell.personal.train, cell.personal.test
    model = WnnVote().fit(train, cell.movies, cell.item_baseline)
    rng = np.random.default_rng(seed)
    rows = []
    for asked in rng.integers(0, len(test), ratings):
        user, movie = int(test.user[asked]), int(test.movie[asked])
        memory = model.memories[user]
        remembered = int(rng.choice(memory.movie))
        part = sum(
            one.stars
            for one in model.explain_one(user, movie).contributions
            if one.movie == remembered
        )
        before = model.predict_one(user, movie)
        model.memories[user] = memory.without(remembered)
        rows.append((part, before - model.predict_one(user, movie)))
        model.memories[user] = memory
    return pd.DataFrame(rows, columns=["part", "change_if_deleted"])


if __name__ == "__main__":
    run(main, Parameters)
