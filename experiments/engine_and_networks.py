"""The parts `engine` and `networks` of experiments/speed.py, and the clocks that it measures by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import weightless as ao
from recbench import Movies, Ratings
from recbench.contract import Training
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings
from weightless.reference import weights

CHANNELS = (10, 3, 3, 10)  # bits of a movie
STORED, QUERIES = 400, 100  # patterns and queries of each user


def figure(what: str, value: float, unit: str = "s", against: str = "", other: float = 0.0) -> dict:
    """A row: a figure, and what stands beside it."""
    row: dict[str, Any] = {"what": what, "value": value, "unit": unit, "against": against}
    beside = {"against_value": other, "ratio": other / value} if against else {}
    return row | {"against_value": None, "ratio": None} | beside


def processor_seconds(work: Callable[[], object]) -> float:
    """Of one call. All of this runs on one core, which others may be using as well."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The median processor time of `work`, after one call that is not counted."""
    work()
    return float(np.median([processor_seconds(work) for _ in range(repeats)]))


def elapsed_microseconds(work: Callable[[], object]) -> float:
    """Of one call that takes microseconds, of which the processor's clock knows too little."""
    start = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - start)


def made_up_bits(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] of independent bits, as many ones as zeros."""
    return rng.integers(0, 2, (n, 26), np.uint8)


def made_up_movies(bits: np.ndarray) -> Movies:
    n, names = len(bits), tuple(f"bits:{k}" for k in range(bits.shape[1]))
    nan, number = np.full(n, np.nan), np.arange(n)
    return Movies(bits, names, nan, np.zeros(n), movie_id=number, title=np.full(n, "made up"))


def engine_rows(users: int) -> Iterator[dict]:
    """The published rule for many users; made-up patterns, half of whose bits are ones."""
    from PerUser.perUser_pytorch import EPOCHS, TorchPerUserRecommender

    rng = np.random.default_rng(0)
    user, querying = (np.repeat(np.arange(users), each) for each in (STORED, QUERIES))
    queries, inputs = made_up_bits(rng, len(querying)), made_up_bits(rng, len(user))
    labels = (np.arange(10) < rng.integers(1, 11, (len(user), 1))).astype(np.uint8)  # n ones
    arch = ao.Arch([*CHANNELS], [10], connector_function="forward_forward_conn")
    population = ao.Population(arch, users)
    learning = processor_seconds(partial(population.learn, user, inputs, labels))
    recall = partial(population.recall, querying, queries)
    ours = median_seconds(partial(recall, threads=1))
    shape = f"{users} users × {STORED} stored × {QUERIES} asked, even bits"
    each = [array.reshape(users, -1, array.shape[1]) for array in (inputs, labels, queries)]
    plain: list[np.ndarray] = []
    in_numpy = processor_seconds(
        lambda: plain.extend(numpy_recall(*one) for one in zip(*each, strict=True))
    )
    if (np.concatenate(plain) != recall(Default=False)).any():
        raise AssertionError("numpy and the engine disagree")
    yield figure(f"recall, {shape}", ours, "s", "vectorised numpy", in_numpy)
    row = np.arange(len(user))
    training = Training(Ratings(user, row, labels.sum(axis=1) / 2, row), made_up_movies(inputs))
    mlp = processor_seconds(partial(TorchPerUserRecommender().fit, training))
    against = f"training the users' MLPs, {EPOCHS} steps"
    yield figure(f"learn and recall, {shape}", learning + ours, "s", against, mlp)
    one, two = (
        min(elapsed_microseconds(partial(recall, threads=t)) for _ in range(5)) / 1e6
        for t in (1, 2)
    )
    yield figure(f"recall, {shape}, two threads, elapsed", two, "s", "one thread", one)


def numpy_recall(inputs: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The published rule for one user, in whole arrays: uint8 [queries, 10].

    A weighted Hamming distance is Σ wx + Σ wp − 2 Σ wxp, so all distances of a channel are one
    matrix product. The coin is left out: a neuron without a decision says 0.
    """
    state = np.empty_like(queries)
    for first, last in pairwise(np.cumsum([0, *CHANNELS])):
        channel = slice(first, last)
        state[:, channel] = numpy_fire(inputs[:, channel], inputs[:, channel], queries[:, channel])
    return numpy_fire(inputs, labels, state)


def numpy_fire(stored: np.ndarray, answers: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """A group of neurons: uint8 [queries, neurons]."""
    p, x, one = stored.astype(np.float32), queries.astype(np.float32), answers.T == 1
    both = (answers.T.astype(np.float32) @ p).astype(np.int64)  # (neurons, bits)
    w = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
    fired, undecided = np.zeros((len(one), len(x)), bool), np.ones((len(one), len(x)), bool)
    for weight in (w.astype(np.float32), np.ones((1, p.shape[1]), np.float32)):
        distance = (x @ weight.T).T[:, :, None] + (weight @ p.T)[:, None]
        distance = distance - 2 * (x[None] * weight[:, None]) @ p.T  # (neurons, queries, stored)
        to_one = np.where(one[:, None], distance, np.inf).min(2)  # (neurons, queries)
        to_zero = np.where(one[:, None], np.inf, distance).min(2)
        fired |= undecided & (to_one < to_zero)
        undecided &= to_one == to_zero
    return fired.T.astype(np.uint8)


# --- networks: these import torch, which takes seconds -----------------------------------------


def network_rows(users: int) -> Iterator[dict]:
    """`torch` beside an ordinary loop (`tests/recommenders/test_per_user_mlp` shows that they give
    the same), and `colab` beside the loop over dictionaries of the published code."""
    import torch

    from Collaborative import torch_colab
    from PerUser.perUser_pytorch import EPOCHS, TorchPerUserRecommender

    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(users), rng.integers(25, 76, users))  # 25 to 75 ratings each
    stars, movies = rng.integers(1, 11, len(user)) / 2, made_up_movies(made_up_bits(rng, 2_000))
    train = Ratings(user, rng.integers(0, len(movies), len(user)), stars, np.arange(len(user)))
    training, shape = Training(train, movies), f"{users} users, {len(train):,} ratings"
    seconds = median_seconds(partial(TorchPerUserRecommender(device="cpu").fit, training), 3)
    apart = processor_seconds(partial(train_user_after_user, train, movies))
    what = f"per-user MLPs, {shape}, {EPOCHS} steps"
    yield figure(what, seconds, "s", "a loop over users in PyTorch", apart)

    colab = torch_colab.TorchCollaborativeRecommender(device="cpu")
    seconds = median_seconds(partial(colab.fit, training), 3)
    tables = torch.randn(users, 32), torch.randn(len(movies), 32)
    network = torch_colab.EmbeddingNetwork(*tables, 26)
    apart = processor_seconds(partial(train_over_dictionaries, network, train, movies))
    what = f"colab, {shape}, {torch_colab.EPOCHS} epochs"
    yield figure(what, seconds, "s", "a loop over dictionaries", apart)


def train_user_after_user(train: Ratings, movies: Movies) -> None:
    """The per-user MLPs as one writes them."""
    import torch
    from torch import nn

    from PerUser.perUser_pytorch import EPOCHS, HIDDEN, LEARNING_RATE

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


def train_over_dictionaries(network: Any, train: Ratings, movies: Movies) -> float:
    """Train the network of `colab` as the published code does: a dictionary of tensors for each
    rating, collated by PyTorch's DataLoader; the mean loss of the last epoch."""
    import torch
    from torch.utils.data import DataLoader

    from Collaborative.torch_colab import BATCH, EPOCHS, LEARNING_RATE

    labels = encode_ratings(train.stars, "half_stars").astype(np.float32)
    columns = (train.user, train.movie, movies.bits[train.movie].astype(np.float32), labels)
    names = ("user", "movie", "bits", "rating")

    class Dictionaries:
        def __len__(self) -> int:
            return len(train)

        def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
            return {n: torch.tensor(column[row]) for n, column in zip(names, columns, strict=True)}

    adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    loader: Any = DataLoader(Dictionaries(), BATCH, shuffle=True)  # type: ignore[arg-type]
    for _ in range(EPOCHS):
        losses = []
        for batch in loader:
            adam.zero_grad()
            z = network(batch["user"], batch["movie"], batch["bits"])  # (256, 10)
            loss = torch.nn.BCEWithLogitsLoss()(z, batch["rating"])
            loss.backward()
            adam.step()
            losses.append(loss.item())
    return float(np.mean(losses))
