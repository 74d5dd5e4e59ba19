"""Rankings of runs: what stands in one table, and in which order."""

import json
import re
import shutil

import pandas as pd
import pytest
from browser import open_browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from tests_paths import ROOT

from recbench.errors import InputError
from recbench.evaluation.protocols import VERSION
from recbench.report.leaderboard.boards import boards
from recbench.report.leaderboard.html import leaderboard_page
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
    assert ours.loc["personal", "learns_from"] == "the user, and an item table"
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


# --- the page ----------------------------------------------------------------------------------


def test_the_page_is_what_the_runs_say():
    written = (ROOT / "docs" / "leaderboard.html").read_text(encoding="utf-8")
    assert written == leaderboard_page(ROOT / "results" / "main")
    assert "//" not in re.sub(r"<script>.*</script>", "", written, flags=re.DOTALL)  # no address


def test_names_of_somebody_elses_are_text_and_not_page(folder):
    again(folder, "second", models=["ridge"], model="<script>alert(1)</script>")
    page = leaderboard_page(folder)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.fixture
def browser(tmp_path):
    with open_browser(tmp_path / "profile") as driver:
        yield driver


@pytest.mark.slow
def test_the_page_is_searched_filtered_and_sorted(folder, browser):
    again(folder, "second", other_data, models=["ridge", "personal"])
    file = folder / "leaderboard.html"
    file.write_text(leaderboard_page(folder), encoding="utf-8")
    browser.get(file.as_uri())

    def names(table=0):
        body = browser.find_elements(By.TAG_NAME, "tbody")[table]
        rows = body.find_elements(By.TAG_NAME, "tr")
        cells = [row.find_elements(By.TAG_NAME, "td")[1] for row in rows if row.is_displayed()]
        return [cell.text for cell in cells]

    one, other = boards(folder)
    everybody = one.rows["model"].tolist()
    assert names() == everybody
    assert names(1) == other.rows["model"].tolist()

    search = browser.find_element(By.ID, "search")
    search.send_keys("BAYES")
    assert names() == [name for name in everybody if "bayes" in name]
    assert names(1) == []
    assert not browser.find_elements(By.TAG_NAME, "section")[1].is_displayed()
    search.clear()
    search.send_keys(" ")

    Select(browser.find_element(By.ID, "source")).select_by_value("user")
    alone = one.rows[one.rows["learns_from"] != "all users"]["model"].tolist()
    assert names() == alone
    browser.find_element(By.ID, "forgets").click()
    assert names() == [name for name in alone if name in ("personal", "personal_exact", "ao")]
    Select(browser.find_element(By.ID, "bytes")).select_by_value("1000")
    assert names() == []
    assert browser.find_element(By.ID, "count").text.startswith("0 of ")
    browser.find_element(By.ID, "forgets").click()
    small = one.rows.set_index("model")["bytes_per_user"] <= 1000
    assert names() == [name for name in alone if small[name]]
    Select(browser.find_element(By.ID, "bytes")).select_by_value("")
    Select(browser.find_element(By.ID, "source")).select_by_value("")

    heads = browser.find_elements(By.CSS_SELECTOR, "table:first-of-type th button")
    size = next(head for head in heads if head.text == "bytes per user")
    for order in (True, False):
        size.send_keys(Keys.ENTER)  # by keyboard
        known = one.rows[one.rows["bytes_per_user"].notna()]
        expected = known["bytes_per_user"].sort_values(ascending=order).tolist()
        shown = [known.set_index("model")["bytes_per_user"][name] for name in names()]
        assert shown == expected
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
