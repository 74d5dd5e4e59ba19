"""Networks trained by our own code, beside the plain loop with the same result."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from Collaborative.embedding_network_gpu import GpuTraining, logits
from Collaborative.torch_colab import BATCH, SHUFFLE, TorchCollaborativeRecommender
from Collaborative.torch_colab import EPOCHS as COLAB_EPOCHS
from Collaborative.torch_colab import LEARNING_RATE as COLAB_LEARNING_RATE
from experiments.speed.made_up import made_up_movies, uniform
from experiments.speed.rows import Row, beside, median_seconds, processor_seconds
from PerUser.perUser_pytorch import EPOCHS, HIDDEN, LEARNING_RATE, TorchPerUserRecommender
from recbench import Movies, Ratings
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings


def network_rows(users: int) -> Iterator[Row]:
    """All of this part."""
    yield from per_user_rows(users)
    yield from collaborative_rows(users)


def made_up(users: int, ratings: int, movies: int) -> tuple[Ratings, Movies]:
    """So many users of `ratings` ratings each, give or take a half."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(users), rng.integers(ratings // 2, ratings * 3 // 2 + 1, users))
    stars = rng.integers(1, 11, len(user)) / 2
    train = Ratings(user, rng.integers(0, movies, len(user)), stars, np.arange(len(user)))
    return train, made_up_movies(uniform(rng, movies))


def per_user_rows(users: int) -> Iterator[Row]:
    """`torch`, beside an ordinary loop (`tests/recommenders/test_per_user_mlp`
    shows that they give the same)."""
    train, movies = made_up(users, ratings=50, movies=1_000)
    together = TorchPerUserRecommender(device="cpu")
    seconds = median_seconds(partial(together.fit, train, movies), repeats=3)
    plain_trainings(train.take(train.user == 0), movies)  # PyTorch loads much at its first step
    apart = processor_seconds(partial(plain_trainings, train, movies))
    shape = f"{users} users, {len(train):,} ratings, {EPOCHS} steps"
    yield beside(f"per-user MLPs, {shape}", seconds, "a loop over users in PyTorch", apart)


def plain_trainings(train: Ratings, movies: Movies) -> None:
    """User after user."""
    for user in np.unique(train.user):
        plain_training(train.take(train.user == user), movies)


def plain_training(own: Ratings, movies: Movies) -> None:
    """The network of one user, as one writes it."""
    sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
    layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    x = torch.from_numpy(movies.bits[own.movie].astype(np.float32))  # (ratings, bits)
    y = torch.from_numpy(encode_ratings(own.stars, "half_stars").astype(np.float32))
    adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for _ in range(EPOCHS):
        adam.zero_grad()
        nn.BCEWithLogitsLoss()(network(x), y).backward()
        adam.step()


def collaborative_rows(users: int) -> Iterator[Row]:
    """`colab` by its own kernels, beside PyTorch fed in whole arrays, and beside the loop over
    dictionaries of the published code (`tests/recommenders/test_colab` shows that its loss is the
    same)."""
    train, movies = made_up(users, ratings=50, movies=2_000)
    models: list[Any] = [TorchCollaborativeRecommender(device="cpu") for _ in range(3)]
    ours, theirs, dictionaries = models
    theirs._training = lambda: partial(GpuTraining, device="cpu")
    dictionaries._train = partial(train_over_dictionaries, dictionaries)
    seconds = median_seconds(partial(ours.fit, train, movies), repeats=3)
    shape = f"{users} users, {len(train):,} ratings, {COLAB_EPOCHS} epochs"
    for against, model in (("PyTorch", theirs), ("a loop over dictionaries", dictionaries)):
        apart = processor_seconds(partial(model.fit, train, movies))
        yield beside(f"colab, {shape}", seconds, against, apart)


def train_over_dictionaries(
    model: TorchCollaborativeRecommender,
    user: np.ndarray,
    movie: np.ndarray,
    bits: np.ndarray,
    y: np.ndarray,
) -> list[float]:
    """Train as the published code feeds its network: a dictionary for each rating, collated batch
    by batch by PyTorch's DataLoader; the model's own start and order. The loss of each batch."""
    ratings: Any = [
        {
            "user": int(one),
            "movie": int(other),
            "bits": bits[other],
            "rating": of.astype(np.float32),
        }
        for one, other, of in zip(user, movie, y.astype(np.float32), strict=True)
    ]
    parameters = [torch.from_numpy(one).requires_grad_() for one in model._parameters]
    adam = torch.optim.Adam(parameters, lr=COLAB_LEARNING_RATE)
    shuffling = np.random.default_rng([model.seed, SHUFFLE])
    losses = []
    for _ in range(COLAB_EPOCHS):
        order = shuffling.permutation(len(ratings)).tolist()
        for batch in DataLoader(ratings, batch_size=BATCH, sampler=order):
            adam.zero_grad()
            z = logits(parameters, batch["user"], batch["movie"], batch["bits"])[:, :RATING_BITS]
            scores = torch.sigmoid(z) if model.loss == "double_sigmoid" else z
            loss = nn.BCEWithLogitsLoss()(scores, batch["rating"])
            loss.backward()
            adam.step()
            losses.append(loss.item())
    model._parameters = tuple(parameter.detach().numpy() for parameter in parameters)
    return losses
