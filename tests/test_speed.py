"""What is measured in experiments/speed.py, and the made-up dataset of any size."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests_paths import ROOT, SYNTHETIC

from experiments import made_up
from experiments.made_up import activity, make_dataset
from experiments.speed import MADE, Parameters, growth, main
from recbench.data.loading import load_dataset
from recbench.errors import InputError

RATINGS, USERS, MOVIES = 60_000, 700, 2_000


# --- the made-up dataset -----------------------------------------------------------------------


def made(folder, **changes):
    size = {"ratings": RATINGS, "users": USERS, "movies": MOVIES} | changes
    make_dataset(folder, **size)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("made") / "set")


@pytest.fixture(scope="module")
def ratings(folder):
    return pl.read_csv(folder / "ratings.csv")


def hashes(folder):
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}


def test_the_same_seed_gives_the_same_files(tmp_path):
    small = {"ratings": 500, "users": 20, "movies": 60}
    first = hashes(made(tmp_path / "a", **small))
    assert hashes(made(tmp_path / "b", **small)) == first
    others = hashes(made(tmp_path / "c", **small, seed=1))
    assert all(others[name] != first[name] for name in first)


def test_it_is_read_as_a_whole_and_blocks_make_one_file(folder, ratings, tmp_path, monkeypatch):
    counts = load_dataset(str(folder)).counts
    assert (counts["ratings"], counts["users"], counts["links"]) == (RATINGS, USERS, MOVIES)
    assert counts["ratings without a movie"] == 0
    monkeypatch.setattr(made_up, "BLOCK", 5_000)
    of_blocks = pl.read_csv(made(tmp_path / "blocks") / "ratings.csv")
    assert of_blocks["userId"].equals(ratings["userId"])


def test_it_has_the_shape_of_real_ratings(ratings):
    assert ratings["userId"].is_sorted()
    assert len(ratings) == ratings.select("userId", "movieId").n_unique() == RATINGS
    of_user = ratings["userId"].value_counts()["count"].to_numpy()
    assert len(of_user) == USERS
    assert np.log(of_user).std() == pytest.approx(made_up.ACTIVITY_SIGMA, rel=0.25)
    of_movie = np.sort(ratings["movieId"].value_counts()["count"].to_numpy())[::-1]
    assert of_movie[: len(of_movie) // 10].sum() > 0.4 * RATINGS  # popular ones have most
    stars = ratings["rating"].to_numpy()
    assert set(stars) == set(np.arange(1, 11) / 2)
    assert 3.3 < stars.mean() < 3.8
    assert 0.9 < stars.std() < 1.2
    means = ratings.group_by("userId").agg(pl.col("rating").mean())["rating"]
    assert 0.3 < means.std() < 0.7  # users differ


def test_times_come_in_sittings_over_the_years(ratings):
    time = ratings.sort("userId", "timestamp")
    gaps = time.select(pl.col("timestamp").diff().over("userId")).drop_nulls().to_series()
    assert 0.9 < (gaps < 120).mean() < 0.99
    assert (gaps > 86_400).mean() == pytest.approx(1 / made_up.SITTING, rel=0.3)
    assert ratings["timestamp"].min() >= made_up.FIRST
    assert ratings["timestamp"].max() <= made_up.LAST
    assert ratings["timestamp"].max() - ratings["timestamp"].min() > 15 * 365 * 86_400


def test_activity_sums_up_and_stays_within_half_of_the_movies():
    rng = np.random.default_rng(0)
    for users, movies, ratings in ((1, 20, 1), (5, 20, 50), (100, 300, 9_000), (1_000, 50, 20_000)):
        counts = activity(users, movies, ratings, rng)
        assert counts.sum() == ratings
        assert 1 <= counts.min() <= counts.max() <= movies // 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ratings": 0}, "--ratings"),
        ({"movies": 3}, "20 at least"),
        ({"seed": -1}, "--seed"),
        ({"ratings": 10, "users": 20}, "for each user at the least"),
        ({"ratings": 10_000, "users": 10, "movies": 100}, "half of the movies"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        made(tmp_path / "set", **changes)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_refused_and_a_stopped_run_leaves_none(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="is there already"):
        made(tmp_path / "there")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(made_up, "write_ratings", stopped)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_size_but_for_joining(tmp_path):
    """Made in blocks: the second million of ratings takes next to nothing. Joined in memory: it
    takes 250 bytes a rating at most, so that 26 million fit into 8 GB."""
    make = "from experiments.made_up import *; make_dataset(Path(argv[1]), int(argv[2]))"
    read = "from recbench.data.loading import load_dataset; load_dataset(argv[1])"
    peaks = {}
    for ratings in (1_000_000, 2_000_000):
        for what, code in (("make", make), ("read", read)):
            words = (tmp_path / str(ratings), ratings)
            peaks[what, ratings] = peak_megabytes(code, *words, cache=tmp_path / "cache")
    for what, most in (("make", 75), ("read", 250)):
        assert peaks[what, 2_000_000] - peaks[what, 1_000_000] < most, peaks
        assert peaks[what, 2_000_000] < 700, peaks


def peak_megabytes(code, *words, cache):
    code = (
        f"from sys import argv\n{code}\n"
        "from experiments.speed import peak_memory; print(int(peak_memory() // 1e6))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "RECBENCH_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


# --- what is measured --------------------------------------------------------------------------


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
def test_each_part_is_measured(tmp_path):
    """python -m experiments.speed"""
    words = {
        "--dataset": [SYNTHETIC],
        "--parts": ["preparing", "shares"],
        "--shares": [2, 1],
        "--models": ["personal", "user_mean"],
        "--repeats": [1],
        "--output-dir": [tmp_path / "out"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "experiments.speed"]
        + [str(word) for flag, values in words.items() for word in (flag, *values)],
        cwd=ROOT,
        env=os.environ | {"RECBENCH_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "out" / "speed.csv")
    assert (rows["status"] == "ok").all()
    shares = rows[rows["part"] == "shares"].set_index(["model", "share"])
    assert shares["users"].to_dict()["personal", 2] == 30
    assert (shares.loc["significance", "n_users"] > 0).all()
    both = pd.concat([shares.loc["personal"], shares.loc["user_mean"]])
    assert (both[["rmse", "seconds", "peak_gb"]] > 0).all(axis=None)
    grown = pd.read_csv(tmp_path / "out" / "growth.csv")
    assert grown["model"].tolist() == ["item_tables", "personal", "user_mean", "significance"]
    ways = pd.read_csv(tmp_path / "out" / "preparing.csv")
    assert ways["what"].tolist() == ["bare read", "first time", "later", "without cache"]
    assert (ways[["peak_gb", "seconds", "processor seconds"]] > 0).all(axis=None)
    assert not any((tmp_path / "out" / made).exists() for made in MADE)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "finished"
