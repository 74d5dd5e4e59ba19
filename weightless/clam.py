"""The basic clam: `python -m weightless.clam`.

The first example of AO Labs' documentation. A clam senses food and two chemicals, A and B, and
opens or closes. An instinct fires when there is food and the clam was open: then it keeps what
it did, that is, it learns to open for what it senses. The chemical that came with food comes to
open it by itself.

A memory that has only ever answered "open" opens for everything, so here the clam meets B too:
B comes without food, and having been open for nothing is a pain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weightless.agent import Agent
from weightless.arch import Arch

N_CLAMS = 200
FOOD_AND_A, B_ALONE, A_ALONE = (1, 1, 0), (0, 0, 1), (0, 1, 0)


def was_open(clam: Any) -> bool:
    """Whether the clam was open in its last state."""
    return bool(clam.story[clam.state - 1, clam.arch.Z__flat[0]])


def food_when_open(senses: np.ndarray, clam: Any) -> bool:
    """The instinct: there is food, and the clam was open."""
    return bool(senses[0]) and was_open(clam)


def clam_arch() -> Arch:
    """Three inputs (food, A, B), one output (open), one instinct."""
    arch = Arch([1, 1, 1], [1], [1], connector_function="full_conn", description="basic clam")
    arch.set_instinct(arch.C[1][0], food_when_open)
    return arch


def train(clam: Agent, trials: int, *, with_b: bool = True) -> None:
    """Let the clam live: food with A, and, `with_b`, B without food after each."""
    for _ in range(trials):
        clam.reset_state()  # open or closed, as it happens
        clam.next_state(FOOD_AND_A, INSTINCTS=True)
        if with_b:
            clam.reset_state()
            clam.next_state(B_ALONE, INSTINCTS=True, Cneg=was_open(clam))


def opens_for(clam: Agent, senses: Sequence[int], times: int = 5) -> float:
    """How often it opens, from states at random."""
    opened = []
    for _ in range(times):
        clam.reset_state()
        opened.append(clam.next_state(senses)[0])
    return float(np.mean(opened))


def main() -> None:
    """Train clams for longer and longer; print how often they open for A and for B alone."""
    print(f"{N_CLAMS} clams           opens for A   opens for B")
    for trials in (0, 1, 2, 5, 10):
        clams = [Agent(clam_arch(), seed=seed) for seed in range(N_CLAMS)]
        for clam in clams:
            train(clam, trials)
        a, b = (np.mean([opens_for(clam, x) for clam in clams]) for x in (A_ALONE, B_ALONE))
        print(f"after {trials:2d} trials        {a:8.0%}      {b:8.0%}")


if __name__ == "__main__":
    main()
