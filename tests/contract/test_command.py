"""`python -m recbench new` and `check`, as a user calls them."""

from __future__ import annotations

import re

import pytest
from in_process import script
from models import BROKEN
from tests_paths import ROOT, SYNTHETIC

import recbench.__main__ as recbench_main
from recbench.__main__ import TEMPLATE, Check, New, check, write
from recbench.errors import InputError


@pytest.mark.slow
def test_a_new_file_keeps_the_contract_and_runs_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert write(New("my_file.py")) == 0
    assert (tmp_path / "my_file.py").read_bytes() == TEMPLATE.read_bytes()
    assert "python -m recbench check my_file:MyModel" in capsys.readouterr().out
    assert check(Check("my_file:MyModel")) == 0
    shown = capsys.readouterr().out
    assert "FAILED" not in shown
    assert re.search(r"\d\d checks passed, 0 failed", shown)
    words = ["--dataset", SYNTHETIC, "--num-users", 10, "--reviews-per-user", 20, "--iterations", 1]
    words += ["--models", "my_file:MyModel", "user_mean", "--output-dir", "out", "--workers", 1]
    done = script(ROOT / "compare_all.py", *words, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MyModel" in (tmp_path / "out" / "comparison.csv").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_file.py", "my_file.py: exists already, and is not overwritten."),
        ("my_file", "my_file.py: exists already, and is not overwritten."),
        ("my-file.py", "my-file.py: expected a name of letters, digits and _"),
        ("class.py", "class.py: expected a name of letters, digits and _"),
        ("nowhere/my_file.py", "nowhere/my_file.py: there is no folder nowhere"),
    ],
)
def test_a_wrong_name_and_a_file_that_is_there_are_errors(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_file.py").write_text("mine = 1\n")
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        write(New(name))
    assert [one.name for one in tmp_path.iterdir()] == ["my_file.py"]
    assert (tmp_path / "my_file.py").read_text() == "mine = 1\n"


def test_what_fails_is_one_sentence_and_status_1(tmp_path):
    """By the process itself; most of the others call what it calls."""
    (tmp_path / "my_file.py").write_text(BROKEN["predicts seven stars"][2])
    done = script("-m", "recbench", "check", "my_file:Model", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 1
    shown = " ".join(done.stdout.split())
    line = 1 + (tmp_path / "my_file.py").read_text().split("# here")[0].count("\n")
    assert (
        f"FAILED predictions are stars my_file.py, line {line}: predict returned 7 stars" in shown
    )
    assert "an array float32 [n]: cut with np.clip(stars, 0.5, 5.0)" in shown
    assert done.stderr == ""


@pytest.fixture
def checked(tmp_path, monkeypatch, capsys):
    """Checks a file of this text; the exit status and what is printed."""
    monkeypatch.setattr(recbench_main.console, "width", 100)
    files = iter(range(9))

    def status_and_output(text, name="Model"):
        file = tmp_path / f"file_{next(files)}" / "my_file.py"
        file.parent.mkdir()
        file.write_text(text)
        return check(Check(f"{file}:{name}")), capsys.readouterr().out

    return status_and_output


PAGE = (ROOT / "docs" / "your-own-model.md").read_text()


def block(name):
    return re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```\n<!-- end -->", PAGE, re.DOTALL)[1]


def test_the_example_of_the_docs_keeps_the_contract_and_a_mistake_is_as_printed(checked):
    status, output = checked(block("own"), "MyModel")
    assert status == 0, output
    naive = block("own").replace("[np.minimum(user, len(self.user_bias) - 1)]", "[user]")
    assert naive != block("own")
    status, output = checked(naive, "MyModel")
    assert status == 1
    assert block("failed") in "".join(line.rstrip() + "\n" for line in output.splitlines())
