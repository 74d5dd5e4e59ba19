"""The examples of CONTRIBUTING.md, put into a copy of the project, keep its rules and run."""

from __future__ import annotations

import re
import shutil
from functools import partial

import polars as pl
import pytest
from project_pages import run
from tests_paths import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FILES = re.findall(r"<!-- file (\S+) -->\n```python\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL)
LINES = re.findall(
    r"<!-- before `(.*?)` of (\S+) -->\n```python\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL
)


def put_in(copy):
    """All examples, and a dataset for the reader."""
    ignored = shutil.ignore_patterns(".*", "results", "docs", "tests", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignored)
    assert (len(FILES), len(LINES)) == (2, 5)
    for name, code in FILES:
        (copy / name).write_text(code)
    for line, name, code in LINES:
        text = (copy / name).read_text()
        assert text.count(f"\n{line}") == 1, line
        apart = "\n\n" if code.startswith("def ") else ""  # functions stand two lines apart
        (copy / name).write_text(text.replace(f"\n{line}", f"\n{code}{apart}{line}"))
    ratings = pl.read_csv(ROOT / "tests" / "synthetic" / "ratings_small.csv").select(
        user="userId", movie=pl.format("Movie {}", "movieId"), stars="rating", time="timestamp"
    )
    (copy / "cache").mkdir()
    ratings.write_csv(copy / "cache" / "plain.csv")


@pytest.mark.slow
def test_the_examples_keep_the_rules_and_are_in_a_run(tmp_path):
    copy = tmp_path / "project"
    put_in(copy)

    names = [name for name, _ in FILES] + [name for _, name, _ in LINES]
    python = partial(run, folder=copy, project=copy, RECBENCH_CACHE=str(copy / "cache"))
    python(["-m", "ruff", "check", *names])
    python(["-m", "ruff", "format", "--check", *names])
    python(["-m", "recbench", "check", "user_last"])
    words = ["--dataset", "plain", "--num-users", 8, "--ratings-per-user", 10, "--workers", 1]
    words += ["--models", "user_last", "user_mean", "--iterations", 1, "--output-dir", "out"]
    python(["compare_all.py", *words])
    table = pl.read_csv(copy / "out" / "comparison.csv")
    assert table["model"].to_list() == ["user_last", "user_mean"]
    assert table["status"].to_list() == ["ok", "ok"]
    assert set(table["dataset"]) == {"plain"}
    assert table["mean_error"].abs().max() > 0
    assert (table["mean_error"].abs() <= table["mae"]).all()
