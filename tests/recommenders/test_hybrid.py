"""The hybrid: residuals that are honest, and what its parts add up to."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from toy_data import toy_movies, toy_ratings

from PerUser.crowd_opinion import CrowdOpinion
from PerUser.hybrid import Hybrid
from PerUser.wnn_vote import WnnVote
from ratings import Ratings
from recommender import Recommender

fitted_on: list[Ratings] = []


class ByHeart(Recommender):
    """Knows the ratings that it was fitted to, and says 2 of all others."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, train, movies):
        fitted_on.append(train)
        self.known = {
            (u, m): s
            for u, m, s in zip(
                train.user.tolist(), train.movie.tolist(), train.stars.tolist(), strict=True
            )
        }
        return self

    def predict(self, user, movie):
        pairs = zip(np.asarray(user).tolist(), np.asarray(movie).tolist(), strict=True)
        return np.array([self.known.get(pair, 2.0) for pair in pairs], np.float32)


@pytest.fixture
def by_heart():
    """`Hybrid` over that model."""
    fitted_on.clear()
    return partial(Hybrid, base=ByHeart)


def test_a_surprise_is_over_a_model_that_has_not_seen_the_rating(by_heart):
    movies, train = toy_movies(40), toy_ratings([20, 1, 30], 40)
    model = by_heart(crowd_share=0.0).fit(train, movies)
    assert [len(part) for part in fitted_on] == [34, 34, 34]
    for user, memory in model._memory.memories.items():
        stars = train.stars[train.user == user]
        np.testing.assert_allclose(np.sort(memory.surprise), np.sort(stars - 2.0), atol=1e-6)


def test_it_is_the_mean_of_the_models_mixed_with_the_crowd_and_corrected(by_heart):
    movies, train = toy_movies(40), toy_ratings([20, 1, 30], 40)
    share = 0.25
    model = by_heart(crowd_share=share, prior_mean=3.0, prior_bent=5.0, prior_vote=0.7)
    model.fit(train, movies)
    crowd = CrowdOpinion.fit(train, movies)
    unseen = 0.75 * 2.0 + share * crowd.stars[train.movie]
    memory = WnnVote(3.0, 5.0, 0.7)
    memory.start(movies, crowd)
    memory.remember(train, train.stars - unseen)

    user, movie = np.repeat([0, 1, 2, 9], 40), np.tile(np.arange(40), 4)
    stars = dict(zip(zip(train.user, train.movie, strict=True), train.stars, strict=True))
    of_models = [  # two of the three models know a training rating by heart
        (2 * stars[pair] + 2) / 3 if pair in stars else 2.0
        for pair in zip(user, movie, strict=True)
    ]
    expected = 0.75 * np.array(of_models) + share * crowd.stars[movie]
    expected += memory.correction(user, movie)
    np.testing.assert_allclose(model.predict(user, movie), expected.clip(0.5, 5), atol=1e-5)


def test_somebody_without_ratings_leans_on_the_collaborative_model(by_heart):
    movies, train = toy_movies(40), toy_ratings([20, 1, 30], 40)
    model = by_heart(crowd_share=0.0).fit(train, movies)
    assert (model.predict(np.full(40, 77), np.arange(40)) == 2.0).all()


@pytest.mark.parametrize("ratings", [0, 1, 2])
def test_fewer_ratings_than_parts(by_heart, ratings):
    train = toy_ratings([ratings], 40)
    stars = by_heart().fit(train, toy_movies(40)).predict(np.zeros(40, int), np.arange(40))
    assert np.isfinite(stars).all()
    assert len(fitted_on) == max(ratings, 1)


def test_it_learns_what_the_model_gets_wrong_about_a_person(by_heart):
    movies = toy_movies(60)
    train = Ratings(np.zeros(50), np.arange(50), np.full(50, 4.5), np.arange(50))
    stars = by_heart().fit(train, movies).predict(np.zeros(10, int), np.arange(50, 60))
    assert (stars > 3.8).all()
