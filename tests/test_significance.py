"""Differences with their uncertainty: against hand-worked cases, a plain loop and SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.claims import two_way_interval
from recbench.evaluation.significance import (
    COLUMNS,
    MARGIN,
    USERS_MEDIAN,
    holm,
    judged,
    losses_per_user,
    resampled_means,
    share_of_users,
    significance,
    two_sided_p,
    verdicts,
)
from recbench.files import CELL

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


def test_p_is_that_of_a_t_test():
    """Of a mean, whose standard error the bootstrap estimates as the t-test does."""
    values = np.random.default_rng(2).normal(0.3, 1, 25)
    standard_error = values.std(ddof=1) / 5
    expected = stats.ttest_1samp(values, 0).pvalue
    assert two_sided_p(values.mean(), standard_error, 25) == pytest.approx(expected)
    assert two_sided_p(0.0, 0.0, 25) == 1.0
    assert two_sided_p(0.1, 0.0, 25) < 1e-12  # every user alike
    assert two_sided_p(0.1, 0.1, 1) == 1.0


def test_the_two_way_interval_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    user, movie = np.nonzero(rng.random((12, 9)) < 0.6)
    rows = pd.DataFrame({"iteration": 1, "user_id": user, "movie_id": movie, "stars": 3.0})
    sides = [rows.assign(predicted=3 + np.sqrt(rng.uniform(0, 1, len(rows)))) for _ in "ab"]
    squared = [(side["predicted"].to_numpy() - 3) ** 2 for side in sides]
    differences = []
    for _ in range(4000):
        of_user = np.bincount(rng.integers(0, 12, 12), minlength=12)
        of_movie = np.bincount(rng.integers(0, 9, 9), minlength=9)
        rmse = []
        for values in squared:
            means = [
                (of_user[u], np.average(values[user == u], weights=of_movie[movie[user == u]]))
                for u in np.unique(user)
                if of_user[u] and of_movie[movie[user == u]].sum()
            ]
            times, mean = np.array(means).T
            rmse.append(np.sqrt(np.average(mean, weights=times)))
        differences.append(rmse[0] - rmse[1])
    expected = np.quantile(differences, [0.025, 0.975])
    assert two_way_interval(*sides, resamples=4000) == pytest.approx(expected, abs=0.015)
    with pytest.raises(ValueError, match="same ratings"):
        two_way_interval(sides[0], sides[1].iloc[::-1])


def test_losses_per_user_by_hand():
    predictions = pd.DataFrame(
        {
            "user_id": [7, 3, 7],
            "stars": [4.0, 5.0, 2.0],
            "predicted": [3.0, 5.0, 2.5],
            "ones": [8, 10, 4],
            "predicted_ones": [5, 10, 5],
        }
    )
    rated = ["squared_error", "absolute_error", "right"]
    found = losses_per_user(predictions).set_index("user_id")
    assert found.loc[7, rated].tolist() == [(1 + 0.25) / 2, 0.75, 0.5]
    assert found.loc[3, rated].tolist() == [0.0, 0.0, 1.0]
    assert found.loc[7, "auc_like"] == 1.0
    assert np.isnan(found.loc[3, "auc_like"])  # nothing that is not liked
    assert found["ndcg_at_10"].isna().all()  # nobody with 20 ratings
    assert "ranking_ndcg_at_10" not in found
    ranked = predictions.assign(ranking_ndcg_at_10=[0.1, np.nan, 0.1])
    found = losses_per_user(ranked).set_index("user_id")["ranking_ndcg_at_10"]
    assert found[7] == 0.1
    assert np.isnan(found[3])


def test_each_score_is_compared_over_the_users_that_have_it():
    nan = np.nan
    ours = losses("ours", [1.0] * 4).assign(auc_like=[0.9, 0.5, 0.7, nan], ndcg_at_10=nan)
    theirs = losses("theirs", [1.0] * 4).assign(auc_like=[0.4, 0.5, 0.8, nan], ndcg_at_10=nan)
    table = significance(pd.concat([ours, theirs]), REFERENCES).set_index("score")
    assert table["users"].to_dict() == {"rmse": 4, "mae": 4, "accuracy_mean": 4, "auc_like": 3}
    assert table.loc["auc_like", "difference"] == pytest.approx((0.5 + 0 - 0.1) / 3)
    assert table.loc["auc_like", "better_share"] == pytest.approx(1.5 / 3)  # more is better
    assert table.loc["auc_like", ["low", "high"]].notna().all()


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
    words = {"paired": True, "n_resamples": 10_000, "method": "percentile", "rng": 0}
    expected = stats.bootstrap((ours, theirs), difference, **words).confidence_interval
    assert (row["low"], row["high"]) == pytest.approx(tuple(expected), abs=0.01)


def several(seed=4, users=300):
    """A reference, one that is level with it, one a little better, one far worse, one noisy."""
    rng = np.random.default_rng(seed)
    theirs = rng.uniform(0.5, 1.5, users)
    squared = {"theirs": theirs, "same": theirs * rng.uniform(0.98, 1.02, users)}
    squared |= {"better": theirs * 0.8, "worse": theirs * 2}
    squared |= {"noisy": rng.permutation(theirs)}
    return pd.concat([losses(name, values) for name, values in squared.items()])


def test_the_family_of_a_run_is_its_rmse_beside_its_reference():
    trivial = REFERENCES.assign(reference="worse", reference_role=USERS_MEDIAN)
    found = significance(several(), pd.concat([REFERENCES, trivial]))
    family = (found["score"] == "rmse") & (found["reference_role"] != USERS_MEDIAN)
    assert family.sum() == 4
    assert holm(found.loc[family, "p"].to_numpy()) == pytest.approx(found.loc[family, "p_holm"])
    assert found.loc[~family, "p_holm"].isna().all()
    assert set(found.loc[~family, "verdict"]) == {""}
    rmse = found[found["score"] == "rmse"]
    assert found.loc[found["score"] != "rmse", ["margin", "p_equivalent"]].isna().all(axis=None)
    assert rmse[["margin", "p_equivalent"]].notna().all(axis=None)
    alone = significance(several(), REFERENCES)  # whatever else is compared changes nothing
    pd.testing.assert_frame_equal(
        found[found["reference"] == "theirs"].reset_index(drop=True), alone
    )


def test_level_is_what_lies_within_the_margin_by_two_one_sided_tests():
    data = several()
    found = significance(data, REFERENCES)
    rows = found[found["score"] == "rmse"].set_index("model")
    assert rows["verdict"].to_dict() == {
        "same": "level", "better": "better", "worse": "worse", "noisy": "undecided"
    }  # fmt: skip
    squared = data.pivot_table(index="user_id", columns="model", values="squared_error")
    roots = np.sqrt(resampled_means(squared.to_numpy(), 10_000, seed=0))
    roots = pd.DataFrame(roots, columns=squared.columns)
    margin = MARGIN * np.sqrt(squared["theirs"].mean())
    for name, row in rows.iterrows():
        assert row["margin"] == pytest.approx(margin)
        low, high = np.quantile(roots[name] - roots["theirs"], [0.05, 0.95])
        assert (row["p_equivalent"] < 0.05) == (-margin < low and high < margin), name
    old = found.drop(columns=["margin", "p_equivalent", "verdict"])  # as of earlier runs
    done = np.sqrt(data.groupby([*CELL, "model"])["squared_error"].mean()).rename("rmse")
    again = judged(old, done.reset_index())[COLUMNS]
    assert (again["verdict"] == found["verdict"]).all()
    assert judged(found, done.reset_index()) is found


def test_a_significant_difference_is_not_called_level():
    rows = [(-1, 0.01, 0.01), (1, 0.01, 0.01), (1, 0.01, 0.2), (1, 1, 0.05), (1, 1, None)]
    table = pd.DataFrame(rows, columns=["difference", "p_equivalent", "p_holm"])
    assert verdicts(table).tolist() == ["better", "worse", "level", "undecided", ""]


def test_who_is_better_and_for_how_many():
    ours, theirs = [0.1, 0.1, 0.1, 4.0, 1.0], [0.5, 0.5, 0.5, 0.5, 1.0]
    both = pd.concat([losses("ours", ours), losses("theirs", theirs)])
    table = significance(both, REFERENCES).set_index("score")
    assert table.loc["rmse", "better_share"] == pytest.approx(3.5 / 5)  # the tie counts half
    assert table.loc["rmse", "difference"] > 0
    assert table.loc["rmse", "users"] == 5
    assert table.loc["accuracy_mean", "difference"] == pytest.approx(-0.2)
    assert set(table["model"]) == {"ours"}


def test_the_interval_of_a_share_is_wilsons():
    better = np.repeat([1.0, 0.0], [30, 12])
    expected = stats.binomtest(30, 42).proportion_ci(method="wilson")
    found = share_of_users(better)
    assert found["better_share"] == pytest.approx(30 / 42)
    assert found["better_low"] == pytest.approx(expected.low)
    assert found["better_high"] == pytest.approx(expected.high)
    ties = share_of_users(np.full(42, 0.5))
    assert ties["better_high"] - ties["better_low"] < found["better_high"] - found["better_low"]


def test_a_user_of_several_iterations_counts_once():
    sides = [losses("ours", [1.0, 0.0]), losses("theirs", [1.0, 1.0])]
    sides += [losses(name, [error], 2, users=[0]) for name, error in (("ours", 3), ("theirs", 1))]
    row = significance(pd.concat(sides), REFERENCES).set_index("score").loc["rmse"]
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
