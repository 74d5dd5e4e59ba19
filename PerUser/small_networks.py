"""Training and asking the networks of `torch` and `torch_online` on a CPU, user after user.

The same training in PyTorch, all users at once, for a GPU, is in `PerUser.small_networks_gpu`.

A network is six float32 arrays [rows, columns], see `recbench.three_layers`; `networks` are six
arrays [users, rows, columns].
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from PerUser.user_chunks import grouped
from recbench.compiled import numeric
from recbench.matrix_product import LANES
from recbench.three_layers import (
    adam_step,
    add_gradients,
    ask,
    forward,
    shares,
    targets,
    to_loss_gradient,
    zeros_like,
)


def train(
    networks: tuple[np.ndarray, ...],
    user: np.ndarray,
    movie: np.ndarray,
    features: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    learning_rate: float,
    double_sigmoid: bool,
) -> None:
    """Full-batch Adam (Kingma & Ba 2015) on the binary cross-entropy averaged over a user's own
    ratings × bits.

    Args:
        networks: of the distinct users in order; changed in place.
        user, movie: int [n], of each rating; `movie` is a row of `features`.
        features: float32 [movies, f].
        labels: uint8 [n, bits], thermometers.
        epochs: steps.
        double_sigmoid: see `recbench.three_layers.to_loss_gradient`.
    """
    rows, starts = grouped(user)
    movie = movie.astype(np.int64)  # one type, for which it is compiled
    _train(
        networks, rows, starts, movie, features, labels, epochs, learning_rate, double_sigmoid
    )  # fmt: skip


def probabilities(
    networks: tuple[np.ndarray, ...],
    place: np.ndarray,
    movie: np.ndarray,
    features: np.ndarray,
) -> np.ndarray:
    """Of each output being one, float32 [n, outputs and what fills them up].

    Args:
        place: int [n], whose network is asked.
        movie: int [n], rows of `features` (float32 [movies, f]).
    """
    rows, starts = grouped(place)
    movie = movie.astype(np.int64)
    said = np.empty((len(place), networks[-1].shape[2]), np.float32)
    _ask(networks, place, rows, starts, movie, features, said)
    return said


@cache
def compile_kernels() -> None:
    """Once in a process: some seconds the first time on a machine."""
    networks = tuple(np.zeros((1, rows, LANES), np.float32) for rows in (1, 1, LANES, 1, LANES, 1))
    one, row = np.zeros(1, np.int64), np.zeros((1, 1), np.float32)
    labels = row.astype(np.uint8)
    train(networks, one, one, row, labels, epochs=1, learning_rate=0.1, double_sigmoid=False)
    probabilities(networks, one, one, row)
    network = tuple(parameter[0] for parameter in networks)
    state = [zeros_like(network) for _ in range(3)]
    step_on_one(network, *state, 1, row[0], labels[0], 0.1, False)
    ask(network, row)


@numeric
def step(
    network: Any,
    gradients: Any,
    first: Any,
    second: Any,
    number: Any,
    x: Any,
    target: Any,
    share: Any,
    learning_rate: Any,
    double_sigmoid: Any,
) -> None:
    """Step 1, 2 .. of Adam on all rows of x.

    Args:
        network: changed in place.
        gradients, first, second: of zeros before the first step, see `recbench.three_layers`.
        x: float32 [n, f].
        target: float32 [n, outputs], 0 or 1.
        share: float32 [outputs], see `recbench.three_layers.shares`.
        double_sigmoid: see `recbench.three_layers.to_loss_gradient`.
    """
    h1, h2, z = forward(network, x)
    to_loss_gradient(z, target, share, double_sigmoid)  # ∂loss/∂z from here on
    add_gradients(network, gradients, x, h1, h2, z)
    adam_step(network, gradients, first, second, number, learning_rate, 0.0)


@numeric
def step_on_one(
    network: Any,
    gradients: Any,
    first: Any,
    second: Any,
    number: Any,
    features: Any,
    labels: Any,
    learning_rate: Any,
    double_sigmoid: Any,
) -> None:
    """The same on one rating: features float32 [f], labels uint8 [bits]."""
    target = targets(labels.reshape(1, -1), np.zeros(1, np.int64))  # (1, outputs)
    share = shares(1, labels.shape[0], target.shape[1])
    step(
        network, gradients, first, second, number, features.reshape(1, -1), target, share,
        learning_rate, double_sigmoid,
    )  # fmt: skip


@numeric
def _train(
    networks: Any,
    rows: Any,
    starts: Any,
    movie: Any,
    features: Any,
    labels: Any,
    epochs: Any,
    learning_rate: Any,
    double_sigmoid: Any,
) -> None:
    bits, width = labels.shape[1], networks[5].shape[2]
    for place in range(len(starts) - 1):
        own = rows[starts[place] : starts[place + 1]]
        network = _network_at(networks, place)
        gradients, first, second = zeros_like(network), zeros_like(network), zeros_like(network)
        x, target = features[movie[own]], targets(labels, own)  # (ratings, ...)
        share = shares(len(own), bits, width)
        for number in range(1, epochs + 1):
            step(
                network, gradients, first, second, number, x, target, share,
                learning_rate, double_sigmoid,
            )  # fmt: skip


@numeric
def _ask(
    networks: Any, place: Any, rows: Any, starts: Any, movie: Any, features: Any, said: Any
) -> None:
    for k in range(len(starts) - 1):
        own = rows[starts[k] : starts[k + 1]]
        of_user = ask(_network_at(networks, place[own[0]]), features[movie[own]])
        for at, row in enumerate(own):
            said[row] = of_user[at]


@numeric
def _network_at(networks: Any, place: Any) -> Any:
    a, b, c, d, e, f = networks
    return a[place], b[place], c[place], d[place], e[place], f[place]
