"""Arrays of numbers and a JSON header in one zip file, without code."""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

FORMAT, VERSION = "weightless", 1
LEAST_BOUND = 2**26  # bytes that any file may unpack to
MOST_PACKED = 200  # times that a larger one may be packed


def write(
    path: str | Path, kind: str, header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write a file in one step: an interrupted write leaves the old file, or none.

    Args:
        path: of the file; no suffix is added.
        kind: of the contents, checked by `read`.
        header: JSON data.
        arrays: of numbers.
    """
    about = {"format": FORMAT, "version": VERSION, "kind": kind} | header
    arrays = {"header": np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays}
    unfinished = Path(f"{path}.unfinished")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    if _packed_too_well(sum(array.nbytes for array in arrays.values()), unfinished):
        with unfinished.open("wb") as file:  # else `read` would refuse it
            np.savez(file, allow_pickle=False, **arrays)
    os.replace(unfinished, path)


def read(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays written by `write`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or of another kind.
    """
    try:
        _check_sizes(Path(path))
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("header").tobytes())
        found = header["format"], header["version"], header["kind"]
        if found != (FORMAT, VERSION, kind):
            raise ValueError("it is of another kind or version")
    except FileNotFoundError:
        raise
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, EOFError,
        NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise ValueError(f"{path} is damaged, or something else: {error}") from error
    return header, arrays


def _check_sizes(path: Path) -> None:
    """Raises ValueError before reading a file that would unpack to far more than its size. A
    pattern stored a thousand times compresses a thousandfold, so the bound is generous."""
    with zipfile.ZipFile(path) as archive:
        unpacked = 0
        for member in archive.infolist():
            unpacked += member.file_size
            with archive.open(member) as stream:
                major, minor = np.lib.format.read_magic(stream)
                read_header = getattr(np.lib.format, f"read_array_header_{major}_{minor}")
                shape, _, dtype = read_header(stream)
            if math.prod(shape) * dtype.itemsize > member.file_size:
                raise ValueError(f"{member.filename} says that it is larger than it is")
    if _packed_too_well(unpacked, path):
        raise ValueError(f"it would unpack to {unpacked:,} bytes")


def _packed_too_well(unpacked: int, file: Path) -> bool:
    return unpacked > max(LEAST_BOUND, MOST_PACKED * file.stat().st_size)
