"""Each user alone: what others rate changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_experiments import experiment
from tests_paths import SYNTHETIC

from experiments.no_population import CONTENDERS, OneUserAtATime
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.ratings import Ratings
from recbench.registry import load_recommender

PROTOCOL = PROTOCOLS["strict"].changed(background_users=0, votes=False, item_baseline=False)


@pytest.mark.parametrize("name", [name for name in CONTENDERS if name != "torch"])
def test_nothing_is_learned_from_others(synthetic, name):
    cell = make_cell(synthetic, PROTOCOL, 12, 20, 1)
    train, test = cell.train_and_test(False)
    spec, settings = CONTENDERS[name]

    def predictions(ratings):
        model = OneUserAtATime(lambda: load_recommender(spec)(**settings))
        return model.fit(ratings, cell.movies).predict(test.user, test.movie)

    mine = test.user == 3
    rng = np.random.default_rng(0)
    stars = np.where(train.user == 3, train.stars, rng.integers(1, 11, len(train)) / 2)
    others = Ratings(train.user, train.movie, stars, train.time)
    alone, among_others = predictions(train), predictions(others)
    np.testing.assert_array_equal(alone[mine], among_others[mine])
    if name != "always_3":
        assert (alone[~mine] != among_others[~mine]).any()


@pytest.mark.slow
def test_the_script_writes_what_claims_can_pair(tmp_path):
    words = ["--dataset", SYNTHETIC, "--cells", "10x20", "--iterations", 1, "--user-set", "all"]
    done = experiment("experiments.no_population", *words, "--output-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    rows = pd.read_csv(tmp_path / "run" / "comparison.csv")
    assert rows["model"].tolist() == list(CONTENDERS)
    assert set(rows["status"]) == {"ok"}
    done = experiment(
        "experiments.claims", "--run", tmp_path / "run", "--claims", "ridge:user_mean"
    )
    assert done.returncode == 0, done.stderr
    claims = pd.read_csv(tmp_path / "run" / "claims.csv")
    assert {"rmse", "mae", "accuracy_mean"} <= set(claims["score"])
