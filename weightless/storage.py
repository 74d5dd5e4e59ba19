"""Agents and populations as files: one each, a zip of plain arrays and a JSON header.

Nothing in a file is code. Rules of instincts are functions, so they are not saved; a loaded
agent has its instinct neurons, and `arch.set_instinct` gives them their rules again.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from weightless.arch import CONTROLS, DOMINANT, INPUTS, NEIGHBOURS, Arch, ids_of

FORMAT, VERSION = "weightless", 1
LEAST_BOUND = 2**26  # bytes that any file may unpack to
MOST_PACKED = 200  # times that a larger one may be packed


def write(
    path: str | Path, kind: str, header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write a file in one step: an interrupted write leaves the old file, or none.

    Args:
        path: where to; taken as it is, no suffix is added.
        kind: "agent" or "population".
        header: what JSON can hold.
        arrays: of numbers.
    """
    about = json.dumps({"format": FORMAT, "version": VERSION, "kind": kind, **header})
    unfinished = Path(f"{path}.unfinished")
    arrays = {"header": np.frombuffer(about.encode(), np.uint8), **arrays}
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    if _packed_too_well(sum(array.nbytes for array in arrays.values()), unfinished):
        with unfinished.open("wb") as file:  # else it would be refused as made to fill the memory
            np.savez(file, allow_pickle=False, **arrays)
    os.replace(unfinished, path)


def read(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, not one of ours, of another kind or of a later version.
    """
    try:
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("header").tobytes())
        about = header["format"], header["kind"], header["version"]
    except FileNotFoundError:
        raise
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, EOFError,
        NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise ValueError(f"{path} is damaged, or no {FORMAT} file: {error}") from error
    if about[0] != FORMAT:
        raise ValueError(f"{path} is no {FORMAT} file")
    if about[1] != kind:
        raise ValueError(f"{path} holds {about[1]} data, not {kind} data")
    if about[2] != VERSION:
        raise ValueError(f"{path} is of version {about[2]}; this engine reads version {VERSION}")
    return header, arrays


def _check_sizes(path: str | Path) -> None:
    """Raises ValueError for a file that would unpack to far more than it is, before it is read. A
    pattern that is stored a thousand times packs a thousandfold, so the bound is generous."""
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
    if _packed_too_well(unpacked, Path(path)):
        raise ValueError(f"it would unpack to {unpacked:,} bytes")


def _packed_too_well(unpacked: int, file: Path) -> bool:
    return unpacked > max(LEAST_BOUND, MOST_PACKED * file.stat().st_size)


def describe(arch: Any) -> dict[str, Any]:
    """An architecture, ours or an `ao_arch.Arch`, as JSON can hold it."""
    neurons = [int(neuron) for neuron in (*arch.Q__flat, *arch.Z__flat)]
    connector = getattr(arch, "connector_function", "")
    return {
        "arch_i": [len(channel) for channel in arch.I],
        "arch_z": [len(channel) for channel in arch.Z],
        "arch_c": [len(channel) for channel in arch.C[1:]],
        "connector_function": connector if isinstance(connector, str) else "",
        "connector_parameters": [int(size) for size in getattr(arch, "connector_parameters", ())],
        "description": str(getattr(arch, "description", "")),
        "seed": int(getattr(arch, "seed", 0)),
        "connections": [
            [list(ids_of(arch.datamatrix[row, neuron])) for neuron in neurons]
            for row in (INPUTS, NEIGHBOURS, CONTROLS, DOMINANT)
        ],
    }


def restore(about: dict[str, Any]) -> Arch:
    """The architecture that `describe` described, its connections as they were."""
    inputs, neighbours, controls, dominant = about["connections"]
    n_i, n_z = sum(about["arch_i"]), sum(about["arch_z"])
    arch = Arch(
        about["arch_i"],
        about["arch_z"],
        about["arch_c"],
        lambda arch, neuron: (inputs[neuron - n_i], neighbours[neuron - n_i]),
        about["connector_parameters"],
        about["description"],
        about["seed"],
    )
    arch.connector_function = about["connector_function"] or "connections as saved"
    for place, neuron in enumerate(range(n_i, 2 * n_i + n_z)):
        arch.datamatrix[CONTROLS, neuron] = controls[place]
        (arch.datamatrix[DOMINANT, neuron],) = dominant[place]
    return arch
