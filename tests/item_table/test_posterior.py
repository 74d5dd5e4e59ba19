"""Mean and factors of movies: what the sampled machines say of all users, averaged plainly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recbench.models import factorization
from recbench.models.factorization import NormalFM, movie_features
from recbench.models.item_table.making import mean_and_factors
from recbench.ratings import Movies, Ratings

FILMS, UNRATED = 9, (3, 8)
RATED = np.setdiff1d(np.arange(FILMS), UNRATED)


def made_movies() -> Movies:
    rng = np.random.default_rng(0)
    average = rng.uniform(1, 5, FILMS)
    average[[2, 8]] = np.nan
    return Movies(
        bits=rng.integers(0, 2, (FILMS, 5)),
        bit_names=("genres:a", "genres:b", "genres:c", "era:old", "era:new"),
        vote_average=average,
        vote_count=np.where(np.isnan(average), 0, 30),
        movie_id=np.arange(FILMS) + 100,
        title=np.array(list("ABCDEFGHI"), dtype=object),
    )


def ratings() -> Ratings:
    """Of 15 users, whose numbers have gaps; the first movie has the most ratings."""
    rng = np.random.default_rng(1)
    user, movie = np.nonzero(rng.random((15, FILMS)) < np.linspace(0.9, 0.5, FILMS))
    keep = np.isin(movie, RATED)
    user, movie = user[keep] * 3 + 40, movie[keep]
    return Ratings(user, movie, rng.integers(1, 11, len(user)) / 2, np.arange(len(user)))


@pytest.fixture
def machine(monkeypatch):
    """The machines that are sampled meanwhile, in a list; each knows its design."""
    made: list[NormalFM] = []

    class Kept(NormalFM):
        def fit(self, design, *given):
            self.design = design
            made.append(self)
            super().fit(design, *given)

    monkeypatch.setattr(factorization, "NormalFM", Kept)
    return made


def pairwise(x: np.ndarray, v: np.ndarray) -> float:
    """Σ_{j<k} (v_j·v_k) x_j x_k, pair after pair."""
    there = np.flatnonzero(x)
    return sum(
        float(v[j] @ v[k]) * x[j] * x[k] for at, j in enumerate(there) for k in there[at + 1 :]
    )


def predicted_by(model: NormalFM, movies: Movies, users: int) -> np.ndarray:
    """μ + w₀ + w·x + Σ_{j<k} (v_j·v_k) x_j x_k of each sample kept, user and movie: (samples,
    users, movies). The weights of a movie that nobody rated are the mean of those of the movies
    rated."""
    side, _ = movie_features(movies, RATED)
    predicted = []
    own = np.arange(users, users + len(RATED))
    for w0, of_features, v_of_features in model.kept_samples():
        w = np.append(of_features, of_features[own].mean())
        v = np.vstack((v_of_features, v_of_features[own].mean(axis=0)))
        of_sample = np.empty((users, FILMS))
        for user in range(users):
            for movie in range(FILMS):
                x = np.zeros(len(w))
                x[user] = 1.0
                place = np.flatnonzero(movie == RATED)
                x[own[place[0]] if len(place) else -1] = 1.0
                x[users + len(RATED) : -1] = side[movie]
                of_sample[user, movie] = model.mean + w0 + w @ x + pairwise(x, v)
        predicted.append(of_sample)
    return np.array(predicted)


@pytest.mark.parametrize("votes", [True, False])
def test_mean_and_covariance_are_those_of_what_is_predicted_of_all_users(machine, votes):
    """Over the users of each sample, averaged over samples."""
    movies, own = made_movies(), ratings()
    if not votes:
        movies = replace(movies, vote_average=np.full(FILMS, np.nan), vote_count=np.zeros(FILMS))
    stars, factors = mean_and_factors(own, movies, seed=2, rank=3, samples=9, factors=1_000)
    users = np.unique(own.user)
    predicted = predicted_by(machine[0], movies, len(users))  # (samples, users, movies)
    assert len(predicted) == 4  # of nine, five are thrown away
    np.testing.assert_allclose(stars, predicted.mean(axis=(0, 1)), atol=1e-9)
    covariance = np.mean([np.cov(one.T, bias=True) for one in predicted], axis=0)
    np.testing.assert_allclose(factors @ factors.T, covariance, atol=1e-9)
    assert np.ptp(np.diagonal(covariance)) > 1e-3  # movies differ, so it says something
    assert factors.shape == (FILMS, 4 * (3 + 1))
    by_sampler = machine[0].predict(machine[0].design)  # of the training ratings
    plainly = predicted.mean(axis=0)[np.searchsorted(users, own.user), own.movie]
    np.testing.assert_allclose(by_sampler, plainly, atol=1e-9)


def test_the_largest_factors_are_kept_and_each_has_its_largest_number_positive():
    movies, own = made_movies(), ratings()
    arguments = (own, movies, 2, 3, 9)
    _, all_of_them = mean_and_factors(*arguments, factors=1_000)
    _, few = mean_and_factors(*arguments, factors=3)
    np.testing.assert_allclose(few, all_of_them[:, :3], atol=1e-12)
    weight = np.bincount(own.movie, minlength=FILMS)
    size = weight @ all_of_them**2
    assert (np.diff(size) <= 1e-9).all()
    gram = all_of_them.T @ (weight[:, None] * all_of_them)
    np.testing.assert_allclose(gram, np.diag(size), atol=1e-9)  # principal axes
    largest = np.abs(few).argmax(axis=0)
    assert (few[largest, np.arange(3)] > 0).all()


def test_the_same_seed_the_same_table():
    arguments = (ratings(), made_movies())
    first, again, other = (
        mean_and_factors(*arguments, seed=seed, rank=3, samples=9, factors=4) for seed in (2, 2, 3)
    )
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).any()
