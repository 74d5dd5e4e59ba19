"""The hybrid: what its parts add up to, and that the better one prevails."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import ClassVar

import numpy as np
import pytest
from toy_data import toy_movies, toy_ratings

import PerUser.hybrid as script
from PerUser.hybrid import Hybrid, last_of_each
from PerUser.wnn_vote import WnnVote
from recbench.ratings import Ratings
from recbench.recommender import Recommender

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


class Listener(ByHeart):
    """Says 3 stars and what it is told, if it is told anything."""

    def fit(self, train, movies, told=None):
        self.told = told
        return super().fit(train, movies)

    def predict(self, user, movie, told=None):
        return super().predict(user, movie) if told is None else 3 + told


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


@pytest.mark.parametrize("base", [ByHeart, Listener])
def test_it_is_a_mixture_of_its_parts(history, base):
    movies, train = history
    model = Hybrid(base=base, doubt=2.5).fit(train, movies)
    personal = WnnVote().fit(train, movies)
    said = personal.correction(*ASKED)
    alone = ByHeart().fit(train, movies)
    memory = WnnVote(2.5 * 4.0, 2.5 * 4.3, 2.5 * 60.0, 2.5 * 2.0)
    memory.start(movies, personal.crowd, train.movie)
    memory.remember(train, train.stars - alone.predict(train.user, train.movie))
    parts = [
        personal.crowd[ASKED[1]] + said,
        alone.predict(*ASKED) + memory.correction(*ASKED),
        3 + said,
    ]
    assert len(model.shares) == (3 if base is Listener else 2)
    assert model.shares.sum() == pytest.approx(1)
    assert (model.shares >= 0).all()
    expected = sum(share * part for share, part in zip(model.shares, parts, strict=False))
    np.testing.assert_allclose(model.predict(*ASKED), expected.clip(0.5, 5), atol=1e-5)


def test_the_model_is_told_what_the_memory_said_before_each_rating(history):
    movies, train = history
    model = Hybrid(base=Listener).fit(train, movies)
    personal = WnnVote().fit(train, movies)
    said = personal.corrections_before(train, train.stars - personal.crowd[train.movie])
    np.testing.assert_allclose(model._listener.told, said, atol=1e-9)


@pytest.mark.parametrize("base", [ByHeart, Listener])
def test_its_shares_are_found_on_ratings_not_learned_from(history, base, monkeypatch):
    """γ by trying them out, on the parts fitted to the rest."""
    movies, train = history
    monkeypatch.setattr(script, "USUAL_WEIGHT", 1e-9)
    model = Hybrid(base=base).fit(train, movies)
    assert {len(one) for one in fitted_on} == {16 + 1 + 24, len(train)}
    later = train.take(last_of_each(train, 0.2))
    rest = train.take(~last_of_each(train, 0.2))
    parts = Hybrid(base=base)
    parts._fit_parts(rest, movies, None)
    said = parts._parts(later.user, later.movie)  # (n, parts)

    def loss(shares):
        error = (later.stars - said @ shares) ** 2
        return sum(error[later.user == user].mean() for user in (0, 2))

    grid = np.linspace(0, 1, 101)
    kinds = said.shape[1]
    tried = [np.array(t) for t in product(grid, repeat=kinds) if abs(sum(t) - 1) < 1e-9]
    assert loss(model.shares) <= min(map(loss, tried)) + 1e-6


class Sampler(ByHeart):
    """Remembers how many samples it was asked for."""

    asked_for: ClassVar[list[int]] = []

    def __init__(self, samples=7):
        self.asked_for.append(samples)


def test_the_model_samples_less_while_shares_are_looked_for(history):
    movies, train = history
    Sampler.asked_for.clear()
    Hybrid(base=Sampler, samples_for_shares=3).fit(train, movies)
    Hybrid(base=Sampler, samples_for_shares=3, samples=5).fit(train, movies)
    assert Sampler.asked_for == [3, 7, 3, 5]


def test_what_movies_bring_along_is_not_believed_where_the_shares_are_found(history):
    """The opinion of a cell knows the ratings that the shares are found on."""
    movies, train = history
    brought = replace(movies, crowd_opinion=np.linspace(0, 5, 40))
    expected = Hybrid(base=ByHeart).fit(train, movies).predict(*ASKED)
    assert np.array_equal(Hybrid(base=ByHeart).fit(train, brought).predict(*ASKED), expected)


def truth(users: int, seed: int) -> Ratings:
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 100)
    movie = np.concatenate([rng.permutation(400)[:100] for _ in range(users)])
    return Ratings(user, movie, TRUTH[user, movie], np.tile(np.arange(100), users))


def test_a_model_that_knows_prevails_and_one_that_does_not_gives_way():
    movies, train = toy_movies(400), truth(10, 0)
    assert Hybrid(base=Oracle).fit(train, movies).shares[1] > 0.75
    kind = Ratings(train.user, train.movie, np.full(len(train), 4.5), train.time)
    assert Hybrid(base=ByHeart).fit(kind, movies).shares[0] > 0.75


def test_with_little_to_find_them_on_the_shares_are_equal():
    movies = toy_movies(40)
    for ratings in (0, 1, 4):  # nothing can be held out
        model = Hybrid(base=ByHeart).fit(toy_ratings([ratings], 40), movies)
        assert model.shares == pytest.approx([0.5, 0.5], abs=1e-6)
        assert np.isfinite(model.predict(*ASKED)).all()


def test_the_last_of_each_in_time():
    ratings = Ratings(
        [0, 1, 0, 1, 0, 0, 0, 1],
        [0, 1, 2, 3, 4, 5, 6, 7],
        np.full(8, 3.0),
        [9, 1, 3, 9, 5, 7, 1, 9],
    )
    assert np.flatnonzero(last_of_each(ratings, 0.2)).tolist() == [0]  # one of five, none of three
    assert np.flatnonzero(last_of_each(ratings, 0.4)).tolist() == [0, 5, 7]  # the later row
    assert not last_of_each(ratings.take(np.array([], int)), 0.4).any()


def test_the_model_may_be_named_or_given(history):
    movies, train = history
    named = Hybrid(base="always_3").fit(train, movies).predict(*ASKED)
    assert np.isfinite(named).all()
    assert (named != Hybrid(base=ByHeart).fit(train, movies).predict(*ASKED)).any()
