"""Bits in 64-bit words: bit b of a pattern is bit b % 64 of word b // 64; the rest is 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from weightless.compiled import compiled


def words_for(bits: int) -> int:
    """How many 64-bit words hold so many bits."""
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


@compiled
def unpack(packed: Any, n_bits: Any) -> Any:
    """uint64 [n, words] -> uint8 [n, n_bits] of 0 and 1."""
    bits = np.empty((len(packed), n_bits), np.uint8)
    for row in range(len(packed)):
        for bit in range(n_bits):
            bits[row, bit] = (packed[row, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1)
    return bits
