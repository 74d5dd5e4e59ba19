"""The picture for a decision: error by bytes and time, and the best within limits of both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recbench.report.html.cost_section import SPEEDS, cost_section
from recbench.report.html.run_files import read_run
from recbench.report.html.run_report import page_of
from recbench.report.plots import draw
from recbench.report.style import looks_of

COLUMNS = ["model", "rmse", "accuracy_mean", "bytes_per_user", "us_per_prediction", "bytes_shared"]
ROWS = [
    ("mean", 1.1, 0.70, 0.0, 0.1, np.nan),
    ("ridge", 0.92, 0.80, 456.0, 0.2, 26_000.0),
    ("svd", 0.95, 0.82, 900.0, 2.0, 0.0),
    ("exact", 0.87, 0.81, 2_700.0, 430.0, 2.1e6),
    ("hybrid", 0.86, 0.85, 60_000.0, 5_000.0, 2.1e6),
    ("unknown", 0.5, 0.9, np.nan, 1.0, np.nan),
]


@pytest.fixture
def means():
    return pd.DataFrame(ROWS, columns=COLUMNS)


def section_of(means, scores=("rmse", "accuracy_mean")):
    return cost_section(means, scores, "Measured somewhere.")


def test_the_best_within_limits(means):
    table = section_of(means).summary[1].set_index(["score", "bytes_per_user"])
    assert table.loc[("rmse", "up to 1 kB")].tolist() == ["ridge 0.920 (26 kB)"] * 3
    any_bytes = ["ridge 0.920 (26 kB)", "exact 0.870 (2.1 MB)", "hybrid 0.860 (2.1 MB)"]
    assert table.loc[("rmse", "any")].tolist() == any_bytes
    assert table.loc[("accuracy_mean", "up to 10 kB"), "any time"] == "svd 0.820"
    only_large = section_of(means[means["model"] == "hybrid"]).summary[1]
    assert only_large.iloc[0, 2:].tolist() == ["none"] * 3


def test_a_front_is_of_those_that_none_is_both_smaller_and_better_than(means):
    section = section_of(means)
    rows = section.figure.table.set_index("model")
    front = rows[rows["_front"]].groupby("score").groups
    assert list(front["rmse"]) == ["mean", "ridge", "exact", "hybrid"]
    assert list(front["accuracy_mean"]) == ["mean", "ridge", "svd", "hybrid"]
    assert rows.loc["exact", "_class"].unique() == ["up to 1 ms"]
    assert "not measured: unknown." in section.text[1]
    drawn = draw(section.figure, looks_of(list(means["model"])))
    assert drawn.axes[0].get_ylabel() == "RMSE, stars (less is better)"
    assert {text.get_text() for text in drawn.axes[0].texts} == {"mean", "ridge", "exact", "hybrid"}


def test_what_earlier_runs_lack_is_left_out(means, run_folder):
    section = section_of(means.drop(columns=["us_per_prediction", "bytes_shared"]))
    assert list(section.summary[1]) == ["score", "bytes_per_user", "any time"]
    assert set(section.figure.table["_class"]) == {SPEEDS[-1]}
    assert section_of(means.drop(columns="bytes_per_user")).figure is None
    file = run_folder / "comparison.csv"
    pd.read_csv(file).drop(columns=["n_test", "bytes_shared"]).to_csv(file, index=False)
    cost = next(one for one in page_of(read_run(run_folder)).sections if one.name == "cost")
    assert cost.figure.table["num_users"].nunique() == 2
    assert len(draw(cost.figure, looks_of(["near", "middle", "far"])).axes) == 2
