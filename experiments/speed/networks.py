"""Networks of many users trained at once, beside the plain loops that they take the place of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from Collaborative import torch_colab
from Collaborative.torch_colab import EmbeddingNetwork, TorchCollaborativeRecommender
from experiments.speed.measuring import (
    Row,
    beside,
    made_up_movies,
    median_seconds,
    processor_seconds,
    uniform,
)
from PerUser.perUser_pytorch import EPOCHS, HIDDEN, LEARNING_RATE, TorchPerUserRecommender
from recbench import Movies, Ratings
from recbench.contract import Training
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings


def network_rows(users: int) -> Iterator[Row]:
    """`torch` beside an ordinary loop (`tests/recommenders/test_per_user_mlp` shows that they give
    the same), and `colab` beside the loop over dictionaries of the published code."""
    train, movies = made_up(users, movies=1_000)
    seconds = median_seconds(
        partial(TorchPerUserRecommender(device="cpu").fit, Training(train, movies)), repeats=3
    )
    apart = processor_seconds(partial(plain_trainings, train, movies))
    shape = f"{users} users, {len(train):,} ratings"
    what = f"per-user MLPs, {shape}, {EPOCHS} steps"
    yield beside(what, seconds, "a loop over users in PyTorch", apart)

    train, movies = made_up(users, movies=2_000)
    colab = TorchCollaborativeRecommender(device="cpu")
    seconds = median_seconds(partial(colab.fit, Training(train, movies)), repeats=3)
    network = EmbeddingNetwork(torch.randn(users, 32), torch.randn(2_000, 32), 26)
    apart = processor_seconds(partial(train_over_dictionaries, network, train, movies))
    what = f"colab, {shape}, {torch_colab.EPOCHS} epochs"
    yield beside(what, seconds, "a loop over dictionaries", apart)


def made_up(users: int, movies: int) -> tuple[Ratings, Movies]:
    """So many users of 25 to 75 ratings each."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(users), rng.integers(25, 76, users))
    stars = rng.integers(1, 11, len(user)) / 2
    train = Ratings(user, rng.integers(0, movies, len(user)), stars, np.arange(len(user)))
    return train, made_up_movies(uniform(rng, movies))


def plain_trainings(train: Ratings, movies: Movies) -> None:
    """User after user, as one writes it."""
    sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
    for user in np.unique(train.user):
        own = train.take(train.user == user)
        layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
        network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        x = torch.from_numpy(movies.bits[own.movie].astype(np.float32))  # (ratings, bits)
        y = torch.from_numpy(encode_ratings(own.stars, "half_stars").astype(np.float32))
        adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        for _ in range(EPOCHS):
            adam.zero_grad()
            nn.BCEWithLogitsLoss()(network(x), y).backward()
            adam.step()


class RatingDictionaries(Dataset):
    """A dictionary of tensors for each rating, made when it is asked for, as published."""

    def __init__(self, train: Ratings, movies: Movies) -> None:
        self.train = train
        self.bits = movies.bits.astype(np.float32)
        self.labels = encode_ratings(train.stars, "half_stars").astype(np.float32)

    def __len__(self) -> int:
        return len(self.train)

    def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
        movie = int(self.train.movie[row])
        return {
            "user": torch.tensor(int(self.train.user[row])),
            "movie": torch.tensor(movie),
            "bits": torch.tensor(self.bits[movie]),
            "rating": torch.tensor(self.labels[row]),
        }


def train_over_dictionaries(network: EmbeddingNetwork, train: Ratings, movies: Movies) -> float:
    """Train as the published code feeds its network, batch by batch collated by PyTorch's
    DataLoader; the mean loss of the last epoch."""
    adam = torch.optim.Adam(network.parameters(), lr=torch_colab.LEARNING_RATE)
    loader = DataLoader(RatingDictionaries(train, movies), torch_colab.BATCH, shuffle=True)
    for _ in range(torch_colab.EPOCHS):
        losses = []
        for batch in loader:
            adam.zero_grad()
            z = network(batch["user"], batch["movie"], batch["bits"])  # (256, 10)
            loss = nn.BCEWithLogitsLoss()(z, batch["rating"])
            loss.backward()
            adam.step()
            losses.append(loss.item())
    return float(np.mean(losses))
