"""CHANGELOG.md keeps the form of Keep a Changelog, and names what there is."""

from __future__ import annotations

import re
import tomllib

from tests_paths import ROOT

from recbench.registry import RECOMMENDERS

PAGE = (ROOT / "CHANGELOG.md").read_text()
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def versions():
    """Version -> its date, or nothing; and its text."""
    found = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def test_versions_stand_with_their_dates_the_newest_first():
    headings = list(versions())
    assert headings[0] == "[Unreleased]"
    for heading in headings[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading), heading
    dates = [heading[-10:] for heading in headings[1:]]
    assert dates == sorted(dates, reverse=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    released = [heading.split("]")[0][1:] for heading in headings[1:]]
    assert released[:1] in ([], [project["version"]])


def test_changes_are_of_the_kinds_that_there_are_in_their_order():
    for heading, text in versions().items():
        kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds], heading
        for part in re.split(r"^### .*$", text, flags=re.MULTILINE)[1:]:
            lines = [line for line in part.splitlines() if line]
            assert lines
            assert all(line.startswith("- ") for line in lines), heading


def test_what_was_added_is_there():
    added = versions()["[Unreleased]"].split("### Removed")[0]
    for path in re.findall(r"`([\w./-]+\.(?:py|md|ipynb|cff)|\w+/)`", added):
        assert path == "my_file.py" or (ROOT / path).exists(), path
    references = re.search(r"\*\*References\*\*(.*)", added)[1]
    named = set(re.findall(r"`(\w+)`", references)) - {"_median"}
    assert named <= set(RECOMMENDERS)
    removed = versions()["[Unreleased]"].split("### Removed")[1]
    assert not set(re.findall(r"^- `(\w+)`", removed, re.MULTILINE)) & set(RECOMMENDERS)


def test_every_recommender_came_in_by_an_entry():
    for name in RECOMMENDERS:
        published = ("ao", "torch", "colab", "movie_mean", "user_mean", "user_median", "always_3")
        assert name in published or f"`{name}`" in PAGE, name
