"""How a kernel is compiled: for this machine, once, the machine code kept on disk."""

from __future__ import annotations

from typing import Any

from weightless.compiled import compiled

PACKAGES = ("recbench", "weightless", "PerUser", "Collaborative", "Baselines")


def numeric(function: Any) -> Any:
    """The function as machine code, cached on disk; a division by zero gives inf, not an error."""
    return compiled(function, PACKAGES, error_model="numpy")
