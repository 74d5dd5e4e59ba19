"""results.csv says what comparison.csv and the predictions say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests_paths import ROOT

from recbench.evaluation.significance import rmse_intervals
from recbench.report.results import COLUMNS, results_table
from recbench.report.terminal import learns_from

CELL = {"num_users": 250, "reviews_per_user": 0}


def losses(models=("personal", "Mine"), iterations=(1, 2), users=400) -> pd.DataFrame:
    """Squared errors, some users in one iteration alone."""
    frames = []
    for place, model in enumerate(models):
        for iteration in iterations:
            rng = np.random.default_rng([place, iteration])
            error = {"squared_error": rng.gamma(2.0, 0.4, users)}
            error["user_id"] = np.arange(users) + 20 * iteration
            frames.append(pd.DataFrame(CELL | {"iteration": iteration, "model": model} | error))
    return pd.concat(frames, ignore_index=True)


def comparison(of: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (iteration, model), one in of.groupby(["iteration", "model"], sort=False):
        row = CELL | {"iteration": iteration, "model": model, "status": "ok"}
        row |= {"rmse": np.sqrt(one["squared_error"].mean()), "accuracy_mean": 0.61234567}
        row |= {"fit_seconds": iteration * 1.23456, "predict_seconds": 1234.5}
        rows.append(row | {"bytes_per_user": 10.5 * iteration})
    return pd.DataFrame(rows)


def test_it_has_the_means_over_iterations_rounded():
    drawn = losses()
    table = results_table(comparison(drawn), drawn).set_index("model")
    for model, of_model in comparison(drawn).groupby("model"):
        row = table.loc[model]
        assert (row["users"], row["ratings_per_user"]) == (250, "all")
        assert row["rmse"] == round(of_model["rmse"].mean(), 4)
        assert row["rmse_low"] < row["rmse"] < row["rmse_high"]
        assert (row["accuracy"], row["seconds_to_learn"]) == (0.6123, 1.85)
        assert (row["seconds_to_predict"], row["bytes_per_user"]) == (1230, 16)
        assert pd.isna(row["bytes_shared"])  # as in runs before there was such a column
    assert table["learns_from"].to_dict() == {
        "personal": "the user, and item statistics",
        "Mine": "",
    }


def test_the_interval_is_that_of_the_mean_over_users():
    drawn = losses(iterations=(1,))
    found = rmse_intervals(drawn)
    for model, errors in drawn.groupby("model")["squared_error"]:
        rmse, n = np.sqrt(errors.mean()), len(errors)
        half = 1.96 * errors.std() / np.sqrt(n) / (2 * rmse)  # of a root, by the delta method
        low, high = found[250, 0, model]
        assert (low, high) == pytest.approx((rmse - half, rmse + half), abs=0.1 * half)
    two = rmse_intervals(losses())
    widths = [high - low for low, high in (two[250, 0, "Mine"], found[250, 0, "Mine"])]
    assert widths[0] == pytest.approx(widths[1] / np.sqrt(2), rel=0.2)  # twice as much evidence


def test_without_predictions_or_scores_cells_are_empty():
    rows = comparison(losses())
    rows.loc[rows["model"] == "Mine", ["status", "rmse"]] = "failed", np.nan
    table = results_table(rows, losses(models=("personal",)))
    assert list(table) == COLUMNS
    assert table.set_index("model")["rmse_low"].isna().to_dict() == {
        "personal": False,
        "Mine": True,
    }
    table = results_table(comparison(losses()), losses().iloc[:0])
    assert table["rmse"].notna().all()
    assert table[["rmse_low", "rmse_high"]].isna().all(axis=None)


def test_learns_from_follows_from_the_class_not_from_its_folder():
    """Also in published runs, whose rows have the folder alone."""
    for run in sorted((ROOT / "results" / "main").glob("*/comparison.csv")):
        rows = pd.read_csv(run)
        for model in {"hybrid_implicit", "personal_live"} & set(rows["model"]):
            assert learns_from(rows, model) == "all users", run
    of_rows = pd.DataFrame({"model": ["Mine"], "learns_from": ["all users"]})
    assert learns_from(of_rows, "Mine") == "all users"
