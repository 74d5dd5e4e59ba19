"""Recommenders by name: what stands in the family folders, and files of one's own."""

from __future__ import annotations

import ast
import sys
from difflib import SequenceMatcher
from functools import cache
from importlib import import_module
from pathlib import Path

from recbench.errors import InputError
from recbench.median_read_out import median_of
from recbench.own_class import OWN, load_class

ROOT = Path(__file__).resolve().parents[1]  # of the project
FAMILIES = ("PerUser", "Collaborative", "Baselines")
RENAMED = {"lightgbm": "boosted_trees"}  # runs of before have the old name
MEDIAN = "_median"  # "ridge_median" is "ridge" read out by the median
SKLEARN = ("sklearn:", "sklearn+item:")  # see PerUser/scikit_learn.py


@cache
def recommenders() -> dict[str, str]:
    """Name -> "module:Class" of every class in a family folder that says `name = "..."`.

    The files are read, not imported: some take seconds to import.
    """
    found: dict[str, str] = {}
    for family in FAMILIES:
        for file in sorted((ROOT / family).glob("*.py")):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                name = _name_of(node) if isinstance(node, ast.ClassDef) else None
                if name:
                    found[name] = f"{family}.{file.stem}:{node.name}"  # type: ignore[attr-defined]
    return found


def _name_of(node: ast.ClassDef) -> str | None:
    """The value of `name = "..."` in the body of a class."""
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            targets = getattr(statement, "targets", [])
        if any(isinstance(target, ast.Name) and target.id == "name" for target in targets):
            return ast.literal_eval(statement.value)  # type: ignore[attr-defined]
    return None


def load_recommender(spec: str) -> type:
    """The class behind a name of `recommenders()`, `sklearn:Regressor`, one of both with "_median",
    or `file:Class`.

    Raises:
        InputError: no such name, file or class, or not a recommender; says what there is.
    """
    known = recommenders()
    spec = RENAMED.get(spec, spec)
    if spec in known:
        return load_class(known[spec], spec)
    mean = spec.removesuffix(MEDIAN)
    if mean != spec and (mean in known or ":" in mean):
        return median_of(load_recommender(mean))
    if spec.startswith(SKLEARN):
        return import_module("PerUser.scikit_learn").recommender_of(spec)
    if ":" not in spec:
        nearest = sorted(known, key=lambda name: -SequenceMatcher(None, mean, name).ratio())
        raise InputError(
            f"no recommender is named '{spec}'. Those that are: {', '.join(nearest)}; "
            f"or one of them read out by the median ({nearest[0]}{MEDIAN}); "
            "or one of your own as file:Class, for example my_file:MyModel; "
            "or a regressor of scikit-learn, for example sklearn:Ridge"
        )
    cls = load_class(spec, spec)
    missing = [method for method in ("fit", "predict") if not callable(getattr(cls, method, None))]
    if missing:
        raise InputError(
            f"'{spec}': a recommender needs fit(train, movies) and predict(user, movie); "
            f"{cls.__name__} lacks {' and '.join(missing)}"
        )
    return cls


def family_of(cls: type) -> str:
    """The folder a recommender lives in ("PerUser"), or "own" for a user's own file."""
    folder = cls.__module__.split(".")[0]
    return folder if folder in FAMILIES else OWN


def file_of(cls: type) -> str | None:
    """The user's own file that a recommender stands in; None for those of the project."""
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) if family_of(cls) == OWN else None


def name_of(spec: str) -> str:
    """The name in the tables: of one's own "file:Class" the class's; of `sklearn:…` all of it."""
    if spec.startswith(SKLEARN):
        return "".join(spec.split())
    return RENAMED.get(spec, spec).rpartition(":")[2]
