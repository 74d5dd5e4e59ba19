"""One recommender on one cell: what `python PerUser/perUser.py` and its like do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluation.cells import make_cell
from evaluation.measure import Row, measure
from evaluation.protocols import PROTOCOLS
from preparation.joining import load_dataset
from recommender import Recommender, build


@dataclass
class Experiment:
    """Parameters of one experiment; each is a flag too."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder of Kaggle's files"""
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


def run_experiment(cls: type[Recommender], parameters: Experiment, **options: object) -> Row:
    """Draw, split, fit, predict, score.

    Args:
        cls: built with the seed, labels and loss of the protocol and with `options`.

    Returns:
        Scores, times and sizes by column name.

    Raises:
        InputError: a parameter or a file is wrong.
    """
    protocol = PROTOCOLS[parameters.protocol].changed(split=parameters.split)
    cell = make_cell(
        load_dataset(parameters.dataset, protocol.join),
        protocol,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.seed,
    )
    recommender = build(
        cls, seed=parameters.seed, labels=protocol.labels, loss=protocol.loss, **options
    )
    return measure(recommender, cell, protocol.labels).row


def print_scores(row: Row) -> None:
    """The columns of a result, one a line."""
    for column, value in row.items():
        if value is not None:
            print(
                f"{column:>16}  {value:,.4f}"
                if isinstance(value, float)
                else f"{column:>16}  {value:,}"
            )
