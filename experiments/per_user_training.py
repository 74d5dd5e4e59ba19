"""How much faster are many small networks trained all at once than one after another?

    python benchmarks/per_user_training.py

Trains a 26-32-16-10 network for each of many users on made-up ratings, once with batched matrix
products and once with an ordinary PyTorch loop from the same initial weights; checks that the
weights agree and prints the ratio of the times.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs as a script

import numpy as np
import torch
from torch import nn

from data_prep import encode_ratings
from PerUser.batched_mlp import initial_parameters, one_thread
from PerUser.perUser_pytorch import EPOCHS, HIDDEN, LEARNING_RATE, TorchPerUserRecommender
from recbench.ratings import Movies, Ratings

USERS = 250
RATINGS = 40  # of each user, give or take a half
MOVIES = 1_000
BITS = 26
REPEATS = 3  # the fastest counts
SEED = 0

T = TypeVar("T")


def made_up() -> tuple[Ratings, Movies]:
    rng = np.random.default_rng(SEED)
    lengths = rng.integers(RATINGS // 2, RATINGS * 3 // 2 + 1, USERS)
    user = np.repeat(np.arange(USERS), lengths)
    stars = rng.integers(1, 11, len(user)) / 2
    ratings = Ratings(user, rng.integers(0, MOVIES, len(user)), stars, np.arange(len(user)))
    movies = Movies(
        bits=rng.integers(0, 2, (MOVIES, BITS), dtype=np.uint8),
        bit_names=tuple(f"bits:{i}" for i in range(BITS)),
        crowd_stars=np.full(MOVIES, np.nan, dtype=np.float32),
        crowd_votes=np.zeros(MOVIES, dtype=np.float32),
        movie_id=np.arange(MOVIES),
        title=np.array([f"Film {i}" for i in range(MOVIES)], dtype=object),
    )
    return ratings, movies


def one_after_another(train: Ratings, movies: Movies) -> list[nn.Sequential]:
    networks = []
    for user in range(USERS):
        own = train.take(train.user == user)
        x = torch.from_numpy(movies.bits[own.movie].astype(np.float32))  # (ratings, bits)
        y = torch.from_numpy(encode_ratings(own.stars, "half_stars").astype(np.float32))
        sizes = (BITS, *HIDDEN, y.shape[1])
        layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
        drawn = initial_parameters(np.array([user]), sizes, SEED)
        with torch.no_grad():
            for layer, weight, bias in zip(layers, drawn[::2], drawn[1::2], strict=True):
                layer.weight.copy_(weight[0].T)
                layer.bias.copy_(bias[0, 0])
        network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        criterion = nn.BCEWithLogitsLoss()
        for _ in range(EPOCHS):
            adam.zero_grad()
            criterion(network(x), y).backward()
            adam.step()
        networks.append(network)
    return networks


def fastest(work: Callable[[], T]) -> tuple[T, float]:
    """The result of `work()` and the least seconds it took."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def main() -> None:
    train, movies = made_up()
    model, together = fastest(
        lambda: TorchPerUserRecommender(seed=SEED, device="cpu").fit(train, movies)
    )
    with one_thread():
        networks, apart = fastest(lambda: one_after_another(train, movies))

    furthest = 0.0
    for user, network in enumerate(networks):
        for layer, parameters in enumerate(network.parameters()):
            learned = model._parameters[layer][user]  # (in, out) of a weight, (1, out) of a bias
            plain = parameters.detach().T if layer % 2 == 0 else parameters.detach()[None]
            furthest = max(furthest, (learned - plain).abs().max().item())

    print(f"{USERS} networks, {len(train):,} ratings, {EPOCHS} steps each, torch on one thread")
    print(f"one after another  {apart:8.3f} s")
    print(f"all at once        {together:8.3f} s, {apart / together:.0f} times faster")
    print(f"largest difference of any weight: {furthest:.1e}")
    if furthest > 1e-4:
        sys.exit("the two ways do not give the same networks")


if __name__ == "__main__":
    main()
