"""Sixteen neurons at once: the few vector operations that the kernels are built on.

A *row* is 16 int32 in memory, one lane a neuron. Compilers do not find these vectors by
themselves, so they are spelled out as LLVM vectors, which LLVM lowers to whatever the machine
has (one AVX-512 register, two of AVX2, four of SSE or NEON).
"""

# ruff: noqa: PLR0917 - the values of an operation, one by one

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from weightless.compiled import compiled

LANES = 16
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


def _plus_rows(
    context: Any, builder: Any, start: Any, tables_type: Any, tables: Any, rows: Any
) -> Any:
    """The vector at the pointer `start`, plus these rows of the tables."""
    total = builder.load(start, align=_ALIGN)
    for row in cgutils.unpack_tuple(builder, rows):
        pointer = _row(context, builder, tables_type, tables, row)
        total = builder.add(total, builder.load(pointer, align=_ALIGN))
    return total


@_intrinsic
def add_rows(typing: Any, sums: Any, to: Any, tables: Any, rows: Any) -> Any:
    """sums[to] += tables[row] for every row of the tuple `rows`."""
    signature = types.void(sums, to, tables, rows)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        sums, to, tables, rows = values
        target = _row(context, builder, signature.args[0], sums, to)
        total = _plus_rows(context, builder, target, signature.args[2], tables, rows)
        builder.store(total, target, align=_ALIGN)
        return context.get_dummy_value()

    return signature, generate


@_intrinsic
def keep_nearest(
    typing: Any, nearest: Any, asked: Any, sums: Any, tables: Any, rows: Any, answers: Any
) -> Any:
    """Lower nearest[2 * asked] to distance | answer, the next row to distance | not answer.

    The distance, an even number, is sums[asked] plus tables[row] for every row of the tuple
    `rows`. `answers` is an int32, a bit a lane.
    """
    signature = types.void(nearest, asked, sums, tables, rows, answers)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nearest, asked, sums, tables, rows, answers = values
        source = _row(context, builder, signature.args[2], sums, asked)
        distance = _plus_rows(context, builder, source, signature.args[3], tables, rows)
        first = ir.Constant(ir.IntType(32), 0)
        word = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), answers, first)
        every = builder.shuffle_vector(word, word, _constant([0] * LANES))
        shifted = builder.lshr(every, _constant(list(range(LANES))))
        key = builder.or_(distance, builder.and_(shifted, _constant([1] * LANES)))
        double = builder.mul(asked, ir.Constant(asked.type, 2))
        for side, candidate in enumerate((key, builder.xor(key, _constant([1] * LANES)))):
            row = builder.add(double, ir.Constant(double.type, side))
            pointer = _row(context, builder, signature.args[0], nearest, row)
            so_far = builder.load(pointer, align=_ALIGN)
            closer = builder.icmp_signed("<", candidate, so_far)
            builder.store(builder.select(closer, candidate, so_far), pointer, align=_ALIGN)
        return context.get_dummy_value()

    return signature, generate


@_intrinsic
def popcount(typing: Any, word: Any) -> Any:
    """How many bits of a uint64 are 1."""
    return types.uint64(types.uint64), lambda context, builder, signature, values: builder.ctpop(
        values[0]
    )
