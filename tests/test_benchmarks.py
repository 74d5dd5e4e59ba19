"""The scripts of benchmarks/ from the command line: figures, files, going on, wrong flags."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from surprise import BaselineOnly, Reader
from surprise import Dataset as SurpriseDataset
from surprise.model_selection import KFold, cross_validate
from tests_paths import ROOT, SYNTHETIC

from PerUser.ridge import PerUserRidge
from recbench.data.joining import load_dataset
from recbench.evaluation.background import cell_without_crowd
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS

ML_100K = "movielens_100k.py"
CROWD = "crowd_size.py"


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


# --- crowd size --------------------------------------------------------------------------------

SMALL = ["--dataset", SYNTHETIC, "--num-users", "12", "--reviews-per-user", "20"]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crowd") / "run"
    words = ["--other-people", "0", "6", "all", "--iterations", "2"]
    words += ["--models", "user_mean", "ridge", "bias", "movie_mean", "--output-dir", folder]
    done = benchmark(CROWD, *SMALL, *words)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_each_crowd_is_a_row_and_personal_ones_have_one(crowd):
    rows = pd.read_csv(crowd[0] / "comparison.csv")
    assert (rows["status"] == "ok").all()
    people = rows.fillna({"people": -1}).groupby("model")["people"].agg(list).to_dict()
    assert people == {
        "user_mean": [-1, -1],
        "ridge": [-1, -1],
        "bias": [0, 6, 48, 0, 6, 48],
        "movie_mean": [0, 6, 48, 0, 6, 48],
    }
    assert set(rows["n_test"]) == {12 * 4}
    assert set(rows["protocol"]) == {"strict"}
    bias = rows[(rows["model"] == "bias") & (rows["iteration"] == 1)].set_index("people")
    assert bias["models_fitted"].tolist() == [12, 12, 3]  # groups of 1, 1 and 5
    assert bias["n_train"].is_monotonic_increasing
    assert bias.loc[0, "n_train"] == 16


def test_alone_a_collaborative_model_is_one_of_one_person(crowd):
    """The movie means of one person are that person's mean."""
    rows = pd.read_csv(crowd[0] / "comparison.csv")
    means = (rows["people"] == 0) & (rows["model"] == "movie_mean")
    alone = rows[means | (rows["model"] == "user_mean")]
    assert means.any()
    for _, errors in alone.groupby("iteration")["rmse"]:
        assert errors.max() == pytest.approx(errors.min(), abs=1e-6)


def test_personal_ones_know_no_movie_by_the_ratings_of_others(crowd):
    rows = pd.read_csv(crowd[0] / "comparison.csv", float_precision="round_trip")
    own = rows[(rows["model"] == "ridge") & (rows["iteration"] == 1)].iloc[0]
    protocol = replace(PROTOCOLS["strict"], other_users=10**9)
    cell = make_cell(load_dataset(str(SYNTHETIC)), protocol, 12, 20)
    alone = measure(PerUserRidge(), cell_without_crowd(cell, protocol), "half_stars")
    assert own["rmse"] == pytest.approx(alone.rmse, abs=1e-9)
    assert measure(PerUserRidge(), cell, "half_stars").rmse != pytest.approx(alone.rmse, abs=1e-6)


def test_crossings_follow_from_the_rows(crowd):
    folder, printed = crowd
    rows = pd.read_csv(folder / "comparison.csv")
    crossings = pd.read_csv(folder / "crossings.csv").set_index(["collaborative", "personal"])
    assert len(crossings) == 4
    for (name, other), row in crossings.iterrows():
        error = rows[rows["model"] == name].groupby("people")["rmse"].mean()
        level = rows[rows["model"] == other]["rmse"].mean()
        assert row["rmse_alone"] == pytest.approx(error[0])
        assert row["rmse_all"] == pytest.approx(error[48])
        assert row["rmse_personal"] == pytest.approx(level)
        assert pd.isna(row["people"]) == (error[48] >= level)
    assert "user_mean" in printed


def test_the_crowd_is_drawn(crowd):
    folder = crowd[0]
    assert (folder / "crowd_size.png").read_bytes().startswith(b"\x89PNG")
    picture = (folder / "crowd_size.svg").read_text()
    assert "<svg" in picture


def test_crowd_size_goes_on_where_it_was(crowd, tmp_path):
    whole = pd.read_csv(crowd[0] / "comparison.csv", float_precision="round_trip")
    whole.assign(fit_seconds=-1.0)[:9].to_csv(tmp_path / "comparison.csv", index=False)
    (tmp_path / "run.json").write_text((crowd[0] / "run.json").read_text())
    done = benchmark(CROWD, "--resume", tmp_path)
    assert done.returncode == 0, done.stderr
    resumed = pd.read_csv(tmp_path / "comparison.csv")
    assert (resumed["fit_seconds"] == -1).sum() == 9
    times = ["fit_seconds", "predict_seconds"]
    pd.testing.assert_frame_equal(whole.drop(columns=times), resumed.drop(columns=times))
    for file in ("crossings.csv", "crowd_size.svg"):
        assert (tmp_path / file).read_bytes() == (crowd[0] / file).read_bytes()


def test_one_that_fails_in_a_crowd_leaves_the_others(tmp_path):
    (tmp_path / "my_file.py").write_text(
        "class Broken:\n"
        "    learns_from_others = True\n"
        "    def fit(self, train, movies):\n"
        "        raise RuntimeError('no idea')\n"
        "    def predict(self, user, movie):\n"
        "        return None\n"
    )
    words = ["--models", "my_file:Broken", "bias", "user_mean", "--other-people", "0", "all"]
    words += ["--iterations", "1", "--output-dir", "out"]
    done = benchmark(CROWD, *SMALL, *words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    rows = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert set(rows[rows["model"] == "Broken"]["error"]) == {"RuntimeError: no idea"}
    assert set(rows[rows["model"] != "Broken"]["status"]) == {"ok"}
    assert (tmp_path / "out" / "crowd_size.svg").exists()


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
        (CROWD, [*SMALL, "--other-people", "10", "0"], "--other-people is 10 0"),
        (CROWD, [*SMALL, "--other-people", "-1"], "--other-people is -1"),
        (CROWD, [*SMALL, "--other-people", "many"], "many"),
        (CROWD, [*SMALL, "--other-people", "500"], "there are 48 people beside the 12"),
        (CROWD, ["--dataset", SYNTHETIC, "--num-users", "0"], "--num-users is 0"),
        (CROWD, ["--dataset", SYNTHETIC, "--num-users", "99"], "only .* users"),
        (CROWD, [*SMALL, "--reviews-per-user", "1"], "--reviews-per-user is 1"),
        (CROWD, [*SMALL, "--models", "bias", "bias"], "bias stands twice"),
        (CROWD, [*SMALL, "--models", "biass"], "no recommender is named 'biass'"),
        (CROWD, ["--dataset", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_message_and_status_2(tmp_path, name, words, message):
    done = benchmark(name, *words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(message, " ".join(done.stderr.replace("│", " ").split()))
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- the personal model ------------------------------------------------------------------------


def test_the_speed_of_the_personal_model(tmp_path):
    folder = tmp_path / "speed"
    words = ("--dataset", SYNTHETIC, "--events", 30, "--repeats", 1)
    done = benchmark("personal_model_speed.py", *words, "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "speed.csv").set_index("what")
    assert (table["median"] > 0).all()
    assert table.loc["bayes_fm: fit and predict", "times_faster"] == 1
    assert {f"wnn_vote: {step} one" for step in ("ask", "explain", "learn", "forget")} < {
        *table.index
    }
    assert benchmark("personal_model_speed.py", "--events", 0).returncode == 2


def test_the_research_on_the_personal_model(tmp_path):
    folder = tmp_path / "research"
    words = ("--dataset", SYNTHETIC, "--iterations", 1, "--cells", "20x20")
    done = benchmark("personal_model_research.py", *words, "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    research = pd.read_csv(folder / "research.csv").set_index("variant")
    for score, part in (("rmse", "the models"), ("mae", "read-out")):
        summary = pd.read_csv(folder / f"summary_{score}.csv")
        assert part in set(summary["part"])
        for row in summary.itertuples():
            difference = research.loc[row.variant, f"{score}_difference"]
            if row.variant != row.against:
                assert float(row[4].rstrip("*")) == pytest.approx(1000 * difference, abs=0.051)
    alone = research.loc["model, and memory of its errors", "rmse"]
    assert alone != research.loc["hybrid", "rmse"]


def test_how_much_tuning_has_seen(tmp_path):
    folder = tmp_path / "overlap"
    words = ("--dataset", SYNTHETIC, "--cells", "20x10", "--tuning-cells", "20x10")
    done = benchmark("tuning_overlap.py", *words, "--output-dir", folder)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "overlap.csv").set_index("user_set")
    assert (table.loc["reserved", ["seen_in_tuning", "seen_in_research"]] == 0).all()
    assert table.loc["all", "seen_in_tuning"] > 0
