"""The networks of `torch`, all at once, against networks built and trained one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitting import fit
from hypothesis import given, settings
from hypothesis import strategies as st
from per_user_network import SIZES, network_of
from torch import nn

from PerUser import perUser_pytorch
from PerUser.perUser_pytorch import (
    WIDEST,
    Networks,
    TorchPerUserRecommender,
    batches_of_users,
    initial_networks,
)
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.data.encodings.thermometer import encode_ratings
from recbench.threads import one_thread


def train_one(network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, loss: str) -> None:
    adam = torch.optim.Adam(network.parameters(), lr=0.001)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(25):
        adam.zero_grad()
        z = network(x)
        criterion(torch.sigmoid(z) if loss == "double_sigmoid" else z, y).backward()
        adam.step()


@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
@pytest.mark.parametrize("labels", ["half_stars", "truncated"])
def test_it_learns_what_one_network_of_pytorch_learns(loss, labels, monkeypatch):
    monkeypatch.setattr(
        perUser_pytorch, "batches_of_users", lambda user: batches_of_users(user, ratings=60)
    )
    movies = toy_movies(70)
    lengths = [12, 1, 7, 0, 3, 61, 7, 29, 2]  # in batches of at most 60 padded ratings
    train = toy_ratings(lengths, movies=70, seed=3)
    model = TorchPerUserRecommender(device="cpu")
    fit(model, train, movies, seed=4, labels=labels, loss=loss)
    learned = Networks(SIZES, model._numbers)

    for user in np.unique(train.user):
        own = train.take(train.user == user)
        network = network_of(user, seed=4)
        x = torch.from_numpy(movies.bits[own.movie].astype(np.float32))
        y = torch.from_numpy(encode_ratings(own.stars, labels).astype(np.float32))
        with one_thread():
            train_one(network, x, y, loss)

        place = np.searchsorted(model._users, user)
        for layer, (weight, bias) in zip(network[::2], learned.layers(), strict=True):
            for found, expected in ((weight[place].T, layer.weight), (bias[place, 0], layer.bias)):
                torch.testing.assert_close(found, expected, atol=4e-5, rtol=1e-4)

        scores = torch.sigmoid(network(torch.from_numpy(movies.bits.astype(np.float32))))
        sure = (scores - 0.5).abs().detach().numpy() > 1e-4
        bits = model.predict_bits(np.full(70, user), np.arange(70))
        np.testing.assert_array_equal(bits[sure], (scores > 0.5).numpy()[sure])


@given(
    lengths=st.lists(st.integers(0, 99), min_size=2, max_size=24),
    bits=st.integers(2, 90),  # of one bit and one user PyTorch takes another kernel
    chosen=st.integers(1, 2**24 - 1),
)
@settings(max_examples=12, deadline=None)
def test_a_user_learns_the_same_whoever_else_is_trained(lengths, bits, chosen):
    """To the last bit: vectors of the processor must not reach from one user into another."""
    rng = np.random.default_rng(len(lengths))
    movies = toy_movies(99)
    drawn = rng.integers(0, 2, (99, bits), dtype=np.uint8)
    movies = replace(movies, bits=drawn, bit_names=tuple(map(str, range(bits))))
    train = toy_ratings(lengths, movies=99, seed=1)
    some = train.take((chosen >> train.user.astype(np.int64)) & 1 == 1)
    with one_thread():
        together = fit(TorchPerUserRecommender(device="cpu"), train, movies, seed=2)
        apart = fit(TorchPerUserRecommender(device="cpu"), some, movies, seed=2)
    place = np.searchsorted(together._users, apart._users)
    assert torch.equal(together._numbers[place], apart._numbers)


def test_initial_weights_are_those_of_a_linear_layer():
    """Uniform in ±1/√inputs, for weights and biases, and other ones for another user or seed."""
    drawn = initial_networks(np.arange(50), SIZES, seed=0)
    assert drawn.shape[1] % WIDEST == 0
    for inputs, layer in zip(SIZES[:-1], Networks(SIZES, drawn).layers(), strict=True):
        for parameter in layer:
            assert parameter.abs().max() <= inputs**-0.5
            assert parameter.std().item() == pytest.approx(inputs**-0.5 / 3**0.5, rel=0.05)
    assert (drawn[0] != drawn[1]).any()
    assert torch.equal(initial_networks(np.array([49]), SIZES, seed=0)[0], drawn[49])
    assert (initial_networks(np.array([49]), SIZES, seed=1)[0] != drawn[49]).any()


def test_a_user_without_a_network_gets_the_thermometer_of_the_mean(train, movies):
    model = fit(TorchPerUserRecommender(), train, movies)
    expected = encode_ratings(train.stars.mean(keepdims=True), "half_stars")
    np.testing.assert_array_equal(model.predict_bits(np.array([3]), np.array([0])), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_the_gpu_learns_what_the_cpu_learns(train, movies):
    cpu = fit(TorchPerUserRecommender(device="cpu"), train, movies)
    gpu = fit(TorchPerUserRecommender(device="cuda"), train, movies)
    torch.testing.assert_close(cpu._numbers, gpu._numbers, atol=1e-4, rtol=1e-3)
