"""Products of small matrices, fast, and the same to the last bit on every processor.

Numeric libraries choose their kernels by the processor, and each adds in an order of its own. In
single precision the sums then differ in the last digit, and a long training run makes much of it:
the collaborative network came out .013 stars apart on two machines. Here each sum is taken in the
order of its terms, every multiplication and addition rounded by itself.

Six rows of sixteen columns are worked on at once, spelled out as LLVM vectors, which LLVM lowers to
whatever the machine has (one AVX-512 register, two of AVX2, four of SSE or NEON). Which vectors
they are does not change the sums: a lane is a column.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recbench.compiled import numeric

LANES = 16  # columns at a time; the columns of a product are a multiple of it
ROWS = 6  # rows at a time: as many sums as sixteen registers of AVX2 have room for

_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ALIGN = 4  # bytes


@numeric
def add_product(a: Any, b: Any, to: Any) -> None:
    """to += a · b

    Args:
        a: float32 [m, k], any layout (a transpose, say).
        b: float32 [k, n], contiguous, n a multiple of `LANES`.
        to: float32 [m, n], contiguous, not overlapping the others.

    Raises:
        ValueError: the shapes do not fit. What is written outside an array crashes much later.
    """
    m, k = a.shape
    n = b.shape[1]
    if b.shape[0] != k or to.shape != (m, n) or n % LANES:
        raise ValueError("a product of shapes that do not fit, or n not a multiple of LANES")
    whole = m - m % ROWS
    for column in range(0, n, LANES):
        for row in range(0, whole, ROWS):
            _add_six_rows(a, b, to, row, column, k, n)
        for row in range(whole, m):
            _add_one_row(a, b, to, row, column, k, n)


def _adder(rows: int) -> Any:
    """An intrinsic (a, b, to, row, column, k, n) that adds a · b to `rows` × `LANES` numbers of
    `to`, the first of them at (row, column)."""

    def add_rows(
        typing: Any, a: Any, b: Any, to: Any, row: Any, column: Any, k: Any, n: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a_type, b_type, to_type = signature.args[:3]
            a, b, to, row, column, k, n = arguments
            index = row.type

            def contents(array_type: Any, array: Any) -> Any:
                return context.make_array(array_type)(context, builder, array)

            def vector_at(data: Any, row: Any) -> Any:
                place = builder.add(builder.mul(row, n), column)
                return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())

            a_data = contents(a_type, a)
            b_data, to_data = contents(b_type, b).data, contents(to_type, to).data
            row_stride, column_stride = cgutils.unpack_tuple(builder, a_data.strides, 2)  # bytes
            bytes_of_a = builder.bitcast(a_data.data, ir.IntType(8).as_pointer())
            places = [builder.add(row, ir.Constant(index, one)) for one in range(rows)]
            starts = [builder.gep(bytes_of_a, [builder.mul(p, row_stride)]) for p in places]
            sums = []
            for place in places:
                sums.append(cgutils.alloca_once(builder, _VECTOR))
                builder.store(builder.load(vector_at(to_data, place), align=_ALIGN), sums[-1])
            with cgutils.for_range(builder, k) as loop:
                terms = builder.load(vector_at(b_data, loop.index), align=_ALIGN)
                step = builder.mul(loop.index, column_stride)
                for start, total in zip(starts, sums, strict=True):
                    factor = in_all_lanes(builder, _float_at(builder, start, step))
                    product = builder.fmul(factor, terms)
                    builder.store(builder.fadd(builder.load(total), product), total)
            for place, total in zip(places, sums, strict=True):
                builder.store(builder.load(total), vector_at(to_data, place), align=_ALIGN)
            return context.get_dummy_value()

        whole = types.intp
        return types.void(a, b, to, whole, whole, whole, whole), generate

    return intrinsic(add_rows)


def _float_at(builder: Any, start: Any, offset: Any) -> Any:
    pointer = builder.gep(start, [offset])
    return builder.load(builder.bitcast(pointer, ir.FloatType().as_pointer()), align=_ALIGN)


def in_all_lanes(builder: Any, number: Any, lanes: int = LANES) -> Any:
    """A vector of so many of that float32, in LLVM."""
    nothing = ir.Constant(ir.VectorType(ir.FloatType(), lanes), ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(first, nothing, zeros)


_add_six_rows = _adder(ROWS)
_add_one_row = _adder(1)
