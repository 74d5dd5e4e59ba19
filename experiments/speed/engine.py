"""The weightless engine, beside vectorised numpy and MLPs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import weightless as ao
from experiments.speed.measuring import (
    REPEATS,
    Row,
    beside,
    elapsed_microseconds,
    made_up_movies,
    median_seconds,
    processor_seconds,
    uniform,
)
from PerUser.perUser_pytorch import EPOCHS, TorchPerUserRecommender
from recbench import Ratings
from recbench.contract import Training
from weightless.mutual_information import weights

MOVIE: dict[str, Any] = {
    "arch_i": [10, 3, 3, 10],
    "arch_z": [10],
    "connector_function": "forward_forward_conn",
}
STORED, ASKED = 400, 100  # patterns and questions of each user


def engine_rows(users: int) -> Iterator[Row]:
    """The published rule for many users; made-up patterns, half of whose bits are ones."""
    rng = np.random.default_rng(0)
    who, asked = (np.repeat(np.arange(users), each) for each in (STORED, ASKED))
    questions, inputs = uniform(rng, len(asked)), uniform(rng, len(who))
    labels = (np.arange(10) < rng.integers(1, 11, (len(who), 1))).astype(np.uint8)  # so many ones
    population = ao.Population(ao.Arch(**MOVIE), users)
    learning = processor_seconds(partial(population.learn, who, inputs, labels))
    recall = partial(population.recall, asked, questions)
    ours = median_seconds(partial(recall, threads=1))
    shape = f"{users} users × {STORED} stored × {ASKED} asked, even bits"
    each = [array.reshape(users, -1, array.shape[1]) for array in (inputs, labels, questions)]
    plain: list[np.ndarray] = []
    in_numpy = processor_seconds(
        lambda: plain.extend(numpy_recall(*one) for one in zip(*each, strict=True))
    )
    if (np.concatenate(plain) != recall(Default=False)).any():
        raise AssertionError("numpy and the engine disagree")
    yield beside(f"recall, {shape}", ours, "vectorised numpy", in_numpy)
    of_each = np.arange(len(who))
    train = Ratings(who, of_each, labels.sum(axis=1) / 2, of_each)
    mlp = processor_seconds(
        partial(TorchPerUserRecommender().fit, Training(train, made_up_movies(inputs)))
    )
    against = f"training the users' MLPs, {EPOCHS} steps"
    yield beside(f"learn and recall, {shape}", learning + ours, against, mlp)
    one, two = (
        min(elapsed_microseconds(partial(recall, threads=t)) for _ in range(REPEATS)) / 1e6
        for t in (1, 2)
    )
    yield beside(f"recall, {shape}, two threads, elapsed", two, "one thread", one)


def numpy_recall(inputs: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The published rule for one user, in whole arrays: uint8 [asked, 10].

    A weighted Hamming distance is Σ wx + Σ wp − 2 Σ wxp, so all distances of a channel are one
    matrix product. The coin is left out: a neuron without a decision says 0.
    """
    state = np.empty_like(asked)
    for first, last in pairwise(np.cumsum([0, *MOVIE["arch_i"]])):
        channel = slice(first, last)
        state[:, channel] = numpy_fire(inputs[:, channel], inputs[:, channel], asked[:, channel])
    return numpy_fire(inputs, labels, state)


def numpy_fire(stored: np.ndarray, answers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A group of neurons: uint8 [asked, neurons]."""
    p, x, one = stored.astype(np.float32), asked.astype(np.float32), answers.T == 1
    both = (answers.T.astype(np.float32) @ p).astype(np.int64)  # (neurons, bits)
    w = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
    fired, undecided = np.zeros((len(one), len(x)), bool), np.ones((len(one), len(x)), bool)
    for weight in (w.astype(np.float32), np.ones((1, p.shape[1]), np.float32)):
        distance = (x @ weight.T).T[:, :, None] + (weight @ p.T)[:, None]
        distance = distance - 2 * (x[None] * weight[:, None]) @ p.T  # (neurons, asked, stored)
        to_one = np.where(one[:, None], distance, np.inf).min(2)  # (neurons, asked)
        to_zero = np.where(one[:, None], np.inf, distance).min(2)
        fired |= undecided & (to_one < to_zero)
        undecided &= to_one == to_zero
    return fired.T.astype(np.uint8)
