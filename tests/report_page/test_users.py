"""Errors of single users out of predictions.parquet, beside plain computations."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import CELLS

from recbench.errors import InputError
from recbench.evaluation.significance import resampled_means
from recbench.report.html import user_sections as users
from recbench.report.html.run_files import read_run


def test_popularity_is_the_part_of_movies_that_fewer_users_have(tmp_path):
    rows = pd.DataFrame(
        {"num_users": 3, "reviews_per_user": 0, "iteration": 1, "user_id": [1, 2, 3, 1, 2, 1, 1],
         "movie_id": [7, 7, 7, 8, 8, 9, 9]}
    )  # fmt: skip
    found = users.kinds_of_users(pl.from_pandas(rows).lazy()).droplevel([0, 1])
    parts = {7: 2.5 / 3, 8: 1.5 / 3, 9: 0.5 / 3}  # of the movies half of itself
    assert found.loc[1, users.BY_POPULARITY] == pytest.approx(
        np.mean([parts[7], parts[8], parts[9]])
    )
    assert found[users.BY_RATINGS].to_dict() == {1: 3, 2: 2, 3: 1}
    assert found.loc[3, users.BY_POPULARITY] == pytest.approx(parts[7])


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 200))
def test_the_interval_is_close_to_that_of_a_bootstrap(seed, n):
    rng = np.random.default_rng(seed)
    common = rng.gamma(2, 0.4, n)
    ours, theirs = common + rng.gamma(2, 0.1, n), common + rng.gamma(2, 0.12, n)
    found = users.rmse_difference(ours, theirs)
    means = np.sqrt(resampled_means(np.column_stack([ours, theirs]), 3000, seed))
    drawn = means[:, 0] - means[:, 1]
    assert found["difference"] == pytest.approx(np.sqrt(ours.mean()) - np.sqrt(theirs.mean()))
    assert found["standard_error"] == pytest.approx(drawn.std(), rel=0.12)
    width = found["high"] - found["low"]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert abs(found["low"] - low) < 0.15 * width
    assert abs(found["high"] - high) < 0.15 * width


def test_groups_are_quarters_of_the_users(grid_folder):
    losses = users.losses_of_users(read_run(grid_folder))
    kinds = users.kinds_of_users(pl.scan_parquet(grid_folder / "predictions.parquet"))
    table = users.differences_by_group(losses, dict.fromkeys(CELLS, "middle"), kinds)
    table = table[table["by"] == users.BY_RATINGS]
    assert set(table["num_users"]) == {0}  # in the other cell all users have as many
    assert set(table["model"]) == {"near", "far"}
    near = table[table["model"] == "near"].sort_values("group")
    held_out = kinds.loc[(0, 0), users.BY_RATINGS]
    sizes = pd.qcut(held_out, 4, duplicates="drop").value_counts(sort=False)
    assert near["users"].tolist() == [size for size in sizes if size >= users.FEWEST_USERS]
    assert near["range"].iloc[0].startswith(f"{held_out.min():.0f} – ")
    assert (near["low"] < near["difference"]).all()
    assert (table.loc[table["model"] == "far", "difference"] > 0).all()


def test_a_damaged_file_is_named(run_folder):
    file = run_folder / "predictions.parquet"
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"predictions\.parquet: cannot be read"):
        users.error_spread(read_run(run_folder))
    pd.DataFrame({"a": [1]}).to_parquet(file)
    with pytest.raises(InputError, match="num_users"):
        users.error_spread(read_run(run_folder))
