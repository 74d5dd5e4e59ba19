"""Columns that are appended for ever at a cost that does not depend on how many there are."""

from __future__ import annotations

import numpy as np


class GrowingPlanes:
    """An array [planes, room] whose last axis grows by doubling.

    Appending a column is O(1), amortised. A plane is one value of every column, side by side.

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
        """What has been appended [planes, count]: a view, which later appends do not extend."""
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
        """Take out column `at`; those after it move up, and nothing of it is left in the room.

        Raises:
            IndexError: there is no such column.
        """
        if not 0 <= at < self._count:
            raise IndexError(f"column {at} of {self._count}")
        self.array[:, at : self._count - 1] = self.array[:, at + 1 : self._count]
        self._count -= 1
        self.array[:, self._count] = 0

    def restore(self, columns: np.ndarray) -> None:
        """Hold `columns` [planes, n] and nothing else.

        Raises:
            ValueError: of another number of planes, or another dtype.
        """
        planes, dtype = len(self.array), self.array.dtype
        if columns.ndim != 2 or len(columns) != planes or columns.dtype != dtype:
            raise ValueError(
                f"{dtype} of shape ({planes}, n) was expected, got {columns.dtype} of shape "
                f"{columns.shape}"
            )
        self.array = np.array(columns, order="C")
        self._count = columns.shape[1]
