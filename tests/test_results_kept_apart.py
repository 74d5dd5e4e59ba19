"""What a run leaves for itself belongs to it alone, and goes when its recommender has changed."""

import pandas as pd
import polars as pl

from recbench.runs.predictions import CELLS, Predictions, write_part


def models_of(predictions):
    return {model for *_, model in predictions.keys()}  # noqa: SIM118


def predictions_of(model):
    row = {"num_users": 5, "reviews_per_user": 10, "iteration": 1, "model": model, "rmse": 1.0}
    numbers = {"user_id": [1, 2], "movie_id": [3, 4], "stars": [4.0, 2.0], "predicted": [3.5, 2.5]}
    return row, pd.DataFrame(numbers | {"ones": [8, 4], "predicted_ones": [7, 5]})


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


def test_a_finished_file_takes_more_parts(tmp_path):
    for model in ("mine", "other"):
        Predictions(tmp_path).add(*predictions_of(model))
    assert set(Predictions(tmp_path).losses()["model"]) == {"mine", "other"}
    file = Predictions(tmp_path).finish()
    assert len(pl.read_parquet(file)) == 4
    Predictions(tmp_path).add(*predictions_of("third"))
    Predictions(tmp_path).finish()
    assert set(pl.read_parquet(file)["model"]) == {"mine", "other", "third"}
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.parquet"]


def test_parts_that_were_not_taken_when_the_run_stopped_are_taken_later(tmp_path):
    write_part(tmp_path, *predictions_of("mine"))
    found = Predictions(tmp_path)
    assert models_of(found) == {"mine"}
    assert [row["model"] for row in found.rows] == ["mine"]


def test_shards_of_a_model_that_has_changed_are_gone(tmp_path):
    folder = tmp_path / CELLS / "10-10-1"
    (folder / "item_tables").mkdir(parents=True)
    for name in ("mine-5-0.parquet", "mine-5-1.parquet", "other-5-0.parquet"):
        (folder / name).touch()
    Predictions(tmp_path).forget(["mine"])
    assert {file.name for file in folder.iterdir()} == {"item_tables", "other-5-0.parquet"}
