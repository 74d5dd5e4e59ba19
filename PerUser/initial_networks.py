"""What the networks of users start from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def initial_networks(users: np.ndarray, sizes: tuple[int, ...], seed: int) -> list[np.ndarray]:
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

    networks = []
    start = 0
    for inputs, outputs in layers:
        for rows in (inputs, 1):
            drawn = uniform[:, start : start + rows * outputs].reshape(-1, rows, outputs)
            networks.append((2 * drawn - 1) / np.float32(np.sqrt(inputs)))
            start += rows * outputs
    return networks
