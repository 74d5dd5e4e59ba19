"""Binary patterns in 64-bit words, stored one after another.

Bit b of a pattern is bit b % 64 of word b // 64; the rest of the last word is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.compiled import compiled


def words_for(bits: int) -> int:
    """Number of 64-bit words for this many bits."""
    return -(-bits // 64)


@compiled
def pack(bits: Any) -> Any:
    """uint8 [n, bits] of 0 and 1 -> uint64 [n, words]."""
    n, n_bits = bits.shape
    packed = np.zeros((n, (n_bits + 63) // 64), np.uint64)
    for row in range(n):
        for bit in range(n_bits):
            packed[row, bit // 64] |= np.uint64(bits[row, bit]) << np.uint64(bit % 64)
    return packed


class GrowingPlanes:
    """An array [planes, room] whose last axis grows by doubling.

    Appending a column is O(1), amortised. A plane holds one value of every column, side by side.

    Args:
        planes: values in a column.
        dtype: of the values.
    """

    def __init__(self, planes: int, dtype: type) -> None:
        self.array: np.ndarray = np.zeros((planes, 0), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def columns(self) -> np.ndarray:
        """The appended columns [planes, count]: a view, which later appends do not extend."""
        return self.array[:, : self._count]

    def append(self, columns: np.ndarray) -> None:
        """Add `columns` [planes, n] at the end."""
        needed = self._count + columns.shape[1]
        planes, room = self.array.shape
        if needed > room:
            grown = np.zeros((planes, max(needed, 2 * room)), self.array.dtype)
            grown[:, : self._count] = self.columns
            self.array = grown
        self.array[:, self._count : needed] = columns
        self._count = needed

    def remove(self, at: int) -> None:
        """Remove column `at`; those after it move up, and no trace of it is left in the array.

        Raises:
            IndexError: there is no such column.
        """
        if not 0 <= at < self._count:
            raise IndexError(f"column {at} of {self._count}")
        self.array[:, at : self._count - 1] = self.array[:, at + 1 : self._count]
        self._count -= 1
        self.array[:, self._count] = 0
