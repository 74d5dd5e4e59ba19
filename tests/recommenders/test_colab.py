"""The collaborative network: against PyTorch's own modules, and on a truth it must find."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from Collaborative.embedding_network import probabilities
from Collaborative.embedding_network_gpu import GpuTraining
from Collaborative.torch_colab import (
    BATCH,
    EPOCHS,
    MOVIE,
    SHUFFLE,
    USER,
    TorchCollaborativeRecommender,
)
from experiments.speed.networks import train_over_dictionaries
from recbench.contract.toy_data import toy_movies, toy_ratings
from recbench.data.encodings.thermometer import encode_ratings
from recbench.matrix_product import add_product
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
        for stream, table in ((USER, plain.users), (MOVIE, plain.movies)):
            drawn = model._initial_embedding(stream, np.arange(table.num_embeddings))
            table.weight.copy_(torch.from_numpy(drawn))
        drawn = iter(map(torch.from_numpy, model._initial_layers(90)))
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
    user, movie = torch.tensor(train.user).long(), torch.tensor(train.movie).long()
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


@pytest.mark.parametrize("shape", [(1, 1, 16), (6, 3, 16), (13, 90, 64), (90, 256, 32)])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_product_is_summed_in_the_order_of_its_terms_each_rounded_by_itself(shape, transposed):
    """The same bits as plain single precision; a fused multiply-add would give others."""
    m, k, n = shape
    rng = np.random.default_rng(m)
    a = rng.standard_normal((k, m) if transposed else (m, k), dtype=np.float32)
    a = a.T if transposed else a
    b = rng.standard_normal((k, n), dtype=np.float32)
    to = rng.standard_normal((m, n), dtype=np.float32)
    expected = to.copy()
    for term in range(k):
        expected += a[:, term, None] * b[term]
    add_product(a, b, to)
    np.testing.assert_array_equal(to, expected)


@pytest.mark.parametrize("shapes", [((2, 3), (3, 8), (2, 8)), ((2, 3), (4, 16), (2, 16))])
def test_a_product_that_does_not_fit_is_refused(shapes):
    with pytest.raises(ValueError, match="do not fit"):
        add_product(*(np.zeros(shape, np.float32) for shape in shapes))


def test_asking_is_single_precision_in_a_fixed_order(train, movies):
    """The probabilities of plain numpy, summed term by term, to the last bit of the logits."""
    model = TorchCollaborativeRecommender(seed=5, device="cpu").fit(train, movies)
    users, items, *layers = model._parameters
    bits = movies.bits[model._movies].astype(np.float32)
    rng = np.random.default_rng(0)
    whose, what = rng.integers(0, len(users), 50), rng.integers(0, len(items), 50)
    h = np.column_stack((users[whose], items[what], bits[what]))
    for place, (weight, bias) in enumerate(zip(layers[::2], layers[1::2], strict=True)):
        out = np.repeat(bias, len(h), axis=0)
        for term in range(h.shape[1]):
            out += h[:, term, None] * weight[term]
        h = np.maximum(out, 0) if place < 2 else out
    expected = (1 / (1 + np.exp(-h.astype(np.float64)))).astype(np.float32)
    found = probabilities(model._parameters, whose, what, bits)
    np.testing.assert_allclose(found, expected, rtol=2e-7)
    assert (found == expected).mean() > 0.99


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="'mse'"):
        TorchCollaborativeRecommender(loss="mse")


def test_torch_learns_what_the_kernels_learn(train, movies):
    """The path for a GPU, on the CPU."""
    ours = TorchCollaborativeRecommender(device="cpu").fit(train, movies)
    theirs = TorchCollaborativeRecommender(device="cpu")
    theirs._training = lambda: partial(GpuTraining, device="cpu")
    with one_thread():
        theirs.fit(train, movies)
    for one, other in zip(ours._parameters, theirs._parameters, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_the_gpu_learns_what_the_cpu_learns(train, movies):
    cpu = TorchCollaborativeRecommender(device="cpu").fit(train, movies)
    gpu = TorchCollaborativeRecommender(device="cuda").fit(train, movies)
    for one, other in zip(cpu._parameters, gpu._parameters, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3, rtol=1e-2)


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("loss", ["logits", "double_sigmoid"])
def test_a_loop_over_dictionaries_has_the_same_loss(loss, train, movies):
    """The published way of feeding it, one dictionary a rating: what our kernels have learned has
    the same loss on all ratings, to rounding."""
    ours, theirs = (TorchCollaborativeRecommender(loss=loss, device="cpu") for _ in range(2))
    losses: list[float] = []
    theirs._train = lambda *data: losses.extend(train_over_dictionaries(theirs, *data))
    ours.fit(train, movies)
    theirs.fit(train, movies)
    assert len(losses) == EPOCHS * -(-len(train) // BATCH)
    assert losses[-1] < losses[0]
    for one, other in zip(ours._parameters, theirs._parameters, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    y = torch.from_numpy(encode_ratings(train.stars, "half_stars").astype(np.float32))
    _, user = np.unique(train.user, return_inverse=True)
    _, movie = np.unique(train.movie, return_inverse=True)
    of_all = []
    for model in (ours, theirs):
        bits = movies.bits[model._movies].astype(np.float32)
        p = torch.from_numpy(probabilities(model._parameters, user, movie, bits)[:, :10])
        criterion = nn.BCEWithLogitsLoss() if loss == "double_sigmoid" else nn.BCELoss()
        of_all.append(criterion(p, y).item())
    assert of_all[0] == pytest.approx(of_all[1], rel=1e-5)
