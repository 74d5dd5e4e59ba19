"""The hypotheses: what the page says, and when one holds."""

import json

import numpy as np
import pandas as pd
import pytest
from tests_paths import ROOT

from experiments.hypotheses import (
    COLUMNS,
    HYPOTHESES,
    RANKING,
    REFERENCES,
    RUNS,
    Hypothesis,
    check_announced,
    judged,
    of_stream,
    rows_of,
)
from recbench.errors import InputError

PAGE = (ROOT / "docs" / "hypotheses.md").read_text()


def test_the_page_has_each_hypothesis_and_what_it_names():
    assert len(HYPOTHESES) <= 8
    assert all(f"`{name}`" in PAGE for name in REFERENCES)
    for one in HYPOTHESES:
        section = PAGE[PAGE.index(f"## {one.name}: ") :].split("\n## ")[0]
        for _, model, references in one.comparisons:
            named = [model, *(references if references != REFERENCES else ())]
            assert all(f"`{name}`" in section for name in named), one.name


def rows(*of, margin=0.005, **columns):
    """Comparisons `of` an RMSE of 1 star."""
    usual = {"difference": -0.01, "low": -0.015, "high": -0.005, "p": 0.02, "margin": margin}
    return pd.DataFrame({**usual, "users": 99, "of": of, **columns})


def test_better_is_significant_after_the_correction_for_its_family_and_has_the_sign():
    one = Hypothesis("H", ())
    assert judged(one, rows(0, 1, p=[0.02, 0.04]))["holds"].tolist() == [True, True]
    assert judged(one, rows(0, 1, p=[0.03, 0.04]))["holds"].tolist() == [False, False]
    other_sign = rows(0, 1, difference=[-0.01, 0.01], p=0.001)
    assert judged(one, other_sign)["holds"].tolist() == [True, False]
    ranking = Hypothesis("H", (), score=RANKING)
    assert judged(ranking, other_sign)["holds"].tolist() == [False, True]


def test_it_has_to_hold_against_each_reference():
    found = judged(Hypothesis("H", ()), rows(0, 0, 1, p=[0.001, 0.3, 0.01]))
    assert found["p_holm"].tolist() == [0.3, 0.3, 0.02]
    assert found["holds"].tolist() == [False, False, True]


def test_a_loss_is_below_its_margin_with_the_end_of_its_interval():
    """RMSE 1, margin 1.5 %: a loss of 1 % ± .2 is below it, one of 1 % ± 1 need not be."""
    loss = rows(0, 1, difference=0.01, low=[0.008, 0.0], high=[0.012, 0.02], p=0.5)
    assert judged(Hypothesis("H", (), 0.015), loss)["holds"].tolist() == [True, False]
    assert not judged(Hypothesis("H", (), 0.005), loss)["holds"].any()


def test_without_all_runs_of_its_family_a_hypothesis_is_open(tmp_path):
    one = Hypothesis("H", (("a", "x", ("y", "z")), ("b", "x", ("y",))))
    kept = rows(0, 0, 0, p=0.001).assign(hypothesis="H", model="x", score="rmse", users=9)
    kept = kept.assign(run=["a", "a", "b"], reference=["y", "z", "y"]).reindex(columns=COLUMNS)
    found = judged(one, pd.DataFrame(rows_of(one, tmp_path, kept)))
    assert found["holds"].tolist() == [True] * 3
    found = judged(one, pd.DataFrame(rows_of(one, tmp_path, kept.iloc[1:])))
    assert found["run"].tolist() == ["a", "a", "b"]
    assert found["holds"].isna().all()
    assert np.isnan(found["p"].iloc[0])


def test_a_replay_is_turned_round(tmp_path):
    pd.DataFrame(
        {
            "model": ["x", "y"], "rmse": [0.5, 0.51], "percent": [np.nan, 2.0],
            "low": [np.nan, 1.0], "high": [np.nan, 3.0], "p": [np.nan, 0.01], "n_users": 9,
        }
    ).to_csv(tmp_path / "continual_summary.csv", index=False)  # fmt: skip
    row = of_stream(tmp_path, "x").iloc[0]
    assert row[["difference", "low", "high", "percent"]].tolist() == pytest.approx(
        [-0.01, -0.015, -0.005, -1 / 0.51]
    )
    with pytest.raises(InputError, match="first learner is not y"):
        of_stream(tmp_path, "y")


def test_a_run_is_the_announced_one(tmp_path):
    name, (user_set, holdout, iterations) = next(iter(RUNS.items()))
    parameters = {"user_set": user_set, "holdout": holdout, "iterations": iterations}
    (tmp_path / name).mkdir()
    file = tmp_path / name / "run.json"
    file.write_text(json.dumps({"parameters": parameters}))
    check_announced(tmp_path / name)
    file.write_text(json.dumps({"parameters": {**parameters, "user_set": "all"}}))
    with pytest.raises(InputError, match="announce"):
        check_announced(tmp_path / name)
