"""The scripts of experiments/: figures, files, going on after a stop, wrong flags."""

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
from tests_paths import ROOT, SYNTHETIC

from recbench.data.loading import load_dataset

pytestmark = pytest.mark.slow  # each starts a script as a process

LITERATURE = "experiments.literature"
PUBLISHED = "experiments.published_benchmark"


def experiment(name, *words, cwd=ROOT):
    return subprocess.run(
        [sys.executable, "-m", name, *map(str, words)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "120", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


# --- MovieLens 100K ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ml_100k(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ml-100k") / "run"
    done = experiment(LITERATURE, "--models", "bias", "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_each_fold_is_the_one_of_surprise(ml_100k):
    """Its own cross-validation gives the same errors, fold by fold."""
    rows = load_dataset("ml-100k").source.read_ratings().select("userId", "movieId", "rating")
    data = SurpriseDataset.load_from_df(rows.to_pandas(), Reader(rating_scale=(0.5, 5)))
    model = BaselineOnly(bsl_options={"method": "als"}, verbose=False)
    theirs = cross_validate(model, data, ["rmse", "mae"], KFold(random_state=0))
    ours = pd.read_csv(ml_100k[0] / "comparison.csv").query("folds == 'surprise'")
    assert ours["rmse_pooled"].tolist() == pytest.approx(theirs["test_rmse"].tolist(), abs=1e-6)
    assert ours["mae_pooled"].tolist() == pytest.approx(theirs["test_mae"].tolist(), abs=1e-6)


def test_folds_are_the_sets_that_grouplens_publishes(ml_100k):
    ours = pd.read_csv(ml_100k[0] / "comparison.csv").query("folds == 'grouplens'")
    assert ours["n_test"].tolist() == [20_000] * 5
    rows = load_dataset("ml-100k").source.read_ratings()
    assert rows[:20_000]["userId"].n_unique() == 459  # as in u1.test


def test_figures_stand_beside_those_published(ml_100k):
    folder, printed = ml_100k
    beside = pd.read_csv(folder / "published.csv").set_index("folds")
    assert beside.loc["surprise", "rmse"] == pytest.approx(0.944, abs=0.0005)
    assert beside.loc["surprise", "mae"] == pytest.approx(0.748, abs=0.0005)
    assert beside.loc["surprise", "within_0.005"]
    assert "scikit-surprise" in beside.loc["surprise", "source"]
    assert pd.isna(beside.loc["grouplens", "published_rmse"])
    assert re.search(r"bias +surprise +all +0\.9440 +0\.9440", printed)
    rows = pd.read_csv(folder / "comparison.csv")
    assert json.loads(rows["settings"][0])["damping_user"] == 15.0
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"


def test_ml_100k_is_not_overwritten_and_goes_on_where_it_was(ml_100k):
    folder = ml_100k[0]
    again = experiment(LITERATURE, "--output-dir", folder)
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
    whole = pd.read_csv(folder / "comparison.csv")
    whole.assign(fit_seconds=-1.0)[:7].to_csv(folder / "comparison.csv", index=False)
    assert experiment(LITERATURE, "--resume", folder).returncode == 0
    resumed = pd.read_csv(folder / "comparison.csv")
    assert (resumed["fit_seconds"] == -1).sum() == 7
    pd.testing.assert_series_equal(whole["rmse_pooled"], resumed["rmse_pooled"])


# --- MovieLens 1M ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ml_1m(tmp_path_factory):
    """On a small dataset in its place: what is checked is how it is divided and put down."""
    folder = tmp_path_factory.mktemp("ml-1m") / "run"
    words = ["--models", "bias", "bayes_fm_ids", "bayes_fm_implicit_ordinal"]
    words += ["--folds", "ml-1m-5-fold", "ml-1m-90-10"]
    words += ["--dataset-1m", SYNTHETIC, "--output-dir", folder]
    done = experiment(LITERATURE, *words)
    assert done.returncode == 0, done.stderr
    return folder


def test_each_method_is_run_by_its_own_protocols(ml_1m):
    rows = pd.read_csv(ml_1m / "comparison.csv")
    assert rows.groupby(["model", "folds"])["iteration"].agg(list).to_dict() == {
        ("bias", "ml-1m-5-fold"): [1, 2, 3, 4, 5],
        ("bayes_fm_ids", "ml-1m-90-10"): [1],
        ("bayes_fm_implicit_ordinal", "ml-1m-90-10"): [1],
    }
    n = len(load_dataset(str(SYNTHETIC)).ratings)
    assert (rows["n_train"] + rows["n_test"] == n).all()
    assert rows[rows["folds"] == "ml-1m-5-fold"]["n_test"].sum() == n
    assert set(rows[rows["folds"] == "ml-1m-90-10"]["n_test"]) == {-(-n // 10)}
    ordinal = rows[rows["model"] == "bayes_fm_implicit_ordinal"]
    assert json.loads(ordinal["settings"].item())["ordinal"]


def test_figures_of_methods_that_are_not_here_stand_alone(ml_1m):
    beside = pd.read_csv(ml_1m / "published.csv").set_index("model")
    assert beside.loc["SparseFC", "published_rmse"] == 0.824
    assert pd.isna(beside.loc["SparseFC", ["rmse", "published_mae", "rmse_difference"]]).all()
    assert beside.loc["bias", "published_rmse"] == 0.909
    assert beside.loc["bias", "like_for_like"] in (True, "True")
    flipped = beside.loc["bayes_fm_implicit_ordinal"]
    assert flipped["rmse_difference"] == pytest.approx(flipped["rmse"] - 0.814)
    assert flipped["like_for_like"] in (False, "False")
    assert "dates" in flipped["note"]
    assert pd.isna(beside.loc["bayes_fm_ids", "published_rmse"])
    assert (beside["protocol"].str.startswith("MovieLens 1M")).all()


def test_without_its_folder_movielens_1m_is_left_out(ml_100k):
    folder, printed = ml_100k
    assert "MovieLens 1M is left out: --dataset-1m" in printed
    assert set(pd.read_csv(folder / "comparison.csv")["folds"]) == {"surprise", "grouplens"}
    assert pd.read_csv(folder / "published.csv")["protocol"].str.contains("100K").all()


# --- wrong flags -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        (LITERATURE, ["--models", "bayes"], "--models is bayes. Expected some of bias, svd"),
        (LITERATURE, ["--models", "bias", "bias"], "--models is bias bias. Expected some"),
        (LITERATURE, ["--models"], "--models is empty"),
        (LITERATURE, ["--folds", "ten"], "'ten'"),
        (LITERATURE, ["--folds", "ml-1m-90-10"], "MovieLens 1M is not there"),
        (
            LITERATURE,
            ["--folds", "ml-1m-90-10", "--models", "bias", "--dataset-1m", SYNTHETIC],
            "none of --models bias is run by them",
        ),
        (LITERATURE, ["--dataset-1m", "nowhere"], "nowhere: no such folder"),
        (LITERATURE, ["--seed", "-1"], "--seed is -1"),
        (LITERATURE, ["--resume", "nowhere"], "nowhere: has no run.json"),
    ],
)
def test_bad_input_is_one_message_and_status_2(tmp_path, name, words, message):
    done = experiment(name, *words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(message, " ".join(done.stderr.replace("│", " ").split()))
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- the published benchmark -------------------------------------------------------------------


def test_each_defect_of_the_published_benchmark_has_its_rows(kaggle_folder, tmp_path):
    words = ("--dataset", kaggle_folder, "--num-users", "10", "--reviews-per-user", "10")
    folder = tmp_path / "run"
    done = experiment(PUBLISHED, *words, "--iterations", "1", "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    joins = pd.read_csv(folder / "joins.csv").set_index("join")
    assert joins.loc["links", "right_share_of_joined"] == 1
    assert joins.loc["direct", "right_movie"] < joins.loc["links", "right_movie"]
    ablation = pd.read_csv(folder / "ablation.csv")
    assert len(set(ablation["repair"])) == 11
    assert (ablation[ablation["repair"] == "as published"]["accuracy_change"] == 0).all()
    glance = pd.read_csv(folder / "ablation_accuracy.csv")
    assert glance["repair"].tolist() == list(dict.fromkeys(ablation["repair"]))
    assert experiment(PUBLISHED, "--dataset", "ml-100k").returncode == 2
