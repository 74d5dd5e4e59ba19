"""The scripts behind the figures of docs/personal-model.md, on the synthetic set."""

import os
import subprocess
import sys

import pandas as pd
import pytest
from tests_paths import ROOT, SYNTHETIC

from recbench.models.item_table.table import ItemTable

pytestmark = pytest.mark.slow  # each starts a script as a process


def script(name, *words):
    return subprocess.run(
        [sys.executable, "-m", name, *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def run_of(name, folder, *words):
    done = script(name, *words, "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_reasons_are_compared_with_forgetting(tmp_path):
    run_of("experiments.explanations", tmp_path / "run", "--dataset", SYNTHETIC, "--ratings", 60)
    table = pd.read_csv(tmp_path / "run/agreement.csv").set_index("compared")
    assert table.loc["if_forgotten", "same_sign"] >= 0.99
    assert table.loc["if_forgotten", "mean_difference"] < 1e-9
    assert table.loc["share", "same_sign"] <= 1
    assert table.loc["share", "sums"] == 1  # each explanation to its prediction


def test_questions_are_asked_in_three_ways(tmp_path):
    words = ("--dataset", SYNTHETIC, "--users", 8, "--ratings", 20, "--user-set", "all")
    out = run_of("experiments.ask_next", tmp_path / "run", *words, "--iterations", 1)
    table = pd.read_csv(tmp_path / "run/ask_next.csv")
    assert set(table["strategy"]) == {"variance", "popular", "random"}
    assert sorted(set(table["answers"])) == [0, 1, 2, 5, 10]
    without = table[table["answers"] == 0]["rmse"]
    assert without.nunique() == 1  # nobody has been asked anything
    assert "variance" in out


def test_membership_is_guessed_of_few_users(tmp_path):
    words = ("--dataset", SYNTHETIC, "--members", 15, "--iterations", 1)
    run_of("experiments.membership", tmp_path / "run", *words)
    table = pd.read_csv(tmp_path / "run/membership.csv").set_index("attack")
    assert table["auc"].between(0, 1).all()
    assert table.loc["both", "auc"] > 0.5
    too_many = script("experiments.membership", "--dataset", SYNTHETIC, "--members", 50)
    assert too_many.returncode == 2
    assert "a third" in too_many.stderr


def test_learned_bits_stand_beside_others(tmp_path):
    words = ("--dataset", SYNTHETIC, "--cell", "12x10", "--user-set", "all", "--iterations", 1)
    run_of(
        "experiments.learned_bits", tmp_path / "run", *words, "--bits", 8, 16,
        "--background-users", 30, "--models", "ridge", "user_mean",
    )  # fmt: skip
    table = pd.read_csv(tmp_path / "run/comparison.csv")
    assert (table["status"] == "ok").all()
    ridge = table[table["recommender"] == "ridge"]
    kinds = list(zip(ridge["metadata"], ridge["kind"], ridge["bits"], strict=True))
    assert kinds == [
        ("published", "none", 0),
        ("extended", "none", 0),
        ("published", "random", 16),
        ("published", "metadata", 16),
        ("published", "learned", 8),
        ("published", "learned", 16),
        ("extended", "learned", 16),
    ]
    assert ridge["rmse"].nunique() == len(ridge)  # other bits, other predictions
    against = pd.read_csv(tmp_path / "run/significance.csv")
    assert set(against["reference"]) == {"ridge, published"}


def test_variants_are_relative_to_the_whole(tmp_path):
    words = ("--datasets", SYNTHETIC, "--cells", "10x10", "--iterations", 1)
    run_of("experiments.personal_variants", tmp_path / "run", *words)
    table = pd.read_csv(tmp_path / "run/summary.csv").set_index("model")
    assert table.loc["personal", "mean"] == 0
    assert table.loc["code of 512 bits", "mean"] == 0
    assert table.loc["code of 512 bits", "bytes_per_movie"] == 72
    assert table.loc["without drift", "mean"] != 0


def test_a_item_table_from_the_command_line(tmp_path):
    file = tmp_path / "movies.npz"
    words = ("--dataset", SYNTHETIC, "--output", file, "--code-bits", 64)
    done = script("recbench.models.item_table", *words)
    assert done.returncode == 0, done.stderr
    table = ItemTable.load(file)
    assert table.codes.shape[1] == 64
    assert table.about["users"] == 60
    shown = script("recbench.models.item_table", "--show", file)
    assert table.checksum()[:16] in shown.stdout
    again = script("recbench.models.item_table", *words)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    elsewhere = script("recbench.models.item_table", "--output", tmp_path / "no/folder/movies.npz")
    assert elsewhere.returncode == 2
    assert "there is no folder" in elsewhere.stderr
