"""A recommender for each fold of users: who learns from what, and whose answer stands where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.contract import Options, build
from recbench.evaluation.by_fold import ByFold
from recbench.evaluation.cells import make_cell
from recbench.evaluation.measure import Fitted, measure
from recbench.evaluation.protocols import PROTOCOLS
from recbench.models.item_table.making import FOLDS
from recbench.ratings import Ratings
from recbench.registry import load_recommender

FOLD = np.array([2, 0, 1, 0, 2, 2, 1])
GRID = np.array([1.0, 2.0, 4.0])


def fold_of(user: np.ndarray) -> np.ndarray:
    return FOLD[np.minimum(user, len(FOLD) - 1)]


class Teller:
    """Each answer tells the copy, user and movie that it is of."""

    def fit(self, train, fold):
        self.train, self.fold = train, fold
        return self

    def predict(self, user, movie):
        assert (fold_of(user) == self.fold).all()  # it is asked about its own users alone
        return (100 * self.fold + 10 * user + movie).astype(np.float32)

    def state_bytes(self):
        return 10 + len(self.train)


class InBits(Teller):
    def predict_bits(self, user, movie):
        assert (fold_of(user) == self.fold).all()
        return np.stack((user, movie, np.full(len(user), self.fold)), axis=1).astype(np.uint8)


class WithDistribution(Teller):
    def predict_distribution(self, user, movie):
        assert (fold_of(user) == self.fold).all()
        first = (user + 1) / 20
        second = np.full(len(user), (self.fold + 1) / 10)
        return GRID, np.stack((first, second, 1 - first - second), axis=1)


class WithTime(Teller):
    asks_for_time = True

    def predict(self, user, movie, time=None):
        told = super().predict(user, movie)
        return told if time is None else told + 1_000 * time.astype(np.float32)


def ratings() -> Ratings:
    rng = np.random.default_rng(0)
    return Ratings(rng.integers(0, 7, 50), np.arange(50), np.full(50, 3.0), np.arange(50))


def fitted(kind: type) -> ByFold:
    by_fold = ByFold(kind(), fold_of, 3)
    by_fold.fit(ratings(), lambda one, train, fold: one.fit(train, fold))
    return by_fold


def test_each_copy_is_fitted_to_the_ratings_of_its_own_users():
    seen = {}

    def fit(one, train, fold):
        seen[fold] = one, train
        return one.fit(train, fold)

    original, train = Teller(), ratings()
    ByFold(original, fold_of, 3).fit(train, fit)
    assert sorted(seen) == [0, 1, 2]
    for fold, (one, own) in seen.items():
        rows = np.flatnonzero(FOLD[train.user] == fold)
        assert own.movie.tolist() == train.movie[rows].tolist()  # in their order
        assert own.user.tolist() == train.user[rows].tolist()
        assert one is not original
    assert len({id(one) for one, _ in seen.values()}) == 3
    assert not hasattr(original, "train")


def test_what_fit_returns_is_what_is_asked():
    class Other(Teller):
        def predict(self, user, movie):
            return np.full(len(user), 7, np.float32)

    by_fold = ByFold(Teller(), fold_of, 3)
    by_fold.fit(ratings(), lambda one, train, fold: Other().fit(train, fold))
    assert by_fold.predict(np.arange(4), np.arange(4)).tolist() == [7, 7, 7, 7]


questions = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20)


def asked(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pairs, dtype=int).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@given(questions)
def test_answers_stand_in_the_order_asked(pairs):
    user, movie = asked(pairs)
    found = fitted(Teller).predict(user, movie)
    assert found.dtype == np.float32
    assert found.tolist() == [100 * fold_of(u) + 10 * u + m for u, m in pairs]


@given(questions)
def test_bits_stand_in_the_order_asked(pairs):
    found = fitted(InBits).predict_bits(*asked(pairs))
    assert found.shape == (len(pairs), 3)
    assert found.tolist() == [[u, m, fold_of(u)] for u, m in pairs]


@given(questions)
def test_distributions_stand_in_the_order_asked(pairs):
    grid, found = fitted(WithDistribution).predict_distribution(*asked(pairs))
    assert grid.tolist() == GRID.tolist()
    assert found.shape == (len(pairs), 3)
    expected = [((u + 1) / 20, (fold_of(u) + 1) / 10) for u, _ in pairs]
    assert found[:, :2].tolist() == [list(row) for row in expected]
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_it_has_what_the_recommender_has():
    plain, bits, whole = fitted(Teller), fitted(InBits), fitted(WithDistribution)
    has = [
        (hasattr(one, "predict_bits"), hasattr(one, "predict_distribution"))
        for one in (plain, bits, whole)
    ]
    assert has == [(False, False), (True, False), (False, True)]


def test_each_copy_is_told_the_time_of_its_own_questions():
    by_fold = fitted(WithTime)
    assert by_fold.asks_for_time
    assert not fitted(Teller).asks_for_time
    user, movie, time = np.array([6, 0, 3, 2]), np.array([1, 2, 3, 4]), np.array([4, 5, 6, 7])
    plain = by_fold.predict(user, movie)
    assert by_fold.predict(user, movie, time=None).tolist() == plain.tolist()
    assert (by_fold.predict(user, movie, time=time) - plain).tolist() == (1_000 * time).tolist()


def test_its_size_is_that_of_all_copies():
    assert fitted(Teller).state_bytes() == 3 * 10 + 50

    class Unsure(Teller):
        def state_bytes(self):
            return None

    assert fitted(Unsure).state_bytes() is None


def test_one_that_cannot_say_how_large_it_is():
    class Bare:
        def fit(self, train, fold):
            return self

        def predict(self, user, movie):
            return np.zeros(len(user), np.float32)

    assert fitted(Bare).state_bytes() is None


def test_a_fold_of_nobody():
    by_fold = ByFold(Teller(), fold_of, 5)  # nobody is in folds 3 and 4
    by_fold.fit(ratings(), lambda one, train, fold: one.fit(train, fold))
    assert by_fold.predict(np.array([0, 1]), np.array([3, 4])).tolist() == [203, 14]
    assert by_fold.state_bytes() == 5 * 10 + 50


@pytest.mark.parametrize("kind", [InBits, WithDistribution])
def test_nothing_asked_nothing_answered(kind):
    nobody = np.empty(0, dtype=int)
    by_fold = fitted(kind)
    assert by_fold.predict(nobody, nobody).shape == (0,)
    if kind is InBits:
        assert by_fold.predict_bits(nobody, nobody).shape == (0, 3)
    else:
        assert by_fold.predict_distribution(nobody, nobody)[1].shape == (0, 3)


def test_under_a_learned_encoding_without_background_every_kind_of_recommender_runs(synthetic):
    """One holds a module, one builds on another, one learns from all users."""
    protocol = PROTOCOLS["strict"].changed(encoding="learned", code_bits=16, background_users=0)
    cell = make_cell(synthetic, protocol, 12, 10)
    assert cell.movies.channels["learned"] == 16
    assert len(cell.movies_of_folds()) == FOLDS
    base = Fitted(build(load_recommender("ridge"), Options()), 1.0)
    for name in ("ao", "ridge", "ridge_median", "bias", "personal"):
        model = build(load_recommender(name), Options())
        measured = measure(model, cell, "half_stars", base if name == "ridge_median" else None)
        assert np.isfinite(measured.rmse), name
        assert measured.row["coverage"] == 1, name
