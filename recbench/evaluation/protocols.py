"""A protocol: a named set of choices about training, test and encoding."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

from recbench.evaluation.holdouts import Holdout, load_holdout

Join = Literal["links", "direct"]
VoteScale = Literal["halved", "as_published"]
Encoding = Literal["published", "extended", "learned", "published+learned"]
UserSet = Literal["all", "development", "test", "claim-1", "claim-2"]
Labels = Literal["half_stars", "truncated"]
Loss = Literal["logits", "double_sigmoid"]
Samples = Literal["fresh", "same"]
BackgroundUsers = int | Literal["all"]

# Version of the evaluation: raised whenever the same data, protocol and predictions give another
# score, or the same parameters another sample. Runs of different versions are not compared.
VERSION = 1

# The choices whose changes show in the protocol's name.
NAMED = ("join", "vote_scale", "holdout", "labels", "loss", "background_users", "samples")


@dataclass(frozen=True)
class Protocol:
    """The choices, each a flag of its own.

    Attributes:
        name: of the protocol, with its changes: "strict+holdout=random".
        join: how ratings find their movies, see `recbench.data.dataset.join_movies`.
        vote_scale: how a vote average of 0 .. 10 is read, see `encode_movies`.
        holdout: which ratings are held out: a name of `recbench.evaluation.holdouts`, or
            file:Class.
        labels: the thermometer of a rating, see `encode_ratings`.
        loss: of `torch` and `colab`.
        background_users: largest number of users outside the sample that collaborative models also
            learn from, or "all".
        samples: "fresh", a new sample of users for each iteration, or "same".
        split: share of the ratings for training.
        top_percentile: keep only movies whose vote count reaches this quantile; 0: all.
        user_set: set that users are drawn from, see `recbench.data.sampling.draw_sample`.
        votes: whether recommenders know the external votes of movies.
        item_baseline: whether item baseline and item table know ratings, or only votes and bits.
        encoding: movie bits, the same for every recommender; see `encode_movies`.
        code_bits: number of learned bits of a learned encoding.
    """

    name: str
    join: Join
    vote_scale: VoteScale
    holdout: str
    labels: Labels
    loss: Loss
    background_users: BackgroundUsers
    samples: Samples
    split: float = 0.8
    top_percentile: float = 0.0
    user_set: UserSet = "all"
    votes: bool = True
    item_baseline: bool = True
    encoding: Encoding = "published"
    code_bits: int = 128

    def changed(self, **choices: object) -> Protocol:
        """This protocol with some choices changed (None: unchanged), and a name that shows it."""
        different = {
            choice: value
            for choice, value in choices.items()
            if value is not None and value != getattr(self, choice)
        }
        changes = [f"{choice}={value}" for choice, value in different.items() if choice in NAMED]
        return replace(self, name="+".join([self.name, *changes]), **different)  # type: ignore[arg-type]

    def holdout_rule(self) -> Holdout:
        """The holdout of that name, with the protocol's split.

        Raises:
            InputError: there is no such holdout, or the split is not between 0 and 1.
        """
        return load_holdout(self.holdout, self.split)

    def columns(self) -> dict[str, object]:
        """All choices, for the columns of a result."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"protocol": named.pop("name"), **named}

    def sample_seed(self, seed: int, iteration: int) -> int:
        """The seed of the sample and the split in the given iteration (1, 2 ..)."""
        return seed if self.samples == "same" else seed + iteration - 1


PROTOCOLS = {
    "strict": Protocol(
        name="strict",
        join="links",
        vote_scale="halved",
        holdout="last",
        labels="half_stars",
        loss="logits",
        background_users=2000,
        samples="fresh",
        encoding="extended",
    ),
    "published": Protocol(
        name="published",
        join="direct",
        vote_scale="as_published",
        holdout="published",
        labels="truncated",
        loss="double_sigmoid",
        background_users=0,
        samples="same",
    ),
}
