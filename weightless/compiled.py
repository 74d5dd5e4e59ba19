"""How every kernel is compiled: for this machine, once, the machine code cached on disk."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """The function as machine code, compiled at its first call and cached for later processes.

    The cache lies beside the source, or in the user's cache directory where that cannot be
    written. numba compares the file in which the function stands; here also all that this file
    imports of its own package and of `weightless` counts, for a kernel contains what it calls. The
    interpreter's lock is not held while it runs. A division by zero gives inf, not an error.
    """
    kernel: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    if hasattr(kernel, "_cache"):  # not with NUMBA_DISABLE_JIT
        file = Path(function.__code__.co_filename)
        package, *inner = function.__module__.split(".")
        stored = kernel._cache._cache_file  # of numba 0.68, for which there is no public way
        code = code_of(file, file.parents[len(inner)], (package, "weightless"))
        stored._source_stamp = (stored._source_stamp, code)
    return kernel


@cache
def code_of(file: Path, root: Path, packages: tuple[str, ...]) -> str:
    """SHA-256 over a file and the modules of `packages`, folders or files in `root`, that it
    imports, directly or not."""
    waiting, digests = [file], dict[Path, str]()
    while waiting:
        one = waiting.pop()
        if one not in digests:
            digests[one], imported = _read(one, root, packages)
            waiting += imported
    return hashlib.sha256("".join(sorted(digests.values())).encode()).hexdigest()


@cache
def _read(file: Path, root: Path, packages: tuple[str, ...]) -> tuple[str, list[Path]]:
    """SHA-256 of a file, and the files that it imports; of a package all that are in its folder."""
    text = file.read_bytes()
    found = re.findall(rb"^\s*(?:from|import)\s+([\w.]+)", text, re.MULTILINE)
    names = [name.split(".") for name in map(bytes.decode, found)]
    paths = [root.joinpath(*name) for name in names if name[0] in packages]
    modules = [one.with_suffix(".py") for one in paths if not one.is_dir()]
    modules += [module for one in paths if one.is_dir() for module in sorted(one.glob("*.py"))]
    return hashlib.sha256(text).hexdigest(), [one for one in modules if one.is_file()]
