"""How long do `wnn_vote` and `hybrid` take, beside a model of everybody? -> <folder>/speed.csv

All users of a dataset with all their ratings, the last fifth held out: fitting and predicting, the
crowd's opinion included, and of `wnn_vote` what one more rating costs. Ratios are against
`bayes_fm` in the same run, which has to be fitted anew for one more rating.

    python benchmarks/personal_model_speed.py --dataset FOLDER
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

import numpy as np
import pandas as pd

from PerUser.wnn_vote import WnnVote
from recbench.command_line import run
from recbench.data.joining import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.recommender import load_recommender
from recbench.runs.resume import about_dataset
from recbench.runs.run_folder import RunFolder, write_csv


@dataclass
class Parameters:
    """Edit them here, or give them as flags."""

    dataset: str = "auto"
    """as in compare_all.py"""
    models: tuple[str, ...] = ("bayes_fm", "hybrid", "ridge", "wnn_vote")
    """names of recommenders; the first is what the others are compared with"""
    repeats: int = 3
    """of fitting and predicting; the fastest counts"""
    events: int = 2000
    """how many held-out ratings are asked for, explained, learned and forgotten one by one"""
    output_dir: str = "results/personal-model-speed"
    """where speed.csv goes"""


EXTENDED = PROTOCOLS["strict"].changed(encoding="extended")


def main(parameters: Parameters) -> None:
    if parameters.repeats < 1 or parameters.events < 1 or not parameters.models:
        raise InputError("--repeats and --events must be 1 or more, and --models needs a name")
    started = time.perf_counter()
    classes = {name: load_recommender(name) for name in parameters.models}
    dataset = load_dataset(parameters.dataset)
    cell = make_cell(dataset, EXTENDED, 0, 0)
    about = {"parameters": asdict(parameters), "dataset": about_dataset(dataset)}
    folder = RunFolder.create(Path(parameters.output_dir), about)
    rows = []
    for name, cls in classes.items():
        seconds = min(whole(cls, cell) for _ in range(parameters.repeats))
        rows.append({"what": f"{name}: fit and predict", "unit": "s", "median": seconds})
    first = rows[0]["median"]
    for row in rows:
        row["times_faster"] = first / row["median"]
    rows += one_by_one(cell, parameters.events, first)
    table = pd.DataFrame(rows)[["what", "unit", "median", "p99", "times_faster"]]
    write_csv(table, folder.path / "speed.csv")
    folder.close(started)
    counts = f"{cell.n_users} users, {len(cell.personal.train)} ratings to learn, "
    print(
        f"{counts}{len(cell.personal.test)} to predict; times_faster: than {parameters.models[0]}"
    )
    print(table.to_string(index=False))


def whole(cls: type, cell: Cell) -> float:
    """Seconds to fit and predict, from movies that nobody has been asked about."""
    split = cell.split_for(getattr(cls, "learns_from_others", False))
    movies = replace(cell.movies, crowd_opinion=None)
    started = time.perf_counter()
    cls().fit(split.train, movies).predict(split.test.user, split.test.movie)
    return time.perf_counter() - started


def one_by_one(cell: Cell, events: int, anew: float) -> list[dict]:
    """What each step of `wnn_vote` takes, in microseconds, against a fit of `anew` seconds."""
    model = WnnVote().fit(cell.personal.train, cell.movies)
    test = cell.personal.test
    chosen = test.take(np.random.default_rng(0).permutation(len(test))[:events])
    ratings = list(zip(chosen.user.tolist(), chosen.movie.tolist(), chosen.stars, strict=True))
    steps: dict[str, Callable[[int, int, float], object]] = {
        "ask": lambda user, movie, _: model.predict_one(user, movie),
        "explain": lambda user, movie, _: model.explain_one(user, movie),
        "learn": model.learn_one,
        "forget": lambda user, movie, _: model.forget_one(user, movie),
    }
    rows = []
    for name, step in steps.items():
        microseconds = []
        for rating in ratings:
            started = time.perf_counter()
            step(*rating)
            microseconds.append(1e6 * (time.perf_counter() - started))
        median, p99 = np.quantile(microseconds, [0.5, 0.99])
        row = {"what": f"wnn_vote: {name} one", "unit": "µs", "median": median, "p99": p99}
        rows.append(row | ({"times_faster": 1e6 * anew / median} if name == "learn" else {}))
    return rows


if __name__ == "__main__":
    run(main, Parameters)
