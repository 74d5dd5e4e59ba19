"""The rules of who may import whom, read from the code itself."""

import ast
import re

import pytest
from tests_paths import ROOT

SCRIPTS = {path.stem for path in ROOT.glob("*.py")} - {
    "data_prep",
    "ratings",
    "recommender",
    "crowd_opinion",
    "errors",
    "command_line",
}
FAMILIES = {"PerUser", "Collaborative", "Baselines"}
PARTS = {
    *FAMILIES,
    *SCRIPTS,
    *("data_prep", "preparation", "ratings", "crowd_opinion", "recommender"),
    *("errors", "command_line"),
    *("sources", "evaluation", "report", "weightless"),
}
MAY_IMPORT = {
    "errors": set(),
    "command_line": {"errors"},
    "ratings": set(),
    "crowd_opinion": {"ratings"},
    "recommender": {"ratings", "errors"},
    "weightless": set(),
    "sources": {"errors"},
    "preparation": {"errors", "ratings", "sources"},
    "data_prep": {"errors", "ratings", "sources", "preparation"},
    "report": {"errors", "ratings", "command_line"},
    "evaluation": {
        *("errors", "ratings", "crowd_opinion", "recommender", "data_prep", "preparation")
    },
    **{
        family: {"ratings", "crowd_opinion", "recommender", "errors", "data_prep", "weightless"}
        for family in FAMILIES
    },
}


def modules_of(part):
    file = ROOT / f"{part}.py"
    return [file] if file.exists() else sorted((ROOT / part).rglob("*.py"))


def project_imports(node):
    """Top names of the project that are imported anywhere below `node`."""
    for child in ast.walk(node):
        names = []
        if isinstance(child, ast.Import):
            names = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom) and child.module:
            names = [child.module]
        yield from (name.split(".")[0] for name in names if name.split(".")[0] in PARTS)


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_imports_go_one_way(part):
    assert modules_of(part), f"there is no {part}"
    for file in modules_of(part):
        tree = ast.parse(file.read_text())
        if part in FAMILIES | {"data_prep"}:
            # the foot of a script, from its published experiment on, may put everything together
            tree.body = [
                node for node in tree.body if not is_of_the_script(node, ast.unparse(node))
            ]
        found = set(project_imports(tree)) - {part}
        assert found <= MAY_IMPORT[part], f"{file.relative_to(ROOT)} imports {found}"


def is_of_the_script(node, text):
    return (
        text.startswith(("if __name__", "from recbench.runs.experiment import"))
        or getattr(node, "name", "") == "main"
    )


def test_recommender_classes_do_not_use_the_evaluation():
    for family in FAMILIES:
        for file in modules_of(family):
            tree = ast.parse(file.read_text())
            evaluation = {
                alias.asname or alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("evaluation")
                for alias in node.names
            }
            for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
                bases = {ast.unparse(base) for base in cls.bases}
                used = {node.id for node in ast.walk(cls) if isinstance(node, ast.Name)} - bases
                assert not used & evaluation, f"{file.name}: {cls.name}"


def test_evaluation_and_report_know_no_recommender_by_name():
    from recbench.recommender import RECOMMENDERS

    names = re.compile(rf"[\"']({'|'.join(RECOMMENDERS)})[\"']")
    for part in ("evaluation", "report"):
        for file in modules_of(part):
            assert not names.search(file.read_text()), file.name


def test_there_is_no_utils():
    assert not [path for path in ROOT.rglob("*util*.py") if ".venv" not in path.parts]
