"""The scores of a replay against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from recbench.evaluation.metrics import mae, rmse
from recbench.ratings import Ratings
from recbench.stream import scores
from recbench.stream.stream import ratings_before

RNG = np.random.default_rng(0)
N = 3_000
USER = np.concatenate((np.arange(40), RNG.integers(0, 40, N - 40)))
RATINGS = Ratings(USER, np.arange(N), RNG.integers(1, 11, N) / 2, np.arange(N))
GOOD = (RATINGS.stars + RNG.normal(0, 0.8, N)).clip(0.5, 5).astype(np.float32)
BAD = (RATINGS.stars + RNG.normal(0, 1.3, N)).clip(0.5, 5).astype(np.float32)
PREDICTED = {"good@never": GOOD, "bad@x1.5": BAD, "same@1": GOOD.copy()}


def test_summary():
    table = scores.summary(RATINGS.stars, USER, PREDICTED, "good@never").set_index("name")
    for name, predicted in PREDICTED.items():
        assert table.loc[name, "rmse"] == pytest.approx(rmse(RATINGS.stars, predicted, USER))
        assert table.loc[name, "mae"] == pytest.approx(mae(RATINGS.stars, predicted, USER))
        pooled = np.sqrt(np.mean((RATINGS.stars - predicted) ** 2.0))
        assert table.loc[name, "rmse_pooled"] == pytest.approx(pooled, rel=1e-5)
    bad = table.loc["bad@x1.5"]
    assert bad["percent"] == pytest.approx(100 * (bad["rmse"] / table["rmse"].iloc[0] - 1))
    assert bad["low"] < bad["percent"] < bad["high"]
    assert bad["p"] <= bad["p_holm"] < 1e-4
    assert np.isnan(table.loc["good@never", "percent"])
    assert table.loc["same@1", "percent"] == 0
    assert table.loc["same@1", "p"] == 1


def test_learning_curve():
    seen = ratings_before(RATINGS)
    table = scores.learning_curve(RATINGS.stars, USER, seen, PREDICTED, "good@never")
    assert table.loc[table["name"] == "bad@x1.5", "n_events"].sum() == N
    for row in table.itertuples():
        rows = (seen >= row.ratings_seen) & (seen < (row.up_to or np.inf))
        if np.isnan(row.up_to):
            rows = seen >= row.ratings_seen
        error = (RATINGS.stars - PREDICTED[row.name])[rows].astype(float)
        assert row.n_events == rows.sum()
        assert row.n_users == len(np.unique(USER[rows]))
        assert row.rmse == pytest.approx(np.sqrt((error**2).mean()))
        assert row.mae == pytest.approx(np.abs(error).mean())
        assert row.rmse_low <= row.rmse <= row.rmse_high
        assert row.mae_low <= row.mae <= row.mae_high
    first = table[table["ratings_seen"] == 0]
    assert (first["n_events"] == 40).all()


def test_by_age():
    age = np.full(N, np.nan)
    age[100:] = np.arange(N - 100) * 900.0  # from now to thirty days
    table = scores.by_age(RATINGS.stars, {"bad@x1.5": age}, PREDICTED, "good@never")
    assert table["age"].tolist() == list(scores.AGES)
    assert table["n_events"].sum() == N - 100
    days = table[table["age"] == "days"].iloc[0]
    rows = (age >= 86_400) & (age < 7 * 86_400)
    for column, predicted in (("rmse", BAD), ("rmse_reference", GOOD)):
        error = (RATINGS.stars - predicted)[rows].astype(float)
        assert days[column] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert days["percent"] > 0
