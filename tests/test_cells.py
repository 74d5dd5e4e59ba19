"""Cells under both protocols: who is learned from, who is tested."""

from dataclasses import replace

import numpy as np
import pytest

from Baselines.means import UserMean
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import measure
from recbench.evaluation.protocols import PROTOCOLS

STRICT, PUBLISHED = PROTOCOLS["strict"], PROTOCOLS["published"]


def pairs(ratings):
    return set(zip(ratings.user.tolist(), ratings.movie.tolist(), strict=True))


def test_strict_tests_all_recommenders_on_the_same_rows(synthetic):
    cell = make_cell(synthetic, STRICT, 12, 20, seed=5)
    assert cell.personal.test is cell.collaborative.test
    assert len(cell.personal.train) == 12 * 16
    assert len(cell.personal.test) == 12 * 4
    assert not pairs(cell.personal.train) & pairs(cell.personal.test)
    assert cell.n_background_users == 48  # 2,000 asked for, so many there are
    assert not pairs(cell.collaborative.background) & pairs(cell.personal.test)
    learned, tested = cell.train_and_test(True)
    background = learned.user >= 12
    assert np.array_equal(learned.stars[~background], cell.personal.train.stars)
    assert len(np.unique(learned.user[background])) == 48
    assert tested is cell.personal.test
    assert cell.train_and_test(False)[0] is cell.personal.train
    assert cell.personal.test.user.max() < 12


def test_the_sample_is_the_same_whatever_the_background(synthetic):
    few, none = (
        make_cell(synthetic, STRICT.changed(background_users=n), 12, 20, seed=5) for n in (7, 0)
    )
    assert few.n_background_users == 7
    assert none.n_background_users == 0
    assert pairs(few.personal.test) == pairs(none.personal.test)
    assert len(none.train_and_test(True)[0]) == len(none.personal.train)
    every = make_cell(synthetic, STRICT.changed(background_users="all"), 12, 20, seed=5)
    assert every.n_background_users == 48


def test_published_holds_out_other_rows_for_collaborative_models(synthetic):
    cell = make_cell(synthetic, PUBLISHED, 12, 20, seed=5)
    assert len(cell.personal.test) == len(cell.collaborative.test) == 48
    assert pairs(cell.personal.test) != pairs(cell.collaborative.test)
    assert pairs(cell.personal.train) | pairs(cell.personal.test) == pairs(
        cell.collaborative.train
    ) | pairs(cell.collaborative.test)
    assert cell.n_background_users == 0


def test_vote_scale_changes_those_bits_alone(synthetic):
    halved = make_cell(synthetic, STRICT.changed(encoding="published"), 12, 20).movies
    as_published = make_cell(
        synthetic, STRICT.changed(encoding="published", vote_scale="as_published"), 12, 20
    ).movies
    differ = [
        name
        for bit, name in enumerate(halved.bit_names)
        if not np.array_equal(halved.bits[:, bit], as_published.bits[:, bit])
    ]
    assert differ
    assert all(name.startswith("vote_average") for name in differ)
    assert as_published.bits[:, 10:13].mean() > 0.95  # nearly all 111
    assert np.array_equal(halved.vote_average, as_published.vote_average)


def test_changed_protocols_are_named_so():
    assert STRICT.changed(join=None).name == "strict"
    assert STRICT.changed(join="links", holdout="random").name == "strict+holdout=random"
    assert STRICT.changed(background_users=0).columns()["background_users"] == 0


def test_global_time_reports_warm_and_cold_users_apart(synthetic):
    late = synthetic.ratings.time + 10_000_000 * (synthetic.ratings.user % 10 == 0)
    dataset = replace(synthetic, ratings=replace(synthetic.ratings, time=late))
    cell = make_cell(dataset, STRICT.changed(holdout="global-time"), 0, 0)
    train, test = cell.personal.train, cell.personal.test
    assert train.time.max() < test.time.min()
    some = make_cell(dataset, STRICT.changed(holdout="global-time"), 30, 0)
    assert some.collaborative.background.time.max() < some.personal.test.time.min()
    tested = np.unique(test.user)
    warm = np.isin(tested, train.user)
    assert 0 < warm.sum() < len(tested)
    row = measure(UserMean, cell).row
    assert row["warm_users"] == warm.sum()
    assert row["cold_users"] == (~warm).sum()
    squared = row["warm_users"] * row["warm_rmse"] ** 2 + row["cold_users"] * row["cold_rmse"] ** 2
    assert row["rmse"] == pytest.approx(np.sqrt(squared / len(tested)))
    row = measure(UserMean, make_cell(synthetic, STRICT, 8, 10)).row
    assert (row["warm_users"], row["cold_users"], row["cold_rmse"]) == (8, 0, None)
