"""The networks of `torch` against networks of PyTorch, built and trained one by one."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from per_user_network import SIZES, network_of
from torch import nn

from PerUser import small_networks_gpu
from PerUser.initial_networks import initial_networks
from PerUser.perUser_pytorch import TorchPerUserRecommender
from PerUser.user_chunks import chunks_of_users
from recbench.contract.toy_data import toy_movies, toy_ratings
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


@pytest.mark.parametrize("by_torch", [False, True])
@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
@pytest.mark.parametrize("labels", ["half_stars", "truncated"])
def test_it_learns_what_one_network_of_pytorch_learns(loss, labels, by_torch, monkeypatch):
    monkeypatch.setattr(
        small_networks_gpu, "chunks_of_users", lambda user: chunks_of_users(user, cells=60)
    )
    movies = toy_movies(70)
    lengths = [12, 1, 7, 0, 3, 61, 7, 29, 2]  # in chunks of at most 60 padded ratings
    train = toy_ratings(lengths, movies=70, seed=3)
    model = TorchPerUserRecommender(seed=4, labels=labels, loss=loss, device="cpu")
    if by_torch:
        model._train = partial(model._train_on_gpu, device="cpu")
    model.fit(train, movies)

    for user in np.unique(train.user):
        own = train.take(train.user == user)
        network = network_of(user, seed=4)
        x = torch.from_numpy(movies.bits[own.movie].astype(np.float32))
        y = torch.from_numpy(encode_ratings(own.stars, labels).astype(np.float32))
        with one_thread():
            train_one(network, x, y, loss)

        learned = [one[np.searchsorted(model._users, user)] for one in model._networks]
        for layer, weight, bias in zip(network[::2], learned[::2], learned[1::2], strict=True):
            outputs, inputs = layer.weight.shape
            expected = layer.weight.detach().T.numpy(), layer.bias.detach().numpy()
            found = weight[:inputs, :outputs], bias[0, :outputs]
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, other, atol=4e-5, rtol=1e-4)
            assert not weight[inputs:].any()
            assert not weight[:, outputs:].any()
            assert not bias[0, outputs:].any()

        scores = torch.sigmoid(network(torch.from_numpy(movies.bits.astype(np.float32))))
        sure = (scores - 0.5).abs().detach().numpy() > 1e-4
        bits = model.predict_bits(np.full(70, user), np.arange(70))
        np.testing.assert_array_equal(bits[sure], (scores > 0.5).numpy()[sure])


def test_a_user_learns_the_same_whoever_else_is_trained():
    """To the last bit."""
    movies = toy_movies(40)
    train = toy_ratings([9, 33, 5], movies=40, seed=1)
    together = TorchPerUserRecommender(seed=2, device="cpu").fit(train, movies)
    alone = TorchPerUserRecommender(seed=2, device="cpu")
    alone.fit(train.take(train.user == 2), movies)
    for many, one in zip(together._networks, alone._networks, strict=True):
        np.testing.assert_array_equal(many[2], one[0])


def test_users_are_asked_in_any_order():
    movies = toy_movies(40)
    model = TorchPerUserRecommender(device="cpu").fit(toy_ratings([9, 0, 33, 5], movies=40), movies)
    rng = np.random.default_rng(0)
    user, movie = rng.integers(0, 5, 200), rng.integers(0, 40, 200)  # users 1 and 4 have none
    one_by_one = [model.predict_bits(user[k : k + 1], movie[k : k + 1])[0] for k in range(200)]
    np.testing.assert_array_equal(model.predict_bits(user, movie), one_by_one)
    assert model.predict_bits(user[:0], movie[:0]).shape == (0, 10)


def test_initial_weights_are_those_of_a_linear_layer():
    """Uniform in ±1/√inputs, for weights and biases, and other ones for another user or seed."""
    drawn = initial_networks(np.arange(50), SIZES, seed=0)
    for layer, inputs in enumerate(SIZES[:-1]):
        for parameter in drawn[2 * layer : 2 * layer + 2]:
            assert np.abs(parameter).max() <= inputs**-0.5
            assert parameter.std() == pytest.approx(inputs**-0.5 / 3**0.5, rel=0.05)
    assert (drawn[0][0] != drawn[0][1]).any()
    again = initial_networks(np.array([49]), SIZES, seed=0)
    np.testing.assert_array_equal(again[0][0], drawn[0][49])
    other = initial_networks(np.array([49]), SIZES, seed=1)
    assert (other[0][0] != drawn[0][49]).any()


@given(
    user=st.lists(st.integers(0, 12), max_size=80),
    cells=st.integers(1, 200),
)
def test_chunks_hold_every_row_once(user, cells):
    user = np.array(user, dtype=np.int32)
    distinct = np.unique(user)
    seen = [np.empty(0, dtype=int)]
    for chunk in chunks_of_users(user, cells):
        assert chunk.rows.shape == chunk.mask.shape
        assert chunk.rows.size <= cells or len(chunk.users) == 1
        whose = np.broadcast_to(distinct[chunk.users, None], chunk.rows.shape)
        np.testing.assert_array_equal(user[chunk.rows], whose)
        seen.append(chunk.rows[chunk.mask])
    np.testing.assert_array_equal(np.sort(np.concatenate(seen)), np.arange(len(user)))


def test_a_user_without_a_network_gets_the_thermometer_of_the_mean(train, movies):
    model = TorchPerUserRecommender().fit(train, movies)
    expected = encode_ratings(train.stars.mean(keepdims=True), "half_stars")
    np.testing.assert_array_equal(model.predict_bits(np.array([3]), np.array([0])), expected)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="'mse'"):
        TorchPerUserRecommender(loss="mse")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_the_gpu_learns_what_the_cpu_learns(train, movies):
    cpu = TorchPerUserRecommender(device="cpu").fit(train, movies)
    gpu = TorchPerUserRecommender(device="cuda").fit(train, movies)
    for one, other in zip(cpu._networks, gpu._networks, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-3)
