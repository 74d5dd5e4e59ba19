"""Bits in 64-bit words: bit b of a pattern is bit b % 64 of word b // 64; the rest is 0."""

from __future__ import annotations

import numpy as np


def words_for(bits: int) -> int:
    """How many 64-bit words hold so many bits."""
    return -(-bits // 64)


def pack(bits: np.ndarray) -> np.ndarray:
    """uint8 [..., bits] of 0 and 1 -> uint64 [..., words]."""
    words = words_for(bits.shape[-1])
    octets = np.packbits(bits, axis=-1, bitorder="little")  # (..., bits / 8)
    padded = np.zeros((*bits.shape[:-1], 8 * words), np.uint8)
    padded[..., : octets.shape[-1]] = octets
    return padded.view("<u8").astype(np.uint64, copy=False)


def unpack(words: np.ndarray, bits: int) -> np.ndarray:
    """uint64 [..., words] -> uint8 [..., bits] of 0 and 1."""
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=bits, bitorder="little")
