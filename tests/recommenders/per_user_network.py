"""The network of a user of `torch`, in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from PerUser.initial_networks import initial_networks

SIZES = (26, 32, 16, 10)


def network_of(user: int, seed: int) -> nn.Sequential:
    """The user's network as PyTorch builds it, with the same initial weights."""
    network = nn.Sequential(
        nn.Linear(26, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10)
    )
    with torch.no_grad():
        drawn = iter(map(torch.from_numpy, initial_networks(np.array([user]), SIZES, seed)))
        for layer in network[::2]:
            layer.weight.copy_(next(drawn)[0].T)
            layer.bias.copy_(next(drawn)[0, 0])
    return network
