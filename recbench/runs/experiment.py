"""One recommender on one cell: what `python PerUser/perUser.py` and its like do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recbench.data.joining import load_dataset
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.metrics import Row
from recbench.evaluation.protocols import PROTOCOLS
from recbench.recommender import Options, build


@dataclass
class Experiment:
    """Parameters of one experiment; each is a flag too."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder or zip file"""
    num_users: int = 100
    """how many users to draw; 0: all"""
    reviews_per_user: int = 25
    """how many ratings of each; 0: all they have"""
    split: float = 0.8
    """the part of the ratings to train on"""
    protocol: Literal["strict", "published"] = "strict"
    """see the README"""
    seed: int = 0
    """of the sample, the split and the recommender"""


def run_experiment(cls: type, parameters: Experiment, wnn_engine: str = "weightless") -> Row:
    """Draw, split, fit, predict, score.

    Args:
        cls: the recommender, built with the seed, the protocol's labels and loss, and the engine.

    Returns:
        Scores, times and sizes by column name.

    Raises:
        InputError: a parameter or a file is wrong.
    """
    protocol = PROTOCOLS[parameters.protocol].changed(split=parameters.split, encoding="published")
    cell = make_cell(
        load_dataset(parameters.dataset, protocol.join),
        protocol,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.seed,
    )
    options = Options(parameters.seed, protocol.labels, protocol.loss, wnn_engine)
    return measure(build(cls, options), cell, protocol.labels).row


def print_scores(row: Row) -> None:
    """The columns of a result, one a line."""
    for column, value in row.items():
        if value is not None:
            print(
                f"{column:>16}  {value:,.4f}"
                if isinstance(value, float)
                else f"{column:>16}  {value:,}"
            )
