"""Explanations of the personal model, and the movie that it would ask about next."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from fitting import fit
from hypothesis import given, settings
from hypothesis import strategies as st

from PerUser.personal import Personal, PersonalExact
from recbench.checks.toy_data import toy_movies, toy_ratings, toy_table
from recbench.models.item_table.table import ItemTables
from recbench.ratings import Ratings

FILMS = 60
MOVIES = toy_movies(FILMS)
TABLE = toy_table(MOVIES)
WITHOUT_DRIFT = replace(TABLE, scales=replace(TABLE.scales, drift=0.0))
EVERY = np.arange(FILMS)
KINDS = [Personal, PersonalExact]
NOBODY = Ratings([], [], [], [])


def fitted(train: Ratings, kind=Personal, table=TABLE) -> Personal:
    return fit(kind(), train, MOVIES, item_tables=ItemTables.same_for_all(table))


def expected_of(model: Personal, query: np.ndarray) -> np.ndarray:
    """Means of user 0, not clipped."""
    return model.predict_normal(np.zeros(len(query), int), query)[0]


def like_a_person(table, n: int, seed: int) -> Ratings:
    """n ratings of user 0, drawn from the model and rounded to half stars."""
    rng = np.random.default_rng(seed)
    movie_ = rng.permutation(FILMS)[:n]
    kernel = fitted(NOBODY, table=table).memories.kernels[0]
    k = kernel.among(movie_, kernel.stored(movie_)) + table.scales.noise * np.eye(n)
    stars = np.rint(2 * rng.multivariate_normal(table.mean[movie_], k)).clip(1, 10) / 2
    return Ratings(np.zeros(n), movie_, stars, np.arange(n))


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10_000), st.integers(0, 40), st.sampled_from([-1.5, 0.0, 1.5]))
def test_contributions_sum_to_the_prediction_exactly(kind, seed, length, higher):
    """Also where it is outside the scale and is cut off."""
    train = toy_ratings([length, 9], FILMS, seed=seed)
    table = replace(TABLE, mean=TABLE.mean + higher)
    model = fitted(train, kind, table)
    stars = model.predict(np.zeros(FILMS, int), EVERY)
    rated = set(train.movie[train.user == 0].tolist())
    for movie in range(0, FILMS, 3):
        explanation = model.explain_one(0, movie)
        parts = explanation.contributions
        assert math.fsum(part.stars for part in parts) == explanation.stars
        assert explanation.stars == model.predict_one(0, movie)
        assert explanation.stars == pytest.approx(stars[movie], abs=1e-6)
        assert 0.5 <= explanation.stars <= 5.0
        assert parts[0].reason == "mean of other users"
        assert parts[0].stars == table.mean[movie]
        of_ratings = [part for part in parts if part.movie is not None]
        assert {part.movie for part in of_ratings} == rated
        assert len(of_ratings) == length
        sizes = np.abs([part.stars for part in of_ratings])
        assert (np.diff(sizes) <= 1e-12).all()  # the largest first
        limits = [part for part in parts[1:] if part.movie is None]
        mean = expected_of(model, np.array([movie]))[0]
        assert [part.reason for part in limits] == ["limit of the scale"] * (not 0.5 <= mean <= 5)


def really_forgotten(train: Ratings, kind, table) -> tuple[np.ndarray, np.ndarray]:
    """By how much predictions of all movies change without each rating, and what was expected:
    (ratings, movies)."""
    model = fitted(train, kind, table)
    expected = np.empty((len(train), FILMS))
    for movie in EVERY:
        parts = model.explain_one(0, int(movie)).contributions
        said = {part.movie: part.if_forgotten for part in parts}
        expected[:, movie] = [said[int(movie_)] for movie_ in train.movie]
    before, real = expected_of(model, EVERY), np.empty_like(expected)
    for row, movie_ in enumerate(train.movie):
        model = fitted(train, kind, table)
        model.forget_one(0, int(movie_))
        real[row] = expected_of(model, EVERY) - before
    return real, expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_change_by_forgetting_is_that_of_really_forgetting(kind):
    """Without drift exactly. With it nearly: later ratings move up by one, which no share knows;
    that is worth hundredths of a star at most, and of a change that is felt the sign is right."""
    for seed, length in enumerate((1, 12, 25)):
        real, expected = really_forgotten(
            like_a_person(WITHOUT_DRIFT, length, seed), kind, WITHOUT_DRIFT
        )
        np.testing.assert_allclose(expected, real, atol=1e-8)
    pairs = [
        really_forgotten(like_a_person(table, length, seed), kind, table)
        for seed, length in enumerate((3, 8, 15, 25))
        for table in (toy_table(MOVIES, seed=seed),)
    ]
    real, expected = (np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1))
    assert np.abs(expected - real).max() < 0.03
    felt = np.abs(real) > 0.005
    assert felt.mean() > 0.6
    right = np.sign(expected) == np.sign(real)
    assert right[felt].mean() > 0.99
    assert right.mean() > 0.93


def test_the_reason_names_the_stars_and_how_many_agree():
    train = Ratings([0, 0], [4, 7], [4.5, 1.0], [1, 2])
    model = fitted(train)
    for part in model.explain_one(0, 9).contributions[1:]:
        stars = {4: "4.5", 7: "1"}[part.movie]
        agree = model.agreement(9, np.array([part.movie]))[0]
        assert part.reason == f"you gave it {stars}: {agree:.0%} of those who rate both agree"
    (alone,) = model.explain_one(3, 9).contributions  # user 3 has no ratings
    assert (alone.reason, alone.stars, alone.movie) == ("mean of other users", TABLE.mean[9], None)


def test_explaining_and_predicting_change_nothing():
    model = fitted(toy_ratings([12, 9], FILMS))
    users = np.repeat([0, 1, 2], FILMS), np.tile(EVERY, 3)
    before, size = model.predict(*users), model.state_bytes()
    for user in (0, 2, 99):
        model.explain_one(user, 22)
        model.predict_one(user, 22)
        model.ask_next(user, np.array([3, 4]), EVERY)
    np.testing.assert_array_equal(model.predict(*users), before)
    assert model.state_bytes() == size
    assert set(model.memories) == {0, 1}


# --- which movie to ask about next --------------------------------------------------------------


def variance_left(model: Personal, user: int, candidate: int, targets: np.ndarray) -> float:
    """The summed variance of the targets when the candidate has really been rated."""
    model.learn_one(user, candidate, 3.5)
    left = model.predict_normal(np.full(len(targets), user), targets)[1].sum()
    model.forget_one(user, candidate)
    return float(left)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("user", [0, 1, 5])
def test_the_movie_that_teaches_most_is_query_about(kind, user):
    """By really learning each candidate; user 5 has no ratings yet."""
    train = toy_ratings([25, 3], FILMS, seed=2)
    model = fitted(train, kind, WITHOUT_DRIFT)
    rng = np.random.default_rng(user)
    open_movies = np.setdiff1d(EVERY, train.movie[train.user == user])
    for _ in range(6):
        candidates = rng.permutation(open_movies)[:9]
        targets = rng.integers(0, FILMS, 20)  # some twice, some of them candidates
        left = [variance_left(model, user, int(one), targets) for one in candidates]
        assert model.ask_next(user, candidates, targets) == candidates[np.argmin(left)]
        assert np.ptp(left) > 1e-3


def test_of_movies_alike_the_one_that_stands_for_many_is_query_about():
    """Five movies have one factor in common, the sixth has one of its own; a movie counts as often
    as it is wanted."""
    movies = toy_movies(6)
    factors = np.zeros((6, 3))
    factors[:5, 1], factors[5, 2] = 1.0, 1.0
    table = replace(
        toy_table(movies, scales=replace(TABLE.scales, metadata=0.0, slope=0.0)), factors=factors
    )
    model = fit(PersonalExact(), NOBODY, movies, item_tables=ItemTables.same_for_all(table))
    assert model.ask_next(0, np.array([5, 2]), np.arange(6)) == 2
    assert model.ask_next(0, np.array([2, 5]), np.array([5, 5, 5, 5, 5, 5, 0])) == 5
    assert model.ask_next(0, np.array([5]), np.arange(6)) == 5
    model.learn_one(0, 0, 4.0)
    model.learn_one(0, 1, 4.0)
    model.learn_one(0, 3, 4.0)
    assert model.ask_next(0, np.array([2, 5]), np.array([4, 5])) == 5  # the others are known
