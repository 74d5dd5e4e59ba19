"""Users fitted in shards are predicted as users fitted together, to the last digit; and under a
learned encoding each fold of users is fitted with the movies of that fold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests_paths import SYNTHETIC

from recbench.contract import declared, shardable
from recbench.evaluation.cells import Cell, make_cell
from recbench.evaluation.measure import measure, score
from recbench.evaluation.predicting import Predictions, fit_and_predict, together
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_table.table import ItemTables
from recbench.registry import RECOMMENDERS, load_recommender
from recbench.runs.grid import CellTask, Shards, run_task

STRICT = PROTOCOLS["strict"]
LEARNED = STRICT.changed(encoding="published+learned", code_bits=16, background_users=0)
TIMES = ("fit_seconds", "predict_seconds", "ranking_seconds")
KEY = {"num_users": 20, "reviews_per_user": 10, "iteration": 1}
OF_ONE_USER = [
    name for name in RECOMMENDERS if declared(load_recommender(name), "learns_from") != "all"
]
CELLS = {
    "late starters": (STRICT.changed(holdout="global-time"), 20, 0),  # some have no training rating
    "learned": (LEARNED, 20, 12),  # with an item table, and other bits, for each fold
}


@pytest.fixture(scope="module", params=CELLS)
def cell(request, synthetic) -> Cell:
    return replace(make_cell(synthetic, *CELLS[request.param], seed=3), model_seed=5)


def in_shards(make, cell: Cell, users: int, folder) -> Predictions:
    shards, files = cell.shards(users), []
    for number, shard in reversed([*enumerate(shards)]):  # in any order
        files.insert(0, folder / f"{users}-{number}.npz")
        fit_and_predict(make(), cell, shard).save(files[0])
    return together([Predictions.load(file) for file in files], shards, cell)


def row_of(predictions: Predictions, cell: Cell) -> dict:
    row = score(predictions, cell, collaborative=False).row
    return {name: value for name, value in row.items() if name not in TIMES}


@pytest.mark.parametrize("name", [*OF_ONE_USER, "ridge_median"])
def test_shards_are_as_the_whole(cell, name, tmp_path):
    make = partial(cell.new, load_recommender(name))
    whole, divided = in_shards(make, cell, 0, tmp_path), in_shards(make, cell, 7, tmp_path)
    for column in ("stars", "covered", "ones", "grid", "probabilities", "state_bytes"):
        expected, found = getattr(whole, column), getattr(divided, column)
        assert (expected is None) == (found is None), column
        if expected is not None:
            np.testing.assert_array_equal(found, expected, err_msg=column)
    assert row_of(whole, cell) == row_of(divided, cell)


def test_every_user_is_in_one_shard(cell):
    for users in (0, 1, 7, 1000):
        shards = cell.shards(users)
        there = [shard.rows_of(np.arange(cell.n_users)) for shard in shards]
        assert sorted(np.concatenate(there)) == [*range(cell.n_users)]
        assert all(len(rows) for rows in there)
        assert all(len({u // users for u in rows}) == 1 for rows in there if users)


def test_all_of_those_of_one_user_can_be_fitted_in_shards():
    assert all(shardable(load_recommender(name)) for name in OF_ONE_USER)
    assert not shardable(load_recommender("bias"))
    assert not shardable(load_recommender("bias_median"))

    class Plain:
        def fit(self, train, movies): ...

    assert not shardable(Plain)
    assert not shardable(Plain())


# --- shards of folds ---------------------------------------------------------------------------


class Noted:
    """Each prediction tells the shard and the movie that it is of."""

    fitted: list = []  # noqa: RUF012

    def fit(self, training):
        self.training, self.number = training, len(self.fitted)
        self.users = set(training.ratings.user.tolist())
        self.fitted.append(self)
        return self

    def predict(self, user, movie, time=None):
        assert self.users >= set(user.tolist())  # of its own users alone
        self.time = time
        return (1 + self.number + movie / 10_000).astype(np.float32)

    def predict_distribution(self, user, movie, time=None):
        assert len(time) == len(user)
        first = np.full(len(user), self.number / 8)
        return np.array([1.0, 5.0]), np.stack((first, 1 - first), axis=1)

    def state_bytes(self):
        return 10 * len(self.users)

    def shared_bytes(self):
        return 100 + self.number

    @property
    def user_notes(self):
        return Counter({"were noted": len(self.users)})


@pytest.fixture(scope="module")
def learned(synthetic) -> Cell:
    return make_cell(synthetic, LEARNED, 12, 10)


def test_each_fold_is_fitted_to_its_own_users_with_its_own_bits(learned):
    Noted.fitted.clear()
    measured = measure(Noted, learned)
    fold = learned.personal_tables.folds_of(np.arange(12))
    assert len(Noted.fitted) == len(learned.movies_of_folds) == 4
    assert learned.movies.channels["learned"] == 16
    for k, one in enumerate(Noted.fitted):
        train = learned.personal.train
        assert one.training.ratings.movie.tolist() == train.movie[fold[train.user] == k].tolist()
        assert one.training.sample is train
        assert one.training.movies is learned.movies_of_folds[k]
    test = learned.personal.test
    expected = (1 + fold[test.user] + test.movie / 10_000).astype(np.float32)
    assert measured.predictions["predicted"].tolist() == expected.tolist()
    assert measured.row["bytes_per_user"] == 10
    assert measured.row["bytes_shared"] == 103  # a user needs those of one fold
    assert measured.notes == {"were noted": 12}
    first = fold[test.user] / 8  # the probability of one star; else there are five
    of_each = first * (test.stars - 1) + (1 - first) * (5 - test.stars) - 4 * first * (1 - first)
    crps = [of_each[test.user == user].mean() for user in range(12)]
    assert measured.row["crps"] == pytest.approx(np.mean(crps))


def test_movies_are_ranked_by_the_model_of_each_users_fold(learned):
    Noted.fitted.clear()
    ranked = measure(Noted, learned, rank=True).row
    plain = measure(load_recommender("bias"), learned, rank=True).row
    assert ranked["ranking_users"] == plain["ranking_users"] > 0
    assert 0 < ranked["ranking_catalogue_share"] <= 1


def test_a_class_with_train_and_movies_gets_the_bits_of_each_fold(learned):
    seen = []

    class Plain:
        def fit(self, train, movies):
            seen.append((set(train.user.tolist()), movies))

        def predict(self, user, movie):
            return np.full(len(user), 3.0)

    measure(Plain, learned)
    assert [movies for _, movies in seen] == learned.movies_of_folds
    assert sum(len(users) for users, _ in seen) == 12


# --- tasks -------------------------------------------------------------------------------------


def done_by(task: CellTask) -> tuple[dict[str, dict], int]:
    """The rows by model, without times, and the number of shard tasks."""
    waiting, shards, rows, count = [task], Shards(), {}, 0
    while waiting:
        done = run_task(waiting.pop())
        waiting += done.then
        if done.task.shards > 1:
            count, done = count + 1, shards.add(done)
        assert not done.failures
        for row in done.rows:
            rows[row["model"]] = {name: row[name] for name in row if name not in TIMES}
    return rows, count


@pytest.mark.parametrize("protocol", [STRICT, LEARNED], ids=["strict", "learned"])
def test_a_divided_cell_gives_the_same_rows_and_its_item_tables_are_made_once(
    protocol, tmp_path, monkeypatch
):
    models = {name: name for name in ("ridge", "bias", "personal", "ridge_median")}
    task = CellTask(str(SYNTHETIC), protocol, KEY, 3, models, {}, "weightless", {})
    whole, none = done_by(task)
    assert none == 0
    divided = replace(task, folder=tmp_path, users_per_task=9)
    rows, count = done_by(divided)
    assert rows == whole
    assert count >= 3 * 3
    assert ItemTables.load(tmp_path / "cells" / "20-10-1" / "item_tables") is not None

    def remade(*_):
        raise AssertionError("it is there already")

    monkeypatch.setattr("recbench.evaluation.cells.make_item_tables", remade)
    monkeypatch.setattr("recbench.runs.grid.fit_and_predict", remade)  # every shard is there
    again = replace(divided, models={"ridge": "ridge", "personal": "personal"})
    assert done_by(again)[0] == {name: whole[name] for name in again.models}


def test_where_movies_are_ranked_no_cell_is_divided(tmp_path):
    models = {"user_mean": "user_mean"}
    task = CellTask(str(SYNTHETIC), STRICT, KEY, 3, models, {}, "weightless", {}, tmp_path)
    assert run_task(replace(task, users_per_task=9)).then
    assert not run_task(replace(task, users_per_task=9, ranking=True)).then
    assert not run_task(replace(task, users_per_task=20)).then
