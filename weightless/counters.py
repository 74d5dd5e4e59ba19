"""Counters of n-tuples: the state of `ntuple` and `wisard`, with rows only for addresses that
occurred.

A tuple is a group of bits of a pattern. In order, the first lowest, they form an address. For each
tuple and each learned address there is a row of integers. The rows are in one table with open
addressing: a row is searched at the place given by a hash of tuple and address, then at the next
places (linear probing; Knuth 1998, 6.4). A row of zeros is removed, and the rows behind it move up,
so no trace of it is left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from weightless import storage
from weightless.agent import bits_of
from weightless.coin import mix
from weightless.compiled import compiled

MOST_BITS = 32  # of a tuple
LEAST_ROOM = 16  # rows; a power of two, as all sizes are


def draw_tuples(bits: int, n: int, tuples: int, seed: int = 0) -> np.ndarray:
    """Tuples drawn at random, as in the n-tuple method (Bledsoe & Browning 1959).

    The bits are shuffled and dealt out, and shuffled again if fewer than n are left.

    Args:
        bits: of a pattern.
        n: bits of a tuple, at most `bits`.
        tuples: number of tuples.
        seed: of the shuffles.

    Returns:
        int32 [tuples, n], places in the pattern.

    Raises:
        ValueError: n is not within 1 .. min(bits, 32), or `tuples` is not positive.
    """
    if not 1 <= n <= min(bits, MOST_BITS) or tuples < 1:
        most = min(bits, MOST_BITS)
        raise ValueError(f"1 .. {most} of {bits} bits in 1 or more tuples, not {n} in {tuples}")
    rng, dealt = np.random.default_rng([seed, 17]), bits // n
    shuffles = [rng.permutation(bits)[: dealt * n] for _ in range(-(-tuples // dealt))]
    return np.concatenate(shuffles).reshape(-1, n)[:tuples].astype(np.int32)


def checked_tuples(tuples: np.ndarray) -> np.ndarray:
    """Tuples as the kernels take them, int32 [tuples, n].

    Raises:
        ValueError: they are not integers ≥ 0 of that shape, with n from 1 to 32.
    """
    tuples = np.asarray(tuples)
    shaped = tuples.ndim == 2 and len(tuples) and 1 <= tuples.shape[1] <= MOST_BITS
    if not shaped or not np.issubdtype(tuples.dtype, np.integer) or tuples.min() < 0:
        got = f"{tuples.dtype} of shape {tuples.shape}"
        raise ValueError(f"tuples: places from 0 up [tuples, 1 .. {MOST_BITS}] expected, got {got}")
    return np.ascontiguousarray(tuples, np.int32)


def addresses_of(bits: np.ndarray, tuples: np.ndarray) -> np.ndarray:
    """The address of each tuple in each pattern.

    Args:
        bits: [patterns, bits], values of 0 or 1.
        tuples: int [tuples, n], places in a pattern.

    Returns:
        uint8, uint16 or uint32, the smallest that holds n bits: [patterns, tuples].

    Raises:
        ValueError: a tuple reads a bit that a pattern does not have, or values are not 0 or 1.
    """
    tuples = checked_tuples(tuples)
    n, most = tuples.shape[1], int(tuples.max())
    bits = np.asarray(bits)
    if bits.ndim != 2 or bits.shape[1] <= most:
        raise ValueError(f"bits: [patterns, more than {most}] expected, got shape {bits.shape}")
    bits = bits_of("bits", bits, bits.shape)
    narrow = np.uint8 if n <= 8 else np.uint16 if n <= 16 else np.uint32
    spelled = np.empty((len(bits), len(tuples)), narrow)
    _spell(bits, tuples, spelled)
    return spelled


class Counters:
    """Rows of integers for the addresses that occurred; the base of `NTupleMemory` and `Wisard`.

    Args:
        tuples: int [tuples, n], places in a pattern, drawn by `draw_tuples` or chosen.
        columns: numbers in a row.

    Attributes:
        rows: number of rows.

    Raises:
        ValueError: no tuples, or tuples of more than 32 bits.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ()  # of the constructor, after the tuples

    def __init__(self, tuples: np.ndarray, columns: int) -> None:
        self.tuples = checked_tuples(tuples)
        self.rows = 0
        wide = len(self.tuples) << self.tuples.shape[1] > np.iinfo(np.uint32).max
        self._keys = np.zeros(LEAST_ROOM, np.int64 if wide else np.uint32)
        self._values = np.zeros((LEAST_ROOM, columns), np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and numbers, including room to grow, without the tuples, which many
        memories can share."""
        return self._keys.nbytes + self._values.nbytes

    def items(self) -> tuple[np.ndarray, np.ndarray]:
        """All rows in the order of their keys: keys [rows] (tuple · 2ⁿ + address + 1) and numbers,
        int32 [rows, columns]. Two memories are equal if these are."""
        there = np.flatnonzero(self._keys)
        there = there[np.argsort(self._keys[there])]
        return self._keys[there], self._values[there]

    def addresses(self, bits: np.ndarray) -> np.ndarray:
        """`addresses_of` patterns [n, bits] or one pattern [bits]: [n, tuples]."""
        return addresses_of(np.atleast_2d(bits), self.tuples)

    def add(self, addresses: np.ndarray, delta: np.ndarray) -> None:
        """Add `delta` (int32 [columns]) to the row of each tuple's address ([tuples])."""
        self._make_room(self.rows + len(addresses))
        n = self.tuples.shape[1]
        self.rows += _add(self._keys, self._values, addresses, n, np.asarray(delta, np.int32))

    def read(self, addresses: np.ndarray) -> np.ndarray:
        """The row of each tuple's address ([tuples]), zeros if there is none: int32 [tuples,
        columns]."""
        found = np.zeros((len(addresses), self._values.shape[1]), np.int32)
        _read(self._keys, self._values, addresses, self.tuples.shape[1], found)
        return found

    def save(self, path: str | Path) -> None:
        """Write the memory to one file."""
        keys, values = self.items()
        settings = {name: getattr(self, name) for name in self.SETTINGS}
        arrays = {"tuples": self.tuples, "keys": keys, "values": values}
        storage.write(path, type(self).__name__, settings, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The memory saved in a file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged, or of another kind or version.
        """
        settings, arrays = storage.read(path, cls.__name__)
        try:
            memory = cls(arrays["tuples"], *(settings[name] for name in cls.SETTINGS))
            keys, values = arrays["keys"], arrays["values"]
            last = len(memory.tuples) << memory.tuples.shape[1]
            alike = (keys.dtype, values.dtype) == (memory._keys.dtype, np.int32)
            within = len(keys) == 0 or 0 < keys[0] <= keys[-1] <= last
            rising = within and (keys[1:] > keys[:-1]).all()
            if not alike or not rising or values.shape != (len(keys), memory._values.shape[1]):
                raise ValueError("rows are out of order, or of no tuple")
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise ValueError(f"{path} does not hold a whole memory: {error}") from error
        memory._make_room(len(keys))
        _fill(memory._keys, memory._values, keys, values)
        memory.rows = len(keys)
        return memory

    def _make_room(self, rows: int) -> None:
        """Make room for this many rows; at most three quarters of the table are ever full."""
        if 4 * rows > 3 * len(self._keys):
            keys, values = self.items()
            self._keys = np.zeros(1 << (4 * rows // 3).bit_length(), keys.dtype)
            self._values = np.zeros((len(self._keys), values.shape[1]), np.int32)
            _fill(self._keys, self._values, keys, values)


# --- kernels -----------------------------------------------------------------------------------


@compiled
def _spell(bits: Any, tuples: Any, spelled: Any) -> None:
    for pattern in range(len(bits)):
        for row in range(len(tuples)):
            address = np.int64(0)
            for place in range(tuples.shape[1]):
                address |= np.int64(bits[pattern, tuples[row, place]]) << place
            spelled[pattern, row] = address


@compiled
def _place(keys: Any, key: Any) -> Any:
    """Place of the row with that key, or the free place for it."""
    mask = len(keys) - 1
    at = np.int64(mix(np.uint64(key)) & np.uint64(mask))
    while keys[at] != 0 and np.int64(keys[at]) != key:
        at = (at + 1) & mask
    return at


@compiled
def _take_out(keys: Any, values: Any, hole: Any) -> None:
    """Empty a place; rows behind it that a search would no longer find move up."""
    mask, at = len(keys) - 1, hole
    while True:
        at = (at + 1) & mask
        if keys[at] == 0:
            break
        home = np.int64(mix(np.uint64(keys[at])) & np.uint64(mask))
        if ((at - home) & mask) >= ((at - hole) & mask):
            keys[hole], values[hole] = keys[at], values[at]
            hole = at
    keys[hole] = 0
    values[hole] = 0


@compiled
def _add(keys: Any, values: Any, addresses: Any, n: Any, delta: Any) -> Any:
    """Number of rows added."""
    more = 0
    for row in range(len(addresses)):
        key = (np.int64(row) << n | np.int64(addresses[row])) + 1
        at = _place(keys, key)
        more += keys[at] == 0
        keys[at] = key
        values[at] += delta
        if not values[at].any():
            _take_out(keys, values, at)
            more -= 1
    return more


@compiled
def _read(keys: Any, values: Any, addresses: Any, n: Any, found: Any) -> None:
    for row in range(len(addresses)):
        key = (np.int64(row) << n | np.int64(addresses[row])) + 1
        found[row] = values[_place(keys, key)]  # zeros in a free place


@compiled
def _fill(keys: Any, values: Any, old_keys: Any, old_values: Any) -> None:
    for row in range(len(old_keys)):
        at = _place(keys, np.int64(old_keys[row]))
        keys[at], values[at] = old_keys[row], old_values[row]
