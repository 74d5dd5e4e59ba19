"""Where matrix products run: on one thread, or on a GPU.

On small matrices several threads are many times slower than one, and the order of some sums, and so
the last digit, would depend on the number of threads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from recbench.errors import InputError

R = TypeVar("R")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run BLAS, OpenMP and, if imported, torch on one thread; restore the number afterwards."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def on_one_thread(work: Callable[..., R], *arguments: Any) -> R:
    """`work(*arguments)` within `one_thread`; a function of a module, so that it can be pickled."""
    with one_thread():
        return work(*arguments)


def choose_device(device: str) -> str:
    """The device of PyTorch: the named one; for "auto", "cuda" if there is a GPU, else "cpu". From
    then on PyTorch uses one thread in this process, and the one-time work of its first step is
    done, which would otherwise be timed as training.

    Raises:
        ValueError: there is no such device.
        InputError: "cuda" where PyTorch finds no GPU.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"the device is 'auto', 'cpu' or 'cuda', not '{device}'")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InputError("the device 'cuda' needs a GPU, and PyTorch finds none. Take 'cpu'")
    chosen = "cpu" if device == "cpu" or not there else "cuda"
    torch.set_num_threads(1)
    number = torch.zeros(1, device=chosen, requires_grad=True)
    number.sum().backward()
    torch.optim.Adam([number], fused=True).step()
    return chosen
