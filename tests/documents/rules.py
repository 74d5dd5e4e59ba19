"""How each command of the pages is tried: run at a small size, read alone, or run by another test.

A command is what a rule says whose pattern is all of it; the first that fits counts. One that none
fits makes the tests fail: add a rule, or a smaller size of its script.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from commands import Command
from tests_paths import ROOT, SYNTHETIC

OUT = "out"  # in a folder of the test
OWN_RATINGS = ROOT / "tests" / "own_ratings" / "movielens.csv"

FLAGS = dict[str, list[object] | None]  # what a flag is given in place of the page's; None: no flag


@dataclass(frozen=True)
class Run:
    """Run it, with some flags as here in place of the page's.

    Attributes:
        flags: those; a flag that the page does not give is added.
        words: what stands in place of other words, such as FOLDER.
        cache: whether it may use the cache of the user who tests: it reads MovieLens 100K.
        as_printed: what is below it in the page is compared with what it prints.
    """

    pattern: str
    flags: FLAGS = field(default_factory=dict)
    words: dict[str, object] = field(default_factory=dict)
    as_printed: bool = False


@dataclass(frozen=True)
class Read:
    """Read its flags and values as the script does, and do no more, for this reason; where `page`
    is given, of the commands of that page alone."""

    pattern: str
    why: str
    page: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """Another test runs it, in this file of tests/ or of .ci/, where `named` stands; \\1 in it is
    the first group of the pattern."""

    pattern: str
    file: str
    named: str


Rule = Run | Read | Elsewhere

# --- sizes -------------------------------------------------------------------------------------

FEW: FLAGS = {"--dataset": [SYNTHETIC], "--output-dir": [OUT]}
GRID: FLAGS = FEW | {
    "--num-users": [5],
    "--ratings-per-user": [10],
    "--iterations": [1],
    "--workers": [1],
}
CELLS: FLAGS = FEW | {"--cells": ["5x10"], "--user-set": ["all"], "--workers": [1]}
REPLAY: FLAGS = FEW | {"--num-users": [8], "--workers": [1]}
TUNING: FLAGS = FEW | {"--cells": ["5x10"], "--trials": [2], "--encodings": ["published"]}

RULES: list[Rule] = [
    # --- installing
    Elsewhere(r"python3 -m venv \.venv", ".ci/run", "<!-- test -->"),
    Elsewhere(r"pip install -r requirements\.txt.*", ".ci/run", "<!-- test -->"),
    Elsewhere(r"python -m pytest( .*)?", ".ci/run", "<!-- test -->"),
    Elsewhere(
        r"pip install torch==.* --index-url .*", "test_commands.py", "test_the_version_of_torch"
    ),
    Read(r"python --version", "it is Python's own"),
    Elsewhere(r"make [a-z]+( [A-Z]+=.*)?", "test_commands.py", "test_targets_of_make_are_there"),
    # --- the scripts
    Run(r"python compare_all\.py", GRID),
    Run(r"python compare_all\.py --num-users 100 .*", GRID),
    Run(r"python compare_all\.py --list-models"),
    Run(r"python compare_all\.py --models my_file:MyModel .*", GRID),
    Run(r"python compare_all\.py .* --models sklearn:Ridge .*", CELLS | {"--iterations": [1]}),
    Run(
        r"python compare_all\.py --holdout my_file:FirstFraction",
        GRID | {"--models": ["user_mean"]},
    ),
    Run(
        r"python compare_all\.py .* --user-set claim-2 .*",
        CELLS | {"--models": ["ridge", "bayes_fm", "personal"]},
    ),
    Read(r"python compare_all\.py .* --user-set claim-1 .*", "one of its recommenders is gone"),
    Run(r"python continual\.py", REPLAY | {"--models": ["personal@x2", "user_mean@never"]}),
    Run(r"python continual\.py --dataset FOLDER --models personal@x1\.5 .*", REPLAY),
    Run(
        r"python data_prep\.py .*--num-users.*",
        {"--dataset": [SYNTHETIC], "--num-users": [10], "--ratings-per-user": [5]},
    ),
    Run(r"python data_prep\.py --clear-cache"),
    Run(r"python tune\.py", TUNING | {"--models": ["ridge"]}),
    Run(r"python tune\.py --models my_file:MyModel", TUNING),
    Read(r"python tune\.py --models user_last", "it is an example of that page"),
    Run(r"python recommend\.py --help"),
    Elsewhere(r"python recommend\.py", "own_ratings/test_recommend.py", "pty.openpty()"),
    Run(r"python recommend\.py --ratings ratings\.csv", {"--dataset": [SYNTHETIC]}),
    Run(r"python recommend\.py --dataset ml-100k .*", as_printed=True),
    Run(r"python -m recbench new my_file\.py", words={"my_file.py": "another.py"}),
    Run(r"python -m recbench check (my_file:MyModel|sklearn:Ridge).*"),
    Run(r"python -m recbench\.item_table", {"--dataset": [SYNTHETIC], "--output": ["table.npz"]}),
    Elsewhere(r"python -m recbench\.report.*", "test_report.py", "recbench.report"),
    Elsewhere(
        r"python docs/draw_weightless\.py", "test_commands.py", "test_the_picture_of_the_engine"
    ),
    Elsewhere(r"python docs/make_first_look\.py", "test_notebook.py", "make_first_look"),
    Read(r"python docs/draw_(page|report|terminal)\.py", "it draws a picture of the docs anew"),
    # --- the page, and many machines
    Elsewhere(r"python recommend\.py --serve", "serve/conftest.py", '"--serve", "--port"'),
    Run(
        r"python -m experiments\.page_latency",
        {"--dataset": [SYNTHETIC], "--ratings": [2], "--requests": [2]},
    ),
    Elsewhere(r"pip install -r requirements-cluster\.txt", "requirements-dev.txt", "-cluster.txt"),
    Elsewhere(
        r"python compare_all\.py --cluster cluster\.json", "faults/test_cluster.py", "cluster"
    ),
    Elsewhere(
        r"python compare_all\.py --cluster tcp://.*",
        "faults/test_cluster.py",
        "test_the_lines_for_ssh",
    ),
    # --- experiments: tests of their own run them, and look at what comes out
    Run(r"python -m experiments\.speed --parts engine", {"--quick": [], "--output-dir": [OUT]}),
    Run(
        r"python -m experiments\.speed --make FOLDER",
        {"--make": ["made"], "--ratings": [500]},
    ),
    Elsewhere(r"python -m experiments\.claims.*", "test_compare_all.py", "experiments.claims"),
    Elsewhere(
        r"python -m experiments\.(adaptation|forgetting).*",
        "replay/test_changes_and_forgetting.py",
        r"experiments.\1",
    ),
    Elsewhere(
        r"python -m experiments\.(explanations|ask_next|membership|personal_variants).*",
        "test_experiments.py",
        r'run("\1"',
    ),
    Elsewhere(
        r"python -m experiments\.learned_bits.*",
        "test_experiments.py",
        'run("learned_bits"',
    ),
    Elsewhere(
        r"python -m experiments\.no_population.*",
        "test_experiments.py",
        'run("no_population"',
    ),
    Elsewhere(
        r"python -m experiments\.(literature|published_benchmark).*",
        "test_experiments.py",
        r'run("\1"',
    ),
    Elsewhere(
        r"python -m experiments\.speed --parts shares --dataset FOLDER",
        "test_full_size.py",
        "experiments.speed",
    ),
    # --- results/README.md: the runs behind the figures
    Read(r"python (compare_all|continual|tune)\.py .*", "a run of hours", "results/README.md"),
    Read(
        r"python -m experiments\.speed .*",
        "minutes, and more at full size",
        "results/README.md",
    ),
]

# Words of results/README.md that stand for others, and what stands for a path.
STAND_FOR = ("EXTENDED", "REFERENCES")


def rule_of(command: Command) -> Rule | None:
    return next(
        (
            rule
            for rule in RULES
            if re.fullmatch(rule.pattern, command.text)
            and getattr(rule, "page", "") in ("", command.page)
        ),
        None,
    )


def changed(words: list[str], rule: Run) -> list[str]:
    """The words of a command with those of the rule in their place."""
    changed: list[str] = []
    skip = False
    for word in words:
        if word.startswith("--"):
            skip = word in rule.flags
        elif word.startswith("-"):
            skip = False
        if not skip:
            changed.append(str(rule.words.get(word, word)))
    for flag, values in rule.flags.items():
        if values is not None:
            changed += [flag, *map(str, values)]
    return changed
