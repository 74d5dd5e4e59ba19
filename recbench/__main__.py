"""Tools for your own recommender, and for item tables to share.

    python -m recbench new my_file.py           # a class MyModel, with comments; it runs at once
    python -m recbench check my_file:MyModel    # does it keep the contract, and if not, where?
    python compare_all.py --models my_file:MyModel user_mean personal bayes_fm
    python -m recbench item-table FILE          # movies and item table, for recommend.py

check fits the class and predicts with it some hundred times, on a made-up table of 42 ratings. For
each failed check it prints the line of your file, what happened there, what was expected and what
to do. The exit status is 0 if all checks pass, 1 if one fails, 2 if there is no such file or class.
docs/your-own-model.md has the contract. The scripts compare_all.py, continual.py, recommend.py,
tune.py and data_prep.py have their own --help.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from recbench.checks import Result, check_recommender
from recbench.command_line import run
from recbench.errors import InputError, check_range
from recbench.own_ratings.known_movies import KnownMovies, open_known_movies
from recbench.registry import check_name, load_recommender

TEMPLATE = Path(__file__).parent / "checks" / "template.py"


@dataclass
class Check:
    """Check whether a recommender keeps the contract."""

    model: tyro.conf.Positional[str]
    """your own recommender as file:Class, or the name of one in this project"""
    timeout: int = 60
    """seconds that a check may take; 0: no limit"""


@dataclass
class New:
    """Write a file with an example recommender to start from."""

    file: tyro.conf.Positional[str]
    """the file to write; an existing one is not overwritten"""


@dataclass
class Table:
    """Write movies and item table of a dataset to one file, for recommend.py --item-table FILE."""

    file: tyro.conf.Positional[str]
    """the file to write; if it exists, its contents are described instead"""
    dataset: str = "auto"
    """as in compare_all.py; all its users are background users"""


Command = (
    Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[New, tyro.conf.subcommand("new")]
    | Annotated[Table, tyro.conf.subcommand("item-table")]
)

console = Console(highlight=False)
plain = partial(console.print, markup=False, soft_wrap=True)
MARKS = {"ok": "[green]ok[/]      ", "failed": "[red]FAILED[/]  ", "left out": "[dim]-[/]       "}


def main(command: Check | New | Table) -> int:
    if isinstance(command, Table):
        return item_table(command)
    return write(command) if isinstance(command, New) else check(command)


def item_table(command: Table) -> int:
    path = Path(command.file).expanduser()
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}. Make it first")
    if path.exists():
        plain(f"{path}: exists already, and is left as it is")
    else:
        open_known_movies(command.dataset, tell=plain).save(path)
    plain(f"{path}: {path.stat().st_size:,} bytes; {KnownMovies.load(path).about}")
    return 0


def write(command: New) -> int:
    """Write the template to the file; ".py" is appended if missing. Raises InputError if the file
    exists, its folder does not, or Python could not import a file of that name."""
    path = Path(command.file if command.file.endswith(".py") else f"{command.file}.py")
    if not path.stem.isidentifier() or iskeyword(path.stem):
        raise InputError(f"{path}: expected a name of letters, digits and _, such as my_file.py")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}. Make it first")
    if path.exists():
        raise InputError(f"{path}: exists already, and is not overwritten. Give another name")
    path.write_bytes(TEMPLATE.read_bytes())
    spec = f"{path.with_suffix('')}:MyModel"
    plain(f"{path}: a recommender that runs. Next:")
    plain(f"  python -m recbench check {spec}")
    plain(f"  python compare_all.py --models {spec} user_mean personal bayes_fm")
    return 0


def check(command: Check) -> int:
    check_range("--timeout", command.timeout, least=0)
    check_name(command.model)
    cls = load_recommender(command.model)
    counts = {"ok": 0, "failed": 0, "left out": 0}
    shown: set[str] = set()
    for result in check_recommender(cls, command.timeout):
        counts[result.status] += 1
        show(result, shown)
    passed, failed, left_out = counts.values()
    plain(
        f"{command.model}: {passed} checks passed, {failed} failed, {left_out} left out, since it "
        "lacks what they check"
    )
    return 1 if failed else 0


def show(result: Result, shown: set[str]) -> None:
    """Print one line, and a sentence if the check failed; no sentence is printed twice."""
    name = result.check.name.replace("_", " ")
    why = f" ({result.message})" if result.status == "left out" else ""
    console.print(MARKS[result.status] + name + why, soft_wrap=True)
    if result.status == "failed":
        what = result.message.partition("; expected ")[0]
        sentence = f"{what}, as above" if what in shown else result.message
        shown.add(what)
        console.print(Padding(Text(sentence), (0, 0, 0, 8)))
        if result.check.first:
            console.print("        The other checks depend on this one and were not run.")


if __name__ == "__main__":
    run(main, Command)  # type: ignore[arg-type]
