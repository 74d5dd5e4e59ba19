"""How every kernel is compiled: for this machine, once, the machine code cached on disk."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """The function as machine code, compiled at its first call and cached for later processes.

    The cache is beside the source, or in the user's cache folder if that is read-only. Numba only
    checks the file of the function; here all other files of its package and of `weightless` count,
    too, since a kernel includes the functions it calls. It runs without the interpreter's lock. A
    division by zero gives inf, not an error.
    """
    kernel: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    if hasattr(kernel, "_cache"):  # not with NUMBA_DISABLE_JIT
        file = Path(function.__code__.co_filename)
        package, *inner = function.__module__.split(".")
        stored = kernel._cache._cache_file  # of numba 0.68, for which there is no public way
        code = code_of(file.parents[len(inner)], (package, "weightless"))
        stored._source_stamp = (stored._source_stamp, code)
    return kernel


@cache
def code_of(root: Path, packages: tuple[str, ...]) -> str:
    """SHA-256 over all modules of these packages, folders in `root`."""
    files = sorted(file for package in packages for file in (root / package).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
