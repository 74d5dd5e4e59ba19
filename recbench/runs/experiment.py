"""One recommender on one cell: what `python PerUser/perUser.py` and its like do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from recbench.command_line import RATINGS
from recbench.evaluation.protocols import NAMED, PROTOCOLS, Protocol

if TYPE_CHECKING:
    from recbench.evaluation.metrics import Row


@dataclass
class Experiment:
    """Parameters of one experiment; each is a flag too."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder or zip file"""
    num_users: int = 100
    """how many users to draw; 0: all"""
    reviews_per_user: Annotated[int, RATINGS] = 25
    """how many ratings of each; 0: all they have"""
    split: float = 0.8
    """the part of the ratings to train on"""
    protocol: Literal["strict", "published"] = "strict"
    """strict: ratings find their movies through links, TMDB's votes are halved to 0 .. 5, each
    user's last ratings in time are held out, half stars are kept, losses are on logits, and
    collaborative models learn from 2,000 other users as well. published: movieId is taken for the
    TMDB id, votes are read as they are, ratings at random are held out (for collaborative models
    other ones), half stars are cut off, the sigmoid is applied twice, and nobody else is there"""
    seed: int = 0
    """of the sample, the split and the recommender"""


def protocol_of(parameters: Experiment) -> Protocol:
    """The protocol, on the published bits of a movie."""
    return PROTOCOLS[parameters.protocol].changed(split=parameters.split, encoding="published")


def protocol_line(parameters: Experiment) -> str:
    """The choices of the protocol, in a line."""
    protocol = protocol_of(parameters)
    choices = ", ".join(f"{name} {getattr(protocol, name)}" for name in NAMED)
    return f"protocol {protocol.name} ({choices}), encoding {protocol.encoding}"


def run_experiment(
    cls: type, parameters: Experiment, wnn_engine: str = "weightless", **settings: object
) -> Row:
    """Draw, split, fit, predict, score.

    Args:
        cls: the recommender, built with the seed, the protocol's labels and loss, the engine,
            and `settings`.

    Returns:
        Scores, times and sizes by column name.

    Raises:
        InputError: a parameter or a file is wrong.
    """
    from recbench.data.joining import load_dataset  # these take seconds: flags are read without
    from recbench.evaluation.cells import make_cell
    from recbench.evaluation.measure import measure

    protocol = protocol_of(parameters)
    cell = make_cell(
        load_dataset(parameters.dataset, protocol.join),
        protocol,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.seed,
    )
    return measure(lambda: cls(**settings), replace(cell, wnn_engine=wnn_engine)).row


def print_scores(row: Row) -> None:
    """The columns of a result, one a line."""
    for column, value in row.items():
        if value is not None:
            print(f"{column:>16}  {value:{',.4f' if isinstance(value, float) else ','}}")
