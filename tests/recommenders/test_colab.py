"""The collaborative network: against PyTorch's own modules, and on a truth it must find."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from toy_data import toy_movies, toy_ratings

from Collaborative.torch_colab import (
    MOVIE,
    SHUFFLE,
    USER,
    TorchCollaborativeRecommender,
)
from recbench.data.encodings.thermometer import encode_ratings
from recbench.ratings import Ratings
from recbench.threads import one_thread


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


def plain_copy(model: TorchCollaborativeRecommender, users: int, movies: int) -> Plain:
    """`Plain` with the weights `model` starts from."""
    plain = Plain(users, movies)
    with torch.no_grad():
        plain.users.weight.copy_(model._initial_embedding(USER, np.arange(users)))
        plain.movies.weight.copy_(model._initial_embedding(MOVIE, np.arange(movies)))
        drawn = iter(model._initial_layers(90))
        for layer in plain.layers[::2]:
            layer.weight.copy_(next(drawn).T)
            layer.bias.copy_(next(drawn))
    return plain


@pytest.fixture
def _one_thread():
    with one_thread():
        yield


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
def test_it_is_the_published_network(loss):
    """Rows kept only for those met, against a dense table with a row for everybody."""
    movies = toy_movies(40)
    train = toy_ratings([38, 0, 37, 25, 36, 38, 39, 33, 38, 31], movies=39, seed=2)
    assert len(train) > 256  # more than one batch
    model = TorchCollaborativeRecommender(seed=3, loss=loss, device="cpu")
    plain = plain_copy(model, users=10, movies=40)
    model.fit(train, movies)

    adam = torch.optim.Adam(plain.parameters(), lr=0.001)
    bits = torch.from_numpy(movies.bits.astype(np.float32))
    user, movie = torch.from_numpy(train.user).long(), torch.from_numpy(train.movie).long()
    y = torch.from_numpy(encode_ratings(train.stars, "half_stars").astype(np.float32))
    shuffling = np.random.default_rng([3, SHUFFLE])
    for _ in range(25):
        for batch in torch.from_numpy(shuffling.permutation(len(y))).split(256):
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


def test_it_finds_movies_that_everybody_likes_or_hates():
    """Truth: 4.5 stars for even movies, 1.5 for odd ones. A quarter of the pairs is held back."""
    rng = np.random.default_rng(0)
    movies = toy_movies(30)
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(80), np.arange(30)))
    stars = np.where(movie % 2 == 0, 4.5, 1.5)
    held = rng.random(len(user)) < 0.25
    everything = Ratings(user, movie, stars, np.zeros(len(user)))
    model = TorchCollaborativeRecommender(seed=1).fit(everything.take(~held), movies)
    predicted = model.predict(user[held], movie[held])
    assert np.abs(predicted - stars[held]).mean() < 0.2


def test_torch_is_left_with_as_many_threads_as_before(train, movies):
    before = torch.get_num_threads()
    TorchCollaborativeRecommender().fit(train, movies).predict(train.user, train.movie)
    assert torch.get_num_threads() == before


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="'mse'"):
        TorchCollaborativeRecommender(loss="mse")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_the_gpu_learns_what_the_cpu_learns(train, movies):
    cpu = TorchCollaborativeRecommender(device="cpu").fit(train, movies)
    gpu = TorchCollaborativeRecommender(device="cuda").fit(train, movies)
    for one, other in zip(cpu._layers, gpu._layers, strict=True):
        torch.testing.assert_close(one, other.cpu(), atol=1e-3, rtol=1e-2)
