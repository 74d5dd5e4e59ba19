"""The carefully trained network: careful with little, able with much."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from fitting import fit
from torch import nn

from PerUser.mlp_tuned import TunedPerUserMlp
from PerUser.perUser_pytorch import Networks, initial_networks
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.data.encodings.thermometer import encode_ratings
from recbench.models.item_baseline import ItemBaseline, mean_of_all, shrunk_means
from recbench.threads import one_thread


@pytest.mark.parametrize("start", ["mean", "item_baseline"])
def test_fewer_than_four_ratings_give_the_shrunk_mean(start):
    train, movies = toy_ratings([3, 1, 40, 2], movies=60), toy_movies(60)
    baseline = np.random.default_rng(0).uniform(2, 4, 60)
    model = fit(TunedPerUserMlp(damping=5.0, start=start), train, movies, ItemBaseline(baseline))
    before = np.full(60, 3.0) if start == "mean" else baseline
    residual = train.stars - before[train.movie]
    overall = mean_of_all(residual)
    means = shrunk_means(train.user, residual, 5.0, overall)
    user, movie = np.array([0, 1, 3, 9]), np.array([50, 51, 52, 53])
    expected = before[movie] + [means[0], means[1], means[3], overall]
    np.testing.assert_allclose(model.predict(user, movie), expected.clip(0.5, 5), atol=1e-5)


def plain(model, baseline, train, movies, user):
    """The network of one user by PyTorch, one fold after another: steps, s_u and its prediction of
    every movie."""
    rows = train.user == user
    features = np.column_stack((movies.bits, baseline - 3))
    x = torch.tensor(features[train.movie[rows]], dtype=torch.float32)
    everything = torch.tensor(features, dtype=torch.float32)
    y = torch.tensor(encode_ratings(train.stars[rows], "half_stars"), dtype=torch.float32)
    of_all = encode_ratings(train.stars, "half_stars").mean(axis=0)
    fold = model._folds(user, int(rows.sum()), seed=5)
    sizes = (x.shape[1], model.units, model.units // 2, 10)

    def after_each_step(kept):
        layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
        start = Networks(sizes, initial_networks(np.array([user]), sizes, seed=5))
        share = (y[kept].sum(dim=0).numpy() + model.damping * of_all) / (kept.sum() + model.damping)
        with torch.no_grad():
            for layer, (weight, bias) in zip(layers, start.layers(), strict=True):
                layer.weight.copy_(weight[0].T)
                layer.bias.copy_(bias[0, 0])
            layers[2].weight.zero_()
            layers[2].bias.copy_(torch.logit(torch.tensor(share), eps=1e-3))
        network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        groups = [
            {"params": [one.weight for one in layers], "weight_decay": model.weight_decay},
            {"params": [one.bias for one in layers], "weight_decay": 0.0},
        ]
        adam = torch.optim.AdamW(groups, lr=model.learning_rate)
        for _ in range(model.epochs + 1):
            yield network
            adam.zero_grad()
            nn.BCEWithLogitsLoss()(network(x[kept]), y[kept]).backward()
            adam.step()

    def stars_of(network, x):
        with torch.no_grad():
            return (torch.sigmoid(network(x)).sum(dim=1) / 2).numpy()

    predicted = np.zeros((model.epochs + 1, len(x)))  # by the network that never saw the rating
    for k in range(model.folds):
        for step, network in enumerate(after_each_step(fold != k)):
            predicted[step, fold == k] = stars_of(network, x)[fold == k]
    stars, own = train.stars[rows], baseline[train.movie[rows]]
    error = ((predicted - stars) ** 2).sum(axis=1)
    best = next(  # the least before `patience` steps have brought no less
        step for step in range(len(error)) if error[step] <= error[: step + model.patience].min()
    )
    m = (train.stars - baseline[train.movie]).mean(dtype=np.float64)
    d_e = d_d = 0.0
    for i in range(len(x)):
        others = fold != fold[i]
        residual = (stars - own)[others].sum()
        b = own[i] + (residual + model.damping * m) / (others.sum() + model.damping)
        d_e += (predicted[best, i] - b) * (stars[i] - b)
        d_d += (predicted[best, i] - b) ** 2
    for step, network in enumerate(after_each_step(np.full(len(x), True))):
        if step == best:
            return best, d_e / (d_d + model.shrinkage), stars_of(network, everything)
    raise AssertionError


@pytest.mark.parametrize("folds", [2, 3])
def test_all_at_once_is_one_after_another(folds):
    rng = np.random.default_rng(3)
    movies, baseline = toy_movies(40), rng.uniform(1, 5, 40)
    train = toy_ratings([30, 13, 22], movies=40, seed=2)
    liked = movies.bits[train.movie, train.user]  # another bit by each user
    train = replace(train, stars=np.where(liked, 4.0, 1.5) + rng.integers(0, 3, len(train)) / 2)
    model = TunedPerUserMlp(folds=folds, damping=2.0, shrinkage=20.0, epochs=60, patience=15)
    fit(model, train, movies, ItemBaseline(baseline), seed=5)
    residual = train.stars - baseline[train.movie]
    means = shrunk_means(train.user, residual, 2.0, mean_of_all(residual))
    steps = []
    for user in range(3):
        with one_thread():
            best, scale, f = plain(model, baseline, train, movies, user)
        steps.append(best)
        assert model._steps[user] == best
        assert model._scale[user] == pytest.approx(np.clip(scale, 0, 1), abs=1e-4)
        b = baseline + means[user]
        expected = (b + np.clip(scale, 0, 1) * (f - b)).clip(0.5, 5)
        of_all = model.predict(np.full(40, user), np.arange(40))
        np.testing.assert_allclose(of_all, expected, atol=2e-4)
    assert max(steps) > 5
    assert model._scale.max() > 0.01
