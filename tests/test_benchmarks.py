"""The scripts of benchmarks/ from the command line: figures, files, going on, wrong flags."""

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
from surprise import BaselineOnly, Reader
from surprise import Dataset as SurpriseDataset
from surprise.model_selection import KFold, cross_validate
from tests_paths import ROOT

from data_prep import load_dataset

ML_100K = "movielens_100k.py"


def benchmark(name, *words, cwd=ROOT):
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / name), *map(str, words)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "120", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


# --- MovieLens 100K ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ml_100k(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ml-100k") / "run"
    done = benchmark(ML_100K, "--models", "bias", "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_each_fold_is_the_one_that_surprise_deals(ml_100k):
    """Its own cross-validation gives the same errors, fold by fold."""
    rows = load_dataset("ml-100k").source.ratings.select("userId", "movieId", "rating")
    data = SurpriseDataset.load_from_df(rows.to_pandas(), Reader(rating_scale=(0.5, 5)))
    model = BaselineOnly(bsl_options={"method": "als"}, verbose=False)
    theirs = cross_validate(model, data, ["rmse", "mae"], KFold(random_state=0))
    ours = pd.read_csv(ml_100k[0] / "comparison.csv").query("folds == 'surprise'")
    assert ours["rmse_pooled"].tolist() == pytest.approx(theirs["test_rmse"].tolist(), abs=1e-6)
    assert ours["mae_pooled"].tolist() == pytest.approx(theirs["test_mae"].tolist(), abs=1e-6)


def test_folds_are_the_sets_that_grouplens_publishes(ml_100k):
    ours = pd.read_csv(ml_100k[0] / "comparison.csv").query("folds == 'grouplens'")
    assert ours["n_test"].tolist() == [20_000] * 5
    rows = load_dataset("ml-100k").source.ratings
    assert rows[:20_000]["userId"].n_unique() == 459  # as in u1.test


def test_figures_stand_beside_those_published(ml_100k):
    folder, printed = ml_100k
    beside = pd.read_csv(folder / "published.csv").set_index("folds")
    assert beside.loc["surprise", "rmse"] == pytest.approx(0.944, abs=0.0005)
    assert beside.loc["surprise", "mae"] == pytest.approx(0.748, abs=0.0005)
    assert beside.loc["surprise", "within_0.005"]
    assert "scikit-surprise" in beside.loc["surprise", "source"]
    assert pd.isna(beside.loc["grouplens", "published_rmse"])
    assert re.search(r"bias +surprise +0\.9440 ±0\.007 +0\.944 ", printed)
    about = json.loads((folder / "run.json").read_text())
    assert about["settings"]["bias"]["damping_user"] == 15.0
    assert about["status"] == "finished"


def test_ml_100k_is_not_overwritten_and_goes_on_where_it_was(ml_100k):
    folder = ml_100k[0]
    again = benchmark(ML_100K, "--output-dir", folder)
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
    whole = pd.read_csv(folder / "comparison.csv")
    whole.assign(fit_seconds=-1.0)[:7].to_csv(folder / "comparison.csv", index=False)
    assert benchmark(ML_100K, "--resume", folder).returncode == 0
    resumed = pd.read_csv(folder / "comparison.csv")
    assert (resumed["fit_seconds"] == -1).sum() == 7
    pd.testing.assert_series_equal(whole["rmse_pooled"], resumed["rmse_pooled"])


# --- both --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        (ML_100K, ["--models", "bayes"], "nothing is published here of 'bayes', only of bias, svd"),
        (ML_100K, ["--models", "bias", "bias"], "bias stands twice"),
        (ML_100K, ["--models"], "--models needs a value"),
        (ML_100K, ["--folds", "ten"], "'ten'"),
        (ML_100K, ["--seed", "-1"], "--seed is -1"),
        (ML_100K, ["--resume", "nowhere"], "nowhere: has no run.json"),
    ],
)
def test_bad_input_is_one_message_and_status_2(tmp_path, name, words, message):
    done = benchmark(name, *words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(message, " ".join(done.stderr.replace("│", " ").split()))
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
