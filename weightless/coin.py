"""The coin a neuron tosses when its memory does not decide: a pure function, not a stream.

It depends on the agent's seed, the neuron's id and the pattern read alone. Asking again, in
another order or on another thread, gives the same side.

Method: the finaliser of splitmix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014), chained over seed, neuron and the 64-bit words of the pattern.
"""

from __future__ import annotations

from typing import Any

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)


def mix(x: Any) -> Any:
    """One step of splitmix64: uint64 -> uint64, elementwise, wrapping."""
    with np.errstate(over="ignore"):
        x = x + GAMMA
        x = (x ^ (x >> np.uint64(30))) * FIRST
        x = (x ^ (x >> np.uint64(27))) * SECOND
        return x ^ (x >> np.uint64(31))


def toss(seed: int, neurons: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The coin of each neuron for each pattern.

    Args:
        seed: the agent's, 0 .. 2**64 - 1.
        neurons: int [neurons], their ids.
        words: uint64 [patterns, words], what they read, packed (see `packing`).

    Returns:
        uint8 [patterns, neurons], 0 or 1.
    """
    state = mix(mix(np.uint64(seed)) ^ np.asarray(neurons).astype(np.uint64))  # (neurons,)
    state = np.broadcast_to(state, (len(words), len(state)))
    for word in words.T:
        state = mix(state ^ word[:, None])  # (patterns, neurons)
    return (state >> np.uint64(63)).astype(np.uint8)


def agent_seed(population_seed: int, agent_index: int) -> int:
    """The seed of one agent of a population: splitmix64 over the two, 0 .. 2**64 - 1."""
    return int(mix(mix(np.uint64(population_seed)) ^ np.uint64(agent_index)))
