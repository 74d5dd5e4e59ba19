"""Explanations of the personal model, and the movie that it would ask about next."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from fitting import fit
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_personal import own_ratings, plain_mean, plainly

from PerUser.personal import Personal
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.models import memories
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings

FILMS = 60
MOVIES = toy_movies(FILMS)
TABLE = toy_table(MOVIES)
WITHOUT_DRIFT = replace(TABLE, scales=replace(TABLE.scales, drift=0.0))
EVERY = np.arange(FILMS)
NOBODY = Ratings([], [], [], [])


def fitted(train: Ratings, table=TABLE, movies=MOVIES) -> Personal:
    return fit(Personal(), train, movies, item_tables=ItemTables.same_for_all(table))


def of_stars(parts) -> dict:
    return {part.movie: part for part in parts if part.reason.startswith("you gave it")}


def of_watching(parts) -> dict:
    return {part.movie: part for part in parts if part.reason == "you watched it"}


@settings(max_examples=12)
@given(
    st.integers(0, 10_000),
    st.integers(0, 40),
    st.sampled_from([-1.5, 0.0, 1.5]),
    st.sets(st.integers(0, FILMS - 1), max_size=5),
)
def test_contributions_sum_to_the_prediction_exactly(seed, length, higher, watched):
    """Also where it is outside the scale and is cut off."""
    train = toy_ratings([length, 9], FILMS, seed=seed)
    table = replace(TABLE, mean=TABLE.mean + higher)
    model = fitted(train, table)
    model.watch(0, np.array([*watched], dtype=int))
    expected, _ = model.predict_normal(np.zeros(FILMS, int), EVERY)
    rated = set(train.movie[train.user == 0].tolist())
    known = rated | watched
    for movie in range(0, FILMS, 3):
        explanation = model.explain_one(0, movie)
        parts = explanation.contributions
        assert math.fsum(part.stars for part in parts) == explanation.stars
        assert explanation.stars == model.predict_one(0, movie)
        assert explanation.stars == pytest.approx(expected[movie].clip(0.5, 5), abs=1e-8)
        assert 0.5 <= explanation.stars <= 5.0
        assert (parts[0].reason, parts[0].movie) == ("mean of other users", None)
        w = table.factors[movie]
        mean = table.mean[movie] - (w @ table.implicit_mean if known else 0)
        assert parts[0].stars == pytest.approx(mean, abs=1e-12)
        assert set(of_stars(parts)) == rated
        assert set(of_watching(parts)) == known - {movie}
        for other, part in of_watching(parts).items():
            share = table.implicit[other] @ w / math.sqrt(len(known))
            assert (part.stars, part.if_forgotten) == (pytest.approx(share, abs=1e-12), None)
        limits = [part.reason for part in parts[1:] if part.movie is None]
        assert limits == ["limit of the scale"] * (not 0.5 <= expected[movie] <= 5)
        assert len(parts) == 1 + len(rated) + len(known - {movie}) + len(limits)
        sizes = np.abs([part.stars for part in parts[1:] if part.movie is not None])
        assert (np.diff(sizes) <= 1e-12).all()  # the largest first


def test_the_share_of_a_rating_is_what_its_stars_are_worth():
    """Its residual times what one more star of it would add to the prediction."""
    train = toy_ratings([8], FILMS)
    rated, query = own_ratings(train, 0), [3, int(train.movie[2])]
    before, _ = plainly(TABLE, MOVIES, rated, query)
    model = fitted(train)
    for place, (movie, stars) in enumerate(rated):
        more = [*rated]
        more[place] = (movie, stars + 1)
        weight = plainly(TABLE, MOVIES, more, query)[0] - before
        residual = stars - plain_mean(TABLE, train.movie.tolist(), movie)
        found = [of_stars(model.explain_one(0, one).contributions)[movie].stars for one in query]
        np.testing.assert_allclose(found, weight * residual, atol=1e-8)


@pytest.mark.parametrize("length", [1, 12, 25])
def test_the_change_by_forgetting_is_that_of_really_forgetting(length):
    """With drift, too, whose order changes, and with the mean, which follows from the others."""
    train, query = toy_ratings([length], FILMS, seed=length), EVERY[::5]
    model, user = fitted(train), np.zeros(len(query), int)
    model.watch(0, EVERY[:3])
    before, _ = model.predict_normal(user, query)
    explained = [of_stars(model.explain_one(0, int(one)).contributions) for one in query]
    for movie in train.movie.tolist():
        without = fitted(train.take(train.movie != movie))
        without.watch(0, np.setdiff1d(EVERY[:3], train.movie))
        real = without.predict_normal(user, query)[0] - before
        expected = [parts[movie].if_forgotten for parts in explained]
        np.testing.assert_allclose(expected, real, atol=1e-8)


def test_of_many_ratings_the_change_is_known_of_the_largest_shares_alone(monkeypatch):
    monkeypatch.setattr(memories, "OPERATIONS", 12 * 40**3)
    model = fitted(toy_ratings([40], FILMS))
    every = [*of_stars(model.explain_one(0, 3).contributions).values()]
    assert [part.if_forgotten is not None for part in every] == [True] * 12 + [False] * 28
    without = model.explain_one(0, 3, if_forgotten=False).contributions
    assert {part.if_forgotten for part in without} == {None}
    assert [part.stars for part in without] == [
        part.stars for part in model.explain_one(0, 3).contributions
    ]


def test_the_correlation_of_two_movies_is_what_a_rating_of_one_tells_of_the_other():
    """Of a rating without noise, the part of the variance that it explains is its square."""
    found, noise = fitted(NOBODY).correlation(EVERY, EVERY), 1e-9
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    np.testing.assert_allclose(np.diagonal(found), 1, atol=1e-7)
    table = replace(
        WITHOUT_DRIFT, scales=replace(WITHOUT_DRIFT.scales, noise=noise, uncertainty=0.0)
    )
    model = fitted(NOBODY, table)
    correlation, other = model.correlation([4], EVERY)[0], np.zeros(FILMS, int)
    before = model.predict_normal(other, EVERY)[1]
    model.learn_one(0, 4, 3.0)
    explained = 1 - model.predict_normal(other, EVERY)[1] / before
    np.testing.assert_allclose(explained, correlation**2, atol=1e-6)


# --- which movie to ask about next --------------------------------------------------------------


def variance_left(model: Personal, user: int, candidate: int, targets: np.ndarray) -> float:
    """The summed variance of the targets when the candidate has really been rated."""
    model.learn_one(user, candidate, 3.5)
    left = model.predict_normal(np.full(len(targets), user), targets)[1].sum()
    model.forget_one(user, candidate)
    return float(left)


@pytest.mark.parametrize("user", [0, 1, 5])
def test_the_movie_that_teaches_most_is_query_about(user):
    """By really learning each candidate; user 5 has no ratings yet."""
    train = toy_ratings([25, 3], FILMS, seed=2)
    model = fitted(train, WITHOUT_DRIFT)
    rng = np.random.default_rng(user)
    open_movies = np.setdiff1d(EVERY, train.movie[train.user == user])
    for _ in range(6):
        candidates = rng.permutation(open_movies)[:9]
        targets = rng.integers(0, FILMS, 20)  # some twice, some of them candidates
        left = [variance_left(model, user, int(one), targets) for one in candidates]
        assert model.ask_next(user, candidates, targets) == candidates[np.argmin(left)]
        assert np.ptp(left) > 1e-3
