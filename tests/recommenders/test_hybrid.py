"""The hybrid: what its parts add up to, and that the better one prevails."""

from __future__ import annotations

import numpy as np
import pytest
from toy_data import toy_movies, toy_ratings

import PerUser.hybrid as script
from PerUser.hybrid import Hybrid, last_of_each
from PerUser.wnn_vote import WnnVote
from ratings import Ratings
from recommender import Recommender

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


def test_it_is_a_mixture_of_its_two_parts(history):
    movies, train = history
    model = Hybrid(base=ByHeart, doubt=2.5).fit(train, movies)
    alone = ByHeart().fit(train, movies)
    memory = WnnVote(10.0, 10.75, 1.5)  # 2.5 times the priors
    personal = WnnVote().fit(train, movies)
    memory.start(movies, personal.crowd)
    memory.remember(train, train.stars - alone.predict(train.user, train.movie))
    of_model = alone.predict(*ASKED) + memory.correction(*ASKED)
    of_crowd = personal.crowd.stars[ASKED[1]] + personal.correction(*ASKED)
    expected = (1 - model.share) * of_model + model.share * of_crowd
    np.testing.assert_allclose(model.predict(*ASKED), expected.clip(0.5, 5), atol=1e-6)


def test_its_share_is_found_on_ratings_not_learned_from(history, monkeypatch):
    """γ by hand, from the two parts fitted to the rest."""
    movies, train = history
    monkeypatch.setattr(script, "USUAL_WEIGHT", 0.0)
    model = Hybrid(base=ByHeart).fit(train, movies)
    first, second = fitted_on
    assert len(first) == 16 + 1 + 24
    assert len(second) == len(train)
    later = train.take(last_of_each(train, 0.2))
    rest = train.take(~last_of_each(train, 0.2))
    parts = Hybrid(base=ByHeart)
    parts._fit_parts(rest, movies)
    a, b = parts._parts(later.user, later.movie)

    def loss(share):
        error = (later.stars - (1 - share) * a - share * b) ** 2
        return sum(error[later.user == user].mean() for user in (0, 2))

    best = min(np.linspace(0, 1, 1001), key=loss)
    assert model.share == pytest.approx(best, abs=1e-3)


def truth(users: int, seed: int) -> Ratings:
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), 100)
    movie = np.concatenate([rng.permutation(400)[:100] for _ in range(users)])
    return Ratings(user, movie, TRUTH[user, movie], np.tile(np.arange(100), users))


def test_a_model_that_knows_prevails_and_one_that_does_not_gives_way():
    movies, train = toy_movies(400), truth(10, 0)
    assert Hybrid(base=Oracle).fit(train, movies).share < 0.05
    kind = Ratings(train.user, train.movie, np.full(len(train), 4.5), train.time)
    assert Hybrid(base=ByHeart).fit(kind, movies).share > 0.95


def test_with_little_to_find_it_on_the_share_is_the_usual_one():
    movies = toy_movies(40)
    for ratings in (0, 1, 4):  # nothing can be held out
        model = Hybrid(base=ByHeart).fit(toy_ratings([ratings], 40), movies)
        assert model.share == pytest.approx(0.4)
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
