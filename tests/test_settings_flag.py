"""--settings: what it reads and refuses, and that those which build on a model get it, too."""

from __future__ import annotations

import pandas as pd
import pytest
from in_process import own_model, run_here
from tests_paths import SYNTHETIC

import compare_all
from recbench.errors import InputError
from recbench.runs.running import settings_of


def test_values_are_read_by_recommender():
    given = ["svd.factors=8", "ridge.alpha=2", "bayes_fm.samples=30", "bayes_fm.with_bits=false"]
    assert settings_of(given, ["svd", "ridge", "bayes_fm_recent"]) == {
        "svd": {"factors": 8},
        "ridge": {"alpha": 2.0},
        "bayes_fm": {"samples": 30, "with_bits": False},
    }
    assert settings_of([], ["svd"]) == {}


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ("svd", "expected name.setting=value, name one of svd, user_mean"),
        ("rank=3", "expected name.setting=value"),
        ("ridge.alpha=1", "expected name.setting=value"),
        ("svd.rnk=1", "svd has no rnk. Its settings are: factors"),
        ("svd.factors=many", "expected int, such as"),
        ("svd.factors=true", "expected int, such as"),
        ("user_mean.rank=1", "user_mean has no rank. Its settings are: none"),
    ],
)
def test_what_it_refuses(one, message):
    with pytest.raises(InputError, match=f"--settings {one}: {message}"):
        settings_of([one], ["svd", "user_mean"])


def test_a_recommender_and_those_that_build_on_it_have_the_settings(tmp_path):
    own = tmp_path / "own.py"
    head = "    def __init__(self, stars=3.0):\n        self.stars = stars\n"
    own.write_text(own_model("pass", "return user * 0.0 + self.stars", head, "Constant"))

    def errors(*more: str) -> pd.DataFrame:
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        status, _, said = run_here(
            compare_all, "--dataset", SYNTHETIC, "--cells", "20x10", "--iterations", 1,
            "--models", "bayes_fm", "bayes_fm_recent", f"{own}:Constant", "--workers", 1,
            "--output-dir", folder, *more,
        )  # fmt: skip
        assert status == 0, said
        return pd.read_csv(folder / "comparison.csv").set_index("model")

    plain = errors()
    changed = errors("--settings", "bayes_fm.rank=2", "bayes_fm.samples=20", "Constant.stars=5")
    assert (changed["rmse"] != plain["rmse"]).all()
    assert changed["tuned"].to_dict() == {
        "bayes_fm": "by --settings",
        "bayes_fm_recent": plain.loc["bayes_fm_recent", "tuned"],
        "Constant": "by --settings",
    }
