"""The hypotheses: their references are the best of the search, their verdicts those of the rule."""

import numpy as np
import pandas as pd
import pytest
from tests_paths import ROOT

from experiments.hypotheses import (
    BETTER,
    BETTER_OR_LEVEL,
    COLUMNS,
    HYPOTHESES,
    REFERENCE,
    Hypothesis,
    judged,
    outcome_of,
)
from recbench.evaluation.significance import holm

PAGE = (ROOT / "docs" / "hypotheses.md").read_text()


@pytest.mark.parametrize("run", REFERENCE)
def test_a_reference_is_the_best_on_validation_ratings(run):
    folder = ROOT / "results" / "tuning" / f"trained-on-everybody-{run}"
    own = [one for one in (folder, folder.with_name(f"{folder.name}-512")) if one.exists()]
    tables = [pd.read_csv(one / "chosen.csv") for one in own]
    chosen = pd.concat(tables, ignore_index=True)
    assert REFERENCE[run] == chosen.loc[chosen["best_rmse"].idxmin(), "model"]


def test_the_page_has_each_hypothesis():
    assert len(HYPOTHESES) == 8
    for one in HYPOTHESES:
        assert f"## {one.name}: " in PAGE
        for name in {name for _, pair in one.pairs for name in pair.split(":")} - {
            *REFERENCE.values()
        }:
            assert f"`{name}`" in PAGE or name == "user_mean"


def rows(**columns):
    usual = {"difference": -0.01, "percent": -1.0, "low": -0.015, "high": -0.005, "p": 0.02}
    return pd.DataFrame({**usual, "p_equivalent": 0.9, **columns})


def test_better_is_significant_after_the_correction_for_its_family_and_has_the_sign():
    one = Hypothesis("H", (), BETTER)
    found = judged(one, rows(difference=[-0.01, -0.01, 0.01], p=[0.02, 0.04, 0.001]))
    assert found["p_holm"].tolist() == pytest.approx(holm(np.array([0.02, 0.04, 0.001])))
    assert found["holds"].tolist() == [True, True, False]
    assert not judged(one, rows(p=[0.02, 0.03, 0.04]))["holds"].any()
    ranking = Hypothesis("H", (), BETTER, "ranking_ndcg_at_10")
    assert judged(ranking, rows(difference=[-0.1, 0.1], p=0.001))["holds"].tolist() == [False, True]


def test_level_needs_the_test_of_equivalence():
    one = Hypothesis("H", (), BETTER_OR_LEVEL)
    found = judged(one, rows(p=[0.9, 0.9, 0.001], p_equivalent=[0.9, 0.01, 0.9]))
    assert found["holds"].tolist() == [False, True, True]


def test_a_loss_is_below_its_margin_with_the_end_of_its_interval():
    """RMSE 1, margin 1.5 %: a loss of 1 % ± .2 is below it, one of 1 % ± 1 need not be."""
    one = Hypothesis("H", (), 0.015)
    loss = {"difference": [0.01, 0.01], "percent": [1.0, 1.0], "p": 0.5}
    found = judged(one, rows(**loss, low=[0.008, 0.0], high=[0.012, 0.02]))
    assert found["holds"].tolist() == [True, False]


def test_without_runs_a_hypothesis_has_the_rows_that_were_kept_or_none(tmp_path):
    one = HYPOTHESES[0]
    nothing = pd.DataFrame(columns=COLUMNS)
    assert outcome_of(one, tmp_path, nothing).empty
    pairs = [(run, *pair.split(":")) for run, pair in one.pairs]
    kept = rows(p=[0.001] * len(pairs)).assign(hypothesis=one.name, score="rmse", users=100)
    kept[["run", "model", "reference"]] = pairs
    assert outcome_of(one, tmp_path, kept.reindex(columns=COLUMNS))["holds"].all()
    assert outcome_of(one, tmp_path, kept.iloc[1:].reindex(columns=COLUMNS)).empty
