"""A few of each kind of fault in everyday runs; all of them with FAULTS=all (`make faults`), which
writes how many were tried to results/reliability/faults/."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from tests_paths import ROOT

from recbench.runs.provenance import provenance

ALL = os.environ.get("FAULTS") == "all"
COUNTS = ROOT / "results" / "reliability" / "faults"
tried: Counter[str] = Counter()


@pytest.fixture
def count():
    """Call it with a kind of fault, once for each that was tried and survived."""
    return lambda kind, number=1: tried.update({kind: number})


def some(faults: list, few: int) -> list:
    """All of them with FAULTS=all, else `few`, spread evenly."""
    if ALL or len(faults) <= few:
        return faults
    return [faults[round(place * (len(faults) - 1) / (few - 1))] for place in range(few)]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if ALL and tried:
        COUNTS.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame(sorted(tried.items()), columns=["fault", "tried_and_survived"])
        table.to_csv(COUNTS / "counts.csv", index=False)
        described = {**provenance(), "failed_tests": int(session.testsfailed)}
        (COUNTS / "run.json").write_text(json.dumps(described, indent=2) + "\n")


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")
