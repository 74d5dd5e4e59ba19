"""Killed at every write, a run goes on to the same files; its workers do not outlive it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from child import begin_child, printed_by, run_child
from filelock import FileLock
from in_process import own_model
from runs import SMALL, contents, some
from tests_paths import ROOT, SYNTHETIC

pytestmark = pytest.mark.slow


def resumed(folder, tmp_path):
    """The contents of a run after --resume."""
    printed_by(["--resume", folder], tmp_path)
    return contents(folder)


def test_killed_at_a_write_it_goes_on_to_the_same_files(whole, tmp_path, count):
    expected, writes = contents(whole[0]), whole[1]
    for kill_at in some(list(range(1, writes + 1)), 6):
        folder = tmp_path / f"killed-{kill_at}"
        words = [*SMALL, "--output-dir", folder]
        status, printed, _ = run_child(words, folder, tmp_path / "out", kill_at)
        assert status == -signal.SIGKILL, (kill_at, printed)
        printed_by(["--resume", folder] if (folder / "run.json").exists() else words, tmp_path)
        assert contents(folder) == expected, kill_at
        count("kills at a write")
        shutil.rmtree(folder)


def test_killed_twice_and_while_going_on(whole, tmp_path, count):
    expected, writes = contents(whole[0]), whole[1]
    for kill_at in some(list(range(2, writes)), 2):
        folder = tmp_path / f"killed-{kill_at}"
        words = [*SMALL, "--output-dir", folder]
        for again in (kill_at, max(writes - kill_at, 2) // 2):
            status, _, _ = run_child(words, folder, tmp_path / "out", again)
            count("kills at a write", int(status == -signal.SIGKILL))
            if (folder / "run.json").exists():
                words = ["--resume", folder]
        printed_by(words, tmp_path)
        assert contents(folder) == expected, kill_at
        shutil.rmtree(folder)


def test_a_finished_run_that_goes_on_stays_as_it_is(whole, tmp_path):
    expected = contents(whole[0])
    folder = shutil.copytree(whole[0], tmp_path / "run")
    assert resumed(folder, tmp_path) == expected
    for lost in ("comparison.csv", "predictions.parquet", "significance.csv"):
        (folder / lost).unlink()
        assert resumed(folder, tmp_path) == expected, lost


def test_after_a_failed_model_nothing_stands_twice(tmp_path):
    """The reference is chosen anew over all collaborative models, and put in the place of the
    former."""
    marker = tmp_path / "marker"
    marker.touch()
    fails = f"if os.path.exists({str(marker)!r}): raise RuntimeError('not yet')"
    (tmp_path / "my_file.py").write_text(own_model(fails, head="    learns_from = 'all'\n"))
    model = f"{tmp_path / 'my_file'}:Model"
    words = [*SMALL, model, "--output-dir"]
    printed = printed_by([*words, tmp_path / "failed"], tmp_path, expected=1)
    assert "my_file.py, line 6: RuntimeError: not yet" in printed
    marker.unlink()
    printed_by([*words, tmp_path / "whole"], tmp_path)
    assert resumed(tmp_path / "failed", tmp_path) == contents(tmp_path / "whole")


def test_a_model_whose_file_has_changed_is_run_again(tmp_path):
    """Its rows of before and of now are not mixed."""
    file, folders = tmp_path / "my_file.py", [tmp_path / "changed", tmp_path / "fresh"]
    file.write_text(own_model())
    words = [*SMALL, f"{tmp_path / 'my_file'}:Model", "--output-dir"]
    printed_by([*words, folders[0]], tmp_path)
    file.write_text(own_model(predict="return [3.5] * len(user)"))
    printed = printed_by(["--resume", folders[0]], tmp_path)
    assert "the file of Model has changed since" in printed
    printed_by([*words, folders[1]], tmp_path)
    assert contents(folders[0]) == contents(folders[1])


def test_two_at_once_are_refused(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "run")
    with FileLock(folder / ".lock"):
        printed = printed_by(["--resume", folder], tmp_path, expected=2)
    assert "another process is writing" in printed


@pytest.mark.parametrize(
    ("with_signal", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_workers_end_with_their_parent(tmp_path, with_signal, status, count):
    """And who is asked to end says how to go on."""
    run = tmp_path / "run"
    words = ["--dataset", SYNTHETIC, "--num-users", 40, "--reviews-per-user", 0, "--iterations", 40]
    words += ["--models", "bayes_fm", "bayes_fm_recent", "--workers", 2, "--output-dir", run]
    script = [sys.executable, str(ROOT / "compare_all.py"), *map(str, words)]
    parent = subprocess.Popen(
        script, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 300
    while not list(run.glob("predictions/*.parquet")):  # both are at work
        assert time.monotonic() < deadline
        assert parent.poll() is None
        time.sleep(0.1)
    group = os.getpgid(parent.pid)
    parent.send_signal(with_signal)
    assert parent.wait(2) == status
    time.sleep(2)
    left = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
    if status > 0:
        assert f"--resume {run} --workers 2" in parent.stderr.read()
    count("kills of a parent with workers")


def test_a_library_that_computes_does_not_keep_a_run_from_ending(tmp_path):
    """In the run's own process, in compiled code that has let go of the interpreter."""
    (tmp_path / "my_file.py").write_text(own_model("import ctypes; ctypes.CDLL(None).sleep(60)"))
    run = tmp_path / "run"
    words = [*SMALL[:6], "--iterations", 1, "--workers", 1, "--output-dir", run]
    words += ["--models", "user_mean", f"{tmp_path / 'my_file'}:Model"]
    child = begin_child(words, run, tmp_path / "out")
    while not list(run.glob("predictions/*.parquet")):
        assert not child.wait(0.1)
    child.wait(1)
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(2)
    assert child.status == 130
    assert f"--resume {run} --workers 1" in (tmp_path / "out").read_text()


def test_a_result_is_kept_as_it_is_found(tmp_path):
    """Of a cell that is stopped in the middle, what its first recommender did is not done again."""
    fits, killed = tmp_path / "fits", tmp_path / "killed"
    once = own_model(f"open({str(fits)!r}, 'a').write('fit ')", name="Once")
    kill = f"os.mkdir({str(killed)!r}); os.kill(os.getpid(), signal.SIGKILL)"
    kill = f"if not os.path.exists({str(killed)!r}): {kill}"
    (tmp_path / "my_file.py").write_text(once + own_model(kill, name="Killed"))
    run = tmp_path / "run"
    words = [*SMALL[:4], "--reviews-per-user", 10, "--iterations", 1, "--workers", 1]
    words += ["--models", *(f"{tmp_path / 'my_file'}:{name}" for name in ("Once", "Killed"))]
    assert run_child([*words, "--output-dir", run], run, tmp_path / "out")[0] == -signal.SIGKILL
    assert not (run / "comparison.csv").exists()
    printed_by(["--resume", run], tmp_path)
    assert (tmp_path / "fits").read_text() == "fit "
