"""What the README tells a newcomer to do works."""

import re
import subprocess
import sys

import pytest
from tests_paths import ROOT, SYNTHETIC

from recbench.recommender import RECOMMENDERS

RESULTS = (ROOT / "results" / "README.md").read_text()
README = (ROOT / "README.md").read_text()


def block(name):
    return re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```\n<!-- end -->", README, re.DOTALL)[1]


def test_ci_calls_the_test_command_and_both_install_the_pins():
    ci = (ROOT / ".ci" / "run").read_text()
    assert "<!-- test -->" in ci
    assert block("test").strip().endswith("-m pytest")
    assert block("compare").strip().endswith("compare_all.py")
    assert "-r requirements.txt" in block("test")
    assert "-r requirements.txt" in block("compare")
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    assert all("==" in pin for pin in pins if pin and not pin.startswith("#"))


def test_the_recommender_of_ones_own_runs(tmp_path):
    code = block("own")
    assert len([line for line in code.splitlines() if line.strip()]) <= 22
    (tmp_path / "my_file.py").write_text(code)
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "compare_all.py"), "--dataset", str(SYNTHETIC)),
            *("--num-users", "10", "--reviews-per-user", "20", "--iterations", "1"),
            *("--models", "my_file:MyModel", "user_mean", "--output-dir", "out"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_recommender_and_every_dependency_is_explained():
    for name in RECOMMENDERS:
        assert f"`{name}`" in README, name
    dependencies = README.split("## Dependencies")[1]
    for pin in (ROOT / "requirements.txt").read_text().splitlines():
        if "==" in pin and not pin.startswith("setuptools"):
            assert pin.split("==")[0] in dependencies, pin


def test_every_flag_of_the_readme_exists():
    flags = set(re.findall(r"`(--[a-z-]+)", README))
    shown = subprocess.run(
        [sys.executable, str(ROOT / "compare_all.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not [flag for flag in flags if flag not in shown]


@pytest.mark.parametrize("words", re.findall(r"`(evaluation|report|sources)/`", README))
def test_folders_named_exist(words):
    assert (ROOT / words).is_dir()


def test_every_folder_of_results_that_is_listed_is_there_and_none_is_not():
    listed = re.findall(r"^\| `(sample-[a-z0-9-]+)` \|", RESULTS, re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "results").glob("sample-*"))
    for name in listed:
        assert list((ROOT / "results" / name).glob("*.csv")), name
        assert not list((ROOT / "results" / name).glob("*.parquet")), f"{name} holds ratings"
