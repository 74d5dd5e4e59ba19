"""The random bit of a neuron whose memory does not decide: a pure function, not a stream.

It depends only on the agent's seed, the neuron's id and the pattern read, so order and threads do
not matter.

Method: the finaliser of splitmix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014), chained over seed, neuron and the 64-bit words of the pattern.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.compiled import compiled


@compiled
def mix(x: Any) -> Any:
    """One step of splitmix64: uint64 -> uint64, wrapping."""
    x += np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def toss(seed: Any, neuron: Any, pattern: Any) -> Any:
    """The random bit of a neuron for a pattern: uint8, 0 or 1.

    Args:
        seed: uint64, the agent's.
        neuron: its id.
        pattern: uint64 [words], what it reads, packed (see `patterns`).
    """
    state = mix(mix(seed) ^ np.uint64(neuron))
    for word in pattern:
        state = mix(state ^ word)
    return np.uint8(state >> np.uint64(63))


@compiled
def agent_seeds(population_seed: Any, n_agents: Any) -> Any:
    """The seeds of the agents of a population: uint64 [n_agents], mix(mix(seed) ^ index)."""
    seeds = np.empty(n_agents, np.uint64)
    for agent in range(n_agents):
        seeds[agent] = mix(mix(population_seed) ^ np.uint64(agent))
    return seeds


def checked_seed(seed: int) -> np.uint64:
    """The seed as the kernels take it.

    Raises:
        ValueError: it is not a whole number from 0 to 2**64 - 1.
    """
    if int(seed) != seed or not 0 <= seed < 2**64:
        raise ValueError(f"a seed is a whole number from 0 to 2**64 - 1, not {seed}")
    return np.uint64(seed)
