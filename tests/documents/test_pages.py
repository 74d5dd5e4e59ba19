"""Links, names, tables and lists of the pages are as the project and its files are."""

from __future__ import annotations

import re
import subprocess

import pytest
from project_pages import DOCS, PAGES, README, RESULTS, RUNS, present, where
from tests_paths import ROOT

from recbench.contract import (
    ContinualRecommender,
    ForgettingRecommender,
    OnlineRecommender,
    learns_from_words,
)
from recbench.registry import BY_NAME, load_recommender
from recbench.report.__main__ import DOCUMENTS, Parameters, main

FOLDERS = "recbench|PerUser|Collaborative|Baselines|weightless|experiments|tests|docs|results"


def test_tables_and_counts_are_what_the_files_say(capsys):
    assert {README, *DOCS, *RUNS} == set(DOCUMENTS)
    assert main(Parameters(check=True)) == 0, capsys.readouterr().out


def anchors(page):
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", [*PAGES, *RUNS], ids=where)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_files_folders_and_modules_named_exist(page):
    text = present(page)
    for path in re.findall(rf"`((?:{FOLDERS})/[A-Za-z_/.-]*\w)`", text):
        example = path in ("recbench/data/plain.py", "Baselines/user_last.py")
        assert example or (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path
    for module in re.findall(r"python -m ((?:experiments|recbench|weightless)[\w.]*)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_every_recommender_stands_with_its_abilities():
    page = (ROOT / "docs" / "recommenders.md").read_text()
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.*) \|$", page, re.MULTILINE)]
    assert sorted(row[0] for row in rows) == sorted(f"`{name}`" for name in BY_NAME)
    for name, _, source, *can in rows:
        cls = load_recommender(name.strip("`"))
        assert source == learns_from_words(cls), name
        kinds = (OnlineRecommender, ForgettingRecommender, ContinualRecommender)
        assert [text.strip() == "yes" for text in can] == [issubclass(cls, k) for k in kinds], name


def test_every_dependency_is_pinned():
    for pin in (ROOT / "requirements.txt").read_text().splitlines():
        assert pin.startswith("#") or re.fullmatch(r"[\w-]+==[\d.]+(; .*)?", pin), pin


def test_every_folder_of_results_that_is_listed_is_there_and_none_is_not():
    listed = re.findall(r"^\| `([a-z0-9-]+/[a-z0-9-]+)` \|", RESULTS.read_text(), re.MULTILINE)
    there = [file.parent for file in (ROOT / "results").glob("*/*/run.json")]
    assert sorted(listed) == sorted(f"{path.parent.name}/{path.name}" for path in there)
    tracked = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    assert ".parquet" not in tracked, "predictions hold ratings"
    for path in there:
        assert list(path.glob("*.csv")), path
        assert not re.search(r'"/(work|root|home|tmp)/', (path / "run.json").read_text()), path
