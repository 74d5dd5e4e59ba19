"""What the class declares is what its constructor takes."""

from __future__ import annotations

import inspect
from itertools import product

from recbench.checks.candidate import ASKED, Broken, Candidate, LeftOut
from recbench.checks.check import check
from recbench.checks.stars import require_stars


@check(
    "every choice of --labels and of the loss that options names",
    "compare with the names in the docs: half_stars, truncated; logits, double_sigmoid",
    quick=False,
)
def every_choice_of_labels_and_loss(candidate: Candidate) -> None:
    choices = {"labels": ("half_stars", "truncated"), "loss": ("logits", "double_sigmoid")}
    named = [name for name in choices if name in candidate.declares("options")]
    if not named:
        raise LeftOut("options names neither")
    for values in product(*(choices[name] for name in named)):
        model = candidate.make(**dict(zip(named, values, strict=True)))
        stars = candidate.ask(candidate.fit(model=model), *ASKED)
        require_stars(stars, f" with {' and '.join(values)}")


@check(
    "keywords of the constructor, each with a default, in search_space and settings_alone",
    "give __init__ a keyword of that name",
)
def settings_are_keywords_of_the_constructor(candidate: Candidate) -> None:
    settings = {**candidate.declares("search_space"), **candidate.declares("settings_alone")}
    if not settings:
        raise LeftOut("it declares no settings")
    parameters = inspect.signature(candidate.cls).parameters
    for name in settings:
        known = parameters.get(name)
        if known is None or known.default is inspect.Parameter.empty:
            line = candidate.begins("__init__")
            raise Broken(f"__init__ has no keyword '{name}' with a default", "__init__", line)
    candidate.make(background=False)
