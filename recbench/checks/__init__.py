"""Checks of a recommender against the contract, on toy data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recbench.checks import optional, required
from recbench.checks.candidate import Broken, Candidate, LeftOut
from recbench.registry import line_of
from recbench.runs.processes import OutOfTime, time_limit

# The others rest on these.
FIRST = ("it_can_be_made", "it_can_be_fitted", "one_prediction_for_each_pair")
# Left out by `--quick`.
SLOW = ("another_seed_another_result", "every_choice_of_labels_and_loss")


@dataclass(frozen=True)
class Check:
    """A promise of the contract, by a function of a candidate. Of its docstring the first line is
    what is promised, the second what to do where that is not kept; messages end with both."""

    function: Callable[[Candidate], None]

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def expected(self) -> str:
        return (inspect.getdoc(self.function) or "").split("\n")[0]

    @property
    def remedy(self) -> str:
        return (inspect.getdoc(self.function) or "").split("\n")[1]

    @property
    def first(self) -> bool:
        """Whether the others rest on it."""
        return self.name in FIRST

    @property
    def quick(self) -> bool:
        return self.name not in SLOW

    def run(self, candidate: Candidate) -> None:
        """Raises Broken where it is not kept, LeftOut where the recommender does not give it."""
        for method in getattr(self.function, "needs", ()):
            if not callable(getattr(candidate.cls, method, None)):
                raise LeftOut(f"it has no {method}")
        self.function(candidate)


@dataclass(frozen=True)
class Result:
    """Of a check. `message`: of one that failed, the line of the file, what happened there, what
    was expected, what to do; of one left out, why."""

    check: Check
    status: Literal["ok", "failed", "left out"]
    message: str = ""


# Every function that checks a candidate, in the order of the files.
CHECKS = [
    Check(one)
    for module in (required, optional)
    for one in vars(module).values()
    if inspect.isfunction(one) and one.__module__ == module.__name__
    if list(inspect.signature(one).parameters) == ["candidate"]
]


def check_recommender(
    cls: type, quick: bool = False, seconds: float = 0.0, **settings: object
) -> Iterator[Result]:
    """The result of each check as soon as it is made, until one fails that the others rest on.

    Args:
        quick: leave out what takes longest.
        seconds: that a check may take; 0: as long as it takes.
        settings: of the constructor.
    """
    for one in CHECKS:
        if one.quick or not quick:
            result = result_of(one, Candidate(cls, **settings), seconds)
            yield result
            if one.first and result.status == "failed":
                return


def result_of(check: Check, candidate: Candidate, seconds: float = 0.0) -> Result:
    file, remedy = Path(candidate.file).name, check.remedy
    class_line = f"{file}, line {candidate.begins('class')}"
    try:
        with time_limit(seconds):
            check.run(candidate)
    except LeftOut as reason:
        return Result(check, "left out", str(reason))
    except Broken as broken:
        returned = candidate.returns.get(broken.method)
        line = broken.line or returned or candidate.begins(broken.method)
        what, remedy = f"{file}, line {line}: {broken}", broken.remedy or remedy
    except OutOfTime as error:
        place = line_of(error, candidate.file).rpartition(": OutOfTime: ")[0] or class_line
        what = f"{place}: still running after {seconds:g} s (--timeout)"
    except (Exception, SystemExit) as error:  # a model may fail in any way
        what = line_of(error, candidate.file)
        what = what if what.startswith(f"{file}, line ") else f"{class_line}: {what}"
    else:
        return Result(check, "ok")
    return Result(check, "failed", f"{what}; expected {check.expected}: {remedy}")
