"""Differences with their uncertainty: against hand-worked cases, a plain loop and SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recbench.evaluation.significance import (
    holm,
    losses_per_user,
    resampled_means,
    significance,
    two_sided_p,
)
from recbench.runs.predictions import Predictions

REFERENCES = pd.DataFrame(
    [(9, 5, "theirs", "best collaborative")],
    columns=["num_users", "reviews_per_user", "reference", "reference_role"],
)


def losses(model, squared, iteration=1, users=None):
    squared = np.asarray(squared, dtype=float)
    return pd.DataFrame(
        {
            "num_users": 9,
            "reviews_per_user": 5,
            "iteration": iteration,
            "model": model,
            "user_id": np.arange(len(squared)) if users is None else users,
            "squared_error": squared,
            "absolute_error": np.sqrt(squared),
            "right": (squared < 1).astype(float),
        }
    )


def test_holm_by_hand():
    # sorted .01 .02 .03 .2: times 4 3 2 1 = .04 .06 .06 .2, never falling
    assert holm(np.array([0.03, 0.01, 0.2, 0.02])) == pytest.approx([0.06, 0.04, 0.2, 0.06])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def test_p_by_hand():
    assert two_sided_p(np.array([1.0] * 99)) == pytest.approx(2 * 1 / 100)
    assert two_sided_p(np.array([-1.0] * 10 + [1.0] * 89)) == pytest.approx(2 * 11 / 100)
    assert two_sided_p(np.array([-1.0, 1.0, 0.0])) == 1.0


def test_losses_per_user_by_hand():
    predictions = pd.DataFrame(
        {
            "user_id": [7, 7, 3],
            "stars": [4.0, 2.0, 5.0],
            "predicted": [3.0, 2.5, 5.0],
            "ones": [8, 4, 10],
            "predicted_ones": [5, 5, 10],
        }
    )
    found = losses_per_user(predictions).set_index("user_id")
    assert found.loc[7].tolist() == [(1 + 0.25) / 2, 0.75, 0.5]
    assert found.loc[3].tolist() == [0.0, 0.0, 1.0]


def test_resampled_means_are_means_over_users_drawn_with_replacement():
    values = np.random.default_rng(1).normal(size=(40, 3))
    means = resampled_means(values, 4000, seed=0)
    assert means.shape == (4000, 3)
    assert means.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=0.02)
    assert means.std(axis=0) == pytest.approx(values.std(axis=0) / np.sqrt(40), rel=0.05)
    # the same draws for every column, whatever stands beside it
    assert np.allclose(resampled_means(values[:, 1:2], 4000, seed=0)[:, 0], means[:, 1])


def test_blocks_of_resamples_are_the_draws_of_the_whole(monkeypatch):
    values = np.random.default_rng(1).normal(size=(40, 2))
    whole = resampled_means(values, 300, seed=5)
    monkeypatch.setattr("recbench.evaluation.significance.AT_ONCE", 40 * 7)
    assert np.allclose(resampled_means(values, 300, seed=5), whole)


def test_interval_is_scipys():
    rng = np.random.default_rng(3)
    ours, theirs = rng.uniform(0, 4, 60), rng.uniform(0, 4, 60)
    table = significance(pd.concat([losses("ours", ours), losses("theirs", theirs)]), REFERENCES)
    row = table.set_index("score").loc["rmse"]

    def difference(a, b, axis=-1):
        return np.sqrt(a.mean(axis=axis)) - np.sqrt(b.mean(axis=axis))

    assert row["difference"] == pytest.approx(difference(ours, theirs))
    expected = stats.bootstrap(
        (ours, theirs),
        difference,
        paired=True,
        n_resamples=10_000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert row["low"] == pytest.approx(expected.low, abs=0.01)
    assert row["high"] == pytest.approx(expected.high, abs=0.01)


def test_who_is_better_and_for_how_many():
    ours, theirs = [0.1, 0.1, 0.1, 4.0, 1.0], [0.5, 0.5, 0.5, 0.5, 1.0]
    both = pd.concat([losses("ours", ours), losses("theirs", theirs)])
    table = significance(both, REFERENCES).set_index("score")
    assert table.loc["rmse", "better_share"] == pytest.approx(3.5 / 5)  # the tie counts half
    assert table.loc["rmse", "difference"] > 0
    assert table.loc["rmse", "users"] == 5
    assert table.loc["accuracy_mean", "difference"] == pytest.approx(-0.2)
    assert set(table["model"]) == {"ours"}


@pytest.mark.slow
def test_the_interval_holds_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 1, 80)
        both = pd.concat([losses("ours", (noise + 0.3) ** 2), losses("theirs", noise**2)])
        both.loc[both["model"] == "ours", "absolute_error"] = noise + 0.3
        both.loc[both["model"] == "theirs", "absolute_error"] = rng.normal(0, 1, 80)
        row = significance(both, REFERENCES, seed=seed).set_index("score").loc["mae"]
        covered += row["low"] <= 0.3 <= row["high"]
    assert 88 <= covered <= 100


def test_a_user_of_several_iterations_counts_once():
    first = pd.concat([losses("ours", [1.0, 0.0]), losses("theirs", [1.0, 1.0])])
    second = pd.concat(
        [
            losses("ours", [3.0], iteration=2, users=[0]),
            losses("theirs", [1.0], iteration=2, users=[0]),
        ]
    )
    row = significance(pd.concat([first, second]), REFERENCES).set_index("score").loc["rmse"]
    assert row["users"] == 2
    assert row["difference"] == pytest.approx(np.sqrt((2.0 + 0.0) / 2) - 1.0)


def test_a_recommender_that_failed_somewhere_is_compared_where_it_did_not():
    ours = losses("ours", [0.2, 0.3, 0.4]).iloc[:2]
    others = [losses("theirs", [1.0, 1.0, 9.0]), losses("third", [1.0, 1.0, 1.0])]
    table = significance(pd.concat([ours, *others]), REFERENCES)
    users = table[table["score"] == "mae"].set_index("model")["users"]
    assert users.to_dict() == {"ours": 2, "third": 3}


def test_nothing_to_compare_gives_an_empty_table():
    table = significance(losses("ours", [1.0]).iloc[:0], REFERENCES)
    assert list(table.columns)[:4] == ["num_users", "reviews_per_user", "score", "model"]
    assert len(table) == 0


def test_predictions_are_kept_part_by_part(tmp_path):
    frame = pd.DataFrame(
        {
            "user_id": [1, 1, 2],
            "movie_id": [10, 11, 10],
            "stars": np.array([4, 3, 5], "f4"),
            "predicted": np.array([4, 4, 4], "f4"),
            "ones": np.array([8, 6, 10], "i1"),
            "predicted_ones": np.array([8, 8, 8], "i1"),
        }
    )
    key = {"num_users": 9, "reviews_per_user": 5, "iteration": 1}
    Predictions(tmp_path).add({**key, "model": "a"}, frame)
    Predictions(tmp_path).add({**key, "model": "b"}, frame)
    assert set(Predictions(tmp_path).losses()["model"]) == {"a", "b"}
    file = Predictions(tmp_path).finish()
    assert len(pd.read_parquet(file)) == 6
    # going on with a finished run: what was there stays
    Predictions(tmp_path).add({**key, "model": "c"}, frame)
    Predictions(tmp_path).finish()
    assert set(pd.read_parquet(file)["model"]) == {"a", "b", "c"}
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.parquet"]
