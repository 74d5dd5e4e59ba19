"""The sums of nearest neighbours, compiled: Surprise's take minutes on a million ratings.

They are Surprise's own, term by term and in its order, so that the results are the same. "Rows"
are users and "columns" movies for user-based neighbours, the reverse for item-based ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recbench.matrix_product import numeric


@dataclass(frozen=True)
class Lists:
    """A sparse matrix by its rows.

    Attributes:
        start: int64 [rows + 1]; the entries of row k are those from start[k] to start[k + 1].
        other: int64 [entries], their columns, ascending within a row.
        value: float64 [entries].
    """

    start: np.ndarray
    other: np.ndarray
    value: np.ndarray

    @staticmethod
    def of(key: np.ndarray, other: np.ndarray, value: np.ndarray, rows: int) -> Lists:
        """From entries in any order: their row, their column and their value, each [entries]."""
        order = np.lexsort((other, key))
        start = np.concatenate(([0], np.cumsum(np.bincount(key, minlength=rows))))
        return Lists(start, other[order].astype(np.int64), value[order].astype(np.float64))

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.start, self.other, self.value

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays)


def correlations(by_row: Lists, by_column: Lists, shrinkage: float) -> np.ndarray:
    """ρ_xy (n_xy − 1) / (n_xy − 1 + shrinkage), float64 [rows, rows]; see `NeighbourModel`.

    Args:
        by_row, by_column: the residuals, the same ones in both.
        shrinkage: in ratings.
    """
    return _similarities(*by_row.arrays, *by_column.arrays, True, shrinkage)


def closeness(by_row: Lists, by_column: Lists) -> np.ndarray:
    """1 / (1 + mean squared difference), float64 [rows, rows]; of the stars in both lists."""
    return _similarities(*by_row.arrays, *by_column.arrays, False, 0.0)


def neighbour_means(
    row: np.ndarray, column: np.ndarray, similarity: np.ndarray, residuals: Lists, neighbours: int
) -> np.ndarray:
    """The mean residual of the nearest rows in a column, weighted by similarity, float64 [n].

    Args:
        row, column: int64 [n], what is asked for.
        similarity: float64 [rows, rows].
        residuals: by column.
        neighbours: how many rows with a positive similarity at most; of equal ones the first.

    Returns:
        Zero where there is no such row.
    """
    return _means(row, column, similarity, *residuals.arrays, neighbours)


@numeric
def _similarities(
    start: Any,
    columns: Any,
    values: Any,
    column_start: Any,
    rows: Any,
    column_values: Any,
    correlation: bool,
    shrinkage: float,
) -> Any:
    n = len(start) - 1
    similarity = np.zeros((n, n))
    common = np.zeros(n, np.int64)
    # Products and squares of both, over what two rows have in common; or squared differences.
    product, own_square, square = np.zeros(n), np.zeros(n), np.zeros(n)
    for x in range(n):
        common[x:], product[x:], own_square[x:], square[x:] = 0, 0.0, 0.0, 0.0
        for entry in range(start[x], start[x + 1]):
            column, value = columns[entry], values[entry]
            for place in range(column_start[column + 1] - 1, column_start[column] - 1, -1):
                y = rows[place]
                if y <= x:  # the matrix is symmetric
                    break
                other = column_values[place]
                common[y] += 1
                if correlation:
                    product[y] += value * other
                    own_square[y] += value * value
                    square[y] += other * other
                else:
                    square[y] += (value - other) * (value - other)
        similarity[x, x] = 1.0
        for y in range(x + 1, n):
            if correlation:
                scale = np.sqrt(own_square[y] * square[y])
                # With one rating in common the correlation is 1 or −1, whatever they are.
                if common[y] < 2 or scale == 0.0:
                    continue
                support = common[y] - 1
                similarity[x, y] = product[y] / scale * (support / (support + shrinkage))
            elif common[y]:
                similarity[x, y] = 1.0 / (square[y] / common[y] + 1.0)
            similarity[y, x] = similarity[x, y]
    return similarity


@numeric
def _means(
    row: Any,
    column: Any,
    similarity: Any,
    start: Any,
    rows: Any,
    values: Any,
    neighbours: int,
) -> Any:
    means = np.zeros(len(row))
    nearest, their_value = np.empty(neighbours), np.empty(neighbours)  # nearest first
    for asked in range(len(row)):
        to_others = similarity[row[asked]]
        found = 0
        for place in range(start[column[asked]], start[column[asked] + 1]):
            weight = to_others[rows[place]]
            if weight <= 0.0 or (found == neighbours and weight <= nearest[found - 1]):
                continue
            found = min(found + 1, neighbours)
            at = found - 1  # of the last, which is new or falls out
            while at > 0 and nearest[at - 1] < weight:
                nearest[at], their_value[at] = nearest[at - 1], their_value[at - 1]
                at -= 1
            nearest[at], their_value[at] = weight, values[place]
        weights, total = 0.0, 0.0
        for at in range(found):
            weights += nearest[at]
            total += nearest[at] * their_value[at]
        if found:
            means[asked] = total / weights
    return means
