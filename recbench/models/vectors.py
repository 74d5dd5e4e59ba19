"""Sixteen numbers at once, spelled out for LLVM: what compilers do not find by themselves.

LLVM lowers such a vector to whatever the machine has: two registers of AVX-512, four of AVX2, eight
of SSE or NEON. Which it is does not change what a lane holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils
from numba.extending import intrinsic

from weightless.compiled import compiled as numeric

LANES = 16
LINE = 8  # numbers of 64 bits in a line of the cache

FLOATS = ir.VectorType(ir.DoubleType(), LANES)
WORDS = ir.VectorType(ir.IntType(64), LANES)
_ALIGN = 8  # bytes


def in_llvm(function: Any) -> Any:
    """`numba.extending.intrinsic`; to a type checker the call has no typing context."""
    return intrinsic(function)


@numeric
def whole_lines(n: Any) -> Any:
    """So many float64, not initialised, the first of them at the start of a line of the cache.

    A vector that lies across two lines takes two reads.
    """
    room = np.empty(n + LINE)
    first = (-room.ctypes.data // room.itemsize) % LINE
    return room[first : first + n]


def contents(context: Any, builder: Any, signature: Any, arguments: Any, arrays: int) -> list:
    """Pointers to the numbers of the arrays that are the first so many arguments."""
    return [
        context.make_array(signature.args[at])(context, builder, arguments[at]).data
        for at in range(arrays)
    ]


def load(builder: Any, data: Any, place: Any, vector: Any = FLOATS) -> Any:
    pointer = builder.bitcast(builder.gep(data, [place]), vector.as_pointer())
    return builder.load(pointer, align=_ALIGN)


def store(builder: Any, value: Any, data: Any, place: Any) -> None:
    pointer = builder.bitcast(builder.gep(data, [place]), value.type.as_pointer())
    builder.store(value, pointer, align=_ALIGN)


def in_all_lanes(builder: Any, number: Any) -> Any:
    vector = ir.VectorType(number.type, LANES)
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return _shuffled(builder, first, [0] * LANES)


def sum_of_lanes(builder: Any, vector: Any) -> Any:
    """Of halves, of their halves, and so on: a float64."""
    lanes = LANES
    while lanes > 1:
        lanes //= 2
        lower, upper = range(lanes), range(lanes, 2 * lanes)
        vector = builder.fadd(_shuffled(builder, vector, lower), _shuffled(builder, vector, upper))
    return builder.extract_element(vector, ir.IntType(32)(0))


def _shuffled(builder: Any, vector: Any, lanes: Any) -> Any:
    which = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), which)


def multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a · b + c, rounded once."""
    return _call(builder, f"llvm.fma.v{LANES}f64", a, b, c)


def ones(builder: Any, words: Any) -> Any:
    """How many bits of each are 1."""
    return _call(builder, f"llvm.ctpop.v{LANES}i64", words)


def _call(builder: Any, name: str, *vectors: Any) -> Any:
    kind = ir.FunctionType(vectors[0].type, [one.type for one in vectors])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), vectors)
