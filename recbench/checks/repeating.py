"""The same again: the same seed and ratings give the same recommender."""

from __future__ import annotations

from dataclasses import replace

from recbench.checks.candidate import ASKED, TRAIN, Broken, Candidate, LeftOut
from recbench.checks.check import check
from recbench.checks.lines import attributes_that_differ, line_that_differs


@check(
    "the same predictions from the same ratings and the same seed",
    "draw from np.random.default_rng(self.seed), with options = ('seed',)",
)
def same_seed_same_result(candidate: Candidate) -> None:
    def result() -> object:
        return candidate.ask(candidate.fit(model=candidate.make(seed=5)), *ASKED)

    first, second = result(), result()
    if (first != second).any():  # type: ignore[attr-defined]
        line = line_that_differs(candidate.returns, result, result)
        raise Broken("fitted twice with one seed it predicts two things", "fit", line)


@check(
    "other predictions with another seed, as options names 'seed'",
    "use the seed that the constructor gets, or take it out of options",
    quick=False,
)
def another_seed_another_result(candidate: Candidate) -> None:
    if "seed" not in candidate.declares("options"):
        raise LeftOut("it takes no seed")
    first, second = (
        candidate.ask(candidate.fit(model=candidate.make(seed=seed)), *ASKED) for seed in (5, 6)
    )
    if (first == second).all():
        raise Broken("seeds 5 and 6 give the same predictions", "__init__")


@check(
    "fit starts afresh, whatever it was fitted to before",
    "set what is learned within fit, not in the constructor or the class",
)
def fitting_again_starts_afresh(candidate: Candidate) -> None:
    other = replace(TRAIN, stars=5.5 - TRAIN.stars)
    twice = candidate.fit(model=candidate.fit(other))
    once = candidate.fit()
    if (candidate.ask(twice, *ASKED) != candidate.ask(once, *ASKED)).any():
        raise Broken(f"fitted a second time it is not as fitted once{in_which(twice, once)}", "fit")


def in_which(one: object, other: object) -> str:
    """ ": self.count, self.mean differ", of two models; nothing if that cannot be seen."""
    names = attributes_that_differ(one, other)
    if not names:
        return ""
    named = ", ".join(f"self.{name}" for name in names)
    return f" ({named} {'differs' if len(names) == 1 else 'differ'})"
