"""The examples of CONTRIBUTING.md, put into a copy of the project, are what it says they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import polars as pl
import pytest
from tests_paths import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FILES = re.findall(r"<!-- file (\S+) -->\n```python\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL)
LINES = re.findall(
    r"<!-- before `(.*?)` of (\S+) -->\n```python\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with all examples in it, and a dataset for the reader."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    ignored = shutil.ignore_patterns(".*", "results", "docs", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignored)
    assert len(FILES) == 2
    assert len(LINES) == 5
    for name, code in FILES:
        assert not (copy / name).exists()
        (copy / name).write_text(code)
    for line, name, code in LINES:
        text = (copy / name).read_text()
        assert text.count(f"\n{line}") == 1, line
        apart = "\n\n" if code.startswith("def ") else ""  # functions stand two lines apart
        (copy / name).write_text(text.replace(f"\n{line}", f"\n{code}{apart}{line}"))
    ratings = pl.read_csv(ROOT / "tests" / "synthetic" / "ratings_small.csv").select(
        user="userId", film=pl.format("Movie {}", "movieId"), stars="rating", time="timestamp"
    )
    (copy / "cache").mkdir()
    ratings.write_csv(copy / "cache" / "plain.csv")
    return copy


def python(copy, *words):
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "RECBENCH_CACHE": str(copy / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_they_keep_the_rules_of_the_project(copy):
    names = [name for name, _ in FILES] + [name for _, name, _ in LINES]
    shutil.copy(ROOT / "pyproject.toml", copy)
    python(copy, "-m", "ruff", "check", *names)
    python(copy, "-m", "ruff", "format", "--check", *names)
    python(copy, "-m", "recbench", "check", "user_last", "--quick")


@pytest.mark.slow
def test_the_recommender_the_dataset_and_the_score_are_in_a_run(copy):
    words = ["--dataset", "plain", "--num-users", 8, "--reviews-per-user", 10]
    words += ["--models", "user_last", "user_mean", "--iterations", 1, "--output-dir", "out"]
    python(copy, "compare_all.py", *words)
    table = pl.read_csv(copy / "out" / "comparison.csv")
    assert table["model"].to_list() == ["user_last", "user_mean"]
    assert table["status"].to_list() == ["ok", "ok"]
    assert set(table["dataset"]) == {"plain"}
    assert table["mean_error"].abs().max() > 0
    assert (table["mean_error"].abs() <= table["mae"]).all()


def test_folders_and_files_that_it_names_are_there():
    for path in re.findall(r"`((?:[\w.]+/)+[\w.]*)`", PAGE):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\((?!http)([^)#]*)(?:#[^)]*)?\)", PAGE):
        assert (ROOT / target).exists(), target
