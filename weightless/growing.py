"""Rows that are appended for ever at a cost that does not depend on how many there are."""

from __future__ import annotations

import numpy as np


class GrowingRows:
    """An array whose first axis grows by doubling: appending a row is O(1), amortised.

    Args:
        width: values in a row.
        dtype: of the values.
    """

    def __init__(self, width: int, dtype: type) -> None:
        self._array: np.ndarray = np.zeros((0, width), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> np.ndarray:
        """The rows so far [count, width], a view that later appends do not extend."""
        return self._array[: self._count]

    @property
    def nbytes(self) -> int:
        """Bytes held, room to grow among them: at most twice what the rows need."""
        return self._array.nbytes

    def append(self, rows: np.ndarray) -> None:
        """Add `rows` [n, width] at the end."""
        needed = self._count + len(rows)
        if needed > len(self._array):
            grown = np.zeros(
                (max(needed, 2 * len(self._array)), self._array.shape[1]), self._array.dtype
            )
            grown[: self._count] = self.rows
            self._array = grown
        self._array[self._count : needed] = rows
        self._count = needed
