"""Drift on the errors of a factorisation machine: by hand, and how large it is."""

from __future__ import annotations

import numpy as np
import pytest
from fitting import fit

from Collaborative.bayesian_fm import BayesianFM
from Collaborative.bayesian_fm_implicit import BayesianFMImplicit
from Collaborative.recent import (
    LATEST,
    PERSISTENCE,
    BayesianFMImplicitRecent,
    BayesianFMRecent,
    drift,
)
from recbench.checks.toy_data import MOVIES, parts, stream, toy_movies
from recbench.checks.toy_data import NUM_MOVIES as FILMS
from recbench.models.item_table.scales import drift_shape
from recbench.ratings import Ratings

USERS = [0, 1, 2, 3, 4, 8]  # 3 and 8 are unknown
QUERIES = np.repeat(USERS, FILMS), np.tile(np.arange(FILMS), len(USERS))
SHORT = {"rank": 3, "samples": 20}


def test_drift_is_the_mean_of_a_gaussian_process():
    errors = np.array([0.5, -1.0, 2.0, 1.0])
    place = np.arange(5)
    kernel = 0.2 * drift_shape(place[:, None] - place)
    expected = kernel[4, :4] @ np.linalg.solve(kernel[:4, :4] + np.eye(4), errors)
    assert drift(errors, 0.2) == pytest.approx(expected)
    assert drift(errors[:1], 0.2) == pytest.approx(0.5 * kernel[1, 0] / 1.2)
    assert drift(errors[:0], 0.2) == drift(errors, 0.0) == 0


def test_it_is_the_model_and_the_drift_of_its_errors():
    train = stream()
    model = fit(BayesianFM(**SHORT), train, MOVIES)
    recent = fit(BayesianFMRecent(share=0.3), train, MOVIES, bayes_fm=model)
    for user in USERS:
        own, queries = train.take(train.user == user), (np.full(FILMS, user), np.arange(FILMS))
        own = own.take(np.argsort(own.time, kind="stable"))
        d = drift(own.stars - model.predict(own.user, own.movie), 0.3)
        expected = (model.predict(*queries) + d).clip(0.5, 5)
        np.testing.assert_allclose(recent.predict(*queries), expected, atol=1e-5)


def test_it_goes_on_learning_as_if_the_model_had_been_fitted_before():
    first, then = parts(stream())
    base = fit(BayesianFM(**SHORT), first, MOVIES)
    online, at_once = (
        fit(BayesianFMRecent(share=0.3), ratings, MOVIES, bayes_fm=base)
        for ratings in (first, stream())
    )
    for user, movie, stars in zip(then.user, then.movie, then.stars, strict=True):
        online.predict_one(int(user), int(movie))
        online.learn_one(int(user), int(movie), float(stars))
    np.testing.assert_allclose(online.predict(*QUERIES), at_once.predict(*QUERIES), atol=1e-5)
    for _ in range(LATEST + 3):
        online.learn_one(7, 2, 4.0)
    assert len(online._errors[7]) == LATEST


@pytest.mark.parametrize("drifting", [True, False])
def test_how_large_drift_is_follows_from_the_training_ratings(drifting):
    """Each user's scale moves down by two stars, or does not move."""
    rng = np.random.default_rng(0)
    user, movie = np.repeat(np.arange(40), 30), np.tile(np.arange(30), 40)
    order = np.concatenate([rng.permutation(30) for _ in range(40)])
    stars = rng.normal(3, 0.3, 1200) + (1 - order / 15 if drifting else 0)
    train = Ratings(user, movie, stars.clip(0.5, 5), order)
    share = fit(BayesianFMRecent(BayesianFM), train, toy_movies(30))._share
    assert share >= 0.3 if drifting else share <= 0.06


def test_in_another_session_what_persists_follows_from_the_training_ratings():
    """Each user's scale is half a star or more away in the first sitting, and not later."""
    rng = np.random.default_rng(0)
    user, movie = np.repeat(np.arange(60), 20), np.tile(np.arange(20), 60)
    time = np.tile(np.arange(20), 60) + np.where(np.tile(np.arange(20), 60) < 16, 0, 10**6)
    away = np.repeat(rng.choice([-1.5, 1.5], 60), 20)
    stars = rng.normal(3, 0.3, 1200) + np.where(time < 16, away, 0)
    train = Ratings(user, movie, stars.clip(0.5, 5), time)
    recent = fit(BayesianFMRecent(BayesianFM), train, toy_movies(20))
    assert recent._persistence == min(PERSISTENCE)
    query = np.zeros(20, dtype=int), np.arange(20)
    same, other = (recent.predict(*query, np.full(20, at)) for at in (10**6 + 20, 3 * 10**6))
    np.testing.assert_array_equal(same, recent.predict(*query))
    nobody = recent._model.predict(np.full(20, -1), query[1])
    np.testing.assert_allclose(other, nobody + 0.7 * (same - nobody), atol=1e-5)
    recent.learn_one(0, 3, 4.0)  # when, is not known
    np.testing.assert_array_equal(
        recent.predict(*query, np.full(20, 3 * 10**6)), recent.predict(*query)
    )


def test_it_keeps_the_latest_errors_and_what_the_model_keeps():
    train = stream()
    model = fit(BayesianFMImplicit(samples=20, rank=2, rank_of_many=5), train, MOVIES)
    recent = fit(BayesianFMImplicitRecent(), train, MOVIES, bayes_fm_implicit=model)
    assert recent.shared_bytes() == model.shared_bytes()
    assert recent.state_bytes() == model.state_bytes() + 8 * len(train)
