"""The scales of the kernel: their likelihood, its gradient, and what is predicted with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_personal import plain_kernel, plain_mean
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from recbench.checks.toy_data import toy_table
from recbench.models.item_table import scales as script
from recbench.models.item_table.learning import ItemFactors
from recbench.models.item_table.scales import (
    Scales,
    blocks_of,
    fit_persistence,
    fit_scales,
    implicit_means,
    prequential,
)
from recbench.ratings import Movies, Ratings

MANY, BITS, RANK = 40, 12, 5
SOME = Scales(0.9, 1.4, metadata=0.2, slope=0.05, drift=0.1, uncertainty=0.8, noise=0.5)
PARTS = [(0.0, 0.0), (0.3, 1.5), (1.0, 0.4)]  # h and g


def random_factors() -> ItemFactors:
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((MANY, RANK)) * 0.4
    factors[:, 0] = rng.uniform(0.4, 1.0, MANY)
    return ItemFactors(
        mean=rng.uniform(2.5, 4.5, MANY),
        factors=factors,
        implicit=0.5 * rng.standard_normal((MANY, RANK)),
        implicit_mean=0.3 * rng.standard_normal(RANK),
        uncertainty=rng.uniform(0.1, 1.0, MANY),
        iterations=1,
    )


FOUND = random_factors()
MOVIES = Movies(
    bits=np.random.default_rng(0).integers(0, 2, (MANY, BITS)),
    bit_names=tuple(f"genres:{k}" for k in range(BITS)),
    vote_average=np.full(MANY, np.nan),
    vote_count=np.zeros(MANY),
    movie_id=np.arange(MANY),
    title=[""] * MANY,
)
TABLE = replace(
    toy_table(MOVIES), **{name: x for name, x in vars(FOUND).items() if name != "iterations"}
)
BASELINE = np.random.default_rng(2).uniform(1.5, 4.5, MANY)


def people(lengths: list[int], seed: int = 3) -> Ratings:
    """One user for each length, the times not in the order of the rows."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    movie = np.concatenate([rng.permutation(MANY)[:n] for n in lengths])
    stars = rng.integers(1, 11, len(user)) / 2
    return Ratings(user, movie, stars, rng.integers(0, 20, len(user)))


def covariance(movie: np.ndarray, scales: Scales) -> np.ndarray:
    """k of each pair of a user's ratings, and the noise."""
    k, place = plain_kernel(replace(TABLE, scales=scales), MOVIES), range(len(movie))
    among = [[k(movie[a], movie[b], a - b) for b in place] for a in place]
    noise = scales.noise + scales.uncertainty * FOUND.uncertainty[movie]
    return np.reshape(among, (len(movie), len(movie))) + np.diag(noise)


def from_rated(rated: np.ndarray, movie: np.ndarray) -> np.ndarray:
    """What having rated some movies says of others, one after the other."""
    return np.array([plain_mean(TABLE, list(rated), i) - TABLE.mean[i] for i in movie])


def mean_of(rated: np.ndarray, movie: np.ndarray, parts: tuple[float, float]) -> np.ndarray:
    h, g = parts
    return h * FOUND.mean[movie] + (1 - h) * BASELINE[movie] + g * from_rated(rated, movie)


def in_time(ratings: Ratings, user: int) -> tuple[np.ndarray, np.ndarray]:
    """Movies and stars of a user; of equal times the earlier row first."""
    rows = [row for row in range(len(ratings)) if ratings.user[row] == user]
    rows = sorted(rows, key=lambda row: (ratings.time[row], row))[-64:]
    return ratings.movie[rows], ratings.stars[rows].astype(float)


LENGTHS = [1, 7, 4, 12, 2, 9]


@pytest.fixture
def blocks(monkeypatch):
    """Six users in two blocks, each padded."""
    monkeypatch.setattr(script, "AT_ONCE", 4)
    made = list(blocks_of(people(LENGTHS), FOUND, BASELINE, MOVIES))
    assert [block.there.sum(axis=1).tolist() for block in made] == [[1, 2, 4, 7], [9, 12]]
    return made


def test_the_likelihood_is_that_of_a_normal_distribution_of_each_user(blocks):
    """But for n/2 ln 2π; the padding adds nothing."""
    ratings = people(LENGTHS)
    for parts in PARTS:
        found = sum(likelihood(block, np.append(SOME.as_array(), parts))[0] for block in blocks)
        expected = 0.0
        for user in range(len(LENGTHS)):
            movie, stars = in_time(ratings, user)
            k = covariance(movie, SOME)
            density = multivariate_normal(mean_of(movie, movie, parts), k).logpdf(stars)
            expected -= density + len(movie) / 2 * np.log(2 * np.pi)
        assert found == pytest.approx(expected, rel=1e-9)


def likelihood(block, values: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus its logarithm, and the gradient, at seven scales, h and g."""
    value, *gradient = script._negative_log_likelihood(block, values[:7], values[7:])
    return value, np.concatenate(gradient)


def test_the_gradient_is_the_slope_of_the_likelihood(blocks):
    for block in blocks:
        values = np.append(SOME.as_array(), [0.4, 1.3])
        slope = approx_fprime(values, lambda v, block=block: likelihood(block, v)[0], 1e-7)
        np.testing.assert_allclose(likelihood(block, values)[1], slope, rtol=1e-4, atol=1e-4)


def test_each_rating_is_predicted_from_the_earlier_ones_alone(blocks):
    """By a loop that solves the system of all that came before, for the later half."""
    ratings, parts = people(LENGTHS), (0.35, 1.2)
    expected = []
    for user in sorted(range(len(LENGTHS)), key=lambda user: LENGTHS[user]):
        movie, stars = in_time(ratings, user)
        k, mean = covariance(movie, SOME), mean_of(movie, movie, parts)
        for j in range(len(movie)):
            if 2 * j >= len(movie):
                w = np.linalg.solve(k[:j, :j], k[:j, j])
                m = mean[j] + w @ (stars[:j] - mean[:j])
                expected.append((stars[j], m, k[j, j] - w @ k[:j, j]))
    found = np.column_stack(prequential(blocks, SOME, np.array(parts)))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_each_session_is_predicted_from_the_earlier_ones(monkeypatch):
    """The persistence is a regression of what was rated on what was predicted, with a prior."""
    hours = np.array([0, 1, 2, 9, 10, 30, 36, 36])  # sessions of 3, 2 and 3 ratings
    ratings, parts = people([8, 3, 5]), (0.35, 1.2)
    in_order = ratings.take(np.lexsort((ratings.time, ratings.user)))
    time = 3600 * np.concatenate((hours, hours[:3], hours[2:7]))
    ratings = replace(in_order, time=time)
    weight, agreement = script.PERSISTENCE_WEIGHT, script.PERSISTENCE * script.PERSISTENCE_WEIGHT
    for user, sessions in ((0, [(3, 5), (5, 8)]), (2, [(1, 3), (3, 5)])):
        movie, stars = in_time(ratings, user)
        k, residual = covariance(movie, SOME), stars - mean_of(movie, movie, parts)
        for start, end in sessions:
            d = k[start:end, :start] @ np.linalg.inv(k[:start, :start]) @ residual[:start]
            weight, agreement = weight + d @ d, agreement + d @ residual[start:end]
    found = fit_persistence(
        list(blocks_of(ratings, FOUND, BASELINE, MOVIES)), SOME, np.array(parts)
    )
    assert found == pytest.approx(min(max(agreement / weight, 0), 1), rel=1e-9)
    at_once = replace(ratings, time=np.zeros(len(ratings)))
    none = list(blocks_of(at_once, FOUND, BASELINE, MOVIES))
    assert fit_persistence(none, SOME, np.array(parts)) == 1


@pytest.mark.parametrize("rated", [[], [3], [3, 9, 17, 30]])
@pytest.mark.parametrize("movie", [[3], [4], [9, 4, 3, 39], []])
def test_what_having_rated_movies_says_of_others(rated, movie):
    """Of one movie as of many; a movie says nothing of itself, nothing is said by none."""
    table = (FOUND.factors, FOUND.implicit, FOUND.implicit_mean)
    found = implicit_means(*table, np.array(rated, int), np.array(movie, int))
    np.testing.assert_allclose(found, from_rated(np.array(rated, int), movie), atol=1e-12)


def test_of_a_long_history_the_latest_64_are_looked_at(monkeypatch):
    """What was rated, whatever the stars, is known of the whole."""
    monkeypatch.setattr(script, "LATEST", 5)
    ratings = people([30])
    (block,) = blocks_of(ratings, FOUND, BASELINE, MOVIES)
    latest = ratings.take(np.lexsort((np.arange(30), ratings.time))[-5:])
    assert block.stars.tolist() == [latest.stars.tolist()]
    expected = from_rated(ratings.movie, latest.movie)
    np.testing.assert_allclose(block.between[0, :, 1], expected, atol=1e-12)


def test_learned_bits_are_not_looked_at():
    with_codes = MOVIES.with_codes(np.ones((MANY, 7), np.uint8))
    one, other = (next(blocks_of(people([6, 3]), FOUND, BASELINE, m)) for m in (MOVIES, with_codes))
    assert (one.parts == other.parts).all()


def simulated(scales: Scales, parts: tuple[float, float], count: int, length: int) -> Ratings:
    """Users drawn from the model itself; the stars are not rounded."""
    rng = np.random.default_rng(0)
    movie = np.array([rng.permutation(MANY)[:length] for _ in range(count)])
    of_movies = covariance(np.arange(MANY), replace(scales, drift=0.0))
    distance = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    of_places = scales.drift * (1 + distance / 3.4) ** -0.5
    stars = [
        rng.multivariate_normal(mean_of(one, one, parts), of_movies[np.ix_(one, one)] + of_places)
        for one in movie
    ]
    user = np.repeat(np.arange(count), length)
    return Ratings(user, movie.ravel(), np.ravel(stars), np.tile(np.arange(length), count))


def test_scales_of_simulated_users_are_found_again():
    """Far from the defaults, which are the prior."""
    truth = Scales(0.3, 3.0, metadata=0.4, slope=0.3, drift=0.3, uncertainty=1.0, noise=0.4)
    ratings = simulated(truth, (0.9, 2.0), 500, 24)
    scales, parts = fit_scales(list(blocks_of(ratings, FOUND, BASELINE, MOVIES)))
    ratio = scales.as_array() / truth.as_array()
    assert ratio == pytest.approx(np.ones(7), abs=0.35)
    assert ratio[1] == pytest.approx(1, abs=0.1)  # similarity, of which most is seen
    assert parts == pytest.approx([0.9, 2.0], abs=0.1)
    days = replace(ratings, time=ratings.time // 8 * 86_400)  # tastes of all days are one
    found = fit_persistence(list(blocks_of(days, FOUND, BASELINE, MOVIES)), scales, parts)
    assert found == pytest.approx(1, abs=0.1)
