"""What a run leaves for itself belongs to it alone, and goes when its recommender has changed."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.evaluation.shards import number_of_parts, of_all_of, write_parts
from recbench.runs.predictions import CELLS, Predictions, write_part
from recbench.runs.run_folder import RunFolder

ABOUT = {"parameters": {}, "datasets": []}


def models_of(predictions):
    return {model for *_, model in predictions.keys()}  # noqa: SIM118


def predictions_of(model):
    row = {"num_users": 5, "reviews_per_user": 10, "iteration": 1, "model": model, "rmse": 1.0}
    numbers = {"user_id": [1, 2], "movie_id": [3, 4], "stars": [4.0, 2.0], "predicted": [3.5, 2.5]}
    return row, pd.DataFrame(numbers | {"ones": [8, 4], "predicted_ones": [7, 5]})


def test_two_runs_of_one_name_meet_others_in_different_folders(tmp_path):
    one = RunFolder.create(tmp_path / "a" / "run", dict(ABOUT))
    other = RunFolder.create(tmp_path / "b" / "run", dict(ABOUT))
    assert one.unique_name() != other.unique_name()
    assert one.unique_name().startswith("run-")
    one._lock.release()
    again = RunFolder.resume(tmp_path / "a" / "run")
    assert again.unique_name() == one.unique_name()


def test_what_a_model_predicted_before_it_changed_is_gone(tmp_path):
    kept = Predictions(tmp_path)
    for model in ("mine", "other"):
        kept.add(*predictions_of(model))
    kept.finish()
    again = Predictions(tmp_path)
    again.forget(["mine"])
    assert models_of(again) == {"other"}
    assert set(again.losses()["model"]) == {"other"}
    left = pl.read_parquet(tmp_path / "predictions.parquet")
    assert left["model"].unique().to_list() == ["other"]
    assert models_of(Predictions(tmp_path)) == {"other"}


def test_parts_that_were_not_taken_when_the_run_stopped_are_taken_later(tmp_path):
    folder, shared = tmp_path / "run", tmp_path / "shared"
    folder.mkdir()
    write_part(shared, *predictions_of("mine"))
    found = Predictions(folder, shared)
    assert models_of(found) == {"mine"}
    assert [row["model"] for row in found.rows] == ["mine"]
    assert not list((shared / "predictions").iterdir())


class OfAll:
    """A recommender of one's own that learns something of all users together."""

    fitted_together = ""

    def __init__(self, value):
        self.value = value

    def of_all_users(self, train, movies):
        return {"value": self.value}


def test_a_cell_in_parts_is_written_anew_when_a_model_has_changed(tmp_path, synthetic):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 10, 10)
    folder = tmp_path / CELLS / "10-10-1"
    write_parts(cell, 5, {"mine": OfAll(np.ones(3))}, folder)
    assert number_of_parts(folder, 5, ["mine"]) == 2
    Predictions(tmp_path).forget(["mine"])
    assert number_of_parts(folder, 5, ["mine"]) == 0


def test_what_is_no_array_of_numbers_is_said_before_anything_is_written(synthetic):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 10, 10)
    assert of_all_of(OfAll(2.0), cell) == {"value": 2.0}
    with pytest.raises(TypeError, match="'value', which is no array of numbers"):
        of_all_of(OfAll({"a": 1}), cell)
