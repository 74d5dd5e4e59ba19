"""Many small networks, one per user, trained and asked all at once.

The weights of U users' networks stand in tensors with a first axis of U, and one batched matrix
product takes the place of U small ones. Users of unequal history are padded to the longest of
their chunk; the padding is masked out of the loss, so each network learns exactly what it would
have learned alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch._dynamo  # the first Adam imports it: over a second that would pass for training
import torch.nn.functional as F
from torch import Tensor

# Padded ratings in one chunk: larger ones leave the processor's cache and are slower.
CELLS_PER_CHUNK = 8_192


@dataclass(frozen=True)
class Chunk:
    """Some users of like history length, padded to the longest.

    Attributes:
        users: int [u], positions in the sorted distinct users of the table.
        rows: int [u, r], row numbers in the table; padding repeats the user's first row.
        mask: bool [u, r], False for padding.
    """

    users: np.ndarray
    rows: np.ndarray
    mask: np.ndarray


def chunks_of_users(user: np.ndarray, cells: int = CELLS_PER_CHUNK) -> Iterator[Chunk]:
    """The rows of a table grouped by user, the shortest histories first.

    Args:
        user: int [n], whose row each is.
        cells: at most so many padded rows in a chunk, unless one user alone has more.
    """
    by_user = np.argsort(user, kind="stable")
    _, first, count = np.unique(user[by_user], return_index=True, return_counts=True)
    by_length = np.argsort(count, kind="stable")
    start = 0
    while start < len(by_length):
        longest = count[by_length[start:]]
        padded = longest * np.arange(1, len(longest) + 1)  # cells, if the chunk ended here
        stop = start + max(1, int(np.searchsorted(padded, cells, side="right")))
        users = by_length[start:stop]
        place = np.arange(count[users[-1]])
        mask = place < count[users, None]  # (users, ratings)
        rows = by_user[first[users, None] + np.where(mask, place, 0)]  # (users, ratings)
        yield Chunk(users, rows, mask)
        start = stop


def initial_parameters(users: np.ndarray, sizes: tuple[int, ...], seed: int) -> list[Tensor]:
    """PyTorch's default initialisation of Linear layers, for one network per user.

    Weights and biases of a layer with k inputs are uniform in ±1/√k. Each user's are drawn from a
    generator seeded with (seed, user): they do not depend on who else is trained.

    Args:
        users: int [u], the users' indices, 0 or more.
        sizes: units of each layer, input first.
        seed: 0 or more.

    Returns:
        weight [u, in, out] and bias [u, 1, out] of each layer in turn, float32.
    """
    layers = list(pairwise(sizes))
    total = sum((inputs + 1) * outputs for inputs, outputs in layers)
    uniform = np.empty((len(users), total), dtype=np.float32)
    for place, user in enumerate(users):
        np.random.default_rng([seed, int(user)]).random(out=uniform[place], dtype=np.float32)

    parameters = []
    start = 0
    for inputs, outputs in layers:
        for rows in (inputs, 1):
            drawn = uniform[:, start : start + rows * outputs].reshape(-1, rows, outputs)
            parameters.append(torch.from_numpy((2 * drawn - 1) / np.float32(np.sqrt(inputs))))
            start += rows * outputs
    return parameters


def forward(parameters: list[Tensor], x: Tensor) -> Tensor:
    """Logits [u, r, out] of the networks for the inputs x [u, r, in]; ReLU between layers."""
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = F.relu(torch.baddbmm(bias, x, weight))  # (users, ratings, units)
    weight, bias = last
    return torch.baddbmm(bias, x, weight)  # (users, ratings, outputs)


def bit_loss(logits: Tensor, target: Tensor, loss: str) -> Tensor:
    """Binary cross-entropy of every output bit.

    Args:
        logits: [..., bits].
        target: [..., bits], 0 or 1.
        loss: "logits", or "double_sigmoid", which hands the sigmoid's outputs to a loss that
            applies the sigmoid again, as published.
    """
    scores = torch.sigmoid(logits) if loss == "double_sigmoid" else logits
    return F.binary_cross_entropy_with_logits(scores, target, reduction="none")


def choose_device(device: str) -> torch.device:
    """The device named, or for "auto" the GPU where CUDA has one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: on matrices as small as these, two are many times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
