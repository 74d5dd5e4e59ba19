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

FIRST = ("it_can_be_made", "it_can_be_fitted", "predictions_are_stars")


@dataclass(frozen=True)
class Check:
    """A rule of the contract.

    Attributes:
        run: raises Broken if a candidate breaks the rule, LeftOut if the rule does not apply.
        expected, remedy: what is expected, and what to do if it is not so: the first two lines of
            the docstring of `run`. Messages end with both.
        first: whether the other checks depend on it.
    """

    name: str
    run: Callable[[Candidate], None]
    expected: str
    remedy: str
    first: bool


@dataclass(frozen=True)
class Result:
    """The result of a check. `message`: if it failed, the line of the file, what happened there,
    what was expected, what to do; if it was left out, the reason."""

    check: Check
    status: Literal["ok", "failed", "left out"]
    message: str = ""


# Every function that checks a candidate, in the order of the files.
CHECKS = [
    Check(name, run, expected, remedy, name in FIRST)
    for module in (required, optional)
    for name, run in vars(module).items()
    if inspect.isfunction(run) and list(inspect.signature(run).parameters) == ["candidate"]
    for expected, remedy, *_ in [(inspect.getdoc(run) or "").split("\n")]
]


def check_recommender(cls: type, seconds: float = 0.0) -> Iterator[Result]:
    """Yield the result of each check, until one fails that the others depend on. Each check may
    take `seconds`; 0: no limit."""
    for one in CHECKS:
        result = result_of(one, Candidate(cls), seconds)
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
        line = candidate.returns.get(broken.method) or candidate.begins(broken.method)
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
