"""How a kernel is compiled: for this machine, once, the machine code kept on disk."""

from __future__ import annotations

from typing import Any

import numba


def numeric(function: Any) -> Any:
    """The function as machine code, cached on disk; a division by zero gives inf, not an error."""
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
