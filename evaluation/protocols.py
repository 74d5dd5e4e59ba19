"""A protocol: a named set of choices about what is learned from, what is tested on, and how."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

Join = Literal["links", "direct"]
VoteScale = Literal["halved", "as_published"]
Holdout = Literal["last", "random", "published"]
Labels = Literal["half_stars", "truncated"]
Loss = Literal["logits", "double_sigmoid"]
Samples = Literal["fresh", "same"]


@dataclass(frozen=True)
class Protocol:
    """The choices, each a flag of its own.

    Attributes:
        name: of the protocol, with what was changed in it: "strict+holdout=random".
        join: how ratings find their movies, see `data_prep.join_movies`.
        vote_scale: how a vote average of 0 .. 10 is read, see `data_prep.encode_movies`.
        holdout: which ratings are held out, see `evaluation.holdout`.
        labels: the thermometer of a rating, see `data_prep.encode_ratings`.
        loss: of `torch` and `colab`.
        other_users: at most how many people outside the sample collaborative models learn from.
        samples: "fresh", a new sample of users each iteration, or the "same" one every time.
    """

    name: str
    join: Join
    vote_scale: VoteScale
    holdout: Holdout
    labels: Labels
    loss: Loss
    other_users: int
    samples: Samples

    def changed(self, **choices: object) -> Protocol:
        """This protocol with some choices made otherwise (None: as it is), named so."""
        different = {
            choice: value
            for choice, value in choices.items()
            if value is not None and value != getattr(self, choice)
        }
        name = "+".join([self.name, *(f"{choice}={value}" for choice, value in different.items())])
        return replace(self, name=name, **different)  # type: ignore[arg-type]

    def columns(self) -> dict[str, object]:
        """All choices, for the columns of a result."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"protocol": named.pop("name"), **named}


PROTOCOLS = {
    "strict": Protocol(
        name="strict",
        join="links",
        vote_scale="halved",
        holdout="last",
        labels="half_stars",
        loss="logits",
        other_users=2000,
        samples="fresh",
    ),
    "published": Protocol(
        name="published",
        join="direct",
        vote_scale="as_published",
        holdout="published",
        labels="truncated",
        loss="double_sigmoid",
        other_users=0,
        samples="same",
    ),
}
