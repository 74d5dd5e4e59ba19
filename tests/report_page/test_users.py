"""Errors of single users out of predictions.parquet, beside plain computations."""

import pandas as pd
import pytest

from recbench.errors import InputError
from recbench.files import CELL
from recbench.report.html.grid_sections import error_spread
from recbench.report.html.run_files import read_run


def test_quantiles_are_over_users(grid_folder):
    table = error_spread(read_run(grid_folder)).table.set_index([*CELL, "model"])
    rows = pd.read_parquet(grid_folder / "predictions.parquet")
    rows = rows.assign(error=(rows["stars"] - rows["predicted"]).astype(float) ** 2)
    for key, of_model in rows.groupby([*CELL, "model"]):
        of_users = of_model.groupby(["user_id", "iteration"])["error"].mean()
        errors = of_users.groupby("user_id").mean() ** 0.5
        found = table.loc[key]
        assert found["users"] == len(errors)
        assert found["median"] == pytest.approx(errors.median(), rel=1e-5)
        assert found["high"] == pytest.approx(errors.quantile(0.95), rel=1e-5)


def test_a_damaged_file_is_named(run_folder):
    file = run_folder / "predictions.parquet"
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"predictions\.parquet: cannot be read"):
        error_spread(read_run(run_folder))
    pd.DataFrame({"a": [1]}).to_parquet(file)
    with pytest.raises(InputError, match="num_users"):
        error_spread(read_run(run_folder))
