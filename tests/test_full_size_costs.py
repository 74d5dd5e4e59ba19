"""What full size costs: the rows of each part, and the tables made of them."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from tests_paths import ROOT, SYNTHETIC

from experiments.full_size import growth


def test_growth_is_that_of_one_user():
    """Twice as long for a user when there are four times as many."""
    common = {"part": "shares", "status": "ok", "model": "personal", "peak_gb": 1.0}
    rows = pd.DataFrame(
        [
            common | {"share": 4, "users": 100, "seconds": 10.0},
            common | {"share": 1, "users": 400, "seconds": 80.0},
        ]
    )
    (row,) = growth(rows).to_dict("records")
    assert row == {
        "model": "personal",
        "1/4": 10.0,
        "all": 80.0,
        "per_user_growth": 2.0,
        "peak_gb": 1.0,
    }


@pytest.mark.slow
def test_each_part_is_measured(tmp_path):
    """python -m experiments.full_size"""
    words = {
        "--dataset": [SYNTHETIC],
        "--shares": [2, 1],
        "--models": ["personal", "user_mean"],
        "--background-users": [20],
        "--background-models": ["bayes_fm"],
        "--tested-users": [30],
        "--repeats": [2],
        "--output-dir": [tmp_path / "out"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "experiments.full_size"]
        + [str(word) for flag, values in words.items() for word in (flag, *values)],
        cwd=ROOT,
        env=os.environ | {"RECBENCH_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "out" / "full_size.csv")
    assert (rows["status"] == "ok").all()
    shares = rows[rows["part"] == "shares"].set_index(["model", "share"])
    assert shares["users"].to_dict()["personal", 2] == 30
    assert (shares.loc["significance", "n_users"] > 0).all()
    both = pd.concat([shares.loc["personal"], shares.loc["user_mean"]])
    assert (both[["rmse", "seconds", "peak_gb"]] > 0).all(axis=None)
    grown = pd.read_csv(tmp_path / "out" / "growth.csv")
    assert grown["model"].tolist() == ["item_tables", "personal", "user_mean", "significance"]
    background = pd.read_csv(tmp_path / "out" / "background.csv")
    assert (background[["rmse", "seconds", "peak_gb"]] > 0).all(axis=None)
    preparing = rows[rows["part"] == "preparing"]
    assert preparing["repeat"].tolist() == [1] * 4 + [2] * 4
    assert preparing["share"].isna().all()
    ways = pd.read_csv(tmp_path / "out" / "preparing.csv")
    assert ways["what"].tolist() == ["bare read", "first time", "later", "without cache"]
    assert ways["times the bare read, seconds"][0] == 1.0
    assert not any((tmp_path / "out" / made).exists() for made in ("predictions", "item_tables"))
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "finished"
