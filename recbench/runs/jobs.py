"""The rows of an experiment, one job each: saved as soon as they are there, not done twice."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from recbench.errors import disk_is_full
from recbench.registry import line_of
from recbench.runs.run_folder import RunFolder


@dataclass(frozen=True)
class Job:
    """One row of the table.

    Attributes:
        key: the columns that identify it; None: left empty.
        columns: the columns before the scores, the key included.
        work: returns the scores; may fail in any way.
        cost: how long it takes, relative to the other jobs.
    """

    key: dict[str, object]
    columns: dict[str, object]
    work: Callable[[], dict]
    cost: float = 1.0


def run_jobs(jobs: Iterable[Job], folder: RunFolder, console: Console) -> None:
    """Do the jobs without a row in `folder`; see `attempt` for one that fails."""
    jobs = list(jobs)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("", total=sum(job.cost for job in jobs))
        for job in jobs:
            named = {name: value for name, value in job.key.items() if value is not None}
            progress.update(bar, description=", ".join(f"{name} {named[name]}" for name in named))
            if not folder.has(**named):
                folder.add({**job.columns, **attempt(job.work, folder, str(job.key))})
            progress.advance(bar, job.cost)


def attempt(work: Callable[[], dict], folder: RunFolder, what: str) -> dict:
    """The columns that `work` returns, and `status`; of one that fails, in any way, the error, and
    the traceback goes to errors.txt."""
    try:
        return {**work(), "status": "ok", "error": None}
    except (Exception, SystemExit) as error:
        if disk_is_full(error):
            raise
        folder.log_failure(what, traceback.format_exc())
        return {"status": "failed", "error": line_of(error, None)}
