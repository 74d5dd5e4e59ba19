"""Errors of single users out of predictions.parquet, beside plain computations."""

import pandas as pd
import polars as pl
import pytest
from made_runs import CELLS

from recbench.errors import InputError
from recbench.report.html import user_sections as users
from recbench.report.html.page import render
from recbench.report.html.run_files import read_run
from recbench.report.html.run_report import page_of


def test_groups_are_quarters_of_the_users(grid_folder):
    losses = read_run(grid_folder).losses
    ratings = users.ratings_held_out(pl.scan_parquet(grid_folder / "predictions.parquet"))
    table = users.differences_by_group(losses, dict.fromkeys(CELLS, "middle"), ratings)
    assert set(table["num_users"]) == {0}  # in the other cell all users have as many
    assert set(table["model"]) == {"near", "far"}
    near = table[table["model"] == "near"].sort_values("group")
    held_out = ratings.loc[(0, 0)]
    rows = pd.read_parquet(grid_folder / "predictions.parquet").query("num_users == 0")
    rows = rows.drop_duplicates(["iteration", "user_id", "movie_id"]).groupby("user_id")
    expected = rows.size() / rows["iteration"].nunique()
    pd.testing.assert_series_equal(held_out.sort_index(), expected, check_names=False)
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


def test_where_all_users_are_alike_there_are_no_groups(run_folder):
    run = read_run(run_folder)
    for name in ("comparison.csv", "significance.csv"):
        run.tables[name] = run.tables[name].query("num_users == 60")
    assert users.for_whom(run) is None
    assert 'id="for-whom"' not in render(page_of(run))
