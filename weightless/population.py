"""Many agents of one architecture at once, each with a memory of its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from weightless import storage
from weightless.agent import Agent, bits_of
from weightless.arch import LABEL, groups_of
from weightless.coin import agent_seeds, checked_seed
from weightless.compiled import compiled
from weightless.kernels import MAX_WORDS, count, fire_many, weigh
from weightless.mutual_information import l_table
from weightless.packing import pack, unpack, words_for

PARTS_A_THREAD = 4  # so that a thread with small memories takes over from one with large ones
SHARED_FROM = 1_000_000  # comparisons, about 5 ms: below, threads cost more than they save


@dataclass(frozen=True)
class _Reading:
    """What a group reads and answers, in places of the input and label of an example."""

    neurons: np.ndarray  # int64 [neurons], ids
    inputs: np.ndarray  # int64 [bits], ids read when asked
    pattern_bits: np.ndarray  # int64 [bits], places in the input from which they are learned
    answer_bits: np.ndarray  # int64 [neurons], places in the input, or in the label
    from_label: bool


class Population:
    """Agents that learn from labelled examples and answer unsequenced.

    Each agent answers bit for bit as an `Agent` of the same architecture, taught the same with
    `unsequenced=True`, whose seed is `population.seeds[index]`, that is mix(mix(seed) ^ index),
    see `coin`. What every neuron stores follows from the input and the label of an example, so
    these are all that is kept, packed, the memories of all agents in one flat array with
    offsets. Agents are asked by several threads; their number does not change an answer.

    Args:
        arch: an `Arch` or `ao_arch.Arch`, in which a label makes every Q and Z neuron learn.
        n_agents: how many.
        seed: 0 .. 2**64 - 1.

    Attributes:
        counts: int64 [n_agents], examples each has learned.
        seeds: uint64 [n_agents].

    Raises:
        ValueError: no architecture, one in which labels do not reach every neuron, or a
            negative number of agents.
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
        self._inputs = np.zeros((words_for(self._n_i), 0), np.uint64)  # (words, room)
        self._labels = np.zeros((words_for(self._n_z), 0), np.uint64)  # (words, room)
        self._used = 0  # columns of these two that some agent holds, or has left behind
        self._starts = np.zeros(self.n_agents, np.int64)
        self._rooms = np.zeros(self.n_agents, np.int64)
        self.counts = np.zeros(self.n_agents, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes held: the packed examples, room to grow, offsets."""
        arrays = (self._inputs, self._labels, self._starts, self._rooms, self.counts, self.seeds)
        return sum(array.nbytes for array in arrays)

    def learn(self, agent_index: np.ndarray, inputs: np.ndarray, labels: np.ndarray) -> None:
        """Learn examples in the order of the rows.

        A further example costs the same however many are stored, amortised.

        Args:
            agent_index: int [n], who learns it, 0 .. n_agents - 1.
            inputs: [n, n_i] values of 0 or 1.
            labels: [n, n_z] values of 0 or 1.

        Raises:
            ValueError: shapes, values or indices other than these.
        """
        index = self._indices(agent_index)
        packed_inputs = pack(bits_of("inputs", inputs, (len(index), self._n_i)))  # (n, words)
        packed_labels = pack(bits_of("labels", labels, (len(index), self._n_z)))
        agents, which, added = np.unique(index, return_inverse=True, return_counts=True)
        self._make_room(agents, added)
        order = np.argsort(which, kind="stable")  # row order is kept within an agent
        rank = np.arange(len(index)) - np.repeat(np.cumsum(added) - added, added)
        places = np.repeat(self._starts[agents] + self.counts[agents], added) + rank
        self._inputs[:, places] = packed_inputs[order].T
        self._labels[:, places] = packed_labels[order].T
        self.counts[agents] += added

    def add_agents(self, more: int) -> None:
        """So many more agents, behind those there are; each is what it would have been had there
        been as many from the start."""
        self.n_agents += more
        self.seeds = agent_seeds(self.seed, self.n_agents)
        for name in ("_starts", "_rooms", "counts"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate((old, np.zeros(more, np.int64))))

    def forget(self, agent_index: int, place: int) -> None:
        """Remove one example of one agent; its answers become those of an agent that learned the
        others, in their order.

        Args:
            place: which of its examples, in the order learned, 0 the first.

        Raises:
            ValueError: there is no such agent or example.
        """
        (agent,) = self._indices(np.array([agent_index]))
        held = int(self.counts[agent])
        if not 0 <= place < held:
            raise ValueError(f"agent {agent_index} has {held} examples, so none at {place}")
        first = int(self._starts[agent])
        for planes in (self._inputs, self._labels):
            planes[:, first + place : first + held - 1] = planes[
                :, first + place + 1 : first + held
            ]
            planes[:, first + held - 1] = 0
        self.counts[agent] -= 1

    def recall(
        self,
        agent_index: np.ndarray,
        inputs: np.ndarray,
        DD: bool = True,
        Hamming: bool = True,
        Default: bool = True,
        *,
        threads: int | None = None,
    ) -> np.ndarray:
        """Answer questions; asking changes nothing.

        Args:
            agent_index: int [m], who is asked, 0 .. n_agents - 1.
            inputs: [m, n_i] values of 0 or 1.
            DD, Hamming, Default: the firing rules to use, as in `Agent.next_state`.
            threads: how many share the agents asked; None: one a core. The answers are the same.

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
        table = l_table(int(self.counts.max(initial=0)))
        for reading in self._readings:  # Q before Z, which reads Q as it is now
            fired = np.empty((len(index), len(reading.neurons)), np.uint8)
            arguments = (
                self._inputs, self._labels if reading.from_label else self._inputs,
                self._starts, self.counts, self.seeds, agents, bounds,
                pack(states[:, reading.inputs]), reading.pattern_bits, reading.answer_bits,
                reading.neurons, table, bool(DD), bool(Hamming), bool(Default), fired,
            )  # fmt: skip
            _share(arguments, self.counts[agents] * sizes, threads or _cores())
            states[:, reading.neurons] = fired
        output = np.empty((len(index), self._n_z), np.uint8)
        output[order] = states[:, self.arch.Z__flat]
        return output

    def examples(self, agent_index: int) -> tuple[np.ndarray, np.ndarray]:
        """What one agent has learned, in order: inputs uint8 [k, n_i], labels uint8 [k, n_z]."""
        (agent,) = self._indices(np.array([agent_index]))
        held = slice(self._starts[agent], self._starts[agent] + self.counts[agent])
        return (
            unpack(np.ascontiguousarray(self._inputs[:, held].T), self._n_i),
            unpack(np.ascontiguousarray(self._labels[:, held].T), self._n_z),
        )

    def agent(self, agent_index: int) -> Agent:
        """One of them by itself: an `Agent` that answers as it does."""
        inputs, labels = self.examples(agent_index)
        agent = Agent(self.arch, seed=int(self.seeds[agent_index]))
        agent.next_state_batch(inputs, labels, unsequenced=True)
        return agent

    def save(self, path: str | Path) -> None:
        """Write the population to one file: architecture, and the examples of every agent."""
        held = self._places(self._starts)
        arrays = {
            "counts": self.counts,
            "inputs": self._inputs[:, held],
            "labels": self._labels[:, held],
        }
        header = {
            "arch": storage.describe(self.arch),
            "n_agents": self.n_agents,
            "seed": int(self.seed),
        }
        storage.write(path, "population", header, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The population that was saved there.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged, foreign or of another version.
        """
        header, arrays = storage.read(path, "population")
        try:
            population = cls(
                storage.restore(header["arch"]), header["n_agents"], seed=header["seed"]
            )
            counts, inputs, labels = arrays["counts"], arrays["inputs"], arrays["labels"]
            n = int(counts.sum())
            for array, like, shape in (
                (counts, population.counts, (population.n_agents,)),
                (inputs, population._inputs, (len(population._inputs), n)),
                (labels, population._labels, (len(population._labels), n)),
            ):
                if array.dtype != like.dtype or array.shape != shape:
                    raise ValueError(
                        f"{like.dtype} of shape {shape} was expected, "
                        f"got {array.dtype} of shape {array.shape}"
                    )
            if counts.min(initial=0) < 0:
                raise ValueError("negative counts")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"{path} does not hold a whole population: {error}") from error
        population.counts, population._rooms = counts, counts.copy()
        population._starts, population._used = np.cumsum(counts) - counts, n
        population._inputs, population._labels = inputs, labels
        return population

    def _indices(self, agent_index: np.ndarray) -> np.ndarray:
        index = np.asarray(agent_index)
        if index.ndim != 1 or not (np.issubdtype(index.dtype, np.integer) or not index.size):
            raise ValueError(
                f"agent_index: whole numbers [n] were expected, got {index.dtype} of "
                f"shape {index.shape}"
            )
        if index.size and not 0 <= index.min() <= index.max() < self.n_agents:
            raise ValueError(
                f"agent_index: 0 .. {self.n_agents - 1} were expected, "
                f"got {index.min()} .. {index.max()}"
            )
        return index.astype(np.int64)

    def _make_room(self, agents: np.ndarray, added: np.ndarray) -> None:
        """Move agents whose room is full to the end, with twice the room they had."""
        needed = self.counts[agents] + added
        full = needed > self._rooms[agents]
        moving, needed = agents[full], needed[full]
        rooms = np.maximum(needed, 2 * self._rooms[moving])
        held = self._rooms.sum()
        if self._used + rooms.sum() > self._inputs.shape[1]:
            # A new array without what was left behind. It has as much room to spare as there
            # was, so it lasts for as many examples as were moved into it.
            wanted = self._rooms.copy()
            wanted[moving] = rooms
            self._lay_out(np.cumsum(wanted) - wanted, wanted, int(wanted.sum() + held))
        elif len(moving):
            starts, all_rooms = self._starts.copy(), self._rooms.copy()
            starts[moving] = self._used + np.cumsum(rooms) - rooms
            all_rooms[moving] = rooms
            for agent in moving:
                old = slice(self._starts[agent], self._starts[agent] + self.counts[agent])
                new = slice(starts[agent], starts[agent] + self.counts[agent])
                self._inputs[:, new] = self._inputs[:, old]
                self._labels[:, new] = self._labels[:, old]
            self._starts, self._rooms = starts, all_rooms
            self._used += int(rooms.sum())

    def _lay_out(self, starts: np.ndarray, rooms: np.ndarray, size: int) -> None:
        """Copy every memory to a new array, agent after agent."""
        old, new = self._places(self._starts), self._places(starts)
        for name in ("_inputs", "_labels"):
            planes = getattr(self, name)
            moved = np.zeros((len(planes), size), np.uint64)
            moved[:, new] = planes[:, old]
            setattr(self, name, moved)
        self._starts, self._rooms, self._used = starts, rooms, int(rooms.sum())

    def _places(self, starts: np.ndarray) -> np.ndarray:
        """The columns of all examples, agent after agent, if memories begin at `starts`."""
        ranks = np.arange(self.counts.sum()) - np.repeat(
            np.cumsum(self.counts) - self.counts, self.counts
        )
        return np.repeat(starts, self.counts) + ranks


def _readings(arch: Any) -> list[_Reading]:
    readings = []
    i_place = {int(neuron): place for place, neuron in enumerate(arch.I__flat)}
    z_place = {int(neuron): place for place, neuron in enumerate(arch.Z__flat)}
    for group in groups_of(arch):
        if LABEL not in group.controls or len(group.inputs) > 64 * MAX_WORDS:
            raise ValueError(
                f"in a population a label makes every neuron learn, and each reads at most "
                f"{64 * MAX_WORDS} bits; neuron {group.neurons[0]} does not"
            )
        if group.layer == "Q":
            i_place |= {
                int(neuron): i_place[int(dominant)]  # what a Q neuron is while it learns
                for neuron, dominant in zip(group.neurons, group.dominant, strict=True)
            }
        place_of = i_place if group.layer == "Q" else z_place
        readings.append(
            _Reading(
                group.neurons,
                group.inputs,
                np.array([i_place[int(neuron)] for neuron in group.inputs], np.int64),
                np.array([place_of[int(neuron)] for neuron in group.neurons], np.int64),
                group.layer == "Z",
            )
        )
    return readings


def _share(arguments: tuple[Any, ...], comparisons: np.ndarray, threads: int) -> None:
    """`_recall` of all agents, by so many threads; the kernels do not hold the interpreter."""
    if threads == 1 or comparisons.sum() < SHARED_FROM:
        _recall(0, len(comparisons), *arguments)
        return
    done = np.cumsum(comparisons)
    cuts = np.searchsorted(done, np.linspace(0, done[-1], PARTS_A_THREAD * threads + 1)[1:-1])
    edges = [0, *cuts.tolist(), len(done)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first, last: _recall(first, last, *arguments), edges[:-1], edges[1:]))


def _cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@compiled
def _recall(
    first: Any, last: Any, inputs: Any, answering: Any, starts: Any, counts: Any, seeds: Any,
    agents: Any, bounds: Any, asked: Any, pattern_bits: Any, answer_bits: Any, neurons: Any,
    table: Any, DD: Any, Hamming: Any, Default: Any, fired: Any,
) -> None:  # fmt: skip
    """One group of neurons of agents[first:last]; questions bounds[a] .. bounds[a + 1] are a's.

    Args:
        inputs, answering: uint64 planes [words, room].
        asked: uint64 [m, words], fired: uint8 [m, neurons], filled.
    """
    words = asked.shape[1]
    for at in range(first, last):
        agent = agents[at]
        n = counts[agent]
        patterns = _gather(inputs, starts[agent], n, pattern_bits)
        answers = _gather(answering, starts[agent], n, answer_bits)
        weights = np.zeros((len(neurons), 64 * words), np.int32)
        if DD and n > 0:
            ones = np.zeros(len(pattern_bits), np.int64)
            answer_ones = np.zeros(len(neurons), np.int64)
            both = np.zeros((len(neurons), len(pattern_bits)), np.int64)
            count(patterns, answers, 0, n, ones, answer_ones, both)
            weigh(n, ones, answer_ones, both, table, weights)
        mine = slice(bounds[at], bounds[at + 1])
        why = np.empty(fired[mine].shape, np.uint8)
        fire_many(
            patterns, answers, 0, n, weights, asked[mine], seeds[agent], neurons,
            DD, Hamming, Default, fired[mine], why,
        )  # fmt: skip


@compiled
def _gather(planes: Any, start: Any, n: Any, bits: Any) -> Any:
    """The given bits of columns start .. start + n, packed anew: uint64 [words, n]."""
    gathered = np.zeros(((len(bits) + 63) // 64, n), np.uint64)
    for to in range(len(bits)):
        source, target = planes[bits[to] // 64], gathered[to // 64]
        down, up = np.uint64(bits[to] % 64), np.uint64(to % 64)
        for pattern in range(n):
            target[pattern] |= ((source[start + pattern] >> down) & np.uint64(1)) << up
    return gathered
