"""Data that can be read but not evaluated as its flags say: refused, or said; never silent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from child import printed_by
from tests_paths import SYNTHETIC

from recbench.errors import InputError
from recbench.evaluation.holdouts import Holdout
from recbench.ratings import Ratings
from recbench.runs import resume

pytestmark = pytest.mark.slow

ALL = ["--cells", "0x0", "--iterations", 1, "--workers", 1, "--models", "user_mean", "movie_mean"]


def odd(folder: Path, alone_from: int = 61, **columns: object) -> Path:
    """The synthetic set with other columns of its ratings; users from `alone_from` on have one."""
    folder.mkdir()
    for name in ("links_small.csv", "movies_metadata.csv"):
        shutil.copy(SYNTHETIC / name, folder)
    ratings = pd.read_csv(SYNTHETIC / "ratings_small.csv")  # no polars before a process is forked
    ratings = ratings[(ratings["userId"] < alone_from) | ~ratings["userId"].duplicated()]
    ratings.assign(**columns).to_csv(folder / "ratings_small.csv", index=False)
    return folder


def comparison(tmp_path, data, *words, expected=0):
    """What compare_all.py prints of the data, and its rows."""
    printed = printed_by(
        ["--dataset", data, *ALL, "--output-dir", tmp_path / "run", *words], tmp_path, expected
    )
    rows = pd.read_csv(tmp_path / "run" / "comparison.csv") if expected == 0 else None
    return " ".join(printed.split()), rows


@pytest.mark.parametrize("holdout", ["global-time", "last"])
def test_ratings_of_one_time(tmp_path, holdout):
    data = odd(tmp_path / "data", timestamp=10**9)
    expected = 2 if holdout == "global-time" else 0
    printed, _ = comparison(tmp_path, data, "--holdout", holdout, expected=expected)
    if holdout == "global-time":
        assert "--holdout global-time: none of 3,100 ratings is for training" in printed
        assert "--split or --holdout, such as random" in printed
        assert not (tmp_path / "run").exists()
    else:
        assert "60 of 60 users have ratings of the same time on both sides" in printed
        assert "(3,100 of 3,100 ratings); which of them are held out is random" in printed
        assert "is random" in (tmp_path / "run" / "report.html").read_text()


def test_a_date_that_divides_ratings_otherwise_than_asked(tmp_path):
    data = odd(tmp_path / "data", timestamp=lambda rows: rows["timestamp"] // 1_500_000 * 1_500_000)
    printed, rows = comparison(tmp_path, data, "--holdout", "global-time")
    train, test = rows[["n_train", "n_test"]].iloc[0]
    said = f"{train:,} ratings are for training and {test:,} held out ({train / 3100:.0%} for"
    assert said in printed
    assert "--split asks for 80%" in printed


def test_a_holdout_of_ones_own_that_returns_no_mask():
    class Numbers(Holdout):
        name, question = "numbers", "which?"

        def held_out(self, ratings, seed):
            return [0, 1]

    class Broken(Numbers):
        def held_out(self, ratings, seed):
            return ratings.nothing

    rows = Ratings([0, 0], [0, 1], [3.0, 3.0], [1, 2])
    for cls, message in ((Numbers, "returned int64.*Expected a bool"), (Broken, "AttributeError")):
        with pytest.raises(InputError, match=f"--holdout [nB].*{message}"):
            cls().split(rows, rows, 0)


def test_users_without_a_test_rating_are_said(tmp_path):
    printed, rows = comparison(tmp_path, odd(tmp_path / "data", alone_from=21))
    assert (rows["n_users"] == 60).all()
    assert (rows["n_users_scored"] == 20).all()
    assert "users scored 20 of 60" in printed
    assert "all × all: 20 of 60" in (tmp_path / "run" / "report.html").read_text()


def test_one_error_where_nobody_has_two_ratings(tmp_path):
    printed, _ = comparison(tmp_path, odd(tmp_path / "data", alone_from=0), expected=2)
    assert "--holdout last: none of 60 ratings is held out" in printed
    assert printed.count("held out") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("stars", [3.0, 4.0])
def test_ratings_all_alike(tmp_path, stars):
    """Nothing is significantly worse than 0.000 at 0.000, and nothing is divided by it."""
    data = odd(tmp_path / "data", rating=stars)
    words = ["--models", "user_mean", "bias", "item_knn", "--reference", "user_mean"]
    _, rows = comparison(tmp_path, data, *words)
    differences = pd.read_csv(tmp_path / "run" / "significance.csv")
    shown = rows.set_index("model")["rmse"].round(3)
    for row in differences[differences["score"] == "rmse"].itertuples():
        if shown[row.model] == shown[row.reference]:
            assert row.p == 1
    assert (rows["skill_over_bias"].dropna() > -1e3).all()


def test_two_runs_begun_in_one_second(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resume.time, "strftime", lambda *_: "20261130-120000")
    names = [str(resume._new_folder("data/set")) for _ in range(3)]
    first = "results/20261130-120000-data-set"
    assert names == [first, f"{first}-2", f"{first}-3"]
