"""What a group of neurons has stored, and how they answer from it."""

from __future__ import annotations

import numpy as np

from weightless import coin
from weightless.arch import Group
from weightless.growing import GrowingRows
from weightless.mutual_information import weights
from weightless.packing import pack, unpack, words_for

# why a neuron fired as it did
BY_DD, BY_HAMMING, BY_DEFAULT, UNDECIDED = range(4)


class Memory:
    """The patterns stored by one group of neurons, and each neuron's answers to them.

    A pattern is what the neurons read: the inputs, from the first word on, then the neighbours,
    from the next whole word on. Read unsequenced it ends with the inputs.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        self.input_words = words_for(len(group.inputs))
        words = self.input_words + words_for(len(group.neighbours))
        self.patterns = GrowingRows(words, np.uint64)
        self.answers = GrowingRows(words_for(len(group.neurons)), np.uint64)

    def __len__(self) -> int:
        return len(self.patterns)

    def store(self, inputs: np.ndarray, neighbours: np.ndarray, answers: np.ndarray) -> None:
        """Remember n patterns: uint8 [n, inputs], [n, neighbours] and [n, neurons]."""
        self.patterns.append(np.concatenate([pack(inputs), pack(neighbours)], axis=1))
        self.answers.append(pack(answers))

    def fire(
        self,
        inputs: np.ndarray,
        neighbours: np.ndarray | None,
        seed: int,
        *,
        DD: bool = True,
        Hamming: bool = True,
        Default: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Answer n patterns: uint8 [n, inputs] and [n, neighbours], or None unsequenced.

        Returns:
            The answers, uint8 [n, neurons], and why: uint8 [n, neurons] of BY_DD .. UNDECIDED.
        """
        asked = pack(inputs)
        if neighbours is not None:
            asked = np.concatenate([asked, pack(neighbours)], axis=1)
        words, n_neurons = asked.shape[1], len(self.group.neurons)
        stored = unpack(self.patterns.rows[:, :words], 64 * words)  # (patterns, bits)
        answers = unpack(self.answers.rows, n_neurons)  # (patterns, neurons)
        asked_bits = unpack(asked, 64 * words)  # (n, bits)

        fired = np.zeros((len(asked), n_neurons), np.uint8)
        why = np.full(fired.shape, UNDECIDED, np.uint8)
        if Default:
            fired[:] = coin.toss(seed, self.group.neurons, asked)
            why[:] = BY_DEFAULT
        if Hamming and len(stored):
            ones = np.ones((n_neurons, 64 * words), np.int64)
            _decide(fired, why, BY_HAMMING, asked_bits, stored, answers, ones)
        if DD and len(stored):
            both = answers.T.astype(np.int64) @ stored
            weight = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
            _decide(fired, why, BY_DD, asked_bits, stored, answers, weight)
        return fired, why


def _decide(
    fired: np.ndarray,
    why: np.ndarray,
    reason: int,
    asked: np.ndarray,
    stored: np.ndarray,
    answers: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Write the answer and the reason where all the nearest agree, by distances so weighted."""
    x, p = asked.astype(np.float64), stored.astype(np.float64)  # exact: sums stay below 2**53
    for neuron, w in enumerate(weight):
        wp = p * w
        distance = (x @ w)[:, None] + wp.sum(1) - 2 * (x @ wp.T)  # (asked, patterns)
        is_one = answers[:, neuron] == 1
        to_one = distance[:, is_one].min(axis=1, initial=np.inf)  # (asked,)
        to_zero = distance[:, ~is_one].min(axis=1, initial=np.inf)
        decided = to_one != to_zero
        fired[decided, neuron] = (to_one < to_zero)[decided]
        why[decided, neuron] = reason
