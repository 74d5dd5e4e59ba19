"""The made-up dataset of any size, and what `python -m experiments.speed` measures."""

import hashlib
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from in_process import script
from tests_paths import SYNTHETIC

from experiments import full_size, speed
from experiments.full_size import growth, make_dataset
from experiments.speed import Parameters, main, one_by_one_rows
from recbench.data.loading import load_dataset
from recbench.errors import InputError
from recbench.evaluation import cells
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS

RATINGS, USERS, MOVIES = 60_000, 700, 2_000


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


def test_it_is_read_as_a_whole(folder, ratings):
    counts = load_dataset(str(folder)).counts
    assert (counts["ratings"], counts["users"], counts["links"]) == (RATINGS, USERS, MOVIES)
    assert counts["ratings without a movie"] == 0
    again = len(ratings) - ratings.select("userId", "movieId").n_unique()
    assert 0.5 < again / (RATINGS / full_size.REPEATED) < 2


def test_it_has_the_shape_of_real_ratings(ratings):
    assert ratings["userId"].is_sorted()
    of_user = ratings["userId"].value_counts()["count"].to_numpy()
    assert of_user.sum() == RATINGS
    assert len(of_user) == USERS
    assert np.log(of_user).std() == pytest.approx(full_size.ACTIVITY_SIGMA, rel=0.25)
    of_movie = np.sort(ratings["movieId"].value_counts()["count"].to_numpy())[::-1]
    assert of_movie[: len(of_movie) // 10].sum() > 0.4 * RATINGS  # popular ones have most
    stars = ratings["rating"].to_numpy()
    assert set(stars) == set(np.arange(1, 11) / 2)
    assert 3.3 < stars.mean() < 3.8
    assert 0.9 < stars.std() < 1.2
    means = ratings.group_by("userId").agg(pl.col("rating").mean())["rating"]
    assert 0.3 < means.std() < 0.7  # users differ


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

    monkeypatch.setattr(full_size, "write_ratings", stopped)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "set")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


# --- what is measured on it --------------------------------------------------------------------


def test_growth_is_that_of_one_user():
    """Twice as long for a user when there are four times as many."""
    common = {"model": "personal", "peak_gb": 1.0}
    few = common | {"share": 4, "users": 100, "seconds": 10.0}
    (row,) = growth(
        pd.DataFrame([few, common | {"share": 1, "users": 400, "seconds": 80.0}])
    ).to_dict("records")
    assert row == common | {"1/4": 10.0, "all": 80.0, "per_user_growth": 2.0}


@pytest.mark.slow
def test_each_part_is_measured(tmp_path):
    """python -m experiments.speed"""
    words = {
        "--dataset": [SYNTHETIC],
        "--parts": ["preparing", "shares", "background"],
        "--shares": [2, 1],
        "--share-models": ["personal", "user_mean"],
        "--background-users": [20],
        "--background-models": ["bias"],
        "--tested-users": [30],
        "--repeats": [1],
        "--output-dir": [tmp_path / "out"],
    }
    flags = [word for flag, values in words.items() for word in (flag, *values)]
    cache = str(tmp_path / "cache")
    done = script("-m", "experiments.speed", *flags, RECBENCH_CACHE=cache)
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
    background = pd.read_csv(tmp_path / "out" / "background.csv")
    assert (background[["rmse", "seconds", "peak_gb"]] > 0).all(axis=None)
    ways = pd.read_csv(tmp_path / "out" / "preparing.csv")
    assert ways["what"].tolist() == ["bare read", "first time", "later", "without cache"]
    assert (ways[["peak_gb", "seconds", "processor seconds"]] > 0).all(axis=None)
    assert not any((tmp_path / "out" / made).exists() for made in full_size.MADE)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["status"] == "finished"


def test_item_tables_that_are_there_already_are_timed_anew(synthetic, monkeypatch):
    cell = make_cell(synthetic, PROTOCOLS["strict"], 10, 10)
    tables = cell.personal_tables  # as after the part `personal`
    made = []

    def make(*arguments):
        made.append(arguments)
        return tables

    monkeypatch.setattr(cells, "make_item_tables", make)
    row = next(one_by_one_rows(cell))
    assert row["what"].startswith(f"item tables: {len(tables.tables)} of ")
    assert len(made) == 1


@pytest.mark.slow
def test_recommenders_have_a_line_each(tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "HELD_OUT", 100)  # the set has 146 movies
    words = {"parts": ("engine", "models"), "models": ("bias", "ridge"), "quick": True}
    assert main(Parameters(dataset=str(SYNTHETIC), output_dir=str(tmp_path / "run"), **words)) == 0
    table = pd.read_csv(tmp_path / "run" / "models.csv")
    assert table["model"].tolist() == ["bias", "ridge"]
    assert table["times_as_fast"][0] == 1
    rows = pd.read_csv(tmp_path / "run" / "speed.csv").groupby("part").size()
    assert rows["engine"] == 2
    assert rows["models"] > 2
