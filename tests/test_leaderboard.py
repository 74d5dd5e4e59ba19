"""Rankings of runs: what is in one table, and in which order; the page in a browser."""

import json
import shutil

import pandas as pd
import pytest
from browser import open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from tests_paths import ROOT

from recbench.errors import InputError
from recbench.evaluation.protocols import VERSION
from recbench.report.leaderboard import boards, leaderboard_page

RUN = ROOT / "results" / "main" / "test-users"


@pytest.fixture
def folder(tmp_path):
    """A published run as `first`."""
    (tmp_path / "first").mkdir()
    for name in ("run.json", "comparison.csv", "significance.csv"):
        shutil.copy(RUN / name, tmp_path / "first")
    return tmp_path


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
    rows = rows.assign(rmse=rows["rmse"] + shift, **columns)
    rows.to_csv(folder / name / "comparison.csv", index=False)


def test_the_best_in_the_last_cell_comes_first_with_the_marks_of_its_run(folder):
    (board,) = boards(folder)
    rows = pd.read_csv(RUN / "comparison.csv").query("num_users == 0 and status == 'ok'")
    mean = rows.groupby("model")["rmse"].mean()
    assert board.table["model"].tolist() == mean.sort_values(kind="stable").index.tolist()
    assert board.table["RMSE, all × all"].tolist() == pytest.approx(sorted(mean))
    assert board.title == "the-movies-dataset/ratings_small, held-out test users"
    ours = board.table.set_index("model")
    assert ours.loc["personal", "learns from"] == "the user, and item statistics"
    assert ours.loc["personal", "forgets"] == "yes"
    assert ours.loc["bayes_fm", "forgets"] == "no"
    assert ours.loc["torch", "tuned"] == "no"
    differences = pd.read_csv(RUN / "significance.csv").query(
        "num_users == 0 and score == 'rmse' and reference_role != \"user's median\""
    )
    for row in differences.itertuples():
        expected = "" if row.p_holm >= 0.05 else "+" if row.difference < 0 else "−"
        assert ours.loc[row.model, "RMSE, all × all_mark"] == expected, row.model


def test_a_run_of_the_same_is_ranked_with_it_and_the_later_counts(folder):
    again(folder, "second", models=["ridge", "bayes_fm"], shift=-0.5)
    (board,) = boards(folder)
    assert board.table["model"].is_unique
    assert set(board.table["model"][:2]) == {"ridge", "bayes_fm"}
    assert board.table["run"][:3].tolist() == ["second", "second", "first"]


def test_a_later_run_of_one_cell_leaves_the_others(folder):
    again(folder, "second", models=["ridge"], shift=-0.5)
    file = folder / "second" / "comparison.csv"
    pd.read_csv(file).query("num_users == 250").to_csv(file, index=False)
    (board,) = boards(folder)
    before = pd.read_csv(RUN / "comparison.csv").query("num_users == 0 and model == 'ridge'")
    ridge = board.table.set_index("model").loc["ridge"]
    assert ridge["RMSE, all × all"] == pytest.approx(before["rmse"].mean())
    assert ridge["run"] == "first"
    assert (
        board.table["RMSE, 250 × 25"].idxmin()
        == board.table.index[board.table["model"] == "ridge"][0]
    )


OTHER = {
    "data": lambda metadata: metadata["datasets"][0].update(fingerprint="other"),
    "holdout": lambda metadata: metadata["protocol"].update(holdout="random"),
    "seed": lambda metadata: metadata["parameters"].update(seed=7),
    "version": lambda metadata: metadata.update(evaluation_version=VERSION - 1),
}


@pytest.mark.parametrize("what", OTHER)
def test_other_data_protocol_samples_or_version_are_a_ranking_of_their_own(folder, what):
    again(folder, "second", OTHER[what], models=["ridge"], shift=-0.5)
    one, other = boards(folder)
    assert "second" not in set(one.table["run"])
    assert other.table["model"].tolist() == ["ridge"]
    assert one.warning == ""
    assert bool(other.warning) == (what == "version")
    assert ("Not to be compared" in leaderboard_page(folder)) == (what == "version")


def test_a_plugin_has_its_figures_alone_and_its_name_is_text(folder):
    evil = "<script>alert(1)</script>"
    again(folder, "second", models=["ridge"], shift=-0.5, model=evil)
    (board,) = boards(folder)
    first = board.table.iloc[0]
    assert (first["model"], first["learns from"], first["forgets"]) == (evil, "", "")
    assert evil not in leaderboard_page(folder)
    table = board.table
    for name in [name for name in table if f"{name}_best" in table]:
        assert table.loc[table[f"{name}_best"], name].round(3).nunique() == 1
        assert table.loc[table[f"{name}_best"], name].min() == table[name].min()


def test_an_empty_folder_and_half_a_run_are_named(tmp_path, folder):
    with pytest.raises(InputError, match="has no folder of a run"):
        boards(tmp_path / "first")
    (folder / "first" / "comparison.csv").unlink()
    with pytest.raises(InputError, match=r"first/comparison\.csv: is not there"):
        boards(folder)


@pytest.mark.slow
def test_the_page_is_searched_and_sorted(folder, tmp_path_factory):
    again(folder, "second", OTHER["data"], models=["ridge", "personal"])
    file = folder / "leaderboard.html"
    file.write_text(leaderboard_page(folder), encoding="utf-8")
    one, other = boards(folder)
    everybody, rows = one.table["model"].tolist(), one.table.set_index("model")
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.get(file.as_uri())

        def names(number=1):
            cells = f"#ranking-{number} tbody td:nth-child(2)"
            found = browser.find_elements(By.CSS_SELECTOR, cells)
            return [cell.text for cell in found if cell.is_displayed()]

        assert names() == everybody
        assert names(2) == other.table["model"].tolist()
        search = browser.find_element(By.ID, "search")
        search.send_keys("BAYES")
        assert names() == [name for name in everybody if "bayes" in name]
        assert names(2) == []
        assert not browser.find_element(By.ID, "ranking-2").is_displayed()
        search.clear()
        search.send_keys("item statistics ")
        personal = [name for name in everybody if "item" in rows.loc[name, "learns from"]]
        assert names() == personal
        search.clear()
        search.send_keys(" ")
        for order in (True, False):  # by keyboard
            heads = browser.find_elements(By.CSS_SELECTOR, "#ranking-1 th button")
            next(head for head in heads if head.text == "bytes per user").send_keys(Keys.ENTER)
            known = rows["bytes per user"].dropna().sort_values(ascending=order)
            assert [rows.loc[name, "bytes per user"] for name in names()] == known.tolist()
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
