"""One recommender on one cell, as run by `python PerUser/perUser.py` and similar scripts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Literal

from recbench.command_line import RATINGS
from recbench.errors import InputError, check_range
from recbench.evaluation.protocols import NAMED, PROTOCOLS, Protocol

if TYPE_CHECKING:
    from recbench.evaluation.metrics import Row


@dataclass
class Experiment:
    """Parameters of one experiment; each is a flag too."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder or zip file"""
    num_users: int = 100
    """number of users to draw; 0: all"""
    reviews_per_user: Annotated[int, RATINGS] = 25
    """number of ratings per user; 0: all"""
    split: float = 0.8
    """share of the ratings for training"""
    protocol: Literal["strict", "published"] = "strict"
    """strict: ratings are joined to movies through links, TMDB's votes are halved to 0 .. 5, each
    user's last ratings in time are held out, half stars are kept, losses are on logits, and
    collaborative models also learn from 2,000 background users. published: movieId is used as TMDB
    id, votes are not halved, random ratings are held out (other ones for collaborative models),
    half stars are cut off, the sigmoid is applied twice, and there are no background users"""
    seed: int = 0
    """seed of the sample, the split and the recommender"""


def protocol_of(parameters: Experiment) -> Protocol:
    """The protocol, with the published bits of a movie."""
    return PROTOCOLS[parameters.protocol].changed(split=parameters.split, encoding="published")


def settings_of(parameters: Experiment) -> dict[str, object]:
    """The settings of the recommender: flags of the script that other experiments lack.

    Raises:
        InputError: one of these, or the size of the sample, is out of its range.
    """
    check_range("--num-users", parameters.num_users, least=0)
    check_range("--ratings-per-user", parameters.reviews_per_user, least=0)
    names = {field.name for field in fields(parameters)} - {
        field.name for field in fields(Experiment)
    }
    settings = {name: getattr(parameters, name) for name in names}
    for name, value in settings.items():
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int):
                check_range(f"--{name}", number, least=1)
            elif isinstance(number, float) and not 0 < number < 1:
                flag = f"--{name.replace('_', '-')}"
                raise InputError(f"{flag} is {number}. Expected 0 to 1")
    return settings


def run_experiment(cls: type, parameters: Experiment) -> Row:
    """Draw, split, fit, predict, score.

    Args:
        cls: the recommender, made with `settings_of` the parameters; an engine among them is set in
            the cell.

    Returns:
        Scores, times and sizes by column name.

    Raises:
        InputError: a parameter or a file is wrong.
    """
    from recbench.data.loading import load_dataset  # these take seconds: flags are read without
    from recbench.evaluation.cells import make_cell
    from recbench.evaluation.measure import measure

    protocol, settings = protocol_of(parameters), settings_of(parameters)
    engine = str(settings.pop("wnn_engine", "weightless"))
    cell = make_cell(
        load_dataset(parameters.dataset, protocol.join),
        protocol,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.seed,
    )
    return measure(lambda: cls(**settings), replace(cell, wnn_engine=engine)).row


def print_experiment(cls: type, parameters: Experiment) -> None:
    """Run it; print the protocol, then each column of the result in a line."""
    protocol = protocol_of(parameters)
    choices = ", ".join(f"{name} {getattr(protocol, name)}" for name in NAMED)
    line = f"protocol {protocol.name} ({choices}), encoding {protocol.encoding}"
    print(line, flush=True)
    for column, value in run_experiment(cls, parameters).items():
        if value is not None:
            print(f"{column:>16}  {value:{',.4f' if isinstance(value, float) else ','}}")
