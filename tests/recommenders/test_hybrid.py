"""The hybrid: what its parts add up to, and that the better one prevails."""

from __future__ import annotations

from itertools import product
from typing import ClassVar

import numpy as np
import pytest
from toy_data import toy_movies, toy_ratings

import PerUser.hybrid as script
from PerUser.hybrid import Hybrid
from PerUser.wnn_vote import WnnVote
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Ratings
from recbench.recommender import Recommender, SideFeatureRecommender

fitted_on: list[Ratings] = []


class ByHeart(Recommender):
    """Knows the ratings that it was fitted to, and says 2 of all others."""

    def fit(self, train, movies):
        fitted_on.append(train)
        pairs = zip(train.user.tolist(), train.movie.tolist(), strict=True)
        self.known = dict(zip(pairs, train.stars.tolist(), strict=True))
        return self

    def predict(self, user, movie):
        pairs = zip(np.asarray(user).tolist(), np.asarray(movie).tolist(), strict=True)
        return np.array([self.known.get(pair, 2.0) for pair in pairs], np.float32)


class Stacked(ByHeart, SideFeatureRecommender):
    """Says 3 stars and the side feature, if there is one."""

    def fit(self, train, movies, side_feature=None):
        self.side_feature = side_feature
        return super().fit(train, movies)

    def predict(self, user, movie, side_feature=None):
        return super().predict(user, movie) if side_feature is None else 3 + side_feature


TRUTH = np.random.default_rng(1).integers(1, 11, (10, 400)) / 2


class Oracle(ByHeart):
    """Knows it all."""

    def predict(self, user, movie):
        return TRUTH[user, movie].astype(np.float32)


@pytest.fixture
def history():
    fitted_on.clear()
    return toy_movies(40), toy_ratings([20, 1, 30], 40)


ASKED = np.repeat([0, 1, 2, 9], 40), np.tile(np.arange(40), 4)


@pytest.mark.parametrize("kind", [ByHeart, Stacked])
def test_it_is_a_mixture_of_its_parts(history, kind):
    movies, train = history
    model = Hybrid(model=kind, regularisation=2.5).fit(train, movies)
    personal = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    said = personal.correction(*ASKED)
    alone = ByHeart().fit(train, movies)
    memory = WnnVote(2.5 * 4.0, 2.5 * 4.3, 2.5 * 60.0, 2.5 * 2.0)
    memory.start_from(movies, personal.baseline, train.movie)
    memory.store(train, train.stars - alone.predict(train.user, train.movie))
    parts = [
        personal.baseline[ASKED[1]] + said,
        alone.predict(*ASKED) + memory.correction(*ASKED),
        3 + said,
    ]
    assert len(model.stacking_weights) == (3 if kind is Stacked else 2)
    assert model.stacking_weights.sum() == pytest.approx(1)
    assert (model.stacking_weights >= 0).all()
    expected = sum(
        weight * part for weight, part in zip(model.stacking_weights, parts, strict=False)
    )
    np.testing.assert_allclose(model.predict(*ASKED), expected.clip(0.5, 5), atol=1e-5)


def test_the_side_feature_is_what_the_memory_said_before_each_rating(history):
    movies, train = history
    model = Hybrid(model=Stacked).fit(train, movies)
    personal = WnnVote().fit(train, movies, ItemBaseline.fit(train, movies))
    said = personal.prequential_corrections(train, train.stars - personal.baseline[train.movie])
    np.testing.assert_allclose(model._stacked.side_feature, said, atol=1e-9)


@pytest.mark.parametrize("kind", [ByHeart, Stacked])
def test_stacking_weights_are_found_on_ratings_not_learned_from(history, kind, monkeypatch):
    """γ by trying them out, on the parts fitted to the rest."""
    movies, train = history
    monkeypatch.setattr(script, "PRIOR_WEIGHT", 1e-9)
    model = Hybrid(model=kind).fit(train, movies)
    assert {len(one) for one in fitted_on} == {16 + 1 + 24, len(train)}
    last = Hybrid._last_of_each_user(train)
    later, rest = train.take(last), train.take(~last)
    parts = Hybrid(model=kind)
    parts._fit_parts(rest, movies, None)
    said = parts._parts(later.user, later.movie)  # (n, parts)

    def loss(weights):
        error = (later.stars - said @ weights) ** 2
        return sum(error[later.user == user].mean() for user in (0, 2))

    grid = np.linspace(0, 1, 101)
    kinds = said.shape[1]
    tried = [np.array(t) for t in product(grid, repeat=kinds) if abs(sum(t) - 1) < 1e-9]
    assert loss(model.stacking_weights) <= min(map(loss, tried)) + 1e-6


class Sampler(ByHeart):
    """Remembers how many samples it was asked for."""

    asked_for: ClassVar[list[int]] = []
    search_space: ClassVar[dict] = {"samples": (1, 9, "int")}

    def __init__(self, samples=7):
        self.asked_for.append(samples)


def test_the_model_samples_less_while_stacking_weights_are_looked_for(history):
    movies, train = history
    Sampler.asked_for.clear()
    Hybrid(model=Sampler, samples_for_stacking=3).fit(train, movies)
    Hybrid(model=Sampler, samples_for_stacking=3, samples=5).fit(train, movies)
    assert Sampler.asked_for == [3, 7, 3, 5]


def test_its_item_baseline_is_fitted_to_the_ratings_it_learns_from(history, monkeypatch):
    """That of a split knows the ratings that the stacking weights are found on."""
    movies, train = history
    sizes = []

    class Recorder(ItemBaseline):
        @classmethod
        def fit(cls, ratings, movies):
            sizes.append(len(ratings))
            return ItemBaseline.fit(ratings, movies)

    monkeypatch.setattr(script, "ItemBaseline", Recorder)
    Hybrid(model=ByHeart).fit(train, movies)
    assert sizes == [16 + 1 + 24, len(train)]


def truth(users: int, seed: int) -> Ratings:
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 100)
    movie = np.concatenate([rng.permutation(400)[:100] for _ in range(users)])
    return Ratings(user, movie, TRUTH[user, movie], np.tile(np.arange(100), users))


def test_a_model_that_knows_prevails_and_one_that_does_not_gives_way():
    movies, train = toy_movies(400), truth(10, 0)
    assert Hybrid(model=Oracle).fit(train, movies).stacking_weights[1] > 0.75
    high = Ratings(train.user, train.movie, np.full(len(train), 4.5), train.time)
    assert Hybrid(model=ByHeart).fit(high, movies).stacking_weights[0] > 0.75


def test_with_little_to_find_them_on_stacking_weights_are_equal():
    movies = toy_movies(40)
    for ratings in (0, 1, 4):  # nothing can be held out
        model = Hybrid(model=ByHeart).fit(toy_ratings([ratings], 40), movies)
        assert model.stacking_weights == pytest.approx([0.5, 0.5], abs=1e-6)
        assert np.isfinite(model.predict(*ASKED)).all()


def test_the_last_of_each_user_in_time(monkeypatch):
    ratings = Ratings(
        [0, 1, 0, 1, 0, 0, 0, 1],
        [0, 1, 2, 3, 4, 5, 6, 7],
        np.full(8, 3.0),
        [9, 1, 3, 9, 5, 7, 1, 9],
    )
    last = Hybrid._last_of_each_user
    assert np.flatnonzero(last(ratings)).tolist() == [0]  # one of five, none of three
    monkeypatch.setattr(script, "HELD_OUT", 0.4)
    assert np.flatnonzero(last(ratings)).tolist() == [0, 5, 7]  # the later row
    assert not last(ratings.take(np.array([], int))).any()


def test_the_model_may_be_named_or_given(history):
    movies, train = history
    named = Hybrid(model="always_3").fit(train, movies).predict(*ASKED)
    assert np.isfinite(named).all()
    assert (named != Hybrid(model=ByHeart).fit(train, movies).predict(*ASKED)).any()
