"""What is measured in experiments/speed.py, and the made-up dataset of any size."""

from __future__ import annotations

import pandas as pd
import pytest
from tests_paths import SYNTHETIC

from experiments import made_up
from experiments.made_up import make_dataset
from experiments.speed import MADE, Parameters, growth, main
from recbench.data.loading import load_dataset
from recbench.errors import InputError

FILES = ("ratings.csv", "links.csv", "movies_metadata.csv")


def test_the_same_seed_gives_the_same_files_of_that_size(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_dataset(tmp_path / name, 6_000, seed)
    first, same, other = (
        [(tmp_path / name / file).read_bytes() for file in FILES] for name in "abc"
    )
    assert first == same
    assert all(one != another for one, another in zip(first, other, strict=True))
    counts = load_dataset(str(tmp_path / "a")).counts
    assert (counts["ratings"], counts["users"], counts["links"]) == (6_000, 62, 685)
    assert counts["ratings without a movie"] == 0
    with pytest.raises(InputError, match="exists already"):
        make_dataset(tmp_path / "a", 6_000)
    with pytest.raises(InputError, match="--ratings is 0"):
        make_dataset(tmp_path / "d", 0)


def test_blocks_make_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(made_up, "BLOCK", 500)
    make_dataset(tmp_path / "set", 3_000)
    ratings = pd.read_csv(tmp_path / "set" / "ratings.csv")
    assert len(ratings) == 3_000
    assert not ratings.duplicated(["userId", "movieId"]).any()
    assert ratings["userId"].is_monotonic_increasing


def test_growth_is_that_of_one_user():
    """Twice as long for a user when there are four times as many."""
    common = {"model": "personal", "peak_gb": 1.0}
    few = common | {"share": 4, "users": 100, "seconds": 10.0}
    (row,) = growth(
        pd.DataFrame([few, common | {"share": 1, "users": 400, "seconds": 80.0}])
    ).to_dict("records")
    assert row == common | {"1/4": 10.0, "all": 80.0, "per_user_growth": 2.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": (0,)}, "--shares is 0"),
        ({"models": ("nobody",)}, "no recommender is named 'nobody'"),
    ],
)
def test_a_wrong_flag_is_one_message(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        main(Parameters(dataset=str(SYNTHETIC), output_dir=str(tmp_path / "run"), **changes))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_each_share_is_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("RECBENCH_CACHE", str(tmp_path / "cache"))
    folder, models = tmp_path / "out", ("personal", "user_mean")
    words = {"dataset": str(SYNTHETIC), "shares": (2, 1), "models": models}
    assert main(Parameters(**words, output_dir=str(folder))) == 0
    rows = pd.read_csv(folder / "speed.csv").set_index(["model", "share"])
    assert rows.loc[("personal", 2), "users"] == 30
    assert (rows.loc[list(models), ["rmse", "seconds", "peak_gb"]] > 0).all(axis=None)
    grown = pd.read_csv(folder / "growth.csv")
    assert grown["model"].tolist() == ["item_tables", *models]
    assert not (folder / MADE).exists()
