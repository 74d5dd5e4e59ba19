"""One recommender on one cell: what `python PerUser/perUser.py` and its like do."""

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


def settings_of(parameters: Experiment) -> dict[str, object]:
    """The flags that a script has beside those of every experiment: settings of its recommender.

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
        cls: the recommender, built with `settings_of` the parameters; its engine, if there is one
            among them, is that of the cell.

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
