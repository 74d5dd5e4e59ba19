"""The scripts of experiments/: figures, files, continuing after a stop, wrong flags."""

from __future__ import annotations

import importlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from in_process import script
from surprise import BaselineOnly, Reader
from surprise import Dataset as SurpriseDataset
from surprise.model_selection import KFold, cross_validate
from tests_paths import SYNTHETIC

from experiments.common import console, training_of
from experiments.no_population import CONTENDERS, OneUserAtATime
from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_table.learning import RANK
from recbench.own_ratings.known_movies import KnownMovies
from recbench.ratings import Ratings
from recbench.registry import load_recommender


def run(name, **parameters):
    """The experiment in this process, on the synthetic set where nothing else is named."""
    module = importlib.import_module(f"experiments.{name}")
    if hasattr(module.Parameters, "dataset"):
        parameters = {"dataset": str(SYNTHETIC)} | parameters
    parameters = {key: str(one) if key == "output_dir" else one for key, one in parameters.items()}
    return module.main(module.Parameters(**parameters))


@pytest.fixture(scope="module", autouse=True)
def wide():
    console.width = 200


# --- each user alone ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name != "torch"])
def test_nothing_is_learned_from_others(synthetic, name):
    """What others rate changes nothing."""
    protocol = PROTOCOLS["strict"].changed(background_users=0, votes=False, item_baseline=False)
    cell = make_cell(synthetic, protocol, 12, 20, 1)
    train, test = cell.personal.train, cell.personal.test
    spec, settings, _ = CONTENDERS[name]
    cls = load_recommender(spec)

    def predictions(ratings):
        model = OneUserAtATime(lambda: cls(**settings)).fit(training_of(cell, ratings))
        return model.predict(test.user, test.movie)

    mine = test.user == 3
    rng = np.random.default_rng(0)
    stars = np.where(train.user == 3, train.stars, rng.integers(1, 11, len(train)) / 2)
    alone = predictions(train)
    among_others = predictions(Ratings(train.user, train.movie, stars, train.time))
    np.testing.assert_array_equal(alone[mine], among_others[mine])
    if name != "always_3":
        assert (alone[~mine] != among_others[~mine]).any()


@pytest.mark.slow
def test_each_user_alone_is_written_so_that_claims_can_pair(tmp_path):
    words = {"cells": ("10x20",), "iterations": 1, "user_set": "all"}
    assert run("no_population", **words, output_dir=tmp_path / "run") == 0
    rows = pd.read_csv(tmp_path / "run" / "comparison.csv")
    assert rows["model"].tolist() == list(CONTENDERS)
    run("claims", run=str(tmp_path / "run"), claims=("ridge:user_mean",))
    claims = pd.read_csv(tmp_path / "run" / "claims.csv")
    assert {"rmse", "mae", "accuracy_mean"} <= set(claims["score"])


# --- MovieLens 100K ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ml_100k(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ml-100k") / "run"
    with console.capture() as capture:
        assert run("literature", models=("bias", "bayes_fm_ids"), output_dir=folder) == 0
    return folder, capture.get()


@pytest.mark.slow
def test_each_fold_is_the_one_of_surprise(ml_100k):
    """Its own cross-validation gives the same errors, fold by fold."""
    rows = load_dataset("ml-100k").source.read_ratings().select("userId", "movieId", "rating")
    data = SurpriseDataset.load_from_df(rows.to_pandas(), Reader(rating_scale=(0.5, 5)))
    model = BaselineOnly(bsl_options={"method": "als"}, verbose=False)
    theirs = cross_validate(model, data, ["rmse", "mae"], KFold(random_state=0))
    ours = pd.read_csv(ml_100k[0] / "comparison.csv").query("folds == 'surprise'")
    assert ours["rmse_pooled"].tolist() == pytest.approx(theirs["test_rmse"].tolist(), abs=1e-6)
    assert ours["mae_pooled"].tolist() == pytest.approx(theirs["test_mae"].tolist(), abs=1e-6)


@pytest.mark.slow
def test_figures_stand_beside_those_published(ml_100k):
    folder, printed = ml_100k
    beside = pd.read_csv(folder / "published.csv").set_index(["model", "folds"])
    assert beside.index.tolist() == [("bias", "surprise"), ("bayes_fm_ids", "grouplens")]
    bias = beside.loc["bias", "surprise"]
    assert bias["rmse"] == pytest.approx(0.944, abs=0.0005)
    assert bias["mae"] == pytest.approx(0.748, abs=0.0005)
    assert re.search(r"bias +surprise .* 0\.944 +0\.944 ", printed)
    rows = pd.read_csv(folder / "comparison.csv")
    assert json.loads(rows["settings"][0])["damping_user"] == 15.0
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    u3 = rows[rows["folds"] == "grouplens"]  # a set that GroupLens publishes
    assert u3[["iteration", "n_test"]].to_numpy().tolist() == [[3, 20_000]]
    # without its folder MovieLens 1M is left out
    assert "MovieLens 1M is left out. Name its folder with --dataset-1m" in printed


@pytest.mark.slow
def test_ml_100k_is_not_overwritten_and_continues_where_it_was(ml_100k):
    folder = ml_100k[0]
    with pytest.raises(InputError, match="holds a run already"):
        run("literature", output_dir=folder)
    whole = pd.read_csv(folder / "comparison.csv")
    whole.assign(fit_seconds=-1.0)[:4].to_csv(folder / "comparison.csv", index=False)
    assert script("-m", "experiments.literature", "--resume", folder).returncode == 0
    resumed = pd.read_csv(folder / "comparison.csv")
    assert (resumed["fit_seconds"] == -1).sum() == 4
    pd.testing.assert_series_equal(whole["rmse_pooled"], resumed["rmse_pooled"])


# --- MovieLens 1M ------------------------------------------------------------------------------


@pytest.mark.slow
def test_each_method_is_run_by_its_own_protocols(tmp_path):
    """On a small dataset in its place: what is checked is how it is divided and written."""
    models = ("bias", "bayes_fm_implicit_ordinal")
    words = {"models": models, "folds": ("ml-1m-5-fold", "ml-1m-90-10")}
    folder = tmp_path / "run"
    assert run("literature", **words, dataset_1m=str(SYNTHETIC), output_dir=folder) == 0
    rows = pd.read_csv(folder / "comparison.csv")
    assert rows.groupby(["model", "folds"])["iteration"].agg(list).to_dict() == {
        ("bias", "ml-1m-5-fold"): [1, 2, 3, 4, 5],
        ("bayes_fm_implicit_ordinal", "ml-1m-90-10"): [1],
    }
    n = len(load_dataset(str(SYNTHETIC)).ratings)
    assert (rows["n_train"] + rows["n_test"] == n).all()
    assert rows[rows["folds"] == "ml-1m-5-fold"]["n_test"].sum() == n
    assert set(rows[rows["folds"] == "ml-1m-90-10"]["n_test"]) == {-(-n // 10)}
    beside = pd.read_csv(folder / "published.csv").set_index("model")
    assert beside.loc["bias", "published_rmse"] == 0.909
    assert (beside["protocol"].str.startswith("MovieLens 1M")).all()


# --- costs -------------------------------------------------------------------------------------


def test_costs_of_a_cell(tmp_path):
    models = ("personal", "ridge", "bayes_fm_folded", "bias")
    words = {"models": models, "histories": (5, 20), "users": 2, "background_users": 0}
    assert run("cost", **words, output_dir=tmp_path / "run") == 0
    rows = pd.read_csv(tmp_path / "run" / "cost.csv").set_index(["model", "ratings"])
    assert rows.index.unique("model").tolist() == ["item baseline", "item table", "codes", *models]
    assert (rows.loc[list(models), ["learn_us", "predict_us", "bytes_state"]] > 0).all(axis=None)
    assert rows["user_us"].notna().groupby("model").all().to_dict()["bias"] is False
    assert rows.loc["personal", "trace"].max() < 1e-8  # nothing is left of what was forgotten
    held = rows.loc["personal", "bytes_held"]
    assert held[20] - held[5] > 8 * (20**2 - 5**2) / 2  # the Cholesky factor is among it
    assert rows.loc[("ridge", 5), "learns"] == "the user"
    with pytest.raises(InputError, match="--histories 5000: no remaining user"):
        run("cost", histories=(5000,))


# --- wrong flags -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"models": ("bayes",)}, "--models is bayes. Expected some of bias, svd"),
        ({"folds": ("ml-1m-90-10",)}, "nothing is left to measure"),
        ({"seed": -1}, "--seed is -1"),
        ({"resume": "nowhere"}, "nowhere: has no run.json"),
    ],
)
def test_bad_input_is_one_message(tmp_path, monkeypatch, parameters, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(message)):
        run("literature", **parameters)
    assert list(tmp_path.iterdir()) == []


# --- the published benchmark -------------------------------------------------------------------


@pytest.mark.slow
def test_each_defect_of_the_published_benchmark_has_its_rows(kaggle_folder, tmp_path):
    folder = tmp_path / "run"
    size = {"num_users": 10, "reviews_per_user": (10,), "iterations": 1}
    run("published_benchmark", dataset=str(kaggle_folder), **size, output_dir=folder)
    joins = pd.read_csv(folder / "joins.csv").set_index("join")
    assert joins.loc["links", "right_share_of_joined"] == 1
    assert joins.loc["direct", "right_movie"] < joins.loc["links", "right_movie"]
    ablation = pd.read_csv(folder / "ablation.csv")
    assert len(set(ablation["repair"])) == 11
    assert (ablation[ablation["repair"] == "as published"]["accuracy_change"] == 0).all()
    glance = pd.read_csv(folder / "ablation_accuracy.csv")
    assert glance["repair"].tolist() == list(dict.fromkeys(ablation["repair"]))
    with pytest.raises(InputError, match="one id space"):
        run("published_benchmark", dataset="ml-100k")


# --- behind the figures of docs/personal-model.md ----------------------------------------------


@pytest.mark.slow
def test_membership_is_guessed_of_few_users(tmp_path):
    run("membership", members=(15,), iterations=1, output_dir=tmp_path / "run")
    table = pd.read_csv(tmp_path / "run/summary.csv").set_index("attack")
    assert table["mean"].between(0, 1).all()
    assert table.loc["both", "mean"] > 0.5
    with pytest.raises(InputError, match="a third"):
        run("membership", members=(50,))


@pytest.mark.slow
def test_variants_are_relative_to_the_whole(tmp_path):
    words = {"datasets": (str(SYNTHETIC),), "cells": ("10x10",), "iterations": 1}
    assert run("personal_variants", **words, output_dir=tmp_path / "run") == 0
    table = pd.read_csv(tmp_path / "run/summary.csv").set_index("model")
    assert table.loc["personal", "mean"] == 0
    for part in ("without drift", "without who watched what", "2 factors"):
        assert table.loc[part, "mean"] != 0


@pytest.mark.slow
def test_sizes_of_ntuple_are_relative_to_the_gaussian_process(tmp_path):
    words = {"datasets": (str(SYNTHETIC),), "cells": ("12x0",), "iterations": 1, "draws": 2}
    assert run("ntuple_variants", **words, output_dir=tmp_path / "run") == 0
    summary = pd.read_csv(tmp_path / "run" / "summary.csv").set_index("model")["percent"]
    assert summary["personal"] == 0
    assert summary.index[-1] == "published bits"
    size = pd.read_csv(tmp_path / "run" / "size.csv").set_index("n")
    assert size.loc[7, "T 256"] == summary["n 7, T 256"]
    draws = pd.read_csv(tmp_path / "run" / "comparison.csv")["model"].value_counts()
    assert (draws["personal"], draws["n 7, T 256"], draws["published bits"]) == (1, 2, 2)


def test_a_table_from_devices_is_the_same_table(tmp_path):
    run("federated", rounds=4, output_dir=tmp_path / "run")
    table = pd.read_csv(tmp_path / "run/rounds.csv")
    assert (table["difference"] < 1e-9).all()
    assert table["rmse"].is_monotonic_decreasing
    movies, rank = table["movies"][0], RANK
    down = movies * (rank * (rank + 1) // 2 + 2 * rank)  # E ww', w, E wb
    up = movies * ((rank + 1) * (rank + 2) // 2 + 2 * rank + 1)  # E x̃x̃', r x̃, x
    per_round = np.diff(table[["megabytes_down", "megabytes_up"]], axis=0, prepend=0)
    np.testing.assert_allclose(per_round, np.tile([8e-6 * down, 8e-6 * up], (4, 1)))


@pytest.mark.slow
def test_an_item_table_from_the_command_line(tmp_path):
    def item_table(*words):
        return script("-m", "recbench", "item-table", *words, RECBENCH_CACHE=str(tmp_path))

    file = tmp_path / "movies.zip"
    words = (file, "--dataset", SYNTHETIC)
    done = item_table(*words)
    assert done.returncode == 0, done.stderr
    table = KnownMovies.load(file).table
    assert table.about["users"] == 60
    again = item_table(*words)
    assert table.checksum()[:16] in again.stdout
    assert "exists already" in again.stdout
    elsewhere = item_table(tmp_path / "no/folder/movies.zip")
    assert elsewhere.returncode == 2
    assert "there is no folder" in elsewhere.stderr
