"""`python -m recbench new` and `check`, as a user calls them."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from models import BROKEN, GOOD
from tests_paths import ROOT, SYNTHETIC

from recbench.checks.new import TEMPLATE


def python(*words, cwd):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def recbench(*words, cwd):
    return python("-m", "recbench", *words, cwd=cwd)


@pytest.mark.slow
def test_a_new_file_keeps_the_contract_and_runs_at_once(tmp_path):
    done = recbench("new", "my_file.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my_file.py").read_bytes() == TEMPLATE.read_bytes()
    assert "python -m recbench check my_file:MyModel" in done.stdout
    done = recbench("check", "my_file:MyModel", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "FAILED" not in done.stdout
    assert re.search(r"\d\d checks kept, 0 failed", done.stdout)
    for what in ("fit", "predict"):
        assert re.search(rf"time +{what}: .* for 2,000 ratings, .* for 8,000", done.stdout)
    words = ["--dataset", SYNTHETIC, "--num-users", 10, "--reviews-per-user", 20, "--iterations", 1]
    words += ["--models", "my_file:MyModel", "user_mean", "--output-dir", "out"]
    done = python(ROOT / "compare_all.py", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MyModel" in (tmp_path / "out" / "comparison.csv").read_text()


@pytest.mark.parametrize("name", ["my_file.py", "my_file"])
def test_a_file_that_is_there_is_not_overwritten(tmp_path, name):
    (tmp_path / "my_file.py").write_text("mine = 1\n")
    done = recbench("new", name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: my_file.py: is there already, and is not overwritten.")
    assert (tmp_path / "my_file.py").read_text() == "mine = 1\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-file.py", "error: my-file.py: expected a name of letters, digits and _"),
        ("class.py", "error: class.py: expected a name of letters, digits and _"),
        ("nowhere/my_file.py", "error: nowhere/my_file.py: there is no folder nowhere"),
    ],
)
def test_a_name_that_cannot_be_is_an_error(tmp_path, name, message):
    done = recbench("new", name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert not list(tmp_path.iterdir())


def test_what_fails_is_one_sentence_and_status_1(tmp_path):
    (tmp_path / "my_file.py").write_text(BROKEN["predicts seven stars"][2])
    done = recbench("check", "my_file:Model", "--quick", cwd=tmp_path)
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    line = 1 + (tmp_path / "my_file.py").read_text().split("# here")[0].count("\n")
    assert (
        f"FAILED predictions are stars my_file.py, line {line}: predict returned 7 stars; expected "
        "finite stars from 0.5 to 5: cut with np.clip(stars, 0.5, 5.0)"
    ) in said
    assert "for 2,000 ratings" not in said
    assert done.stderr == ""


PAGE = (ROOT / "docs" / "your-own-model.md").read_text()


def block(name):
    return re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL)[1]


def test_the_example_of_the_docs_keeps_the_contract_and_a_mistake_is_said_as_printed(tmp_path):
    file = tmp_path / "my_file.py"
    file.write_text(block("own"))
    done = recbench("check", "my_file:MyModel", "--quick", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    naive = block("own").replace("[np.minimum(user, len(self.user_bias) - 1)]", "[user]")
    assert naive != block("own")
    file.write_text(naive)
    done = recbench("check", "my_file:MyModel", "--quick", cwd=tmp_path)
    assert done.returncode == 1
    assert block("failed") in "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def test_the_same_is_not_said_twice(tmp_path):
    (tmp_path / "my_file.py").write_text(BROKEN["knows no new users"][2])
    done = recbench("check", "my_file:Model", "--quick", cwd=tmp_path)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert said.count("index 50000 is out of bounds for axis 0 with size 6;") == 1
    assert said.count("index 50000 is out of bounds for axis 0 with size 6, as above") > 1
    (tmp_path / "my_file.py").write_text(GOOD.replace("train.mean_stars()", "1 / 0"))
    done = recbench("check", "my_file:Model", cwd=tmp_path)
    assert done.stdout.count("FAILED") == 1
    assert "The others rest on this" in done.stdout


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("my_file", "error: no recommender is named 'my_file'"),
        ("nothing:Model", "error: 'nothing:Model': there is no file nothing.py here"),
        ("my_file:Other", "error: 'my_file:Other': my_file has no class 'Other'"),
        ("my_file:Empty", "lacks fit and predict"),
        ("wrong:Model", "error: 'wrong:Model' cannot be loaded. wrong.py, line 2: SyntaxError"),
    ],
)
def test_a_wrong_file_or_class_is_one_message_and_status_2(tmp_path, spec, message):
    (tmp_path / "my_file.py").write_text(GOOD + "\n\nclass Empty:\n    pass\n")
    (tmp_path / "wrong.py").write_text("\nclass Model(:\n")
    done = recbench("check", spec, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_one_of_the_project_can_be_checked(tmp_path):
    done = recbench("check", "user_mean", "--quick", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "ok      learning comes nearer to fitting all" in done.stdout


def test_help_teaches(tmp_path):
    done = recbench("--help", cwd=tmp_path)
    assert done.returncode == 0
    for words in ("usage: python -m recbench", "new my_file.py", "check my_file:MyModel"):
        assert words in done.stdout, words
    for command, words in (("check", ("--quick", "--timeout", "file:Class")), ("new", ("FILE",))):
        text = recbench(command, "--help", cwd=tmp_path).stdout
        for word in words:
            assert word.lower() in text.lower(), word
