"""Asking: it changes nothing, and how the questions are put does not matter."""

from __future__ import annotations

import numpy as np

from recbench.checks.candidate import ASKED, NEVER_HEARD_OF, UNSEEN_MOVIE, Broken, Candidate
from recbench.checks.check import check
from recbench.checks.lines import digest, line_that_changes, line_that_differs

CLOSE = 1e-5  # stars; sums of float32 in another order differ by less


@check(
    "the same predictions when asked the same twice: predict changes nothing",
    "learn in fit alone, and draw nothing in predict",
)
def asking_changes_nothing(candidate: Candidate) -> None:
    model = candidate.fit()
    size = size_of(candidate, model)

    def ask() -> np.ndarray:
        return candidate.ask(model, *ASKED)

    first = ask()
    others = np.array([NEVER_HEARD_OF + 1, 0]), np.array([UNSEEN_MOVIE, 0])
    candidate.ask(model, *others)
    if hasattr(model, "predict_bits"):
        candidate.call(model.predict_bits, *ASKED)
    if (ask() != first).any():
        line = line_that_changes(candidate.returns, lambda: digest(vars(model)), ask)
        line = line or line_that_differs(candidate.returns, ask, ask)
        raise Broken("asked the same twice, predict said two things", "predict", line)
    if size_of(candidate, model) != size:
        line = line_that_changes(candidate.returns, lambda: size_of(candidate, model), ask)
        raise Broken("state_bytes became another by asking", "predict", line)


@check(
    "each pair predicted by itself, whatever rows stand before or after it",
    "compute no statistic over the rows of a call, and keep their order",
)
def the_order_of_rows_does_not_matter(candidate: Candidate) -> None:
    model = candidate.fit()
    stars = candidate.ask(model, *ASKED)
    order = np.random.default_rng(1).permutation(len(stars))
    shuffled = candidate.ask(model, ASKED[0][order], ASKED[1][order])
    if far(shuffled, stars[order]).any():
        raise Broken(f"in another order of the rows {widest(shuffled, stars[order])}", "predict")


@check(
    "each pair predicted by itself, whether asked alone, in a batch, or all at once",
    "compute no statistic over the rows of a call, such as their mean or rank",
)
def splitting_into_batches_does_not_matter(candidate: Candidate) -> None:
    model = candidate.fit()
    stars = candidate.ask(model, *ASKED)
    for size in (1, 40):
        batches = [
            candidate.ask(model, ASKED[0][start : start + size], ASKED[1][start : start + size])
            for start in range(0, len(stars), size)
        ]
        answers = np.concatenate(batches)
        if far(answers, stars).any():
            raise Broken(f"in batches of {size} {widest(answers, stars)}", "predict")


def far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which differ by more than float32 can explain, bool [n]; nan is close to nan."""
    return ~np.isclose(one, other, rtol=0, atol=CLOSE, equal_nan=True)


def widest(one: np.ndarray, other: np.ndarray) -> str:
    """How many predictions differ, and by how much."""
    rows = far(one, other)
    most = np.abs(one.astype(float) - other)[rows].max()
    return f"{rows.sum()} of {len(one)} predictions differ, by {most:.2g} stars at most"


def size_of(candidate: Candidate, model: object) -> object:
    """Its `state_bytes()`; None if it has none."""
    return candidate.call(model.state_bytes) if hasattr(model, "state_bytes") else None
