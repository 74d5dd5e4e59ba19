"""The collaborative network: against PyTorch's own modules, and on a truth it must find."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from fitting import fit
from torch import nn

from Collaborative.torch_colab import (
    MOVIE,
    SHUFFLE,
    USER,
    EmbeddingNetwork,
    TorchCollaborativeRecommender,
    _seed_of,
    initial_embeddings,
)
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.data.encodings.thermometer import encode_ratings


class Plain(nn.Module):
    """The published network as PyTorch's modules build it, a table row for everybody."""

    def __init__(self, users: int, movies: int) -> None:
        super().__init__()
        self.users, self.movies = nn.Embedding(users, 32), nn.Embedding(movies, 32)
        self.layers = nn.Sequential(
            nn.Linear(90, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
        )

    def forward(self, user, movie, bits):
        return self.layers(torch.cat((self.users(user), self.movies(movie), bits), dim=1))


def keep_the_start(model: TorchCollaborativeRecommender) -> list[EmbeddingNetwork]:
    """A list that will hold the network that `model.fit` starts from."""
    made, initial = [], model._initial_network
    model._initial_network = lambda: made.append(initial()) or deepcopy(made[0])
    return made


def plain_copy(network: EmbeddingNetwork, users: int, movies: int, seed: int) -> Plain:
    """`Plain` with the weights `network` starts from."""
    plain = Plain(users, movies)
    for stream, table in ((USER, plain.users), (MOVIE, plain.movies)):
        drawn = initial_embeddings(np.arange(table.num_embeddings), 32, seed, stream)
        table.weight.data = torch.from_numpy(drawn)
    plain.layers.load_state_dict(network.layers.state_dict())
    return plain


@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
def test_it_is_the_published_network(loss):
    """Rows kept only for those met, against a dense table with a row for everybody."""
    movies = toy_movies(40)
    train = toy_ratings([38, 0, 37, 25, 36, 38, 39, 33, 38, 31], movies=39, seed=2)
    assert len(train) > 256  # more than one batch
    model = TorchCollaborativeRecommender(device="cpu")
    made = keep_the_start(model)
    fit(model, train, movies, seed=3, loss=loss)
    plain = plain_copy(made[0], users=10, movies=40, seed=3)

    adam = torch.optim.Adam(plain.parameters(), lr=0.001)
    bits = torch.from_numpy(movies.bits.astype(np.float32))
    user, movie = torch.tensor(train.user).long(), torch.tensor(train.movie).long()
    y = torch.from_numpy(encode_ratings(train.stars, "half_stars").astype(np.float32))
    shuffling = torch.Generator().manual_seed(_seed_of(3, SHUFFLE))
    for _ in range(25):
        for batch in torch.randperm(len(y), generator=shuffling).split(256):
            adam.zero_grad()
            z = plain(user[batch], movie[batch], bits[movie[batch]])
            scores = torch.sigmoid(z) if loss == "double_sigmoid" else z
            nn.BCEWithLogitsLoss()(scores, y[batch]).backward()
            adam.step()

    asked = torch.cartesian_prod(torch.arange(10), torch.arange(40))  # some of each untrained
    with torch.no_grad():
        scores = torch.sigmoid(plain(asked[:, 0], asked[:, 1], bits[asked[:, 1]])).numpy()
    sure = np.abs(scores - 0.5) > 1e-3
    assert sure.mean() > 0.98
    predicted = model.predict_bits(asked[:, 0].numpy(), asked[:, 1].numpy())
    np.testing.assert_array_equal(predicted[sure], (scores > 0.5)[sure])


def test_the_random_numbers_of_others_stay_as_they_are(train, movies):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(TorchCollaborativeRecommender(device="cpu"), train, movies)
    assert torch.equal(torch.rand(3), expected)


def test_an_unknown_loss_is_refused(train, movies):
    with pytest.raises(ValueError, match="'mse'"):
        fit(TorchCollaborativeRecommender(), train, movies, loss="mse")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_the_gpu_learns_what_the_cpu_learns(train, movies):
    cpu = fit(TorchCollaborativeRecommender(device="cpu"), train, movies)
    gpu = fit(TorchCollaborativeRecommender(device="cuda"), train, movies)
    for one, other in zip(cpu._network.parameters(), gpu._network.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-2)
