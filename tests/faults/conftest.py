"""A few of each kind of fault in everyday runs; all of them with FAULTS=all (`make faults`), which
writes how many were tried to results/reliability/faults/."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from child import run_child
from runs import ALL, SMALL
from tests_paths import ROOT

from recbench.runs.provenance import provenance

COUNTS = ROOT / "results" / "reliability" / "faults"
tried: Counter[str] = Counter()


@pytest.fixture
def count():
    """Call it with a kind of fault, once for each that was tried and survived."""
    return lambda kind, number=1: tried.update({kind: number})


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


@pytest.fixture(scope="session")
def whole(scratch: Path) -> tuple[Path, int]:
    """The folder of a run that nobody disturbed, and how many writes it made."""
    folder = scratch / "whole"
    status, printed, writes = run_child([*SMALL, "--output-dir", folder], folder, scratch / "out")
    assert status == 0, printed
    return folder, writes
