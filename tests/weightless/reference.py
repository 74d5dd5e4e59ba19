"""The rules in the plainest words: one neuron, one pattern, one bit at a time.

Written to be read beside the literature, and to test everything fast against. A neuron is a
memory of (pattern, answer) pairs, as in the n-tuple method (Bledsoe & Browning 1959) and the
RAM neurons of WiSARD (Aleksander, Thomas & Bowden 1984), generalising to the nearest stored
pattern as the G-RAM does (Aleksander 1990), and taught by iconic training in a neural state
machine (Aleksander & Morton 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.arch import groups_of
from weightless.memory import L_ONE, scaled_l

MASK = 2**64 - 1
WEIGHT_ONE = 2**16  # the weight of a bit that says everything about an even answer


def hamming_distance(pattern: np.ndarray, query: np.ndarray) -> int:
    """In how many bits the two differ."""
    return int(np.sum(pattern != query))


def weight(bit: np.ndarray, answers: np.ndarray) -> int:
    """The mutual information of one bit and the answer over the stored patterns, times 2**16,
    rounded; 0 of an empty memory."""
    n = len(answers)
    if n == 0:
        return 0
    cells = sum(scaled_l(int(np.sum((bit == x) & (answers == y)))) for x in (0, 1) for y in (0, 1))
    margins = sum(scaled_l(int(np.sum(of == x))) for of in (bit, answers) for x in (0, 1))
    n_times_information = cells - margins + scaled_l(n)  # in units of 2**-32 bits
    unit = n * L_ONE // WEIGHT_ONE
    return (n_times_information + unit // 2) // unit  # rounded, a half upwards


def discriminative_distance(pattern: np.ndarray, query: np.ndarray, weights: np.ndarray) -> int:
    """The Hamming distance with bit b counted `weights[b]` times."""
    return int(np.sum(weights[pattern != query]))


def agreed(distances: list[int], answers: np.ndarray) -> int | None:
    """The answer of the nearest, if all the nearest give the same; None if they do not."""
    nearest = answers[np.array(distances) == min(distances)] if distances else answers
    return int(nearest[0]) if len(set(nearest.tolist())) == 1 else None


def fire(
    patterns: np.ndarray,
    answers: np.ndarray,
    query: np.ndarray,
    coin: int,
    *,
    DD: bool = True,
    Hamming: bool = True,
    Default: bool = True,
) -> tuple[int, str]:
    """What one neuron that has stored these patterns [patterns, bits] with these answers says to a
    query [bits], and why: "DD", "Hamming", "Default", or "undecided" with 0. `coin` is the side on
    which its coin falls, see `toss`."""
    if DD:
        weights = np.array([weight(column, answers) for column in patterns.T], dtype=int)
        answer = agreed([discriminative_distance(p, query, weights) for p in patterns], answers)
        if answer is not None:
            return answer, "DD"
    if Hamming:
        answer = agreed([hamming_distance(p, query) for p in patterns], answers)
        if answer is not None:
            return answer, "Hamming"
    return (coin, "Default") if Default else (0, "undecided")


def mix(x: int) -> int:
    """One step of splitmix64 (Steele, Lea & Flood 2014), in whole numbers."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def toss(seed: int, neuron: int, *parts: np.ndarray) -> int:
    """The coin of a neuron for what it reads: its inputs, and its neighbours if it reads those.

    Each part fills whole 64-bit numbers, its first bit the lowest.
    """
    state = mix(mix(seed) ^ neuron)
    for part in parts:
        for start in range(0, len(part), 64):
            word = sum(int(bit) << place for place, bit in enumerate(part[start : start + 64]))
            state = mix(state ^ word)
    return state >> 63


class ReferenceAgent:
    """A state machine of such neurons: learns with a label, answers without.

    It takes the calls of `agent.Agent` as far as labels go.
    """

    def __init__(self, arch: Any, seed: int = 0) -> None:
        self.arch = arch
        self.seed = seed
        self.state = np.zeros(arch.n_total, np.uint8)
        self.why: dict[int, str] = {}
        self.memory: dict[int, list[tuple[np.ndarray, np.ndarray, int]]] = {
            int(neuron): [] for neuron in (*arch.Q__flat, *arch.Z__flat)
        }

    def next_state(
        self,
        inputs: np.ndarray,
        label: np.ndarray | None = None,
        *,
        unsequenced: bool = False,
        **rules: bool,
    ) -> np.ndarray:
        """Advance by one state, learning if there is a label; the output, uint8 [n_z]."""
        before, now = self.state, np.zeros_like(self.state)
        now[self.arch.I__flat] = inputs
        for group in groups_of(self.arch):  # Q before Z, which reads Q as it is now
            read = now[group.inputs]
            neighbours = before[group.neighbours] * (not unsequenced)
            values = now[group.dominant]
            if label is not None and group.layer == "Z":
                values = label[group.places]
            for neuron, value in zip(group.neurons, values, strict=True):
                memory = self.memory[int(neuron)]
                if label is not None:
                    memory.append((read, neighbours, value))
                    now[neuron], self.why[int(neuron)] = value, "label"
                    continue
                parts = (read,) if unsequenced else (read, neighbours)
                query = np.concatenate(parts)
                patterns = [np.concatenate([i, n])[: len(query)] for i, n, _ in memory]
                now[neuron], self.why[int(neuron)] = fire(
                    np.array(patterns, np.uint8).reshape(len(memory), len(query)),
                    np.array([value for _, _, value in memory], np.uint8),
                    query,
                    toss(self.seed, int(neuron), *parts),
                    **rules,
                )
        self.state = now
        return now[self.arch.Z__flat]
