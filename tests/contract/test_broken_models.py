"""Each check of the contract fires on a model that breaks its promise, with the line to blame."""

from __future__ import annotations

import re

import pytest
from models import BROKEN, GOOD, WITH_BITS

from recbench.checks import CHECKS, Candidate, check_recommender, result_of
from recbench.checks.required import CLIP
from recbench.registry import load_recommender

TIMEOUT = {"hangs": 0.5}  # seconds


def model(folder, source):
    folder.mkdir(exist_ok=True)
    file = folder / "my_file.py"
    file.write_text(source)
    return load_recommender(f"{file}:Model")


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_found_with_its_line(tmp_path, what):
    name, message, source = BROKEN[what]
    check = next(one for one in CHECKS if one.name == name)
    result = result_of(check, Candidate(model(tmp_path, source)), TIMEOUT.get(what, 0.0))
    assert result.status == "failed"
    line = 1 + next(n for n, text in enumerate(source.splitlines()) if "# here" in text)
    assert result.message.startswith(f"my_file.py, line {line}: "), result.message
    assert message in result.message
    remedy = CLIP if re.search(r"returned [\d.e+]+ stars", result.message) else check.remedy
    assert result.message.endswith(f"; expected {check.expected}: {remedy}")


def test_each_check_is_broken_by_one():
    assert {name for name, _, _ in BROKEN.values()} == {check.name for check in CHECKS}


def test_a_model_that_keeps_all_promises(tmp_path):
    """Between them the two give all that can be promised."""
    ok = set()
    for name, source in (("good", GOOD), ("bits", WITH_BITS)):
        results = list(check_recommender(model(tmp_path / name, source)))
        assert [one for one in results if one.status == "failed"] == []
        ok |= {one.check.name for one in results if one.status == "ok"}
    assert ok == {check.name for check in CHECKS}


def test_nothing_is_checked_after_what_the_others_rest_on(tmp_path):
    results = list(check_recommender(model(tmp_path, BROKEN["raises in fit"][2])))
    assert [one.status for one in results] == ["ok", "failed"]


def test_quick_leaves_out_what_is_not(tmp_path):
    results = check_recommender(model(tmp_path, GOOD), quick=True)
    assert [one.check for one in results] == [check for check in CHECKS if check.quick]
