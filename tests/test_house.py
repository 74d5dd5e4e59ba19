"""The rules of who may import whom, and where a change goes, read from the code itself."""

import ast
import re

import pytest
from tests_paths import ROOT

from recbench.registry import FAMILIES, RECOMMENDERS

SCRIPTS = {path.stem for path in ROOT.glob("*.py")}
CONTENDERS = ["PerUser/perUser", "PerUser/perUser_pytorch", "Collaborative/torch_colab"]
PARTS = {*SCRIPTS, *FAMILIES, "experiments", "recbench", "weightless"}
FRONT_DOOR = "data_prep"  # the one script that others import: scripts, families, experiments
# A script may import everything.
MAY_IMPORT = {
    "weightless": set(),
    "recbench": {"weightless"},
    **{family: {"recbench", "weightless", FRONT_DOOR} for family in FAMILIES},
}
# Within recbench data flows one way: data -> evaluation -> runs; report reads what runs leave.
CORE = {"errors", "files", "ratings", "contract", "registry", "threads", "compiled", "models"}
WITHIN_RECBENCH = {
    "data": {"errors", "ratings", "data"},
    "models": CORE | {"command_line", "data"},
    "evaluation": CORE | {"data", "evaluation"},
    "stream": CORE | {"data", "evaluation", "stream"},
    "report": {"errors", "files", "command_line", "evaluation", "report"}
    | {"contract", "registry", "runs"},  # of the table of runs
    "checks": CORE | {"data", "runs", "checks"},
    "runs": CORE | {"files", "command_line", "data", "evaluation", "runs"},
    "own_ratings": {"errors", "ratings", "contract", "models", "data", "own_ratings"},
    "page": {"errors", "threads", "own_ratings", "page"},
}


def files_of(part):
    file = ROOT / f"{part}.py"
    return [file] if file.exists() else sorted((ROOT / part).rglob("*.py"))


def imports(file):
    """Every module that is imported anywhere in the file, with its dots."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_imports_go_one_way(part):
    assert files_of(part), f"there is no {part}"
    for file in files_of(part):
        found = {name.split(".")[0] for name in imports(file)} & PARTS - {part}
        assert found <= MAY_IMPORT[part], f"{file.relative_to(ROOT)} imports {found}"


def test_nothing_imports_a_script_but_the_one_that_prepares_data():
    for part in PARTS:
        for file in files_of(part):
            found = {name.split(".")[0] for name in imports(file)} & SCRIPTS - {FRONT_DOOR}
            assert not found, f"{file.relative_to(ROOT)} imports {found}"


@pytest.mark.parametrize("script", [*sorted(SCRIPTS), *CONTENDERS])
def test_parameters_come_before_any_import(script):
    """After the docstring and `from __future__`, some ten constants, each a line with a comment."""
    lines = (ROOT / f"{script}.py").read_text().split("annotations\n", 1)[1].splitlines()
    until = next(place for place, line in enumerate(lines) if re.match(r"import|from", line))
    block = [line for line in lines[:until] if re.match("[A-Z]", line)]
    assert 7 <= len(block) <= 14
    assert block[0].startswith("DATASET = ")
    for line in block:
        assert re.match("[A-Z_]+ = .*  # ", line), line


@pytest.mark.parametrize("part", sorted(WITHIN_RECBENCH))
def test_data_flows_one_way_within_recbench(part):
    for file in files_of(f"recbench/{part}"):
        found = {name.split(".")[1] for name in imports(file) if name.startswith("recbench.")}
        assert found <= WITHIN_RECBENCH[part], f"{file.relative_to(ROOT)} imports {found}"


def test_evaluation_runs_and_report_know_no_recommender_by_name():
    names = re.compile(rf"[\"']({'|'.join(RECOMMENDERS)})[\"']")
    for part in ("evaluation", "runs", "report"):
        for file in files_of(f"recbench/{part}"):
            assert not names.search(file.read_text()), file.name
