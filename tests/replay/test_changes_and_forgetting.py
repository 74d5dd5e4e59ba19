"""The experiment on users who change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from in_process import script
from tests_paths import SYNTHETIC

from experiments.adaptation import Parameters, mirrored, two_users
from recbench.stream.stream import Stream, ratings_before, ratings_in_time

PARAMETERS = Parameters(after=15, share=0.5)


@pytest.fixture
def ratings(synthetic):
    return ratings_in_time(synthetic, "all", 0, seed=0)


def test_one_genre_is_mirrored_from_some_rating_on(synthetic, ratings, tmp_path):
    movies = Stream(synthetic, ratings, "extended", 0, tmp_path).movies(len(ratings))
    changed = mirrored(ratings, movies, PARAMETERS)
    other = changed.ratings.stars != ratings.stars
    assert other.any()
    np.testing.assert_array_equal(changed.ratings.stars[other], 5.5 - ratings.stars[other])
    assert (ratings_before(ratings)[other] >= PARAMETERS.after).all()
    for user in np.unique(ratings.user[changed.of_change]):
        rows = np.flatnonzero((ratings.user == user) & changed.of_change)
        since = changed.since[rows]
        assert (np.diff(since) == 1).all()
        early = ratings_before(ratings)[rows] < PARAMETERS.after
        np.testing.assert_array_equal(since < 0, early)
        genres = movies.bits[ratings.movie[rows]][:, :10]
        assert genres.all(axis=0).any()  # one that all of them have
    nobody = ~np.isin(ratings.user, np.unique(ratings.user[changed.of_change]))
    assert not other[nobody].any()


def test_a_second_user_takes_turns_with_the_first(ratings):
    changed = two_users(ratings, PARAMETERS)
    new = changed.ratings
    assert len(new) < len(ratings)
    assert (np.diff(new.time) >= 0).all()
    pairs = new.user.astype(np.int64) * 10_000 + new.movie
    assert len(np.unique(pairs)) == len(pairs)  # nobody rates a movie twice
    before = ratings_before(new)
    second = changed.of_change & (changed.since >= 0)
    assert (before[second] >= PARAMETERS.after).all()
    assert (before[changed.of_change & (changed.since < 0)] < PARAMETERS.after).all()
    account = int(new.user[second][0])
    turns = second[new.user == account][PARAMETERS.after :]
    count = int(turns.sum())
    assert count > 3
    assert (turns[: 2 * count] == np.tile([False, True], count)).all()


def test_adaptation_from_the_command_line(tmp_path):
    folder = tmp_path / "run"
    done = script(
        "-m", "experiments.adaptation", "--dataset", SYNTHETIC, "--after", 15, "--share", 0.5,
        "--models", "user_mean@never", "ridge_recursive@x2", "--output-dir", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = pd.read_csv(folder / "summary.csv")
    assert summary["change"].tolist() == ["mirrored"] * 2 + ["two users"] * 2
    assert (summary[["rmse_before", "rmse_at_once", "rmse_at_the_end"]] > 0.3).all(axis=None)
    wrong = script("-m", "experiments.adaptation", "--dataset", SYNTHETIC, "--after", 5_000)
    assert wrong.returncode == 2
    assert "only 0 users have twice as many ratings" in wrong.stderr
