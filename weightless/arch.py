"""The architecture of an agent: its neurons, and which neurons each one reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Connector = Callable[["Arch", int], tuple[Sequence[int], Sequence[int]]]

LABEL, PLEASURE, PAIN = 0, 1, 2  # places in the first channel of C

# rows of a datamatrix
TYPE, INPUTS, NEIGHBOURS, CONTROLS, DOMINANT = range(5)


class Arch:
    """Four sets of neurons, and the connections between them.

    I takes the external input. Q, the state, has the same channels as I; the dominant connection of
    a Q neuron is the I neuron at its place. Z is the output; its dominant connection is its own
    last value. C controls learning: label, pleasure (C+) and pain (C-) in the first channel, then
    the instincts of `arch_c`. Ids run through I, Q, Z, C.

    The names are those of AO Labs' `ao_arch` (MIT), so an `Agent` accepts either object.

    Args:
        arch_i: sizes of the input channels, such as [10, 3, 3, 10].
        arch_z: sizes of the output channels.
        arch_c: sizes of further control channels, of instinct neurons.
        connector_function: "full_conn", "forward_full_conn", "forward_forward_conn",
            "rand_conn", or a function (arch, neuron id) -> (input ids, neighbour ids).
        connector_parameters: for "rand_conn": (q_in, q_ne, z_in, z_ne).
        description: free text.
        seed: of "rand_conn".

    Attributes:
        I, Q, Z, C: lists of channels, each a list of ids.
        I__flat, Q__flat, Z__flat, C__flat: the same without channels.
        n_total: number of neurons.
        datamatrix: object [5, n_total]: type, input, neighbour and control connections (lists of
            ids), and the dominant connection (an id; of an instinct neuron, its rule or None).

    Raises:
        ValueError: a channel size that is not positive, no channel, an unknown connector,
            unsuitable `connector_parameters`, or a connector that names neurons outside the layer
            it reads.
    """

    def __init__(
        self,
        arch_i: Sequence[int],
        arch_z: Sequence[int],
        arch_c: Sequence[int] = (),
        connector_function: str | Connector = "full_conn",
        connector_parameters: Sequence[int] = (),
        description: str = "",
        seed: int = 0,
    ) -> None:
        self.arch_i = _sizes("arch_i", arch_i)
        self.arch_z = _sizes("arch_z", arch_z)
        self.arch_c = _sizes("arch_c", arch_c, may_be_empty=True)
        self.connector_function = connector_function
        self.connector_parameters = tuple(connector_parameters)
        self.description = description
        self.seed = seed

        ids = itertools.count()
        self.I, self.Q, self.Z, self.C = (
            [list(itertools.islice(ids, size)) for size in sizes]
            for sizes in (self.arch_i, self.arch_i, self.arch_z, [3, *self.arch_c])
        )
        self.I__flat, self.Q__flat, self.Z__flat, self.C__flat = (
            list(itertools.chain(*channels)) for channels in (self.I, self.Q, self.Z, self.C)
        )
        self.n_total = next(ids)
        channels = (*self.I, *self.Q, *self.Z, *self.C)
        self._channel_of = {neuron: channel for channel in channels for neuron in channel}
        self.datamatrix = self._connect()

    def is_q(self, neuron: int) -> bool:
        """Whether the neuron with this id is a state neuron."""
        return self.Q__flat[0] <= neuron <= self.Q__flat[-1]

    def channel_of(self, neuron: int) -> list[int]:
        """Ids of this neuron's channel, itself included."""
        return self._channel_of[neuron]

    def set_instinct(self, neuron: int, rule: Callable[[np.ndarray, Any], Any]) -> None:
        """Set the rule by which an instinct neuron fires.

        Args:
            neuron: its id, one of `C[1:]`.
            rule: a function (input uint8 [n_i], agent) -> whether it fires, called before the state
                is computed; `agent.story[-1]` is then the previous state. It may also return
                (whether, a remark), like rules for AO Labs' agents.

        Raises:
            ValueError: the neuron is not an instinct neuron.
        """
        if neuron not in self.C__flat[3:]:
            raise ValueError(f"neuron {neuron} is no instinct neuron; those are {self.C__flat[3:]}")
        self.datamatrix[DOMINANT, neuron] = rule

    def _connect(self) -> np.ndarray:
        connector = _connector(self.connector_function, self.connector_parameters)
        matrix = np.full((5, self.n_total), None, dtype=object)
        for name in "IQZC":
            for neuron in getattr(self, f"{name}__flat"):
                matrix[:DOMINANT, neuron] = [name, [], [], []]
        layers = (
            (self.Q__flat, self.I__flat, self.I__flat),
            (self.Z__flat, self.Q__flat, self.Z__flat),
        )
        for layer, before, dominants in layers:
            for neuron, dominant in zip(layer, dominants, strict=True):
                inputs, neighbours = (list(map(int, ids)) for ids in connector(self, neuron))
                if not (set(inputs) <= set(before) and set(neighbours) <= set(layer)):
                    raise ValueError(
                        f"the connector gives neuron {neuron} inputs {inputs} and neighbours "
                        f"{neighbours}; inputs are among {before[0]}..{before[-1]}, "
                        f"neighbours among {layer[0]}..{layer[-1]}"
                    )
                matrix[INPUTS:, neuron] = [inputs, neighbours, list(self.C__flat), dominant]
        return matrix


# Connectors: functions of the architecture and a neuron's id that return two lists of ids: the
# neuron's inputs, in the layer before it, and its neighbours, in its own layer, read in the state
# before. The names are those of AO Labs' `ao_arch`.


def full_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """All neurons of the previous layer; all of its own."""
    return (arch.I__flat, arch.Q__flat) if arch.is_q(neuron) else (arch.Q__flat, arch.Z__flat)


def forward_full_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """All neurons of the previous layer; its own channel."""
    inputs, _ = full_conn(arch, neuron)
    return inputs, arch.channel_of(neuron)


def forward_forward_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """Q: the I channel that corresponds to its own; Z: all Q. Then its own channel."""
    own = arch.channel_of(neuron)
    return (arch.I[arch.Q.index(own)] if arch.is_q(neuron) else arch.Q__flat), own


def rand_conn(arch: Arch, neuron: int) -> tuple[Sequence[int], Sequence[int]]:
    """Neurons drawn at random, as many as `connector_parameters` = (q_in, q_ne, z_in, z_ne).

    The draw depends only on the architecture's seed and the neuron. A number above the size of the
    layer takes the whole layer.
    """
    parameters = arch.connector_parameters
    sizes = parameters[:2] if arch.is_q(neuron) else parameters[2:]
    rng = np.random.default_rng([arch.seed, neuron])
    inputs, neighbours = (
        sorted(rng.choice(layer, min(size, len(layer)), replace=False).tolist())
        for layer, size in zip(full_conn(arch, neuron), sizes, strict=True)
    )
    return inputs, neighbours


CONNECTORS: dict[str, Connector] = {
    connector.__name__: connector
    for connector in (full_conn, forward_full_conn, forward_forward_conn, rand_conn)
}


@dataclass(frozen=True)
class Group:
    """Neurons of one layer with the same inputs that learn at the same times.

    They share stored patterns; each has its own answers.

    Attributes:
        layer: "Q" or "Z".
        neurons: int64 [neurons], their ids.
        inputs: int64 [inputs], ids read in the previous layer, in the current state.
        neighbours: int64 [neighbours], ids read in their own layer, in the previous state.
        controls: places in C of the control neurons that make them learn.
        dominant: int64 [neurons], the id each takes its value from when it learns.
        places: int64 [neurons], their places in Q__flat or Z__flat.
    """

    layer: str
    neurons: np.ndarray
    inputs: np.ndarray
    neighbours: np.ndarray
    controls: tuple[int, ...]
    dominant: np.ndarray
    places: np.ndarray


def groups_of(arch: Any) -> list[Group]:
    """The groups of an architecture (an `Arch` or `ao_arch.Arch`), Q before Z.

    Raises:
        ValueError: the object is not an architecture.
    """
    try:
        matrix, c_place = arch.datamatrix, {int(c): at for at, c in enumerate(arch.C__flat)}
        groups = []
        for layer, ids in (("Q", arch.Q__flat), ("Z", arch.Z__flat)):
            reading: dict[tuple[tuple[int, ...], ...], list[int]] = {}
            for place, neuron in enumerate(ids):
                key = tuple(ids_of(matrix[row, neuron]) for row in (INPUTS, NEIGHBOURS, CONTROLS))
                reading.setdefault(key, []).append(place)
            for (inputs, neighbours, controls), places in reading.items():
                neurons = np.array(ids, np.int64)[places]
                dominant = [ids_of(matrix[DOMINANT, neuron])[0] for neuron in neurons]
                groups.append(
                    Group(
                        layer,
                        neurons,
                        np.array(inputs, np.int64),
                        np.array(neighbours, np.int64),
                        tuple(sorted(c_place[neuron] for neuron in controls)),
                        np.array(dominant, np.int64),
                        np.array(places, np.int64),
                    )
                )
        return groups
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f"an architecture with I, Q, Z, C and a datamatrix of 5 rows was expected, "
            f"got {type(arch).__name__}: {error}"
        ) from error


def ids_of(entry: Any) -> tuple[int, ...]:
    """An entry of a datamatrix, one id or a list of them, as ids."""
    return tuple(int(neuron) for neuron in np.atleast_1d(np.asarray(entry, dtype=np.int64)).ravel())


def _sizes(name: str, sizes: Sequence[int], may_be_empty: bool = False) -> list[int]:
    expected = f"{name} is a list of channel sizes, each a whole number above 0"
    try:
        whole = [int(size) for size in sizes]
    except (TypeError, ValueError):
        raise ValueError(f"{expected}, not {sizes!r}") from None
    if whole != list(sizes) or min(whole, default=1) < 1:
        raise ValueError(f"{expected}, not {list(sizes)}")
    if not whole and not may_be_empty:
        raise ValueError(f"{expected}, and has at least one")
    return whole


def _connector(function: str | Connector, parameters: Sequence[int]) -> Connector:
    if callable(function):
        return function
    if function not in CONNECTORS:
        raise ValueError(
            f"no connector is named '{function}'; there are {', '.join(CONNECTORS)}, "
            "or a function (arch, neuron id) -> (input ids, neighbour ids)"
        )
    if function == "rand_conn" and not (
        len(parameters) == 4 and all(isinstance(size, int) and size >= 0 for size in parameters)
    ):
        raise ValueError(
            "rand_conn takes connector_parameters=(q_in, q_ne, z_in, z_ne), four numbers from 0 "
            f"up, not {tuple(parameters)}"
        )
    return CONNECTORS[function]
