"""A check of the contract: what is promised, what to do where it is not kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recbench.checks.candidate import Candidate


@dataclass(frozen=True)
class Check:
    """A promise of `recbench.Recommender`, and how it is found out whether it is kept.

    Attributes:
        name: of the function that finds it out.
        expected: what is promised, as words that can follow "expected".
        do: what to do where it is not kept, as words that can follow a colon.
        quick: whether it is among those of `--quick`.
        first: whether no other can be made where this one fails.
    """

    name: str
    expected: str
    do: str
    quick: bool
    first: bool
    find_out: Callable[[Candidate], None]

    def __call__(self, candidate: Candidate) -> None:
        """Raises Broken where the promise is not kept, LeftOut where the recommender does not give
        it, and whatever its code raises."""
        self.find_out(candidate)


def check(
    expected: str, do: str, quick: bool = True, first: bool = False
) -> Callable[[Callable[[Candidate], None]], Check]:
    """Makes a check of a function that raises `Broken` or `LeftOut`."""

    def made(function: Callable[[Candidate], None]) -> Check:
        return Check(function.__name__, expected, do, quick, first, function)

    return made
