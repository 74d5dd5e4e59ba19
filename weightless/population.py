"""Many agents of one architecture, each with its own memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.agent import bits_of
from weightless.arch import LABEL, Group, groups_of
from weightless.coin import agent_seeds, checked_seed
from weightless.compiled import compiled
from weightless.kernels import MAX_WORDS, fire, weigh
from weightless.memory import l_table
from weightless.patterns import GrowingPlanes, pack, words_for


class Population:
    """Agents that learn and answer unsequenced, from labelled examples.

    Each agent answers bit for bit like an `Agent` of the same architecture with the same examples,
    `unsequenced=True`, and the seed `population.seeds[index]`, that is mix(mix(seed) ^ index), see
    `coin`. Input and label of an example determine what every neuron stores, so only these are
    stored, packed, in one growing array per agent.

    Args:
        arch: an `Arch` or `ao_arch.Arch`, in which a label makes every Q and Z neuron learn.
        n_agents: number of agents.
        seed: 0 .. 2**64 - 1.

    Attributes:
        seeds: uint64 [n_agents].

    Raises:
        ValueError: `arch` is not an architecture, labels do not reach every neuron in it, or the
            number of agents is negative.
    """

    def __init__(self, arch: Any, n_agents: int, *, seed: int = 0) -> None:
        if int(n_agents) != n_agents or n_agents < 0:
            raise ValueError(f"n_agents is a whole number from 0 up, not {n_agents}")
        self.arch = arch
        self.n_agents = int(n_agents)
        self.seed = checked_seed(seed)
        self.seeds = agent_seeds(self.seed, self.n_agents)
        self._readings = _readings(arch)
        self._n_i, self._n_z = len(arch.I__flat), len(arch.Z__flat)
        self._input_words = words_for(self._n_i)
        self._words = self._input_words + words_for(self._n_z)  # of an example
        self._examples = [GrowingPlanes(self._words, np.uint64) for _ in self.seeds]

    @property
    def nbytes(self) -> int:
        """Bytes of the packed examples with room to grow, and 32 per agent for its seed, its number
        of examples and their place."""
        return 32 * self.n_agents + sum(examples.array.nbytes for examples in self._examples)

    def learn(self, agent_index: np.ndarray, inputs: np.ndarray, labels: np.ndarray) -> None:
        """Learn examples in the order of the rows.

        The amortised cost of an example does not depend on the number stored.

        Args:
            agent_index: int [n], the agent that learns it, 0 .. n_agents - 1.
            inputs: [n, n_i] values of 0 or 1.
            labels: [n, n_z] values of 0 or 1.

        Raises:
            ValueError: shapes, values or indices other than these.
        """
        index = self._indices(agent_index)
        x = pack(bits_of("inputs", inputs, (len(index), self._n_i)))  # (n, words)
        y = pack(bits_of("labels", labels, (len(index), self._n_z)))
        order = np.argsort(index, kind="stable")  # row order is kept within an agent
        planes = np.concatenate([x, y], axis=1)[order].T  # (words, n)
        agents, firsts = np.unique(index[order], return_index=True)
        parts = np.split(planes, firsts[1:], axis=1)  # one part, and no agent, of no row
        for agent, columns in zip(agents, parts, strict=False):
            self._examples[agent].append(columns)

    def add_agents(self, more: int) -> None:
        """Append this many agents; each equals the one it would have been in a population of that
        size from the start."""
        self.n_agents += more
        self.seeds = agent_seeds(self.seed, self.n_agents)
        self._examples += [GrowingPlanes(self._words, np.uint64) for _ in range(more)]

    def forget(self, agent_index: int, place: int) -> None:
        """Remove one example of one agent; its answers then equal those of an agent that learned
        only the others, in their order.

        Args:
            place: number of the example in the order learned, from 0.

        Raises:
            ValueError: there is no such agent or example.
        """
        (agent,) = self._indices(np.array([agent_index]))
        try:
            self._examples[agent].remove(place)
        except IndexError:
            held = f"agent {agent_index} has {len(self._examples[agent])} examples"
            raise ValueError(f"{held}, so none at {place}") from None

    def recall(
        self,
        agent_index: np.ndarray,
        inputs: np.ndarray,
        DD: bool = True,
        Hamming: bool = True,
        Default: bool = True,
    ) -> np.ndarray:
        """Answer queries; queries change nothing.

        Args:
            agent_index: int [m], the agent queried, 0 .. n_agents - 1.
            inputs: [m, n_i] values of 0 or 1.
            DD, Hamming, Default: the firing rules to use, as in `Agent.next_state`.

        Returns:
            The outputs Z, uint8 [m, n_z].

        Raises:
            ValueError: shapes, values or indices other than these.
        """
        index = self._indices(agent_index)
        order = np.argsort(index, kind="stable")
        agents, sizes = np.unique(index, return_counts=True)
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        states = np.zeros((len(index), self.arch.n_total), np.uint8)
        states[:, self.arch.I__flat] = bits_of("inputs", inputs, (len(index), self._n_i))[order]
        columns = [self._examples[agent].columns for agent in agents]
        counts = np.array([part.shape[1] for part in columns], np.int64)
        planes = np.concatenate([np.empty((self._words, 0), np.uint64), *columns], axis=1)
        inputs_stored, labels = np.split(planes, [self._input_words])
        table = l_table(int(counts.max(initial=0)))
        for group, pattern_bits, answer_bits in self._readings:  # Q before Z, which reads it
            fired = np.empty((len(index), len(group.neurons)), np.uint8)
            _recall(
                inputs_stored, labels if group.layer == "Z" else inputs_stored,
                np.cumsum(counts) - counts, counts, self.seeds[agents], bounds,
                pack(states[:, group.inputs]), pattern_bits, answer_bits, group.neurons, table,
                bool(DD), bool(Hamming), bool(Default), fired,
            )  # fmt: skip
            states[:, group.neurons] = fired
        output = np.empty((len(index), self._n_z), np.uint8)
        output[order] = states[:, self.arch.Z__flat]
        return output

    def _indices(self, agent_index: np.ndarray) -> np.ndarray:
        index, expected = np.asarray(agent_index), "were expected, got"
        if index.ndim != 1 or not (np.issubdtype(index.dtype, np.integer) or not index.size):
            got = f"{index.dtype} of shape {index.shape}"
            raise ValueError(f"agent_index: whole numbers [n] {expected} {got}")
        if index.size and not 0 <= index.min() <= index.max() < self.n_agents:
            got = f"{index.min()} .. {index.max()}"
            raise ValueError(f"agent_index: 0 .. {self.n_agents - 1} {expected} {got}")
        return index.astype(np.int64)


def _readings(arch: Any) -> list[tuple[Group, np.ndarray, np.ndarray]]:
    """Each group; the places in the input of an example from which its patterns are learned, int64
    [bits]; and those of its answers, in the input for Q and in the label for Z, int64 [neurons]."""
    readings = []
    i_place = {int(neuron): place for place, neuron in enumerate(arch.I__flat)}
    for group in groups_of(arch):
        if LABEL not in group.controls or len(group.inputs) > 64 * MAX_WORDS:
            raise ValueError(
                f"in a population a label makes every neuron learn, and each reads at most "
                f"{64 * MAX_WORDS} bits; neuron {group.neurons[0]} does not"
            )
        answer_bits = group.places
        if group.layer == "Q":  # while it learns it is what its dominant neuron is
            answer_bits = np.array([i_place[int(neuron)] for neuron in group.dominant], np.int64)
            i_place |= dict(zip(group.neurons.tolist(), answer_bits.tolist(), strict=True))
        pattern_bits = np.array([i_place[int(neuron)] for neuron in group.inputs], np.int64)
        readings.append((group, pattern_bits, answer_bits))
    return readings


@compiled
def _recall(
    inputs: Any, answering: Any, starts: Any, counts: Any, seeds: Any, bounds: Any, queries: Any,
    pattern_bits: Any, answer_bits: Any, neurons: Any, table: Any, DD: Any, Hamming: Any,
    Default: Any, fired: Any,
) -> None:  # fmt: skip
    """One group of neurons of all agents; queries bounds[a] .. bounds[a + 1] are those of a."""
    for agent in range(len(counts)):
        n = counts[agent]
        patterns = _gather(inputs, starts[agent], n, pattern_bits)
        answers = _gather(answering, starts[agent], n, answer_bits)
        weighed = n if DD else 0
        weights = weigh(patterns, answers, weighed, len(pattern_bits), len(neurons), table)
        mine = slice(bounds[agent], bounds[agent + 1])
        fired[mine], _ = fire(
            patterns, answers, n, weights, queries[mine], seeds[agent], neurons,
            DD, Hamming, Default,
        )  # fmt: skip


@compiled
def _gather(planes: Any, start: Any, n: Any, bits: Any) -> Any:
    """Some bits of columns start .. start + n, packed anew: uint64 [words, n]."""
    gathered = np.zeros(((len(bits) + 63) // 64, n), np.uint64)
    for to in range(len(bits)):
        source, target = planes[bits[to] // 64], gathered[to // 64]
        down, up = np.uint64(bits[to] % 64), np.uint64(to % 64)
        for pattern in range(n):
            target[pattern] |= ((source[start + pattern] >> down) & np.uint64(1)) << up
    return gathered
