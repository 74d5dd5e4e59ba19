"""Where PyTorch computes."""

from __future__ import annotations

from importlib import import_module

import torch


def choose_device(device: str) -> torch.device:
    """The device named, or for "auto" the GPU where CUDA has one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device != "cpu":
        # The first Adam of PyTorch imports it: a second that would pass for training.
        import_module("torch._dynamo")
    return torch.device(device)
