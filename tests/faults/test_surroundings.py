"""A full disk, a closed pipe, a terminal that knows no ×, other versions: one message each."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from functools import partial

import pytest
from child import printed_by, run_child
from in_process import own_model
from runs import SMALL
from tests_paths import ROOT, SYNTHETIC

from recbench.data import datasets, kaggle
from recbench.errors import InputError

pytestmark = pytest.mark.slow

QUICK = ["--dataset", SYNTHETIC, "--num-users", 5, "--reviews-per-user", 5, "--iterations", 1]
QUICK += ["--models", "user_mean", "--workers", 1]


def script(*words, **options):
    options = {"capture_output": True, "text": True, "timeout": 120, **options}
    command = [sys.executable, str(ROOT / "compare_all.py"), *map(str, words)]
    return subprocess.run(command, check=False, **options)


def limit_files(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("room", [0, 2_000, 6_000])
def test_a_disk_that_is_full(tmp_path, room, count):
    """The message names the folder and the command to go on; no model is blamed."""
    words = [*QUICK, "--output-dir", tmp_path / "run"]
    done = script(*words, preexec_fn=partial(limit_files, room))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "File too large" in done.stderr
    assert str(tmp_path / "run") in done.stderr
    has_begun = (tmp_path / "run" / "run.json").exists()
    assert ("--resume" in done.stderr) == has_begun
    go_on = ["--resume", tmp_path / "run"] if has_begun else words
    assert script(*go_on).returncode == 0
    count("surroundings")


def test_standard_output_that_is_full(tmp_path, count):
    with open("/dev/full", "w") as full:
        done = script(
            *QUICK, "--output-dir", tmp_path / "run",
            stdout=full, stderr=subprocess.PIPE, capture_output=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == "error: No space left on device"
    count("surroundings")


def test_a_reader_that_has_seen_enough(tmp_path, count):
    reader, writer = os.pipe()
    os.close(reader)
    done = script(
        *QUICK, "--output-dir", tmp_path / "run",
        stdout=writer, stderr=subprocess.PIPE, capture_output=False,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode in (1, 141)  # of what is printed in colours, of the rest
    assert done.stderr == ""
    count("surroundings")


@pytest.mark.parametrize("settings", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_a_terminal_that_knows_no_multiplication_sign(tmp_path, settings, count):
    settings = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **settings}
    words = [*QUICK, "--output-dir", tmp_path / "run"]
    done = script(*words, env={**os.environ, **settings}, text=False)
    assert done.returncode == 0, done.stderr
    assert b"5 ? 5" in done.stdout or "5 × 5".encode() in done.stdout
    count("surroundings")


def test_a_cache_folder_that_cannot_be_written(count):
    for folder in ("/proc/recbench", "/dev/null"):
        done = script("--dataset", "ml-100k", env={**os.environ, "RECBENCH_CACHE": folder})
        assert done.returncode == 2
        assert "RECBENCH_CACHE" in done.stderr
        assert "Traceback" not in done.stderr
        count("surroundings")


def test_a_network_that_accepts_and_never_answers(monkeypatch, tmp_path, capsys):
    """At most twenty seconds, and a line that says what is waited for."""
    assert kaggle.SILENCE_SECONDS <= 20
    monkeypatch.setattr(kaggle, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(kaggle, "find", lambda: None)
    monkeypatch.setattr(kaggle, "_cache_folder", lambda: tmp_path)
    silent = [sys.executable, "-c", "import time; time.sleep(60)"]
    original = kaggle.run_with_deadline
    monkeypatch.setattr(kaggle, "run_with_deadline", lambda _, *rest: original(silent, *rest))
    monkeypatch.setattr(datasets, "read_ml_100k", lambda: "the small one")
    datasets.locate.cache_clear()
    started = time.monotonic()
    assert datasets.load_source("auto") == "the small one"
    assert time.monotonic() - started < 10
    assert "asking Kaggle" in capsys.readouterr().out
    with pytest.raises(InputError, match="sent nothing"):
        datasets.load_source("the-movies-dataset")
    datasets.locate.cache_clear()


@pytest.fixture(scope="module")
def finished(scratch):
    folder = scratch / "run"
    words = [*SMALL[:6], "--iterations", 2, "--models", "user_mean", "movie_mean", "--workers", 1]
    run_child([*words, "--output-dir", folder], folder, scratch / "out")
    return folder


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--iterations", "5"], "--iterations is 5, the run has 2"),
        (["--models", "ao"], "--models is ao, the run has user_mean movie_mean"),
        (["--no-votes"], "--votes is False, the run has True"),
        (["--output-dir", "elsewhere"], "stays in its folder"),
    ],
)
def test_a_run_goes_on_with_its_own_parameters(run, tmp_path, words, message):
    assert message in printed_by(["--resume", run, *words], tmp_path, expected=2)


def test_how_it_is_carried_out_may_change(run, tmp_path):
    words = ["--resume", run, "--workers", "2", "--model-timeout", "60", "--iterations", "2"]
    printed_by(words, tmp_path)
    assert "workers" not in json.loads((run / "run.json").read_text())["parameters"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"git_commit": "then"}, "the commit was then, now"),
        ({"python": "then"}, "Python was then, now"),
        ({"packages": {"numpy": "1.0"}}, "numpy was 1.0, now"),
    ],
)
def test_other_code_is_said_and_not_mixed(run, tmp_path, changed, message):
    file = run / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
    assert message in printed_by(["--resume", run], tmp_path, expected=2)
    assert message in printed_by(["--resume", run, "--accept-changes"], tmp_path)
    assert message in str(json.loads(file.read_text())["resumed_with_changes"])


def test_a_worker_that_is_killed_leaves_a_run_that_goes_on(tmp_path):
    marker = tmp_path / "marker"
    kill = f"os.mkdir({str(marker)!r}); os.kill(os.getpid(), signal.SIGKILL)"
    kill = f"if not os.path.exists({str(marker)!r}): {kill}"
    (tmp_path / "my_file.py").write_text(own_model(kill, name="Killed"))
    words = [*SMALL[:6], "--iterations", 2, "--models", "user_mean", "--workers", 2]
    words.insert(-2, f"{tmp_path / 'my_file'}:Killed")
    done = script(*words, "--output-dir", tmp_path / "run")
    assert done.returncode == 2
    assert f"--resume {tmp_path / 'run'} --workers 1" in " ".join(done.stderr.split())
    assert script("--resume", tmp_path / "run", "--workers", 1).returncode == 0
