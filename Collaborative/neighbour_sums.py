"""The sums of nearest neighbours, compiled: Surprise's take minutes on a million ratings.

They are Surprise's own, term by term and in its order, so that the results are the same. "Rows"
are users and "columns" movies for user-based neighbours, the reverse for item-based ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from recbench.compiled import numeric


def correlations(
    by_row: sparse.csr_array, by_column: sparse.csr_array, shrinkage: float
) -> np.ndarray:
    """ρ_xy (n_xy − 1) / (n_xy − 1 + shrinkage), float64 [rows, rows]; see `NeighbourModel`.

    Args:
        by_row: residuals [rows, columns], the columns of a row in ascending order.
        by_column: its transpose, likewise.
        shrinkage: in ratings.
    """
    return _similarities(*_arrays(by_row), *_arrays(by_column), True, shrinkage)


def closeness(by_row: sparse.csr_array, by_column: sparse.csr_array) -> np.ndarray:
    """1 / (1 + mean squared difference), float64 [rows, rows], of stars."""
    return _similarities(*_arrays(by_row), *_arrays(by_column), False, 0.0)


def neighbour_means(
    row: np.ndarray,
    column: np.ndarray,
    similarity: np.ndarray,
    residuals: sparse.csr_array,
    neighbours: int,
    damping: float = 0.0,
) -> np.ndarray:
    """The mean residual of the nearest rows in a column, weighted by similarity, float64 [n].

    Args:
        row, column: int64 [n], what is asked for.
        similarity: float64 [rows, rows].
        residuals: [columns, rows].
        neighbours: how many rows with a positive similarity at most; of equal ones the first.
        damping: added to the sum of the weights.

    Returns:
        Zero where there is no such row.
    """
    return _means(row, column, similarity, *_arrays(residuals), neighbours, damping)


def _arrays(table: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return table.indptr, table.indices, table.data


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
    damping: float,
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
            means[asked] = total / (weights + damping)
    return means
