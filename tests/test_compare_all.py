"""`python compare_all.py` from the command line: its files, its errors, going on after a stop."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from in_process import own_model, run_here, script
from tests_paths import ROOT, SYNTHETIC

import compare_all
from experiments import claims as claims_script

RECOMMENDERS = compare_all.Parameters().models
TIMES = ["fit_seconds", "predict_seconds", "ranking_seconds"]
SMALL = ["--dataset", str(SYNTHETIC), "--num-users", "8", "--reviews-per-user", "10", "20"]
QUICK = ["--models", "ao", "user_mean", "movie_mean", "always_3"]


def here(*words, cwd=ROOT, expected=0):
    """What the script prints, in this process; with one worker unless others are named."""
    words = words if "--workers" in words else (*words, "--workers", "1")
    status, printed, errors = run_here(compare_all, *words, cwd=cwd)
    assert status == expected, printed + errors
    return printed + errors


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "new" / "run"
    done = script(
        "compare_all.py", *SMALL, "--iterations", "2", "--workers", "1", "--output-dir", folder
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_every_recommender_is_in_every_cell(finished):
    table = pd.read_csv(finished[0] / "comparison.csv")
    assert len(table) == 2 * 2 * len(RECOMMENDERS)
    assert (table["status"] == "ok").all()
    for _, cell in table.groupby(["reviews_per_user", "iteration"]):
        assert set(cell["model"]) == set(RECOMMENDERS)
    scores = ["rmse", "mae", "rmse_pooled", "mae_pooled"]
    scores += ["accuracy_mean", "accuracy_median", "accuracy_pooled", "skill_over_bias"]
    scores += ["fit_seconds", "predict_seconds", "bytes_per_user"]
    assert np.isfinite(table[scores].to_numpy()).all()
    assert (table["coverage"] == 1).all()
    assert (table["n_users"] == 8).all()
    assert set(table["protocol"]) == {"strict"}
    assert set(table["dataset"]) == {"synthetic/ratings_small"}


def test_every_column_is_explained(finished):
    columns = pd.read_csv(finished[0] / "comparison.csv").columns
    page = (ROOT / "docs" / "evaluation.md").read_text()
    undocumented = [column for column in columns if f"`{column}`" not in page]
    assert not undocumented


def test_final_results_have_the_published_columns(finished):
    wide = pd.read_csv(finished[0] / "final_results.csv")
    scores = ("avg_accuracy", "median_accuracy", "time")
    expected = [f"iter_1_{model}_{score}" for model in ("ao", "torch") for score in scores]
    expected = ["num_users", "reviews_per_user", *expected]
    expected += ["iter_1_colab_accuracy", "iter_1_colab_time"]
    assert list(wide.columns[:10]) == expected
    assert "iter_2_colab_accuracy" in wide.columns
    assert wide["reviews_per_user"].tolist() == [10, 20]
    tidy = pd.read_csv(finished[0] / "comparison.csv")
    ao = tidy[(tidy["model"] == "ao") & (tidy["iteration"] == 2)]
    assert wide["iter_2_ao_avg_accuracy"].tolist() == ao["accuracy_mean"].tolist()


def test_run_json_says_what_was_run(finished):
    metadata = json.loads((finished[0] / "run.json").read_text())
    assert metadata["status"] == "finished"
    assert metadata["parameters"]["num_users"] == [8]
    assert metadata["protocol"]["join"] == "links"
    assert metadata["datasets"][0]["counts"]["ratings"] == 3100
    assert len(metadata["datasets"][0]["fingerprint"]) == 16
    assert metadata["packages"]["numpy"] == np.__version__
    assert metadata["seconds"] > 0


def test_the_terminal_shows_a_table_and_where_the_files_are(finished):
    folder, printed = finished
    assert "RMSE" in printed
    for name in RECOMMENDERS:
        assert re.search(rf"{name}( \*)? +\d\.\d{{3}}", printed)
    for file in ("comparison.csv", "final_results.csv", "plots", "run.json"):
        assert str(folder / file) in printed
    assert printed.splitlines()[-1] == f"report: {folder / 'report.html'}"
    assert (folder / "report.html").stat().st_size > 1_000_000  # the library is in it


def test_claims_pair_any_two(finished):
    folder = finished[0]
    status, _, errors = run_here(claims_script, "--run", folder, "--claims", "ridge:ao,user_median")
    assert status == 0, errors
    claims = pd.read_csv(folder / "claims.csv")
    assert set(claims["model"]) == {"ridge"}
    assert set(claims["reference"]) == {"ao", "user_median"}
    on = ["num_users", "reviews_per_user", "score", "model", "reference"]
    both = claims.merge(pd.read_csv(folder / "significance.csv"), on=on)
    assert len(both) == 2 * 4  # cells x scores (rmse, mae, accuracy, auc), against user_median
    assert np.allclose(both["difference_x"], both["difference_y"])
    assert np.allclose(both["low_x"], both["low_y"])
    assert "p_holm" not in claims  # the family is that of whoever claims
    rmse = claims["score"] == "rmse"
    two_way = claims[["two_way_low", "two_way_high"]]
    assert two_way[~rmse].isna().all(axis=None)
    width = two_way["two_way_high"] - two_way["two_way_low"]
    assert (width[rmse] > 0.9 * (claims["high"] - claims["low"])[rmse]).all()
    (folder / "claims.csv").unlink()
    for claim, message in (("nobody:ao", "reference of no claim"), ("ridge", "model:reference")):
        status, _, errors = run_here(claims_script, "--run", folder, "--claims", claim)
        assert status == 2
        assert message in errors


@pytest.mark.slow
def test_recommenders_added_to_a_run_are_as_if_they_had_been_there(tmp_path):
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    words = [*SMALL, "--iterations", "2"]
    here(*words, "--models", "user_mean", "bias", "svd", "user_median", "--output-dir", whole)
    here(*words, "--models", "user_mean", "bias", "--output-dir", grown)
    more = ["--add-models", "svd", "user_median", "bias"]  # bias is there: it is run again
    here("--resume", grown, *more)
    for name in ("comparison.csv", "significance.csv"):
        tables = [pd.read_csv(folder / name) for folder in (whole, grown)]
        kept = [table.drop(columns=TIMES, errors="ignore") for table in tables]
        pd.testing.assert_frame_equal(*kept, check_exact=True)
    about = json.loads((grown / "run.json").read_text())
    assert about["parameters"]["models"] == ["user_mean", "bias", "svd", "user_median"]
    assert about["added_models"][0][2] == ["svd", "user_median", "bias"]
    here("--resume", grown)  # and goes on as any other


@pytest.mark.slow
def test_a_reference_that_is_named_beforehand(tmp_path):
    words = [*SMALL, "--iterations", "1", "--models", "user_mean", "bias", "ridge"]
    printed = here(*words, "--reference", "ridge", "--output-dir", tmp_path / "out")
    differences = pd.read_csv(tmp_path / "out" / "significance.csv")
    named = differences[differences["reference_role"] == "named beforehand"]
    assert set(named["reference"]) == {"ridge"}
    assert "references" not in json.loads((tmp_path / "out" / "run.json").read_text())
    assert "than the reference, ridge" in printed


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["ease", "--reference", "auto"]])
def test_the_reference_is_the_best_on_validation_rows_of_all_iterations(tmp_path, words):
    """Where it is asked for, and where the one named beforehand is not among the models."""
    models = ["--models", "user_mean", "bias", "svd", "movie_mean", *words]
    here(*SMALL, "--iterations", "2", *models, "--output-dir", tmp_path / "out")
    scores = json.loads((tmp_path / "out" / "run.json").read_text())["references"]
    assert len(scores) == 2 * 2  # cells x iterations
    differences = pd.read_csv(tmp_path / "out" / "significance.csv")
    for reviews in (10, 20):
        of_cell = [one["rmse"] for one in scores if one["reviews_per_user"] == reviews]
        best = pd.DataFrame(of_cell).mean().idxmin()
        of_cell = differences["reviews_per_user"] == reviews
        rows = differences[of_cell & (differences["reference_role"] == "best collaborative")]
        assert set(rows["reference"]) == {best}


@pytest.mark.slow
def test_same_seed_same_csv_but_for_times_whatever_the_workers(finished, tmp_path):
    words = [*SMALL, *QUICK, "--iterations", "2"]
    folders = [tmp_path / "1", tmp_path / "2"]
    for folder in folders:
        here(*words, "--workers", folder.name, "--output-dir", folder)
    differences = [pd.read_csv(folder / "significance.csv") for folder in folders]
    pd.testing.assert_frame_equal(*differences, check_exact=True)
    ours = pd.read_csv(finished[0] / "comparison.csv").drop(columns=TIMES)
    ours = ours[ours["model"].isin(QUICK)].reset_index(drop=True)
    by = ["reviews_per_user", "iteration", "model"]
    for folder in folders:
        table = pd.read_csv(folder / "comparison.csv").drop(columns=TIMES)
        tables = [one.sort_values(by, ignore_index=True) for one in (table, ours)]
        pd.testing.assert_frame_equal(*tables, check_exact=True, check_dtype=False)
    here(*SMALL, *QUICK, "--iterations", "1", "--seed", "1", "--output-dir", tmp_path / "other")
    other = pd.read_csv(tmp_path / "other" / "comparison.csv")
    shifted = ours[ours["iteration"] == 2]  # seed 1 is iteration 2 of seed 0
    by = ["reviews_per_user", "model"]
    assert other.sort_values(by)["rmse"].tolist() == shifted.sort_values(by)["rmse"].tolist()


def test_quick_changes_what_no_other_flag_does_and_says_what_comes_next(tmp_path):
    words = ["--quick", "--dataset", SYNTHETIC, "--num-users", "8", "--ratings-per-user", "10"]
    shown = here(*words, "--models", "ao", "user_mean", cwd=tmp_path)
    assert shown.splitlines()[-1].startswith("next: python compare_all.py ")
    latest = tmp_path / "results" / "latest"
    assert latest.is_symlink()
    table = pd.read_csv(latest / "comparison.csv")
    assert table[["reviews_per_user", "iteration", "model"]].to_numpy().tolist() == [
        [10, 1, "ao"], [10, 1, "user_mean"]
    ]  # fmt: skip
    here(*SMALL, "--iterations", "1", *QUICK, cwd=tmp_path)
    assert set(pd.read_csv(latest / "comparison.csv")["reviews_per_user"]) == {10, 20}
    quick = compare_all.quickly(compare_all.Parameters(quick=True))
    assert len(compare_all.cells_of(quick)) == 3
    assert quick.reference in quick.models


def test_a_run_is_not_overwritten(finished):
    before = (finished[0] / "comparison.csv").read_bytes()
    assert "--resume" in here(*SMALL, *QUICK, "--output-dir", finished[0], expected=2)
    assert (finished[0] / "comparison.csv").read_bytes() == before


@pytest.mark.slow
def test_a_resumed_run_refuses_other_data(finished, tmp_path):
    metadata = json.loads((finished[0] / "run.json").read_text())
    metadata["datasets"][0]["fingerprint"] = "0" * 16
    (tmp_path / "run.json").write_text(json.dumps(metadata))
    assert "other data" in here("--resume", tmp_path, expected=2)


def test_a_model_of_ones_own_and_one_that_fails(tmp_path):
    (tmp_path / "my_file.py").write_text(
        own_model(name="Half") + own_model(predict="raise RuntimeError('no idea')", name="Broken")
    )
    models = ["my_file:Half", "my_file:Broken", "user_mean"]
    words = [*SMALL, "--iterations", "1", "--models", *models, "--output-dir", "out"]
    printed = here(*words, cwd=tmp_path, expected=1)  # something failed
    table = pd.read_csv(tmp_path / "out" / "comparison.csv").set_index(
        ["model", "reviews_per_user"]
    )
    assert table.loc[("Half", 10), "status"] == "ok"
    assert table.loc[("Half", 10), "family"] == "own"
    assert table.loc[("Broken", 20), "status"] == "failed"
    assert table.loc[("Broken", 20), "error"] == "my_file.py, line 17: RuntimeError: no idea"
    assert table.loc[("user_mean", 20), "status"] == "ok"
    assert "no idea" in (tmp_path / "out" / "errors.txt").read_text()
    assert "failed" in printed


@pytest.mark.slow
def test_single_cells_in_place_of_the_grid_and_fewer_users_than_asked_for(tmp_path):
    words = ["--dataset", SYNTHETIC, "--cells", "55x60", "55x300", "8x10", "0x0"]
    words += ["--iterations", "1", "--models", "user_mean", "--output-dir", tmp_path / "out"]
    printed = here(*words, expected=1)
    table = pd.read_csv(tmp_path / "out" / "comparison.csv").set_index("reviews_per_user")
    assert table.loc[[0, 10], "n_users"].tolist() == [60, 8]
    assert "all × all" in printed
    assert 0 < table.loc[60, "n_users"] < 55
    assert table.loc[60, "num_users"] == 55
    assert f"only {table.loc[60, 'n_users']:.0f} users" in printed
    assert table.loc[300, "status"] == "failed"
    assert "only 0 users" in table.loc[300, "error"]


@pytest.mark.slow
def test_published_protocol_in_every_row(tmp_path):
    here(
        *(*SMALL, *QUICK, "--protocol", "published", "--iterations", "2"),
        *("--holdout", "random", "--output-dir", tmp_path / "out"),
    )
    table = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert set(table["protocol"]) == {"published+holdout=random"}
    assert set(table["join"]) == {"direct"}
    assert set(table["labels"]) == {"truncated"}
    assert set(table["background_users"]) == {0}
    means = table[table["model"] == "user_mean"].groupby("reviews_per_user")["rmse"]
    assert (means.nunique() == 1).all()  # the same sample both times


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--add-models", "bias"], "--add-models is for a run that is there"),
        (["--add-models", "a:X", "b:X"], "--add-models: X is listed twice"),
        (["--reference", "bais"], "--reference is 'bais'. Expected auto or one of --models"),
        (["--num-users", "many"], "--num-users: .*many"),
        (["--reviews-per-user", "1"], "--ratings-per-user is 1"),
        (["--split", "1.0"], "split is 1.0"),
        (["--cells", "250by25"], "--cells: '250by25'"),
        (["--cells", "0x0", "0x0"], "Expected each once"),
        (["--iterations", "0"], "--iterations is 0"),
        (["--top-percentile", "90"], "--top-percentile is 90"),
        (["--background-users", "-3"], "--background-users is -3"),
        (["--seed", "-3"], "--seed is -3"),
        (
            ["--models", "user_meen"],
            r"no recommender is named 'user_meen'.*: user_mean, .*always_3",
        ),
        (["--models", "nowhere:Model"], r"no file nowhere\.py"),
        (["--models", "recbench.errors:Model"], r"no class 'Model'"),
        (["--models", "recbench.errors:InputError"], "lacks fit and predict"),
        (["--models", "ao", "ao"], "ao is listed twice"),
        (["--holdout", "first"], "none is named .first.. Expected one of: last, next, random"),
        (["--reviews-per-users", "5"], "Perhaps you meant"),
        (["--wnn-engine", "ao_core"], "ask AO Labs"),
        (["--wnn-engine", "ao_core", "--models", "user_mean"], "no recommender of this run has"),
        (["--dataset", "nowhere"], "nowhere: no such folder"),
        (["--resume", "nowhere"], "nowhere: has no run.json"),
        (["--output-dir", "/dev/null/run"], "/dev/null/run"),
        (["--output-dir", str(ROOT / "README.md")], "is a file"),
    ],
)
def test_bad_input_is_one_message_and_status_2(tmp_path, words, message):
    base = [] if "--resume" in words else ["--dataset", SYNTHETIC, "--output-dir", "out"]
    printed = here(*base, *words, cwd=tmp_path, expected=2)
    assert re.search(message, " ".join(printed.replace("│", " ").split()))
    assert "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "prints"),
    [
        ("data_prep.py", [], "26 bits per movie"),
        ("PerUser/perUser.py", [], "accuracy_mean"),
        ("PerUser/perUser_pytorch.py", [], "accuracy_mean"),
        ("Collaborative/torch_colab.py", ["--protocol", "published"], "accuracy_pooled"),
    ],
)
def test_scripts_run_by_themselves(name, words, prints):
    sample = ["--dataset", SYNTHETIC, "--num-users", "10", "--reviews-per-user", "20"]
    done = script(name, *sample, *words)
    assert done.returncode == 0, done.stderr
    assert prints in done.stdout
