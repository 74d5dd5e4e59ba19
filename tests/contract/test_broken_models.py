"""Each check of the contract fires on a model that breaks its promise, with the line to blame."""

from __future__ import annotations

import pytest
from models import BROKEN, GOOD, WITH_BITS

from recbench.checks import CHECKS, Candidate, check_recommender, result_of
from recbench.checks.candidate import CLIP, COPY
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
    assert f"; expected {check.expected}: " in result.message
    assert result.message.endswith((check.remedy, CLIP, COPY, "raise KeyError"))


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
