"""The collaborative network: against PyTorch's own modules, and on a truth it must find."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from fitting import fit
from torch import nn
from torch.utils.data import DataLoader

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
from recbench.ratings import Ratings


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


def test_it_finds_movies_that_everybody_likes_or_hates():
    """Truth: 4.5 stars for even movies, 1.5 for odd ones. A quarter of the pairs is held back."""
    rng = np.random.default_rng(0)
    movies = toy_movies(30)
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(80), np.arange(30)))
    stars = np.where(movie % 2 == 0, 4.5, 1.5)
    held = rng.random(len(user)) < 0.25
    everything = Ratings(user, movie, stars, np.zeros(len(user)))
    model = fit(TorchCollaborativeRecommender(), everything.take(~held), movies, seed=1)
    predicted = model.predict(user[held], movie[held])
    assert np.abs(predicted - stars[held]).mean() < 0.2


def test_a_movie_counts_by_its_own_embedding_and_bits():
    """More users than movies, asked for out of order: no index stands for another."""
    movies = toy_movies(7)
    train = toy_ratings([5, 0, 6, 4, 6, 3, 5, 6, 2, 5, 6], movies=6, seed=5)
    model = fit(TorchCollaborativeRecommender(device="cpu"), train, movies, seed=5)
    user, movie = (grid.ravel() for grid in np.meshgrid(np.arange(12), np.arange(7)))
    order = np.random.default_rng(0).permutation(len(user))
    one_by_one = [
        model.predict_bits(user[k : k + 1], movie[k : k + 1])[0] for k in range(len(user))
    ]
    np.testing.assert_array_equal(
        model.predict_bits(user[order], movie[order]), np.array(one_by_one)[order]
    )


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


def test_a_loop_over_dictionaries_learns_as_much():
    """The published way of feeding it, one dictionary a rating, shuffled otherwise."""
    movies, train = toy_movies(20), toy_ratings([20] * 20, movies=20, seed=6)
    model = TorchCollaborativeRecommender(batch=32, device="cpu")
    made = keep_the_start(model)
    fit(model, train, movies)
    y = torch.from_numpy(encode_ratings(train.stars, "half_stars")).float()
    user, movie = torch.tensor(train.user).long(), torch.tensor(train.movie).long()
    columns = {"user": user, "movie": movie, "bits": model._bits[movie], "rating": y}
    rows = [{name: one[row] for name, one in columns.items()} for row in range(len(y))]
    loader = DataLoader(rows, 32, shuffle=True, generator=torch.Generator().manual_seed(0))
    adam = torch.optim.Adam(made[0].parameters(), lr=0.001)
    for _ in range(25):
        for batch in loader:
            adam.zero_grad()
            z = made[0](batch["user"], batch["movie"], batch["bits"])
            nn.BCEWithLogitsLoss()(z, batch["rating"]).backward()
            adam.step()
    losses = [
        nn.BCEWithLogitsLoss()(network(user, movie, columns["bits"]), y).item()
        for network in (model._network, made[0])
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] < 0.6
