"""The carefully trained network: careful with little, able with much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_data import toy_movies, toy_ratings

import PerUser.mlp_tuned as script
from PerUser.batched_mlp import initial_parameters
from PerUser.mlp_tuned import TunedPerUserMlp
from PerUser.shrunk_means import shrunk_means
from PerUser.user_chunks import chunks_of_users
from recbench.data.encodings.thermometer import encode_ratings
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Ratings


def test_fewer_than_four_ratings_give_the_shrunk_mean():
    train, movies = toy_ratings([3, 1, 40, 2], movies=60), toy_movies(60)
    model = TunedPerUserMlp(damping=5.0, start="mean").fit(train, movies)
    means, overall = shrunk_means(train.user, train.stars, 5.0)
    stars = model.predict(np.array([0, 1, 3, 9]), np.array([50, 51, 52, 53]))
    np.testing.assert_allclose(stars, [means[0], means[1], means[3], overall], atol=1e-5)


def test_and_from_an_item_baseline_that_and_the_shrunk_residual():
    train = toy_ratings([3, 1, 40, 2], movies=60)
    baseline = np.random.default_rng(0).uniform(2, 4, 60)
    model = TunedPerUserMlp(damping=5.0).fit(train, toy_movies(60), ItemBaseline(baseline))
    residual = train.stars - baseline[train.movie]
    means, overall = shrunk_means(train.user, residual, 5.0)
    user, movie = np.array([0, 1, 3, 9]), np.array([50, 51, 52, 53])
    expected = baseline[movie] + [means[0], means[1], means[3], overall]
    np.testing.assert_allclose(model.predict(user, movie), expected.clip(0.5, 5), atol=1e-5)


def test_shrunk_means_by_hand():
    """User 4: (1 + 2 + 2 · 3) / (2 + 2) = 2.25, user 6: (5 + 4 + 2 · 3) / (2 + 2) = 3.75."""
    train = Ratings(np.array([6, 4, 4, 6]), np.zeros(4), np.array([5, 1, 2, 4]), np.zeros(4))
    means, overall = shrunk_means(train.user, train.stars, damping=2.0)
    assert means.tolist() == [2.25, 3.75]
    assert overall == 3.0


def test_it_learns_a_taste_from_enough_ratings():
    """Each of four users likes another bit, and 150 ratings show it."""
    movies = toy_movies(250)
    user, movie = np.repeat(np.arange(4), 150), np.tile(np.arange(150), 4)
    train = Ratings(user, movie, np.where(movies.bits[movie, user], 4.5, 2.0), np.zeros(600))
    model = TunedPerUserMlp().fit(train, movies, ItemBaseline.fit(train, movies))
    user, movie = np.repeat(np.arange(4), 100), np.tile(np.arange(150, 250), 4)
    truth = np.where(movies.bits[movie, user], 4.5, 2.0)
    error = np.abs(model.predict(user, movie) - truth).mean()
    assert error < 0.4  # the user's mean is wrong by 1.25


def test_where_nothing_is_to_be_learned_it_stays_near_the_mean():
    movies = toy_movies(80)
    train = toy_ratings([40] * 30, movies=60, seed=4)  # stars without rhyme or reason
    model = TunedPerUserMlp(start="mean").fit(train, movies)
    means, _ = shrunk_means(train.user, train.stars, model.damping)
    user, movie = np.repeat(np.arange(30), 20), np.tile(np.arange(60, 80), 30)
    assert np.abs(model.predict(user, movie) - means[user]).mean() < 0.25


@pytest.mark.parametrize("cells", [1, 100])
def test_a_user_learns_the_same_whoever_else_is_trained(monkeypatch, cells):
    """Also who stops early beside one who does not."""
    movies = toy_movies(50)
    train = toy_ratings([9, 45, 5, 20, 4], movies=50, seed=1)
    asked = np.repeat(np.arange(5), 50), np.tile(np.arange(50), 5)
    together = TunedPerUserMlp(seed=2, start="mean").fit(train, movies).predict(*asked)
    monkeypatch.setattr(script, "CELLS_PER_CHUNK", cells)
    apart = TunedPerUserMlp(seed=2, start="mean").fit(train, movies).predict(*asked)
    np.testing.assert_allclose(apart, together, atol=2e-3)


def test_scale_fold_by_fold():
    """s_u = Σ d e / (Σ d² + c), one rating after another; b knows the user bias of the others."""
    rng = np.random.default_rng(3)
    movies, baseline = toy_movies(40), rng.uniform(1, 5, 40)
    train = toy_ratings([12, 9], movies=40, seed=2)
    model = TunedPerUserMlp(
        seed=5, folds=3, damping=2.0, shrinkage=20.0, epochs=40, patience=50, device="cpu"
    ).fit(train, movies, ItemBaseline(baseline))
    (chunk,) = chunks_of_users(train.user)
    place = list(chunk.users).index(0)
    rows = chunk.rows[place]  # user 0 has the longest history: no padding
    fold = model._folds(np.array([0, 1])[chunk.users], chunk.mask).numpy()[place]
    features = model._features[train.movie[rows]]
    x = torch.tensor(features[None], dtype=torch.float32)
    y = torch.tensor(encode_ratings(train.stars[rows], "half_stars")[None], dtype=torch.float32)
    sizes = (features.shape[1], model.units, model.units // 2, 10)
    drawn = [one[[0]] for one in initial_parameters(np.array([0, 1]), sizes, seed=5)]
    said = np.zeros((41, len(rows)))  # after each step, by the network that never saw the rating
    for k in range(3):
        kept = torch.tensor((fold != k)[None, :, None].astype(np.float32))
        for step, z in enumerate(model._train(model._start(drawn, y, kept), x, y, kept)):
            said[step, fold == k] = (torch.sigmoid(z).sum(dim=2)[0] / 2).numpy()[fold == k]
    stars, own = train.stars[rows], baseline[train.movie[rows]]
    f = said[((said - stars) ** 2).sum(axis=1).argmin()]
    m = (train.stars - baseline[train.movie]).mean()
    d_e = d_d = 0.0
    for i in range(len(rows)):
        others = fold != fold[i]
        residual = (stars - own)[others].sum()
        b = own[i] + (residual + 2.0 * m) / (others.sum() + 2.0)
        d_e += (f[i] - b) * (stars[i] - b)
        d_d += (f[i] - b) ** 2
    assert 0 < d_e / (d_d + 20.0) < 1
    assert model._scale[0] == pytest.approx(d_e / (d_d + 20.0), abs=1e-4)


def test_the_item_baseline_is_an_input():
    """No bits, and a user who likes what others do not: a network that cannot read the baseline
    could follow it less, but not turn it round."""
    baseline = np.linspace(1.5, 4.5, 200)
    movies = toy_movies(200)
    movies = replace(movies, bits=np.zeros_like(movies.bits))
    rated = np.random.default_rng(0).permutation(200)[:150]
    train = Ratings(np.zeros(150), rated, np.round(2 * (6 - baseline[rated])) / 2, np.zeros(150))
    stars = (
        TunedPerUserMlp(learning_rate=0.02)
        .fit(train, movies, ItemBaseline(baseline))
        .predict(np.zeros(2, int), np.array([20, 180]))
    )
    assert stars[0] > stars[1] + 1


def test_every_rating_is_put_aside_once():
    model = TunedPerUserMlp(folds=3)
    train = toy_ratings([9, 3, 14, 4], movies=20)
    (chunk,) = chunks_of_users(train.user)
    fold = model._folds(np.unique(train.user)[chunk.users], chunk.mask).numpy()
    assert (fold[~chunk.mask] == -1).all()
    for row, count in zip(fold, chunk.mask.sum(axis=1), strict=True):
        sizes = np.bincount(row[row >= 0], minlength=3)
        assert sizes.sum() == (count if count >= 4 else 0)
        assert np.ptp(sizes) <= 1
