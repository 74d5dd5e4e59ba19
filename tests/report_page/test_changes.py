"""What changed between two runs: paired by user, over iterations, or without an interval."""

import json
import shutil

import numpy as np
import pytest

from recbench.errors import InputError
from recbench.evaluation.significance import holm
from recbench.files import CELL
from recbench.report.html import changes
from recbench.report.html.changes import answer, write_changes
from recbench.report.html.run_files import read_run


def table_of(two):
    return changes.changed_scores(*map(read_run, two))


def test_paired_over_the_users_of_both(two):
    table = table_of(two)
    assert set(table["model"]) == {"near", "middle"}
    rmse = table[table["score"] == "rmse"]
    key = [*CELL, "model", "user_id"]
    old, new = (read_run(folder).losses.groupby(key).mean() for folder in two)
    for row in rmse.itertuples():
        place = (row.num_users, row.reviews_per_user, row.model)
        errors = [side.loc[place, "squared_error"].mean() ** 0.5 for side in (new, old)]
        assert row.difference == pytest.approx(errors[0] - errors[1])
        assert row.low <= row.difference <= row.high
        assert row.users == 60
    np.testing.assert_allclose(rmse["p_holm"], holm(rmse["p"].to_numpy()))
    assert (rmse["verdict"] != "").all()
    others = table[table["score"] != "rmse"]
    assert others["p_holm"].isna().all()
    assert (others["verdict"] == "").all()


def test_the_same_run_twice_is_no_change(two, tmp_path):
    shutil.copytree(two[0], tmp_path / "again")
    table = table_of((two[0], tmp_path / "again"))
    assert (table["difference"] == 0).all()
    assert (table["p"].dropna() == 1).all()
    assert answer(table).startswith("Nothing changed")


def with_metadata(folder, **parts):
    file = folder / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | parts))


def test_without_predictions_of_the_same_data_there_is_no_interval(two):
    with_metadata(two[1], datasets=[{"name": "made-up", "fingerprint": "another"}])
    assert table_of(two)["p"].isna().all()
    with_metadata(two[1], datasets=json.loads((two[0] / "run.json").read_text())["datasets"])
    assert table_of(two).query("score == 'rmse'")["p"].notna().all()
    (two[0] / "predictions.parquet").unlink()
    table = table_of(two)
    assert table[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert (table["difference"] == table["after"] - table["before"]).all()
    assert "do not show whether" in answer(table)


def test_settings_and_costs(two):
    with_metadata(two[1], git_commit="def", packages={"numpy": "3"})
    runs = [read_run(folder) for folder in two]
    table = changes.changed_settings(*runs).set_index("setting")
    assert table.loc["git_commit"].tolist() == ["abc", "def"]
    assert table.loc["packages: numpy"].tolist() == ["2", "3"]
    assert len(table) == 2
    page = write_changes(*two).read_text()
    assert "What changed from a to b?" in page
    costs = changes.changed_scores(*runs).set_index(["score", *CELL, "model"])["difference"]
    assert costs["seconds", 0, 0, "near"] == pytest.approx(0.16 - 0.21)
    assert costs["bytes_per_user", 0, 0, "near"] == pytest.approx(-5)


def test_what_cannot_be_compared(two, failed_folder, replay_folder):
    with pytest.raises(InputError, match="is named twice"):
        write_changes(two[0], two[0])
    with pytest.raises(InputError, match="Name two runs"):
        write_changes(two[0], replay_folder)
    with pytest.raises(InputError, match="no recommender in the same cell"):
        write_changes(two[0], failed_folder)
