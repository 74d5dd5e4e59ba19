"""Each check of the contract fires on a model that breaks its promise, with the line to blame."""

from __future__ import annotations

import re

import pytest
from models import BROKEN, GOOD, WITH_BITS

from recbench.checks.candidate import Candidate
from recbench.checks.checking import result_of, results_of
from recbench.checks.checks import CHECKS
from recbench.checks.stars import CUT
from recbench.registry import load_recommender

TIMEOUT = {"hangs": 0.5}  # seconds


def candidate(folder, source):
    folder.mkdir(exist_ok=True)
    file = folder / "my_file.py"
    file.write_text(source)
    return Candidate(load_recommender(f"{file}:Model"))


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_found_and_said_where(tmp_path, what):
    name, says, source = BROKEN[what]
    check = next(one for one in CHECKS if one.name == name)
    result = result_of(check, candidate(tmp_path, source), TIMEOUT.get(what, 0.0))
    assert result.status == "failed"
    line = 1 + next(n for n, text in enumerate(source.splitlines()) if "# here" in text)
    assert result.message.startswith(f"my_file.py, line {line}: "), result.message
    assert says in result.message
    do = CUT if re.search(r"returned [\d.e+]+ stars", result.message) else check.do
    assert result.message.endswith(f"; expected {check.expected}: {do}")


def test_each_check_is_broken_by_one():
    assert {name for name, _, _ in BROKEN.values()} == {check.name for check in CHECKS}


def test_a_model_that_keeps_all_promises(tmp_path):
    """Between them the two give all that can be promised."""
    ok = set()
    for name, source in (("good", GOOD), ("bits", WITH_BITS)):
        results = list(results_of(candidate(tmp_path / name, source), False, 0.0))
        assert [one for one in results if one.status == "failed"] == []
        ok |= {one.check.name for one in results if one.status == "ok"}
    assert ok == {check.name for check in CHECKS}


def test_nothing_is_checked_after_what_the_others_rest_on(tmp_path):
    source = BROKEN["raises in fit"][2]
    results = list(results_of(candidate(tmp_path, source), False, 0.0))
    assert [one.status for one in results] == ["ok", "failed"]


def test_quick_leaves_out_what_is_not(tmp_path):
    results = results_of(candidate(tmp_path, GOOD), True, 0.0)
    assert [one.check for one in results] == [check for check in CHECKS if check.quick]
