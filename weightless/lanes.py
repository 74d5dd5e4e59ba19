"""Sixteen neurons at once: the few vector operations that the kernels are built on.

A *row* is 16 int32 in memory, one lane a neuron. Compilers do not find these vectors by
themselves, so they are spelled out as LLVM vectors, which LLVM lowers to whatever the machine
has (one AVX-512 register, two of AVX2, four of SSE or NEON).
"""

# ruff: noqa: PLR0917 - the values of an operation, one by one

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

LANES = 16
FAR = 2**31 - 2  # above every distance, and even

_VECTOR = ir.VectorType(ir.IntType(32), LANES)
_ALIGN = 4


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


@_intrinsic
def add_four_rows(
    typing: Any, sums: Any, to: Any, tables: Any, a: Any, b: Any, c: Any, d: Any
) -> Any:
    """sums[to] += tables[a] + tables[b] + tables[c] + tables[d]."""
    signature = types.void(sums, to, tables, a, b, c, d)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        sums, to, tables, *rows = values
        target = _row(context, builder, signature.args[0], sums, to)
        total = builder.load(target, align=_ALIGN)
        for row in rows:
            pointer = _row(context, builder, signature.args[2], tables, row)
            total = builder.add(total, builder.load(pointer, align=_ALIGN))
        builder.store(total, target, align=_ALIGN)
        return context.get_dummy_value()

    return signature, generate


@_intrinsic
def keep_nearest(typing: Any, nearest: Any, asked: Any, sums: Any, answers: Any) -> Any:
    """Lower nearest[2 * asked] to sums | answer and nearest[2 * asked + 1] to sums | not answer.

    `sums[asked]`, even numbers, are then set to 0. `answers` is an int32, a bit a lane.
    """
    signature = types.void(nearest, asked, sums, answers)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nearest, asked, sums, answers = values
        source = _row(context, builder, signature.args[2], sums, asked)
        total = builder.load(source, align=_ALIGN)
        builder.store(_constant([0] * LANES), source, align=_ALIGN)
        lane = ir.IntType(32)
        word = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), answers, ir.Constant(lane, 0)
        )
        every = builder.shuffle_vector(word, word, _constant([0] * LANES))
        answer = builder.and_(
            builder.lshr(every, _constant(list(range(LANES)))), _constant([1] * LANES)
        )
        key = builder.or_(total, answer)
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
