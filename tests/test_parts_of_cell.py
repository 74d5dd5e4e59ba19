"""Users fitted in parts are predicted as users fitted together, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from recbench.contract import Options, Recommender, build, declared, why_together
from recbench.data.loading import load_dataset
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import Predicted, fit_and_predict, measure, score
from recbench.evaluation.protocols import PROTOCOLS
from recbench.evaluation.shards import (
    number_of_parts,
    read_part,
    save_predicted,
    whole,
    write_parts,
)
from recbench.registry import RECOMMENDERS, load_recommender

STRICT = PROTOCOLS["strict"]
TIMES = ("fit_seconds", "predict_seconds", "ranking_seconds")
OF_ONE_USER = [
    name for name in RECOMMENDERS if not declared(load_recommender(name), "learns_from_background")
]


@pytest.fixture(scope="module", params=["last", "late starters", "no background", "next"])
def cell(request, synthetic) -> Cell:
    """Users who have nothing to train on among them; one item table, or one for each fold."""
    if request.param == "late starters":
        return make_cell(synthetic, STRICT.changed(holdout="global-time"), 40, 0)
    if request.param == "no background":
        return make_cell(synthetic, STRICT.changed(background_users=0), 30, 20, seed=3)
    return make_cell(synthetic, STRICT.changed(holdout=request.param), 30, 20)


def in_parts(name: str, make, cell: Cell, users: int, folder) -> Predicted:
    parts = write_parts(cell, users, {name: make()}, folder)
    assert parts == number_of_parts(folder, users, [name]) == -(-cell.n_users // users)
    assert not number_of_parts(folder, users + 1, [name])
    assert not number_of_parts(folder, users, [name, "another"])
    files = []
    for part in reversed(range(parts)):  # in any order
        one = read_part(folder, part, name)
        said = fit_and_predict(make(), one.cell, of_all=one.of_all, otherwise=one.mean_stars)
        files.insert(0, folder / f"said-{part}.parquet")
        save_predicted(said, files[0])
    return whole(files, cell, users)


@pytest.mark.parametrize("name", OF_ONE_USER)
def test_parts_are_as_the_whole(cell, name, tmp_path):
    parts_are_as_the_whole(cell, name, 7, tmp_path)


@pytest.mark.parametrize("users", [1, 1000])
def test_parts_of_one_user_and_of_all(cell, users, tmp_path):
    parts_are_as_the_whole(cell, "ridge", users, tmp_path)


def parts_are_as_the_whole(cell: Cell, name: str, users: int, tmp_path) -> None:
    options = Options(seed=3)
    cls = load_recommender(name)
    if why_together(build(cls, options)):
        pytest.skip(why_together(build(cls, options)))

    def make():
        return build(cls, options)

    together = fit_and_predict(make(), cell)
    apart = in_parts(name, make, cell, users, tmp_path / "cell")
    for column in ("stars", "covered", "ones", "grid", "probabilities", "state_bytes"):
        expected, found = getattr(together, column), getattr(apart, column)
        assert (expected is None) == (found is None), column
        if expected is not None:
            np.testing.assert_array_equal(found, expected, err_msg=column)
    rows = []
    for said in (together, apart):
        measured = score(said, cell, "half_stars", learns_from_background=False)
        rows.append({key: value for key, value in measured.row.items() if key not in TIMES})
    assert rows[0] == rows[1]
    assert rows[0].keys() == measure(make(), cell, "half_stars").row.keys() - set(TIMES)


def test_a_worker_that_comes_late_leaves_what_others_read(cell, tmp_path):
    """It was taken for lost, and has written the same parts again."""
    models = {"user_mean": build(load_recommender("user_mean"), Options())}
    folder = tmp_path / "cell"
    parts = write_parts(cell, 12, models, folder)
    before = {file.name: file.stat().st_ino for file in folder.iterdir()}
    assert write_parts(cell, 12, models, folder) == parts
    assert {file.name: file.stat().st_ino for file in folder.iterdir()} == before
    assert write_parts(cell, 20, models, folder) != parts  # for others: made anew
    assert number_of_parts(folder, 20, models) > 0
    assert [one.name for one in tmp_path.iterdir()] == ["cell"]


def test_all_of_those_of_one_user_can_be_fitted_in_parts():
    together = {name for name in OF_ONE_USER if why_together(load_recommender(name)())}
    assert not together


def test_what_holds_for_a_class_is_not_inherited():
    """A subclass may learn from all users together."""

    class Own(load_recommender("user_mean")):
        pass

    class Apart(load_recommender("user_mean")):
        fitted_together = ""

    assert why_together(Own()) == Recommender.fitted_together
    assert not why_together(Apart())
    assert "learns from all users" in why_together(load_recommender("bias")())
    assert "another recommender" in why_together(load_recommender("ridge_median")())
    assert why_together(object())


def test_an_engine_whose_random_numbers_are_not_known(monkeypatch):
    import PerUser.perUser as script

    monkeypatch.setattr(script, "load_engine", lambda _: None)
    model = script.AoRecommender(wnn_engine="ao_core")
    assert "private engine" in why_together(model)


@pytest.mark.slow
def test_parts_of_real_data(tmp_path):
    cell = make_cell(load_dataset("ml-100k"), STRICT, 0, 0)
    for name in ("ridge", "ao", "mlp_tuned", "personal"):
        model = load_recommender(name)
        together = fit_and_predict(model(), cell)
        apart = in_parts(name, model, cell, 200, tmp_path / name)
        np.testing.assert_array_equal(apart.stars, together.stars)
