"""The scales of the kernel: their likelihood, its gradient, and what is predicted with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from recbench.models.item_table import scales as script
from recbench.models.item_table.making import choose_codes
from recbench.models.item_table.scales import (
    EVEN,
    Scales,
    blocks_of,
    fit_scales,
    latest_of_each,
    prequential,
)
from recbench.models.item_table.table import ItemTable
from recbench.ratings import Movies, Ratings

FILMS, BITS = 40, 12
SOME = Scales(loading=0.9, similarity=1.4, metadata=0.2, slope=0.05, drift=0.1, noise=0.5)


def table_of(movies: Movies) -> ItemTable:
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((FILMS, 5)) * 0.4
    factors[:, 0] = rng.uniform(0.4, 1.0, FILMS)
    codes = choose_codes(factors[:, 1:], np.ones(FILMS), 64, 0)
    mean = rng.uniform(2.5, 4.5, FILMS)
    return ItemTable(movies.movie_id, mean, factors, codes, Scales(), EVEN)


MOVIES = Movies(
    bits=np.random.default_rng(0).integers(0, 2, (FILMS, BITS)),
    bit_names=tuple(f"genres:{k}" for k in range(BITS)),
    vote_average=np.full(FILMS, np.nan),
    vote_count=np.zeros(FILMS),
    movie_id=np.arange(FILMS),
    title=[""] * FILMS,
)
TABLE = table_of(MOVIES)
BASELINE = np.random.default_rng(2).uniform(1.5, 4.5, FILMS)


def people(lengths: list[int], seed: int = 3) -> Ratings:
    """One user for each length, the times not in the order of the rows."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    movie = np.concatenate([rng.permutation(FILMS)[:n] for n in lengths])
    stars = rng.integers(1, 11, len(user)) / 2
    return Ratings(user, movie, stars, rng.integers(0, 20, len(user)))


def covariance(movie: np.ndarray, scales: Scales) -> np.ndarray:
    """k of each pair of a person's ratings, from the formula of `Scales`, and the noise."""
    table, n = TABLE, len(movie)
    k = np.empty((n, n))
    for a in range(n):
        for b in range(n):
            i, j = int(movie[a]), int(movie[b])
            lengths = table.norm[i] * table.norm[j]
            cosine = table.factors[i, 1:] @ table.factors[j, 1:] / lengths
            angle = np.arccos(np.clip(cosine, -1, 1))
            bits = sum(x != y for x, y in zip(MOVIES.bits[i], MOVIES.bits[j], strict=True))
            k[a, b] = (
                scales.loading * table.factors[i, 0] * table.factors[j, 0]
                + scales.similarity * lengths * (1 - 2 * angle / np.pi)
                + scales.metadata * np.exp(-0.33 * bits)
                + scales.slope * (BASELINE[i] - 3) * (BASELINE[j] - 3)
                + scales.drift * (1 + abs(a - b) / 3.4) ** -0.5
                + scales.noise * (a == b)
            )
    return k


def mean_of(movie: np.ndarray, h: float) -> np.ndarray:
    return h * TABLE.mean[movie] + (1 - h) * BASELINE[movie]


def in_time(ratings: Ratings, user: int) -> tuple[np.ndarray, np.ndarray]:
    """Movies and stars of a user; of equal times the earlier row first."""
    rows = [row for row in range(len(ratings)) if ratings.user[row] == user]
    rows = sorted(rows, key=lambda row: (ratings.time[row], row))[-64:]
    return ratings.movie[rows], ratings.stars[rows].astype(float)


LENGTHS = [1, 7, 4, 12, 2, 9]


@pytest.fixture
def blocks(monkeypatch):
    """Six people in two blocks, each padded."""
    monkeypatch.setattr(script, "AT_ONCE", 4)
    made = list(blocks_of(people(LENGTHS), TABLE, BASELINE, MOVIES))
    assert [block.there.sum(axis=1).tolist() for block in made] == [[1, 2, 4, 7], [9, 12]]
    return made


def test_the_likelihood_is_that_of_a_normal_distribution_of_each_person(blocks):
    """But for n/2 ln 2π; the padding adds nothing."""
    ratings = people(LENGTHS)
    for h in (0.0, 0.3, 1.0):
        found = sum(
            script._negative_log_likelihood(block, SOME.as_array(), h)[0] for block in blocks
        )
        expected = 0.0
        for user in range(len(LENGTHS)):
            movie, stars = in_time(ratings, user)
            k = covariance(movie, SOME)
            density = multivariate_normal(mean_of(movie, h), k).logpdf(stars)
            expected -= density + len(movie) / 2 * np.log(2 * np.pi)
        assert found == pytest.approx(expected, rel=1e-9)


def test_the_gradient_is_the_slope_of_the_likelihood(blocks):
    for block in blocks:
        values = np.append(SOME.as_array(), 0.4)

        def loss(values, block=block):
            return script._negative_log_likelihood(block, values[:-1], values[-1])[0]

        _, of_scales, of_part = script._negative_log_likelihood(block, values[:-1], values[-1])
        slope = approx_fprime(values, loss, 1e-7)
        np.testing.assert_allclose(np.append(of_scales, of_part), slope, rtol=1e-4, atol=1e-4)


def test_each_rating_is_predicted_from_the_earlier_ones_alone(blocks):
    """By a loop that solves the system of all that came before, for the later half."""
    ratings, h = people(LENGTHS), 0.35
    expected = []
    for user in sorted(range(len(LENGTHS)), key=lambda user: LENGTHS[user]):
        movie, stars = in_time(ratings, user)
        k, mean = covariance(movie, SOME), mean_of(movie, h)
        for j in range(len(movie)):
            if 2 * j >= len(movie):
                w = np.linalg.solve(k[:j, :j], k[:j, j])
                m = mean[j] + w @ (stars[:j] - mean[:j])
                expected.append((stars[j], m, k[j, j] - w @ k[:j, j]))
    found = np.column_stack(prequential(blocks, SOME, h))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_latest_of_each_in_the_order_of_time():
    ratings = Ratings([5, 2, 5, 5, 2, 9], np.arange(6), np.full(6, 3.0), [30, 8, 10, 30, 8, 1])
    assert [rows.tolist() for rows in latest_of_each(ratings, 9)] == [[1, 4], [2, 0, 3], [5]]
    assert [rows.tolist() for rows in latest_of_each(ratings, 2)] == [[1, 4], [0, 3], [5]]
    assert latest_of_each(ratings.take(np.array([], int)), 2) == []


def test_of_a_long_history_the_latest_64_are_looked_at(monkeypatch):
    monkeypatch.setattr(script, "LATEST", 5)
    ratings = people([30])
    (block,) = blocks_of(ratings, TABLE, BASELINE, MOVIES)
    latest = ratings.take(np.lexsort((np.arange(30), ratings.time))[-5:])
    assert block.stars.tolist() == [latest.stars.tolist()]


def test_what_a_learned_channel_says_is_not_looked_at():
    with_codes = MOVIES.with_codes(np.ones((FILMS, 7), np.uint8))
    one, other = (next(blocks_of(people([6, 3]), TABLE, BASELINE, m)) for m in (MOVIES, with_codes))
    assert (one.parts == other.parts).all()


def simulated(scales: Scales, h: float, count: int, length: int, seed: int) -> Ratings:
    """People drawn from the model itself; the stars are not rounded."""
    rng = np.random.default_rng(seed)
    movie = np.array([rng.permutation(FILMS)[:length] for _ in range(count)])
    lasting = replace(scales, drift=0.0, noise=0.0)
    of_movies = covariance(np.arange(FILMS), lasting)
    of_places = covariance(np.zeros(length, int), scales)  # of one movie, again and again
    of_places -= covariance(np.zeros(length, int), lasting)
    stars = [
        rng.multivariate_normal(mean_of(one, h), of_movies[np.ix_(one, one)] + of_places)
        for one in movie
    ]
    user = np.repeat(np.arange(count), length)
    return Ratings(user, movie.ravel(), np.ravel(stars), np.tile(np.arange(length), count))


def test_scales_of_simulated_people_are_found_again():
    """Far from the defaults, which are the prior."""
    truth = Scales(loading=0.3, similarity=3.0, metadata=0.4, slope=0.05, drift=0.3, noise=0.2)
    ratings = simulated(truth, 0.9, 500, 16, 0)
    scales, part_of_fm = fit_scales(list(blocks_of(ratings, TABLE, BASELINE, MOVIES)))
    ratio = scales.as_array() / truth.as_array()
    assert ratio == pytest.approx(np.ones(6), abs=0.35)
    assert ratio[1] == pytest.approx(1, abs=0.1)  # similarity, of which most is seen
    assert part_of_fm == pytest.approx(0.9, abs=0.05)


def test_of_nobody_the_scales_are_the_defaults():
    scales, part_of_fm = fit_scales([])
    assert scales.as_array() == pytest.approx(Scales().as_array(), rel=1e-6)
    assert part_of_fm == pytest.approx(0.5, abs=1e-6)
