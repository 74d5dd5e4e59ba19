"""A recommender of your own: begin a file, check it against the contract, compare it.

    python -m recbench new my_file.py           # a class MyModel, with comments; it runs at once
    python -m recbench check my_file:MyModel    # does it keep the contract, and if not, where
    python compare_all.py --models my_file:MyModel user_mean personal bayes_fm

check fits and asks the class some hundred times, on a made-up table of 42 ratings. Each check that
fails is one sentence: the line of your file, what happened there, what was expected, what to do.
The exit status is 0 if all is well, 1 if a check failed, 2 if there is no such file or class.
docs/your-own-model.md has the contract. Other things to start, each with --help: compare_all.py,
continual.py, recommend.py, tune.py, data_prep.py, python -m recbench.models.item_table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from recbench.checks.candidate import Candidate
from recbench.checks.checking import Result, results_of
from recbench.checks.growth import growth_of
from recbench.checks.new import write_template
from recbench.command_line import run
from recbench.errors import check_range
from recbench.registry import load_recommender


@dataclass
class Check:
    """Find out whether a recommender keeps the contract."""

    model: tyro.conf.Positional[str]
    """one's own as file:Class, or the name of one of the project"""
    quick: bool = False
    """leave out what takes longest: other seeds, labels and losses, and the time it takes"""
    timeout: int = 60
    """seconds that a check may take; 0: as long as it takes"""


@dataclass
class New:
    """Write a file with a recommender to begin with."""

    file: tyro.conf.Positional[str]
    """where to; a file that is there is not overwritten"""


Command = (
    Annotated[Check, tyro.conf.subcommand("check")] | Annotated[New, tyro.conf.subcommand("new")]
)

console = Console(highlight=False)
MARKS = {"ok": "[green]ok[/]      ", "failed": "[red]FAILED[/]  ", "left out": "[dim]-[/]       "}


def main(command: Check | New) -> int:
    return write(command) if isinstance(command, New) else check(command)


def write(command: New) -> int:
    path = write_template(command.file)
    spec = f"{path.with_suffix('')}:MyModel"
    console.print(
        f"{path}: a recommender that runs. Next:",
        f"  python -m recbench check {spec}",
        f"  python compare_all.py --models {spec} user_mean personal bayes_fm",
        sep="\n",
        markup=False,
        soft_wrap=True,
    )
    return 0


def check(command: Check) -> int:
    check_range("--timeout", command.timeout, least=0)
    cls = load_recommender(command.model)
    candidate = Candidate(cls)
    counts = {"ok": 0, "failed": 0, "left out": 0}
    said: set[str] = set()
    for result in results_of(candidate, command.quick, command.timeout):
        counts[result.status] += 1
        show(result, said)
    if not command.quick and not counts["failed"]:
        for growth in growth_of(candidate):
            console.print(f"time    {growth}", soft_wrap=True, markup=False)
    console.print(
        f"{command.model}: {counts['ok']} checks kept, {counts['failed']} failed, "
        f"{counts['left out']} left out, of what it does not have",
        markup=False,
        soft_wrap=True,
    )
    return 1 if counts["failed"] else 0


def show(result: Result, said: set[str]) -> None:
    """One line, and a sentence where it failed; the same sentence is not said twice."""
    name = result.check.name.replace("_", " ")
    why = f" ({result.message})" if result.status == "left out" else ""
    console.print(MARKS[result.status] + name + why, soft_wrap=True)
    if result.status == "failed":
        what = result.message.partition("; expected ")[0]
        sentence = f"{what}, as above" if what in said else result.message
        said.add(what)
        console.print(Padding(Text(sentence), (0, 0, 0, 8)))
        if result.check.first:
            console.print("        The others rest on this, and are not made.")


if __name__ == "__main__":
    run(main, Command)  # type: ignore[arg-type]
