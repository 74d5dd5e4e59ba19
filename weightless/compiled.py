"""How every kernel is compiled: for this machine, once, the machine code kept on disk."""

from __future__ import annotations

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """The function as machine code, compiled at its first call and cached for later processes.

    The cache lies beside the source, or in the user's cache directory where that cannot be
    written. The interpreter's lock is not held while it runs.
    """
    return njit(cache=True, nogil=True)(function)
