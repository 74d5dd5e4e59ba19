"""The stored patterns of a group of neurons, the weights of their bits, and the answers.

The weight of a bit is the mutual information between that bit and the answer over the stored
patterns (Shannon 1948), in bits, times 2**16, rounded. To weight bits in this way in a
nearest-neighbour search is the information-gain metric of Daelemans & van den Bosch (1992). In
counts, with L(c) = c * log2(c):

    n * I(bit; answer) = sum L(cells) - sum L(rows) - sum L(columns) + L(n)

over the 2 x 2 table of (bit, answer). L is rounded to a multiple of 2**-32 once, in a table, and
everything after that is integer arithmetic, so the order of operations changes no weight.
"""

from __future__ import annotations

import math

import numpy as np

from weightless.arch import Group
from weightless.kernels import MAX_WORDS, fire, weigh
from weightless.patterns import GrowingPlanes, pack, words_for

L_ONE = 2**32


class Memory:
    """The patterns stored by one group of neurons, and each neuron's answers to them.

    A pattern holds the inputs, from the first word on, then the neighbours, from the next whole
    word on. Unsequenced patterns end with the inputs.

    Attributes:
        patterns: uint64 planes [words, patterns].
        answers: uint64 planes [answer words, patterns], bit k the answer of the k-th neuron.

    Raises:
        ValueError: a neuron reads more bits than distances can count.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        self.words = words_for(len(group.inputs)) + words_for(len(group.neighbours))
        if self.words > MAX_WORDS:
            raise ValueError(
                f"a neuron reads at most {64 * MAX_WORDS} bits, {group.neurons[0]} more"
            )
        self.patterns = GrowingPlanes(self.words, np.uint64)
        self.answers = GrowingPlanes(words_for(len(group.neurons)), np.uint64)
        self._weights = np.zeros((len(group.neurons), 64 * self.words), np.int32)
        self._weighed = 0  # patterns that the weights are of

    def __len__(self) -> int:
        return len(self.patterns)

    def store(self, inputs: np.ndarray, neighbours: np.ndarray, answers: np.ndarray) -> None:
        """Remember n patterns: uint8 [n, inputs], [n, neighbours] and [n, neurons]."""
        self.patterns.append(np.concatenate([pack(inputs), pack(neighbours)], axis=1).T)
        self.answers.append(pack(answers).T)

    def weights(self) -> np.ndarray:
        """The weight of every bit for every neuron, int32 [neurons, 64 * words]; computed at first
        use after a pattern is stored."""
        if self._weighed != len(self):
            self._weighed, neurons = len(self), len(self.group.neurons)
            patterns, answers = self.patterns.array, self.answers.array
            table = l_table(len(self))
            self._weights = weigh(patterns, answers, len(self), 64 * self.words, neurons, table)
        return self._weights

    def fire(
        self,
        inputs: np.ndarray,
        neighbours: np.ndarray | None,
        seed: np.uint64,
        DD: bool = True,
        Hamming: bool = True,
        Default: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Answer n patterns: uint8 [n, inputs] and [n, neighbours], or None unsequenced.

        Returns:
            As `kernels.fire`.
        """
        queries = pack(inputs)
        if neighbours is not None:
            queries = np.concatenate([queries, pack(neighbours)], axis=1)
        return fire(
            self.patterns.array, self.answers.array, len(self),
            self.weights() if DD else self._weights,
            queries, seed, self.group.neurons, bool(DD), bool(Hamming), bool(Default),
        )  # fmt: skip


def scaled_l(count: int) -> int:
    """c * log2(c) in units of 2**-32, rounded; 0 for c = 0."""
    return round(count * math.log2(count) * L_ONE) if count else 0


def l_table(largest: int) -> np.ndarray:
    """`scaled_l` of 0 .. at least `largest`: int64, kept and grown by doubling."""
    global _table  # noqa: PLW0603 - one table serves every memory
    if len(_table) <= largest:
        grown = range(len(_table), max(2 * len(_table), largest + 1))
        _table = np.concatenate([_table, np.array([scaled_l(c) for c in grown], np.int64)])
    return _table


_table = np.array([scaled_l(c) for c in range(1024)], np.int64)
