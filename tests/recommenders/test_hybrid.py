"""The hybrid: what its parts add up to, and that it is no worse than they are where they end."""

from __future__ import annotations

import numpy as np
import pytest
from toy_data import toy_movies, toy_ratings

from PerUser.crowd_opinion import CrowdOpinion
from PerUser.hybrid import Hybrid
from PerUser.wnn_vote import WnnVote
from ratings import Ratings
from recommender import Recommender


class ByHeart(Recommender):
    """Knows the ratings that it was fitted to, and says 2 of all others."""

    def fit(self, train, movies):
        pairs = zip(train.user.tolist(), train.movie.tolist(), strict=True)
        self.known = dict(zip(pairs, train.stars.tolist(), strict=True))
        return self

    def predict(self, user, movie):
        pairs = zip(np.asarray(user).tolist(), np.asarray(movie).tolist(), strict=True)
        return np.array([self.known.get(pair, 2.0) for pair in pairs], np.float32)


class SaysTwo(ByHeart):
    """Says 2 whatever it has seen."""

    def fit(self, train, movies):
        self.known = {}
        return self


@pytest.fixture
def history():
    return toy_movies(40), toy_ratings([20, 1, 30], 40)


ASKED = np.repeat([0, 1, 2, 9], 40), np.tile(np.arange(40), 4)


@pytest.mark.parametrize("base", [ByHeart, SaysTwo])
def test_it_is_the_model_mixed_with_the_crowd_and_corrected(base, history):
    movies, train = history
    model = Hybrid(base=base, crowd_share=0.25, prior_mean=3.0, prior_bent=5.0, prior_vote=0.7)
    model.fit(train, movies)
    crowd = CrowdOpinion.fit(train, movies)
    alone = base().fit(train, movies)

    def start(user, movie):
        return 0.75 * alone.predict(user, movie) + 0.25 * crowd.stars[movie]

    memory = WnnVote(3.0, 5.0, 0.7)
    memory.start(movies, crowd)
    memory.remember(train, train.stars - start(train.user, train.movie))
    expected = start(*ASKED) + memory.correction(*ASKED)
    np.testing.assert_allclose(model.predict(*ASKED), expected.clip(0.5, 5), atol=1e-6)


def test_with_the_crowd_alone_it_is_wnn_vote(history):
    movies, train = history
    model = Hybrid(base=ByHeart, crowd_share=1.0, prior_mean=4.0, prior_bent=4.3, prior_vote=0.6)
    np.testing.assert_allclose(
        model.fit(train, movies).predict(*ASKED),
        WnnVote(4.0, 4.3, 0.6).fit(train, movies).predict(*ASKED),
        atol=1e-6,
    )


def test_a_model_that_knows_all_by_heart_leaves_the_crowds_share_to_learn(history):
    """Then r̂ = (1 − γ) m + γ · `WnnVote`: the correction is linear in the surprises."""
    movies, train = history
    share = 0.4
    settings = {"prior_mean": 8.0, "prior_bent": 8.0, "prior_vote": 1.2}
    personal = WnnVote(**settings).fit(train, movies)
    unclipped = personal.crowd.stars[ASKED[1]] + personal.correction(*ASKED)
    expected = (1 - share) * ByHeart().fit(train, movies).predict(*ASKED) + share * unclipped
    stars = Hybrid(base=ByHeart, crowd_share=share, **settings).fit(train, movies).predict(*ASKED)
    np.testing.assert_allclose(stars, expected.clip(0.5, 5), atol=1e-6)


def test_somebody_without_ratings_leans_on_the_collaborative_model(history):
    movies, train = history
    model = Hybrid(base=SaysTwo, crowd_share=0.0).fit(train, movies)
    assert (model.predict(np.full(40, 77), np.arange(40)) == 2.0).all()


def test_it_learns_what_the_model_gets_wrong_about_a_person():
    movies = toy_movies(60)
    train = Ratings(np.zeros(50), np.arange(50), np.full(50, 4.5), np.arange(50))
    model = Hybrid(base=SaysTwo, crowd_share=0.0).fit(train, movies)
    assert (model.predict(np.zeros(10, int), np.arange(50, 60)) > 3.7).all()


def test_the_model_may_be_named_or_given(history):
    movies, train = history
    named = Hybrid(base="always_3").fit(train, movies).predict(*ASKED)
    assert np.isfinite(named).all()
    assert (named != Hybrid(base=SaysTwo).fit(train, movies).predict(*ASKED)).any()
