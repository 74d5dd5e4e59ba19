"""All checks of a recommender, and a sentence for each that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recbench.checks.candidate import Broken, Candidate, LeftOut
from recbench.checks.check import Check
from recbench.checks.checks import CHECKS
from recbench.registry import line_of
from recbench.runs.processes import OutOfTime, time_limit

Status = Literal["ok", "failed", "left out"]


@dataclass(frozen=True)
class Result:
    """What came of a check.

    Attributes:
        message: of one that failed: the line of the file, what happened there, what was expected,
            what to do; of one left out: why.
    """

    check: Check
    status: Status
    message: str = ""


def results_of(candidate: Candidate, quick: bool, seconds: float) -> Iterator[Result]:
    """Each check as soon as it is made; one that takes longer than `seconds` fails (0: never).
    They end where one fails that the others rest on."""
    for check in CHECKS:
        if quick and not check.quick:
            continue
        result = result_of(check, candidate, seconds)
        yield result
        if check.first and result.status == "failed":
            return


def result_of(check: Check, candidate: Candidate, seconds: float = 0.0) -> Result:
    do = check.do
    try:
        with time_limit(seconds):
            check(candidate)
    except LeftOut as reason:
        return Result(check, "left out", str(reason))
    except Broken as broken:
        returned = candidate.returns.lines.get(broken.method)
        do = broken.do or do
        line = broken.line or returned or candidate.begins(broken.method)
        what = f"{Path(candidate.file).name}, line {line}: {broken}"
    except OutOfTime as error:
        what = f"{placed(candidate, error)} after {seconds:g} s (--timeout)"
    except (Exception, SystemExit) as error:  # a model may fail in any way
        what = placed(candidate, error)
    else:
        return Result(check, "ok")
    return Result(check, "failed", f"{what}; expected {check.expected}: {do}")


def placed(candidate: Candidate, error: BaseException) -> str:
    """ "my_file.py, line 12: ValueError: no", with the first line of the class if the error came
    from nowhere in the file."""
    if isinstance(error, OutOfTime):
        said = line_of(error, candidate.file).rpartition(": OutOfTime: ")[0] or where(candidate)
        return f"{said}: still at work"
    said = line_of(error, candidate.file)
    name = Path(candidate.file).name
    return said if said.startswith(f"{name}, line ") else f"{where(candidate)}: {said}"


def where(candidate: Candidate) -> str:
    """The file and the line at which the class begins."""
    return f"{Path(candidate.file).name}, line {candidate.begins('class')}"
