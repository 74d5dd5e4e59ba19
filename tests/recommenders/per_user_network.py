"""The network of a user of `torch`, in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from PerUser.perUser_pytorch import Networks, initial_networks

SIZES = (26, 32, 16, 10)


def network_of(user: int, seed: int) -> nn.Sequential:
    """The user's network as PyTorch builds it, with the same initial weights."""
    network = nn.Sequential(
        nn.Linear(26, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10)
    )
    start = Networks(SIZES, initial_networks(np.array([user]), SIZES, seed))
    with torch.no_grad():
        for layer, (weight, bias) in zip(network[::2], start.layers(), strict=True):
            layer.weight.copy_(weight[0].T)
            layer.bias.copy_(bias[0, 0])
    return network
