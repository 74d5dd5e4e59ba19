"""Where networks are trained: here, or on a GPU by PyTorch, which need not be installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from recbench.errors import InputError

TO_INSTALL = ".venv/bin/pip install -r requirements-gpu.txt"


def choose_device(device: str) -> str:
    """The device named, "cpu" or "cuda"; for "auto" "cuda" where PyTorch is installed and has one.

    Raises:
        ValueError: there is no such device.
        InputError: "cuda" where there is no PyTorch, or none that finds a GPU.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"the device is 'auto', 'cpu' or 'cuda', not '{device}'")
    if device == "cpu" or (device == "auto" and not _has_gpu()):
        return "cpu"
    if device == "cuda" and not _has_gpu():
        raise InputError(f"the device 'cuda' needs a GPU and PyTorch that finds it: {TO_INSTALL}")
    # The first Adam of PyTorch imports it: a second that would pass for training.
    import_module("torch._dynamo")
    return "cuda"


def _has_gpu() -> bool:
    return find_spec("torch") is not None and import_module("torch").cuda.is_available()
