"""Where networks are trained; PyTorch need not be installed."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest
from tests_paths import ROOT, SYNTHETIC

import recbench.device as script
from recbench.device import choose_device
from recbench.errors import InputError

NO_TORCH = """
import sys
from importlib.machinery import PathFinder

class NoTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "torch" else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = NoTorch
"""


@pytest.mark.parametrize("asked", ["auto", "cpu"])
def test_without_a_gpu_it_is_the_cpu(asked, monkeypatch):
    monkeypatch.setattr(script, "_has_gpu", lambda: False)
    assert choose_device(asked) == "cpu"


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_where_there_is_a_gpu_it_is_taken(asked, monkeypatch):
    monkeypatch.setattr(script, "_has_gpu", lambda: True)
    assert choose_device(asked) == "cuda"
    assert "torch._dynamo" in sys.modules  # not imported while a training is timed
    assert choose_device("cpu") == "cpu"


def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(script, "_has_gpu", lambda: False)
    with pytest.raises(InputError, match=r"pip install -r requirements-gpu\.txt"):
        choose_device("cuda")
    with pytest.raises(ValueError, match="'tpu'"):
        choose_device("tpu")


def test_a_run_needs_no_pytorch(tmp_path):
    """The networks learn what they learn with it."""
    words = ["--dataset", SYNTHETIC, "--num-users", 20, "--reviews-per-user", 10]
    words += ["--iterations", 1, "--workers", 1, "--models", "torch", "torch_online", "colab"]
    words += ["mlp_tuned", "user_mean"]
    code = "import atexit, runpy; sys.argv[0] = 'compare_all.py'; "
    code += "atexit.register(lambda: print('torch is there:', 'torch' in sys.modules)); "
    code += f"runpy.run_path({str(ROOT / 'compare_all.py')!r}, run_name='__main__')"
    tables = []
    for name, before in (("with", "import sys; "), ("without", NO_TORCH)):
        done = subprocess.run(
            [sys.executable, "-c", before + code, *map(str, words), "--output-dir", name],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert ("torch is there: False" in done.stdout) == (name == "without")
        tables.append(pd.read_csv(tmp_path / name / "comparison.csv"))
    times = [column for column in tables[0] if column.endswith("_seconds")]
    pd.testing.assert_frame_equal(*(table.drop(columns=times) for table in tables))
    assert (tables[0]["status"] == "ok").all()


def test_what_is_compared_with_pytorch_asks_for_it():
    code = "from experiments.speed.__main__ import Parameters, main; main(Parameters())"
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "requirements-gpu.txt" in done.stderr
