"""Sixteen neurons at once: the few vector operations that the kernels are built on.

A *row* is 16 int32 in memory, one lane a neuron. Compilers do not find these vectors by
themselves, so they are spelled out as LLVM vectors, which LLVM lowers to whatever the machine
has (one AVX-512 register, two of AVX2, four of SSE or NEON).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from weightless.compiled import compiled

LANES = 16
TABLE_ROWS = 4 * 256  # room for four tables of 8 bits, those of half a word
FAR = 2**31 - 2  # above every distance, and even

_VECTOR = ir.VectorType(ir.IntType(32), LANES)
_ALIGN = 4


@compiled
def zero_rows(n: Any) -> Any:
    """So many rows of zeros, int32 flat, each within one line of the cache.

    A vector that lies across two lines takes two reads; memory as it is allocated begins in the
    middle of a line as often as not.
    """
    room = np.zeros((n + 1) * LANES, np.int32)
    first = (-room.ctypes.data // room.itemsize) % LANES
    return room[first : first + n * LANES]


def _intrinsic(function: Any) -> Any:
    """`numba.extending.intrinsic`; to a type checker the call has no typing context."""
    return intrinsic(function)


def _row(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    """A pointer to row number `row` of a flat int32 array."""
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.mul(row, ir.Constant(row.type, LANES))
    return builder.bitcast(builder.gep(data, [start]), _VECTOR.as_pointer())


def _constant(values: list[int]) -> Any:
    return ir.Constant(_VECTOR, values)


@_intrinsic
def add_row(typing: Any, tables: Any, to: Any, base: Any, steps: Any, step: Any) -> Any:
    """tables[to] = tables[base] + steps[step]."""
    signature = types.void(tables, to, base, steps, step)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        tables_type, steps_type = signature.args[0], signature.args[3]
        tables, to, base, steps, step = values
        one = builder.load(_row(context, builder, tables_type, tables, base), align=_ALIGN)
        other = builder.load(_row(context, builder, steps_type, steps, step), align=_ALIGN)
        target = _row(context, builder, tables_type, tables, to)
        builder.store(builder.add(one, other), target, align=_ALIGN)
        return context.get_dummy_value()

    return signature, generate


def _nearest_keys(chunks: int, width: int, together: int) -> Any:
    """The scan below, for so many chunks of `width` bits and so many questions put together.

    Questions put together share the work on a stored pattern, and their least keys stay in
    registers.
    """

    def nearest_keys(
        typing: Any, tables: Any, stored: Any, answers: Any, asked: Any, first: Any, nearest: Any
    ) -> Any:
        """The least key of all patterns, and the least of key ^ 1, for questions from `first` on.

        With x = stored[p, h] ^ asked[q, h], the distance of pattern p from question q is the sum
        over half words h and chunks c of row (chunk c of x) of table (h, c). The key is
        distance | answer; `answers[p]` has a bit a lane.

        Args:
            tables: int32 flat (halves, TABLE_ROWS, lanes), the tables of a half one after the
                other; even numbers.
            stored: uint32 [patterns, halves]; answers: int32 [patterns].
            asked: uint32 [questions, halves].
            nearest: int32 flat (together, 2, lanes), written.
        """
        signature = types.void(tables, stored, answers, asked, first, nearest)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            tables_type, nearest_type = signature.args[0], signature.args[5]
            tables, first, nearest = values[0], values[4], values[5]
            stored, answers, asked = (
                context.make_array(signature.args[at])(context, builder, values[at])
                for at in (1, 2, 3)
            )
            n_patterns, halves = cgutils.unpack_tuple(builder, stored.shape, 2)

            def number(value: int) -> Any:
                return ir.Constant(halves.type, value)

            def word(array: Any, row: Any, column: Any) -> Any:
                at = builder.add(builder.mul(row, halves), column)
                return builder.load(builder.gep(array.data, [at]))

            far = _constant([FAR] * LANES)
            keys = [cgutils.alloca_once(builder, _VECTOR) for _ in range(together)]
            least = [cgutils.alloca_once_value(builder, far) for _ in range(2 * together)]
            with cgutils.for_range(builder, n_patterns) as patterns:
                bits = builder.load(builder.gep(answers.data, [patterns.index]))
                answer = _bit_a_lane(builder, bits)
                for key in keys:
                    builder.store(answer, key)
                with cgutils.for_range(builder, halves) as over:
                    pattern = word(stored, patterns.index, over.index)
                    table = builder.mul(over.index, number(TABLE_ROWS))
                    for question, key in enumerate(keys):
                        row = builder.add(first, number(question))
                        x = builder.xor(pattern, word(asked, row, over.index))
                        total = builder.load(key)
                        for chunk in range(chunks):
                            shifted = builder.lshr(x, ir.Constant(x.type, width * chunk))
                            kept = builder.and_(shifted, ir.Constant(x.type, 2**width - 1))
                            row = builder.add(table, number(chunk << width))
                            row = builder.add(row, builder.zext(kept, halves.type))
                            pointer = _row(context, builder, tables_type, tables, row)
                            total = builder.add(total, builder.load(pointer, align=_ALIGN))
                        builder.store(total, key)
                for at, so_far in enumerate(least):
                    key = builder.load(keys[at // 2])
                    if at % 2:
                        key = builder.xor(key, _constant([1] * LANES))
                    old = builder.load(so_far)
                    builder.store(
                        builder.select(builder.icmp_signed("<", key, old), key, old), so_far
                    )
            for at, so_far in enumerate(least):
                pointer = _row(context, builder, nearest_type, nearest, number(at))
                builder.store(builder.load(so_far), pointer, align=_ALIGN)
            return context.get_dummy_value()

        return signature, generate

    return _intrinsic(nearest_keys)


def _bit_a_lane(builder: Any, bits: Any) -> Any:
    """Bit k of an int32 as lane k."""
    first = ir.Constant(ir.IntType(32), 0)
    word = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), bits, first)
    every = builder.shuffle_vector(word, word, _constant([0] * LANES))
    shifted = builder.lshr(every, _constant(list(range(LANES))))
    return builder.and_(shifted, _constant([1] * LANES))


TOGETHER = 4
nearest_keys_4x8 = _nearest_keys(chunks=4, width=8, together=TOGETHER)
nearest_key_4x8 = _nearest_keys(chunks=4, width=8, together=1)


@_intrinsic
def popcount(typing: Any, word: Any) -> Any:
    """How many bits of a uint64 are 1."""
    return types.uint64(types.uint64), lambda context, builder, signature, values: builder.ctpop(
        values[0]
    )
