"""Machine code on disk is that of all its sources, as they are now."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests_paths import ROOT

TOP = """
from engine.middle import twice
from weightless.compiled import compiled


@compiled
def asked(x):
    return twice(x) + 1
"""
MIDDLE = """
from engine import constants
from weightless.compiled import compiled


@compiled
def twice(x):
    return constants.FACTOR * x
"""
ASK = """
from engine.top import asked
print(asked(10), len(asked.stats.cache_hits))
"""


@pytest.fixture
def engine(tmp_path):
    folder = tmp_path / "engine"
    folder.mkdir()
    for name, text in {"__init__": "", "top": TOP, "middle": MIDDLE}.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "constants.py").write_text("FACTOR = 2\n")
    return folder


def ask(engine, **environment) -> str:
    paths = os.pathsep.join([str(engine.parent), str(ROOT)])
    everything = {**os.environ, "PYTHONPATH": paths, **environment}
    words = [sys.executable, "-B", "-c", ASK]
    done = subprocess.run(words, env=everything, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_kernel_whose_parts_have_changed_elsewhere_is_compiled_anew(engine):
    assert ask(engine) == "21 0"
    assert ask(engine) == "21 1"  # as it was kept
    (engine / "constants.py").write_text("FACTOR = 3\n")
    assert ask(engine) == "31 0"
    (engine / "middle.py").write_text(MIDDLE.replace("* x", "* x * x"))
    assert ask(engine) == "301 0"
    assert ask(engine) == "301 1"
    assert len(list(engine.glob("__pycache__/top.asked-*.nb?"))) == 2  # nothing is left behind
