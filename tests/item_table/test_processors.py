"""An item table is the same on every processor: linear algebra differs in the last digits only."""

from __future__ import annotations

import os
import subprocess
import sys

from tests_paths import ROOT, SYNTHETIC

MAKE = """
import sys
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.registry import load_recommender
cell = make_cell(load_dataset(sys.argv[1]), PROTOCOLS["strict"], 20, 20)
print(*(table.checksum() for table in cell.personal_tables.tables))
print(repr(measure(load_recommender("personal"), cell).row["rmse"]))
"""


def made(kernel: str) -> str:
    """By the linear algebra that OpenBLAS has for that processor."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(SYNTHETIC)],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_table_and_the_same_error():
    assert made("Sandybridge") == made("Haswell") == made("Zen")
