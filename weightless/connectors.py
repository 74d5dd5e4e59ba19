"""Connector functions: what each Q and each Z neuron reads.

A connector is a function of the architecture and a neuron's id that returns two lists of ids:
its inputs, in the layer before it (I for a Q neuron, Q for a Z neuron), and its neighbours, in
its own layer, read as they were in the state before. The names are those of AO Labs' `ao_arch`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from weightless.arch import Arch

Connector = Callable[["Arch", int], tuple[Sequence[int], Sequence[int]]]


def full_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """Everything in the layer before; everything in its own."""
    return (arch.I__flat, arch.Q__flat) if arch.is_q(neuron) else (arch.Q__flat, arch.Z__flat)


def forward_full_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """Everything in the layer before; its own channel."""
    inputs, _ = full_conn(arch, neuron)
    return inputs, arch.channel_of(neuron)


def forward_forward_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """Q: the I channel that corresponds to its own; Z: all Q. Then its own channel."""
    own = arch.channel_of(neuron)
    return (arch.I[arch.Q.index(own)] if arch.is_q(neuron) else arch.Q__flat), own


def rand_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """So many drawn at random, as `connector_parameters` = (q_in, q_ne, z_in, z_ne) says.

    The draw depends on the architecture's seed and the neuron alone. A number above the size of
    the layer takes the whole layer.
    """
    q_in, q_ne, z_in, z_ne = arch.connector_parameters
    n_inputs, n_neighbours = (q_in, q_ne) if arch.is_q(neuron) else (z_in, z_ne)
    rng = np.random.default_rng([arch.seed, neuron])

    def drawn(layer: Sequence[int], size: int) -> list[int]:
        return sorted(rng.choice(layer, min(size, len(layer)), replace=False).tolist())

    inputs, neighbours = full_conn(arch, neuron)
    return drawn(inputs, n_inputs), drawn(neighbours, n_neighbours)


CONNECTORS: dict[str, Connector] = {
    "full_conn": full_conn,
    "forward_full_conn": forward_full_conn,
    "forward_forward_conn": forward_forward_conn,
    "rand_conn": rand_conn,
}
