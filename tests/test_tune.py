"""Tuning: the same for all, on training rows alone, the same again, and after a stop."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from in_process import own_model, run_here
from tests_paths import ROOT, SYNTHETIC

import tune as tune_script
from recbench.contract import defaults_of, with_defaults
from recbench.data.sampling import user_sets
from recbench.errors import InputError
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.ratings import Ratings
from recbench.registry import RECOMMENDERS, load_recommender
from recbench.runs.tuning import relative_rmse, trials, tuning_cell

DEVELOPMENT = PROTOCOLS["strict"].changed(user_set="development")
SMALL = ["--dataset", str(SYNTHETIC), "--cells", "15x20", "20x10"]


# --- no test rating is seen --------------------------------------------------------------------


class Recorder:
    """Keeps all it is given; predicts the mean of its training ratings."""

    learns_from = "all"
    seen: list
    asked: list

    def __init__(self, shift: float = 0.0):
        self.shift = shift

    def fit(self, train, movies):
        Recorder.seen.append(train)
        self.mean = train.stars.mean()
        return self

    def predict(self, user, movie):
        Recorder.asked.append((user, movie))
        return np.full(len(user), self.mean + self.shift)


def with_stars(dataset, rows, stars):
    changed = dataset.ratings.stars.copy()
    changed[rows] = stars
    return replace(dataset, ratings=replace(dataset.ratings, stars=changed))


def rows_not_to_be_seen(dataset, num_users, reviews):
    """Held-out rows of the cell, and all rows of held-out test users: bool [n]."""
    test = make_cell(dataset, DEVELOPMENT, num_users, reviews).personal.test
    user_id = make_cell(dataset, DEVELOPMENT, num_users, reviews).user_id
    key = dataset.ratings.user.astype(np.int64) * len(dataset.table) + dataset.ratings.movie
    held_out = np.searchsorted(dataset.user_id, user_id)[test.user] * len(dataset.table)
    set_aside = ~user_sets(dataset.user_id)["development"][dataset.ratings.user]
    return np.isin(key, held_out + test.movie) | set_aside


def tried(dataset, learns_from="all"):
    Recorder.seen, Recorder.asked = [], []
    Recorder.learns_from = learns_from
    cell = tuning_cell(dataset, DEVELOPMENT, 15, 20, Recorder, 0, 0)
    scores = relative_rmse(Recorder, {"shift": 0.25}, [cell])
    del scores["seconds"]
    return scores, cell


@pytest.mark.parametrize("learns_from", ["all", "user"])
def test_a_trial_never_sees_a_test_rating_nor_a_held_out_test_user(synthetic, learns_from):
    hidden = rows_not_to_be_seen(synthetic, 15, 20)
    assert 60 < hidden.sum() < len(hidden) / 2
    sentinel = 4.9  # no rating is that
    scores, cell = tried(with_stars(synthetic, hidden, sentinel), learns_from)
    assert len(Recorder.seen) == 2  # once for the level, once for the trial
    for train in Recorder.seen:
        assert not np.isclose(train.stars, sentinel).any()
    assert not np.isclose(cell.cell.personal.test.stars, sentinel).any()
    as_it_is, _ = tried(synthetic, learns_from)
    assert scores == as_it_is


def test_validation_rows_are_the_last_of_the_training_rows(synthetic):
    outer = make_cell(synthetic, DEVELOPMENT, 15, 20)
    inner = tuning_cell(synthetic, DEVELOPMENT, 15, 20, Recorder, 0, 0).cell
    both = Ratings.concatenate([inner.personal.train, inner.personal.test])
    assert len(both) == len(outer.personal.train)
    for user in range(15):
        learned, chosen_on, test = (
            part.time[part.user == user]
            for part in (inner.personal.train, inner.personal.test, outer.personal.test)
        )
        assert (len(learned), len(chosen_on)) == (12, 4)
        assert learned.max() <= chosen_on.min() <= chosen_on.max() <= test.min()
    assert inner.n_background_users == outer.n_background_users > 15


def test_only_development_users_are_tuned_on(synthetic):
    with pytest.raises(ValueError, match="development"):
        tuning_cell(synthetic, PROTOCOLS["strict"], 15, 20, Recorder, 0, 0)


# --- what is tried -----------------------------------------------------------------------------


SPACE = {"a": (0.1, 10.0, "log"), "b": (-2.0, 2.0, "linear"), "c": (1, 9, "int"), "d": ("x", "y")}
DEFAULTS = {"a": 0.1234, "b": 0.0, "c": 5, "d": "x"}


def bowl(settings):
    error = (np.log(settings["a"]) ** 2) + settings["b"] ** 2 + (settings["d"] == "x")
    return {"relative_rmse": error, "status": "ok"}


def test_the_first_is_the_defaults_and_all_are_in_the_space():
    rows = list(trials(SPACE, DEFAULTS, 30, 0, bowl))
    settings = [json.loads(row["settings"]) for row in rows]
    assert settings[0] == DEFAULTS
    assert [row["trial"] for row in rows] == list(range(30))
    for one in settings[1:]:
        assert 0.1 <= one["a"] <= 10
        assert one["a"] == float(f"{one['a']:.2g}")  # to two digits
        assert -2 <= one["b"] <= 2
        assert one["c"] in range(1, 10)
        assert one["d"] in ("x", "y")
    assert len({row["settings"] for row in rows}) > 25
    found = [row["relative_rmse"] for row in rows]
    assert np.mean(found[20:]) < np.mean(found[1:11])  # it learns where to look


def test_earlier_trials_of_another_space_are_refused():
    earlier = {row["trial"]: row for row in trials(SPACE, DEFAULTS, 5, 0, bowl)}
    with pytest.raises(InputError, match="search space, a default or Optuna has changed"):
        list(trials({**SPACE, "b": (-1.0, 1.0, "linear")}, DEFAULTS, 5, 0, bowl, earlier))


def test_a_space_that_names_no_keyword_is_refused():
    class Odd(Recorder):
        search_space = {"depth": (1, 2, "int")}  # noqa: RUF012

    with pytest.raises(InputError, match="'depth'"):
        defaults_of(Odd)


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_the_defaults_are_the_best_of_the_published_trials(name):
    """Of those that the class names; and one that says it was never tuned is in none."""
    cls = load_recommender(name)
    if not cls.tuned.startswith("results/"):
        tables = (ROOT / "results" / "tuning").glob("*/best.csv")
        assert not any(name in set(pd.read_csv(table)["model"]) for table in tables)
    else:
        assert best_values(cls.tuned, name) == defaults_of(cls)
    if cls.defaults_without_background:
        assert best_values("results/tuning/alone", name) == defaults_of(cls, background=False)


def best_values(run, name):
    best = pd.read_csv(ROOT / run / "best.csv", dtype={"best": str})
    return {row.setting: json.loads(row.best) for row in best[best["model"] == name].itertuples()}


def test_without_background_users_there_are_other_settings():
    class Two(Recorder):
        search_space = {"shift": (0.0, 1.0, "linear")}  # noqa: RUF012
        defaults_without_background = {"shift": 0.75}  # noqa: RUF012

    assert defaults_of(Two) != defaults_of(Two, background=False) == {"shift": 0.75}
    assert with_defaults(Two, False).shift == 0.75
    assert with_defaults(Two, False, shift=0.5).shift == 0.5
    assert with_defaults(Two, True).shift == defaults_of(Two)["shift"]


# --- the script --------------------------------------------------------------------------------


BOTH = ("published", "extended")


def tune(*words, cwd=ROOT, expected=0):
    """What the script prints, in this process."""
    status, printed, errors = run_here(tune_script, *words, cwd=cwd)
    assert status == expected, printed + errors
    return printed + errors


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuning") / "run"
    words = ["--models", "ridge", "bias", "svd", "--trials", "4"]
    return folder, tune(*SMALL, *words, "--output-dir", folder)


@pytest.mark.slow
def test_each_has_the_same_number_of_trials(tuned):
    rows = pd.read_csv(tuned[0] / "trials.csv")
    assert rows.groupby("model").size().to_dict() == {"ridge": 4, "bias": 4, "svd": 4}
    assert set(rows["user_set"]) == {"development"}
    assert set(rows["dataset"]) == {"synthetic/ratings_small"}
    sizes = "15x20", "20x10"
    names = [f"rmse_synthetic/ratings_small_{size}_{bits}" for bits in BOTH for size in sizes]
    cells = rows[names]
    assert set(rows["encoding"]) == {"published extended"}
    levels = json.loads((tuned[0] / "run.json").read_text())["cells"]
    of_mean = {one["rmse_of_user_mean"] for one in levels}
    assert len(of_mean) == 4  # the user's mean reads no bits: each encoding has its own sample
    relative = cells / [one["rmse_of_user_mean"] for one in levels]
    assert rows["relative_rmse"].tolist() == pytest.approx(relative.mean(axis=1).tolist())


@pytest.mark.slow
def test_best_values_beside_the_defaults(tuned):
    best = pd.read_csv(tuned[0] / "best.csv", dtype={"default": str, "best": str})
    rows = pd.read_csv(tuned[0] / "trials.csv")
    assert set(best["model"]) == {"ridge", "bias", "svd"}
    for model, own in best.groupby("model"):
        of_model = rows[rows["model"] == model]
        assert own["relative_rmse"].iloc[0] == of_model["relative_rmse"].min()
        assert (own["relative_rmse"] <= own["relative_rmse_of_defaults"]).all()
        first = of_model.set_index("trial").loc[own["trial"].iloc[0]]
        values = {row.setting: json.loads(row.best) for row in own.itertuples()}
        assert values == json.loads(first["settings"])
    printed = " ".join(tuned[1].split())
    assert re.search(r"ridge: 0\.\d{4} 0\.\d{4} \(trial \d\)", printed)
    assert str(tuned[0] / "best.csv") in printed


@pytest.mark.slow
def test_a_stopped_tuning_goes_on_where_it_was(tuned, tmp_path):
    whole = pd.read_csv(tuned[0] / "trials.csv", float_precision="round_trip")
    marked = whole.assign(seconds=-1.0)[:7]  # all of ridge, three of bias
    marked.to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "run.json").write_text((tuned[0] / "run.json").read_text())
    tune("--resume", tmp_path)
    resumed = pd.read_csv(tmp_path / "trials.csv")
    assert (resumed["seconds"] == -1).sum() == 7
    pd.testing.assert_frame_equal(whole.drop(columns="seconds"), resumed.drop(columns="seconds"))
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "best.csv"), pd.read_csv(tuned[0] / "best.csv")
    )


@pytest.mark.slow
def test_settings_are_chosen_on_all_of_several_datasets(tuned, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(SYNTHETIC, other)
    ratings = pd.read_csv(other / "ratings_small.csv")
    ratings["rating"] = ratings["rating"].to_numpy()[::-1]
    ratings.to_csv(other / "ratings_small.csv", index=False)
    words = ["--dataset", SYNTHETIC, other, "--models", "ridge", "--trials", "2"]
    tune(*words, "--cells", "15x20", "--output-dir", tmp_path / "run")
    rows = pd.read_csv(tmp_path / "run" / "trials.csv")
    names = [
        f"rmse_{place}/ratings_small_15x20_{bits}"
        for place in ("synthetic", "other")
        for bits in BOTH
    ]
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    relative = (rows[names] / [one["rmse_of_user_mean"] for one in about["cells"]]).mean(axis=1)
    assert rows["relative_rmse"].tolist() == pytest.approx(relative.tolist())
    alone = pd.read_csv(tuned[0] / "trials.csv")
    assert rows[names[0]][0] == alone[alone["model"] == "ridge"][names[0]].iloc[0]
    assert rows[names[0]][0] != rows[names[2]][0]


@pytest.mark.slow
def test_one_that_fails_has_its_trials_and_the_others_go_on(tmp_path):
    head = "    search_space = {'depth': (1, 9, 'int')}\n    def __init__(self, depth=3): pass\n"
    text = own_model("raise RuntimeError('no idea')", head=head, name="Broken")
    (tmp_path / "my_file.py").write_text(text)
    words = ["--models", "my_file:Broken", "ridge", "--trials", "3", "--output-dir", "out"]
    tune(*SMALL, *words, cwd=tmp_path, expected=1)
    rows = pd.read_csv(tmp_path / "out" / "trials.csv")
    assert rows.groupby("model")["status"].agg(list).to_dict() == {
        "Broken": ["failed"] * 3,
        "ridge": ["ok"] * 3,
    }
    assert set(rows["error"].dropna()) == {"RuntimeError: no idea"}
    assert "no idea" in (tmp_path / "out" / "errors.txt").read_text()
    assert set(pd.read_csv(tmp_path / "out" / "best.csv")["model"]) == {"ridge"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trials", "0"], "--trials is 0"),
        (["--cells", "15x2"], "3 ratings or more"),
        (["--cells", "5000x20"], "only .* users"),
        (["--models", "user_mean"], "user_mean has no search_space"),
        (["--dataset", str(SYNTHETIC), str(SYNTHETIC)], "Expected one or more, once each"),
        (["--resume", "nowhere"], "nowhere: has no run.json"),
    ],
)
def test_bad_input_is_one_message_and_status_2(tmp_path, words, message):
    base = [] if "--resume" in words else ["--dataset", SYNTHETIC, "--output-dir", "out"]
    printed = tune(*base, *words, cwd=tmp_path, expected=2)
    assert re.search(message, " ".join(printed.replace("│", " ").split()))
    assert "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []
