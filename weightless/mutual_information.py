"""How much an input bit says about a neuron's answer, as an integer weight.

The weight of a bit is the mutual information between that bit and the answer over the stored
patterns (Shannon 1948), in bits, times 2**16, rounded. Weighting the bits of a memory so for the
search of the nearest is the information-gain metric of Daelemans & van den Bosch (1992). In
counts, with L(c) = c * log2(c):

    n * I(bit; answer) = sum L(cells) - sum L(rows) - sum L(columns) + L(n)

over the 2 x 2 table of (bit, answer). L is rounded to a multiple of 2**-32 once, in a table, and
everything after that is integer arithmetic: no order of operations can change a weight.
"""

from __future__ import annotations

import math

import numpy as np

WEIGHT_ONE = 2**16  # the weight of a bit that says everything about an even answer
L_ONE = 2**32


def scaled_l(count: int) -> int:
    """c * log2(c) in units of 2**-32, rounded; 0 for no count."""
    return round(count * math.log2(count) * L_ONE) if count else 0


def l_table(largest: int) -> np.ndarray:
    """`scaled_l` of 0 .. at least `largest`: int64, kept and grown by doubling."""
    global _table  # noqa: PLW0603 - one table serves every memory
    if len(_table) <= largest:
        grown = range(len(_table), max(2 * len(_table), largest + 1))
        _table = np.concatenate([_table, np.array([scaled_l(c) for c in grown], np.int64)])
    return _table


_table = np.array([scaled_l(c) for c in range(1024)], np.int64)


def weights(n: int, ones: np.ndarray, answer_ones: np.ndarray, both: np.ndarray) -> np.ndarray:
    """The weight of every bit for every neuron.

    Args:
        n: patterns stored, duplicates counted.
        ones: int [bits], patterns in which the bit is 1.
        answer_ones: int [neurons], patterns whose answer is 1.
        both: int [neurons, bits], patterns in which both are.

    Returns:
        int64 [neurons, bits], 0 .. 2**16; all 0 when nothing is stored.
    """
    if n == 0:
        return np.zeros(both.shape, np.int64)
    l = l_table(n)  # noqa: E741 - the L of the formula
    answer = answer_ones[:, None]  # (neurons, 1)
    cells = l[both] + l[ones - both] + l[answer - both] + l[n - ones - answer + both]
    margins = l[ones] + l[n - ones] + l[answer] + l[n - answer]
    information = cells - margins + l[n]  # (neurons, bits), n * I * 2**32
    return (information + n * (L_ONE // WEIGHT_ONE // 2)) // (n * (L_ONE // WEIGHT_ONE))
