"""`python continual.py` from the command line."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from in_process import own_model, run_here
from tests_paths import ROOT, SYNTHETIC

import continual
import tune

MODELS = ["personal@x2", "user_mean@never", "ridge@500", "ao@x2", "movie_mean@30d"]
SMALL = ["--dataset", str(SYNTHETIC), "--models", *MODELS]
TIMES = ["seconds", "us_p"]


def replay(*words, expected=0):
    """What the script prints, in this process; with one worker unless others are named."""
    words = words if "--workers" in words else (*words, "--workers", "1")
    status, printed, errors = run_here(continual, *words, cwd=ROOT)
    assert status == expected, printed + errors
    return printed + errors


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("continual") / "run"
    return folder, replay(*SMALL, "--workers", "2", "--output-dir", folder)


def test_its_files(finished):
    folder, shown = finished
    summary = pd.read_csv(folder / "continual_summary.csv")
    assert (summary["model"] + "@" + summary["retrained"]).tolist() == MODELS
    assert (summary["status"] == "ok").all()
    assert summary["rmse"].between(0.3, 2).all()
    assert summary.loc[summary["model"] == "ridge", "learn_us_p50"].isna().all()
    assert (summary["predict_us_p99"] >= summary["predict_us_p50"]).all()
    curve = pd.read_csv(folder / "learning_curve.csv")
    assert set(curve["model"]) == set(summary["model"])
    assert set(pd.read_csv(folder / "waiting.csv")["model"]) == {
        "personal", "ridge", "ao", "movie_mean"
    }  # fmt: skip
    for picture in ("learning_curves", "waiting", "error_by_cost"):
        assert (folder / "plots" / f"{picture}.png").stat().st_size > 10_000
    assert not (folder / "item_tables").exists()
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    for model in summary["model"]:
        assert model in shown
    assert shown.splitlines()[-1] == f"report: {folder / 'report.html'}"
    assert "learning-curves" in (folder / "report.html").read_text()


def test_settings_reach_a_recommender_and_what_builds_on_it(tmp_path):
    models = ["--models", "user_mean@never", "bayes_fm@x2", "bayes_fm_recent@x2"]
    errors = []
    for samples in (6, 7):
        folder = tmp_path / str(samples)
        settings = ["--settings", "bayes_fm.rank=1", f"bayes_fm.samples={samples}"]
        replay("--dataset", SYNTHETIC, *models, *settings, "--output-dir", folder)
        errors.append(pd.read_csv(folder / "continual_summary.csv")["rmse"])
    assert (errors[0] == errors[1]).tolist() == [True, False, False]
    wrong = ["--settings", "bayes_fm.rang=8"]
    assert "bayes_fm has no rang" in replay("--dataset", SYNTHETIC, *models, *wrong, expected=2)


def test_ratings_all_alike_at_times_that_are_no_dates(tmp_path, kaggle_folder):
    """In a folder whose name is a pattern; nothing is divided by an error of 0."""
    data = kaggle_folder.rename(tmp_path / "Füße & 🎬 [1]")
    ratings = pd.read_csv(data / "ratings_small.csv")
    times = ratings["timestamp"].floordiv(10_000_000).mul(10**16)
    ratings.assign(rating=3.0, timestamp=times).to_csv(data / "ratings_small.csv", index=False)
    folder, models = tmp_path / "run [x]", ["user_mean@never", "movie_mean@1000"]
    shown = replay("--dataset", data, "--models", *models, "--output-dir", folder)
    assert "from 1000000000000000000 to 10" in shown
    assert "3,100 of them at tied times, in random order" in shown
    assert "[x]/report.html" in shown
    assert pd.read_csv(folder / "continual_summary.csv")["percent"].isna().all()
    words = ["--models", "ridge", "--cells", "5x5", "--output-dir", tmp_path / "tuning"]
    status, _, errors = run_here(tune, "--dataset", data, *words)
    assert status == 2
    assert "there is nothing to tune" in errors


def test_a_run_that_was_stopped_goes_on_to_the_same_end(finished, tmp_path):
    """With one worker where there were two; some pieces are gone, one is half written."""
    folder, _ = finished
    again = shutil.copytree(folder, tmp_path / "again")
    parts = sorted((again / "predictions").glob("*.parquet"))
    parts[0].unlink()
    parts[-1].rename(parts[-1].with_suffix(".part"))
    (again / "continual_summary.csv").unlink()
    replay("--resume", again, "--workers", "1")
    for name in ("continual_summary.csv", "learning_curve.csv", "waiting.csv"):
        ours, theirs = (pd.read_csv(one / name) for one in (again, folder))
        kept = [column for column in ours if not any(time in column for time in TIMES)]
        pd.testing.assert_frame_equal(ours[kept], theirs[kept], check_exact=True)


def test_a_model_that_fails_leaves_the_others(tmp_path):
    own = tmp_path / "own.py"
    fails = "if len(train) > 400: raise RuntimeError('too many')"
    own.write_text(own_model(fails, name="Fails"))
    folder = tmp_path / "run"
    printed = replay(
        "--dataset", SYNTHETIC, "--models", "user_mean@never", f"{own}:Fails@300",
        "--output-dir", folder, "--workers", "1", expected=1,
    )  # fmt: skip
    assert "failed: Fails@300" in printed
    assert "too many" in printed
    summary = pd.read_csv(folder / "continual_summary.csv")
    assert summary["status"].tolist() == ["ok", "failed"]
    assert "too many" in (folder / "errors.txt").read_text()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--models", "personal"], "Expected a recommender and when it is refitted"),
        (["--models", "user_mean@never", "user_mean@never"], "is listed twice"),
        (["--delay", "-5"], "--delay is -5"),
        (["--num-users", "-1"], "--num-users is -1"),
        (["--resume", "no-such-folder"], "no-such-folder"),
    ],
)
def test_wrong_input_is_one_message(flags, message):
    printed = replay("--dataset", SYNTHETIC, *flags, expected=2)
    assert message in printed
    assert "Traceback" not in printed
