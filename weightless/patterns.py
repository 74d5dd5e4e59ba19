"""Binary patterns, stored one after another, and how far a question is from each."""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.compiled import compiled
from weightless.growing import GrowingPlanes
from weightless.lanes import popcount
from weightless.packing import words_for


class Patterns(GrowingPlanes):
    """Packed patterns in planes: uint64 [words, patterns], the oldest first.

    Args:
        bits: of a pattern.
    """

    def __init__(self, bits: int) -> None:
        super().__init__(words_for(bits), np.uint64)

    def store(self, packed: np.ndarray) -> None:
        """Remember n patterns, uint64 [n, words], see `weightless.packing.pack`."""
        self.append(packed.T)

    def distances(self, asked: np.ndarray, words: slice = slice(None)) -> np.ndarray:
        """How many bits differ: int64 [n, patterns] of n questions, uint64 [n, words].

        Args:
            words: which words of a pattern to compare.
        """
        return _distances(self.array[words], len(self), np.ascontiguousarray(asked[:, words]))


@compiled
def _distances(planes: Any, count: Any, asked: Any) -> Any:
    differing = np.zeros((len(asked), count), np.int64)
    for question in range(len(asked)):
        row = differing[question]
        for word in range(len(planes)):
            plane, bits = planes[word][:count], asked[question, word]
            for pattern in range(len(row)):
                row[pattern] += np.int64(popcount(plane[pattern] ^ bits))
    return differing
