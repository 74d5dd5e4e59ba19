"""Rankings of runs: what stands in one table, and in which order."""

import json
import shutil

import pandas as pd
import pytest
from tests_paths import ROOT

from recbench.errors import InputError
from recbench.evaluation.protocols import VERSION
from recbench.report.leaderboard.boards import boards
from recbench.report.markdown import with_tables

RUN = ROOT / "results" / "main" / "test-users"


@pytest.fixture
def folder(tmp_path):
    """A published run as `first`."""
    shutil.copytree(RUN, tmp_path / "results" / "first")
    return tmp_path / "results"


def again(folder, name, change=None, models=None, shift=0.0, **columns):
    """The same run under another name, with other metadata, some models, other errors."""
    shutil.copytree(folder / "first", folder / name)
    file = folder / name / "run.json"
    metadata = json.loads(file.read_text()) | {"finished": "2999-01-01"}
    if change:
        change(metadata)
    file.write_text(json.dumps(metadata))
    rows = pd.read_csv(folder / name / "comparison.csv")
    rows = rows[rows["model"].isin(models)] if models else rows
    rows.assign(rmse=rows["rmse"] + shift, **columns).to_csv(
        folder / name / "comparison.csv", index=False
    )


def test_the_best_in_the_last_cell_comes_first(folder):
    (board,) = boards(folder)
    rows = pd.read_csv(RUN / "comparison.csv").query("num_users == 0 and status == 'ok'")
    mean = rows.groupby("model")["rmse"].mean()
    assert board.rows["model"].tolist() == mean.sort_values(kind="stable").index.tolist()
    assert board.rows["all × all"].tolist() == pytest.approx(sorted(mean))
    assert board.cells[-1] == (0, 0)
    ours = board.rows.set_index("model")
    assert ours.loc["personal", "learns_from"] == "the user, and a film table"
    assert ours.loc["personal", "forgets"] == "yes"
    assert ours.loc["bayes_fm", "forgets"] == "no"
    assert ours.loc["torch", "tuned"] == "no"
    assert board.title == "the-movies-dataset/ratings_small, held-out test users"


def test_a_mark_is_that_of_the_runs_own_test(folder):
    (board,) = boards(folder)
    differences = pd.read_csv(RUN / "significance.csv")
    here = differences.query(
        "num_users == 0 and score == 'rmse' and reference_role != \"user's median\""
    )
    for row in here.itertuples():
        mark = board.rows.set_index("model").loc[row.model, "all × all_mark"]
        expected = "" if row.p_holm >= 0.05 else "+" if row.difference < 0 else "-"
        assert mark == expected, row.model


def test_a_run_of_the_same_is_ranked_with_it_and_the_later_counts(folder):
    again(folder, "second", models=["ridge", "bayes_fm"], shift=-0.5)
    (board,) = boards(folder)
    assert board.rows["model"].is_unique
    assert set(board.rows["model"][:2]) == {"ridge", "bayes_fm"}
    assert board.rows["run"][:3].tolist() == ["second", "second", "first"]


def test_a_later_run_of_one_cell_leaves_the_others(folder):
    again(folder, "second", models=["ridge"], shift=-0.5)
    rows = pd.read_csv(folder / "second" / "comparison.csv").query("num_users == 250")
    rows.to_csv(folder / "second" / "comparison.csv", index=False)
    (board,) = boards(folder)
    before = pd.read_csv(RUN / "comparison.csv").query("num_users == 0 and model == 'ridge'")
    ridge = board.rows.set_index("model").loc["ridge"]
    assert ridge["all × all"] == pytest.approx(before["rmse"].mean())
    assert ridge["run"] == "first"
    assert board.rows["250 × 25"].idxmin() == board.rows.index[board.rows["model"] == "ridge"][0]


def other_data(metadata):
    metadata["datasets"][0]["fingerprint"] = "other"


def other_holdout(metadata):
    metadata["protocol"]["holdout"] = "random"


def other_seed(metadata):
    metadata["parameters"]["seed"] = 7


@pytest.mark.parametrize("change", [other_data, other_holdout, other_seed])
def test_other_data_protocol_or_samples_are_a_ranking_of_their_own(folder, change):
    again(folder, "second", change, models=["ridge"], shift=-0.5)
    one, other = boards(folder)
    assert "second" not in set(one.rows["run"])
    assert other.rows["model"].tolist() == ["ridge"]
    assert one.comparable == other.comparable == ""


def test_another_version_of_the_evaluation_is_shown_apart_and_last(folder):
    def older(metadata):
        metadata["evaluation_version"] = VERSION - 1

    again(folder, "before", older)
    one, other = boards(folder)
    assert one.rows["run"].unique().tolist() == ["first"]
    assert f"version {VERSION - 1}" in other.comparable
    text = with_tables("<!-- boards results -->\n<!-- end -->", folder.parent)
    assert text.index("Not to be compared") > text.index("| 1 |")


def test_a_recommender_of_somebody_elses_has_its_figures_alone(folder):
    again(folder, "second", models=["ridge"], shift=-0.5, model="theirs")
    (board,) = boards(folder)
    first = board.rows.iloc[0]
    assert (first["model"], first["learns_from"], first["forgets"]) == ("theirs", "", "")


def test_the_table_has_the_best_of_each_cell_in_bold(folder):
    text = with_tables("<!-- boards results -->\n<!-- end -->", folder.parent)
    header, _, *lines = [line for line in text.splitlines() if line.startswith("|")]
    (board,) = boards(folder)
    assert len(lines) == len(board.rows)
    for place, head in enumerate(header.split(" | ")):
        if head.startswith("RMSE, "):
            values = [line.split(" | ")[place] for line in lines]
            numbers = [float(value.strip("*+- ")) for value in values]
            bold = [value.startswith("**") for value in values]
            assert bold == [number == min(numbers) for number in numbers]


def test_an_empty_folder_and_half_a_run_are_named(tmp_path, folder):
    with pytest.raises(InputError, match="has no folder of a run"):
        boards(tmp_path)
    (folder / "first" / "comparison.csv").unlink()
    with pytest.raises(InputError, match=r"first/comparison\.csv: is not there"):
        boards(folder)
