"""Adam on an embedding, of which a step meets few rows: what the others do meanwhile, made up for.

Adam (Kingma & Ba 2015) moves every row at every step, the momentum of past gradients carrying on.
To do so takes time in proportion to rows × steps, quadratic in the number of users. Here a row that
a step does not meet is left alone; when it is met again, the steps that it missed are done one
after another, in registers, each operation rounded as it would have been. Its numbers no longer
change once the momentum has decayed below their last digit, after some hundred steps; from there on
only the moments are multiplied by their decays. The result is that of Adam to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recbench.compiled import numeric
from recbench.matrix_product import in_all_lanes
from recbench.perceptron import EPSILON, FIRST_DECAY, SECOND_DECAY, step_sizes

LANES = 32  # columns of an embedding; in LLVM one vector

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ALIGN = 4  # bytes


@numeric
def steps_of_epoch(done: Any, count: Any, learning_rate: Any) -> Any:
    """What `recbench.perceptron.step_sizes` has for the `count` steps after so many: float32
    [2, count]."""
    sizes = np.empty((2, count), np.float32)
    for k in range(count):
        sizes[0, k], sizes[1, k] = step_sizes(done + k + 1, learning_rate)
    return sizes


@numeric
def catch_up(
    table: Any, first: Any, second: Any, rows: Any, done: Any, sizes: Any, stop: Any
) -> None:
    """The steps of Adam that rows have missed, with no gradient.

    Args:
        table, first, second: float32 [rows, `LANES`], an embedding and its moments; changed.
        rows: int [n], of the embedding; some more than once.
        done: int64 [rows], how many of the steps of `sizes` each row has done; changed.
        sizes: see `steps_of_epoch`.
        stop: how many they are to have done; not fewer than they have.

    Raises:
        ValueError: an embedding of another width.
    """
    if table.shape[1] != LANES:
        raise ValueError("an embedding whose width is not that of a vector")
    for row in rows:
        if done[row] < stop:
            _catch_up(table, first, second, sizes, row, done[row], stop, sizes.shape[1])
            done[row] = stop


@numeric
def step_rows(
    table: Any, first: Any, second: Any, gradient: Any, rows: Any, done: Any, sizes: Any, at: Any
) -> None:
    """One step of Adam, number `at` of `sizes`, on rows that have done all before it; their
    gradient is zero afterwards. A row that is named twice does it once."""
    keep_first, keep_second = np.float32(FIRST_DECAY), np.float32(SECOND_DECAY)
    add_first, add_second = np.float32(1 - FIRST_DECAY), np.float32(1 - SECOND_DECAY)
    size, correction, epsilon = sizes[0, at], sizes[1, at], np.float32(EPSILON)
    p, g, m, v = table.ravel(), gradient.ravel(), first.ravel(), second.ravel()
    for row in rows:
        if done[row] > at:
            continue
        done[row] = at + 1
        for k in range(row * LANES, (row + 1) * LANES):
            m[k] = keep_first * m[k] + add_first * g[k]
            v[k] = keep_second * v[k] + add_second * (g[k] * g[k])
            p[k] = p[k] - size * m[k] / (np.sqrt(v[k]) * correction + epsilon)
            g[k] = 0


def _in_llvm(
    typing: Any, table: Any, first: Any, second: Any, sizes: Any,
    row: Any, start: Any, stop: Any, count: Any,
) -> Any:  # fmt: skip
    """The steps from `start` to `stop` on one row; `count` is the number of columns of `sizes`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, (*arrays, row, start, stop, count) = signature.args, arguments

        def contents(at: int) -> Any:
            return context.make_array(kinds[at])(context, builder, arrays[at]).data

        def vector_at(data: Any) -> Any:
            place = builder.mul(row, row.type(LANES))
            return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())

        def number(place: Any) -> Any:
            return in_all_lanes(builder, builder.load(builder.gep(step_data, [place])), LANES)

        def constant(value: float) -> Any:
            return ir.Constant(_VECTOR, [float(np.float32(value))] * LANES)

        def any_differs(one: Any, other: Any) -> Any:
            lanes = builder.fcmp_unordered("!=", one, other)
            bits = builder.bitcast(lanes, ir.IntType(LANES))
            return builder.icmp_unsigned("!=", bits, bits.type(0))

        *places, step_data = (contents(at) for at in range(4))
        pointers = [vector_at(data) for data in places]
        p, m, v = (
            cgutils.alloca_once_value(builder, builder.load(one, align=_ALIGN)) for one in pointers
        )
        step = cgutils.alloca_once_value(builder, start)
        going = cgutils.alloca_once_value(builder, ir.IntType(1)(1))
        square_root = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.sqrt.v{LANES}f32"
        )

        def decayed(moment: Any, keep: float) -> Any:
            builder.store(builder.fmul(builder.load(moment), constant(keep)), moment)
            return builder.load(moment)

        def while_going(body: Any) -> None:
            """Do `body`, which says whether to go on, while there are steps."""
            check, work, end = (builder.append_basic_block() for _ in range(3))
            builder.store(ir.IntType(1)(1), going)
            builder.branch(check)
            builder.position_at_end(check)
            there_is = builder.icmp_signed("<", builder.load(step), stop)
            builder.cbranch(builder.and_(builder.load(going), there_is), work, end)
            builder.position_at_end(work)
            builder.store(body(), going)
            builder.store(builder.add(builder.load(step), stop.type(1)), step)
            builder.branch(check)
            builder.position_at_end(end)

        def whole_step() -> Any:
            at = builder.load(step)
            size, correction = number(at), number(builder.add(at, count))
            momentum = builder.fmul(size, decayed(m, FIRST_DECAY))
            root = builder.call(square_root, [decayed(v, SECOND_DECAY)])
            scale = builder.fadd(builder.fmul(root, correction), constant(EPSILON))
            before = builder.load(p)
            after = builder.fsub(before, builder.fdiv(momentum, scale))
            builder.store(after, p)
            return any_differs(before, after)

        def both_moments() -> Any:
            before = builder.load(m)
            decayed(v, SECOND_DECAY)
            return any_differs(before, decayed(m, FIRST_DECAY))

        def second_moment() -> Any:
            decayed(v, SECOND_DECAY)
            return ir.IntType(1)(1)

        for body in (whole_step, both_moments, second_moment):
            while_going(body)
        for value, pointer in zip((p, m, v), pointers, strict=True):
            builder.store(builder.load(value), pointer, align=_ALIGN)
        return context.get_dummy_value()

    whole = types.intp
    signature = types.void(table, first, second, sizes, whole, whole, whole, whole)
    return signature, generate


_catch_up: Any = intrinsic(_in_llvm)
