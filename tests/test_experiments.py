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

from PerUser.ridge import PerUserRidge
from recbench.data.joining import load_dataset
from recbench.evaluation.background import cell_without_background
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS

pytestmark = pytest.mark.slow  # each starts a script as a process

LITERATURE = "experiments.literature"
BACKGROUND = "experiments.background_users"
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
    assert beside.loc["I-AutoRec", "published_rmse"] == 0.831
    assert pd.isna(beside.loc["I-AutoRec", ["rmse", "published_mae", "rmse_difference"]]).all()
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


# --- background users --------------------------------------------------------------------------

SMALL = ["--dataset", SYNTHETIC, "--num-users", "12", "--reviews-per-user", "20"]


@pytest.fixture(scope="module")
def background(tmp_path_factory):
    folder = tmp_path_factory.mktemp("background") / "run"
    words = ["--background-users", "0", "6", "all", "--iterations", "2"]
    words += ["--models", "user_mean", "ridge", "bias", "movie_mean", "--output-dir", folder]
    done = experiment(BACKGROUND, *SMALL, *words)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_each_size_is_a_row_and_personal_ones_have_one(background):
    rows = pd.read_csv(background[0] / "comparison.csv")
    assert (rows["status"] == "ok").all()
    sizes = rows.fillna({"background_users": -1}).groupby("model")["background_users"]
    assert sizes.agg(list).to_dict() == {
        "user_mean": [-1, -1],
        "ridge": [-1, -1],
        "bias": [0, 6, 48, 0, 6, 48],
        "movie_mean": [0, 6, 48, 0, 6, 48],
    }
    assert set(rows["n_test"]) == {12 * 4}
    assert set(rows["protocol"]) == {"strict+background_users=all"}
    bias = rows[(rows["model"] == "bias") & (rows["iteration"] == 1)].set_index("background_users")
    assert bias["models_fitted"].tolist() == [12, 12, 3]  # groups of 1, 1 and 5
    assert bias["n_train"].is_monotonic_increasing
    assert bias.loc[0, "n_train"] == 16


def test_alone_a_collaborative_model_is_one_of_one_user(background):
    """The movie means of one user are that user's mean."""
    rows = pd.read_csv(background[0] / "comparison.csv")
    means = (rows["background_users"] == 0) & (rows["model"] == "movie_mean")
    alone = rows[means | (rows["model"] == "user_mean")]
    assert means.any()
    for _, errors in alone.groupby("iteration")["rmse"]:
        assert errors.max() == pytest.approx(errors.min(), abs=1e-6)


def test_personal_ones_know_no_movie_by_the_ratings_of_other_users(background):
    rows = pd.read_csv(background[0] / "comparison.csv", float_precision="round_trip")
    own = rows[(rows["model"] == "ridge") & (rows["iteration"] == 1)].iloc[0]
    protocol = PROTOCOLS["strict"].changed(background_users="all")
    cell = make_cell(load_dataset(str(SYNTHETIC)), protocol, 12, 20)
    alone = measure(PerUserRidge(), cell_without_background(cell), "half_stars")
    assert own["rmse"] == pytest.approx(alone.rmse, abs=1e-9)
    assert measure(PerUserRidge(), cell, "half_stars").rmse != pytest.approx(alone.rmse, abs=1e-6)


def test_crossings_follow_from_the_rows(background):
    folder, printed = background
    rows = pd.read_csv(folder / "comparison.csv")
    crossings = pd.read_csv(folder / "crossings.csv").set_index(["collaborative", "personal"])
    assert len(crossings) == 4
    for (name, other), row in crossings.iterrows():
        error = rows[rows["model"] == name].groupby("background_users")["rmse"].mean()
        level = rows[rows["model"] == other]["rmse"].mean()
        assert row["rmse_alone"] == pytest.approx(error[0])
        assert row["rmse_all"] == pytest.approx(error[48])
        assert row["rmse_personal"] == pytest.approx(level)
        assert pd.isna(row["background_users"]) == (error[48] >= level)
    assert "user_mean" in printed


def test_the_picture_is_drawn(background):
    folder = background[0]
    assert (folder / "background_users.png").read_bytes().startswith(b"\x89PNG")
    picture = (folder / "background_users.svg").read_text()
    assert "<svg" in picture


def test_background_users_goes_on_where_it_was(background, tmp_path):
    whole = pd.read_csv(background[0] / "comparison.csv", float_precision="round_trip")
    whole.assign(fit_seconds=-1.0)[:9].to_csv(tmp_path / "comparison.csv", index=False)
    (tmp_path / "run.json").write_text((background[0] / "run.json").read_text())
    done = experiment(BACKGROUND, "--resume", tmp_path)
    assert done.returncode == 0, done.stderr
    resumed = pd.read_csv(tmp_path / "comparison.csv")
    assert (resumed["fit_seconds"] == -1).sum() == 9
    times = ["fit_seconds", "predict_seconds"]
    pd.testing.assert_frame_equal(whole.drop(columns=times), resumed.drop(columns=times))
    for file in ("crossings.csv", "background_users.svg"):
        assert (tmp_path / file).read_bytes() == (background[0] / file).read_bytes()


def test_one_that_fails_leaves_the_others(tmp_path):
    (tmp_path / "my_file.py").write_text(
        "class Broken:\n"
        "    learns_from_background = True\n"
        "    def fit(self, train, movies):\n"
        "        raise RuntimeError('no idea')\n"
        "    def predict(self, user, movie):\n"
        "        return None\n"
    )
    words = ["--models", "my_file:Broken", "bias", "user_mean", "--background-users", "0", "all"]
    words += ["--iterations", "1", "--output-dir", "out"]
    done = experiment(BACKGROUND, *SMALL, *words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    rows = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert set(rows[rows["model"] == "Broken"]["error"]) == {"RuntimeError: no idea"}
    assert set(rows[rows["model"] != "Broken"]["status"]) == {"ok"}
    assert (tmp_path / "out" / "background_users.svg").exists()


# --- both --------------------------------------------------------------------------------------


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
        (BACKGROUND, [*SMALL, "--background-users", "10", "0"], "--background-users is 10 0"),
        (BACKGROUND, [*SMALL, "--background-users", "-1"], "--background-users is -1"),
        (BACKGROUND, [*SMALL, "--background-users", "many"], "many"),
        (BACKGROUND, [*SMALL, "--background-users", "500"], "there are 48 users beside the 12"),
        (BACKGROUND, ["--dataset", SYNTHETIC, "--num-users", "0"], "--num-users is 0"),
        (BACKGROUND, ["--dataset", SYNTHETIC, "--num-users", "99"], "only .* users"),
        (BACKGROUND, [*SMALL, "--reviews-per-user", "1"], "--reviews-per-user is 1"),
        (BACKGROUND, [*SMALL, "--models", "bias", "bias"], "Expected each once"),
        (BACKGROUND, [*SMALL, "--models", "biass"], "no recommender is named 'biass'"),
        (BACKGROUND, ["--dataset", "nowhere"], "nowhere: no such folder"),
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
    assert joins.loc["direct", "right_film"] < joins.loc["links", "right_film"]
    ablation = pd.read_csv(folder / "ablation.csv")
    assert len(set(ablation["repair"])) == 11
    assert (ablation[ablation["repair"] == "as published"]["accuracy_change"] == 0).all()
    glance = pd.read_csv(folder / "ablation_accuracy.csv")
    assert glance["repair"].tolist() == list(dict.fromkeys(ablation["repair"]))
    assert experiment(PUBLISHED, "--dataset", "ml-100k").returncode == 2
