"""A Cholesky factor, and what is solved with it, of matrices of ten to some thousand rows; the same
to the last bit on every processor.

LAPACK chooses its kernels by the processor, checks and copies what it is given, and of matrices
this small spends more time on that than on arithmetic. Here sixteen rows are worked on at once.
From each number one product after another is subtracted, in the order of the columns, and each time
it is rounded once (fused multiply-add, IEEE 754-2008): whatever vectors the processor has, it
comes to the same. One that has no such instruction (x86 before 2013) takes many times as long.

Matrices lie in *bands* of `LANES` rows, flat: number r of line k of band g, which is
[(g · size + k) · LANES + r], is that of row g · LANES + r and column k. So the rows of a band are
read side by side, as many at once as the processor has room for.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils

from recbench.models.vectors import (
    FLOATS,
    LANES,
    contents,
    in_all_lanes,
    in_llvm,
    load,
    multiply_add,
    store,
    sum_of_lanes,
)
from weightless.compiled import compiled as numeric

# Columns at a time: as many as registers have room for. What comes out does not depend on it.
COLUMNS = 8 if binding.get_host_cpu_features().get("avx512f") else 2


@numeric
def factorise(a: Any, size: Any, scale: Any) -> bool:
    """Cholesky factorisation of a matrix, in place.

    Some columns after others from left to right, each updated by all before them (Golub & Van Loan
    2013, section 4.2.6).

    Args:
        a: float64, bands, at least size / LANES, see `recbench.models.vectors.whole_lines`. In: the
            lower triangle and the whole blocks on the diagonal. Out: L; above it there are rounding
            errors and what was there.
        size: rows of the matrix, a multiple of `LANES`.
        scale: float64 [size], written: 1 / L_kk.

    Returns:
        Whether the matrix is positive definite; if not, what is in `a` is of no use.
    """
    for own in range(size // LANES):
        start = own * LANES
        for column in range(start, start + LANES, COLUMNS):
            _on_diagonal(a, scale, own, column, size, own)
        for k in range(start, start + LANES):
            if not 0.0 < scale[k] < math.inf:
                return False
        for band in range(own + 1, size // LANES):
            for column in range(start, start + LANES, COLUMNS):
                _below(a, scale, own, column, size, band)
    return True


@numeric
def solve(a: Any, size: Any, scale: Any, band: Any) -> None:
    """(L⁻¹ b)' of the rows b' of one band beyond the matrix, in place."""
    for column in range(0, size, COLUMNS):
        _below(a, scale, column // LANES, column, size, band)


@numeric
def solve_transposed(a: Any, size: Any, scale: Any, b: Any, n: Any, x: Any) -> None:
    """The first n numbers of L'⁻¹ b, L being that of `factorise`.

    Args:
        b: a row of `a`, its number; n numbers of it.
        x: float64 [size], written; 0 from n on.
    """
    x[:] = 0.0
    band, lane = b // LANES, b % LANES
    for k in range(n - 1, -1, -1):
        own = k // LANES
        line = (own * size + k) * LANES
        known = dot(a, line, size * LANES, x, own * LANES, size // LANES - own)
        x[k] = (a[(band * size + k) * LANES + lane] - known) * scale[k]


def _eliminator(on_diagonal: bool) -> Any:
    """An intrinsic (a, scale, own, column, size, band) for `COLUMNS` columns of a band, the first
    of them `column`, which lies in band `own`.

    From each number is subtracted what the columns before explain, Σ_k a[i, k] a[j, k]; then it is
    divided by L_jj. On the diagonal, where `band` is `own`, 1 / L_jj is found and written.
    """

    def eliminate(
        typing: Any, a: Any, scale: Any, own: Any, column: Any, size: Any, band: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, scale = contents(context, builder, signature, arguments, 2)
            own, column, size, band = arguments[2:]
            lanes = size.type(LANES)
            to_band, to_own = (builder.mul(builder.mul(one, size), lanes) for one in (band, own))
            first = builder.urem(column, lanes)  # of these columns, in its band

            def line(k: Any) -> Any:
                """Where the band has column k."""
                return builder.add(to_band, builder.mul(k, lanes))

            def of_own(k: Any, at: int) -> Any:
                """a[j, k] of number `at` of these columns j."""
                row = builder.add(first, size.type(at))
                place = builder.add(builder.add(to_own, builder.mul(k, lanes)), row)
                return builder.load(builder.gep(a, [place]))

            columns = [builder.add(column, size.type(at)) for at in range(COLUMNS)]
            left = [cgutils.alloca_once_value(builder, load(builder, a, line(j))) for j in columns]
            with cgutils.for_range(builder, column) as loop:
                explained = builder.fneg(load(builder, a, line(loop.index)))
                for at, total in enumerate(left):
                    factor = in_all_lanes(builder, of_own(loop.index, at))
                    less = multiply_add(builder, explained, factor, builder.load(total))
                    builder.store(less, total)
            found = [builder.load(total) for total in left]
            for at, j in enumerate(columns):
                reciprocal = builder.gep(scale, [j])
                if on_diagonal:
                    store(builder, found[at], a, line(j))
                    builder.store(_reciprocal_root(builder, of_own(j, at)), reciprocal)
                scales = in_all_lanes(builder, builder.load(reciprocal))
                found[at] = builder.fmul(found[at], scales)
                store(builder, found[at], a, line(j))
                explained = builder.fneg(found[at])
                for later in range(at + 1, COLUMNS):
                    factor = in_all_lanes(builder, of_own(j, later))
                    found[later] = multiply_add(builder, explained, factor, found[later])
            return context.get_dummy_value()

        whole = types.intp
        return types.void(a, scale, whole, whole, whole, whole), generate

    return in_llvm(eliminate)


def _reciprocal_root(builder: Any, number: Any) -> Any:
    root = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(number.type, [number.type]), "llvm.sqrt.f64"
    )
    return builder.fdiv(number.type(1.0), builder.call(root, [number]))


_on_diagonal = _eliminator(on_diagonal=True)
_below = _eliminator(on_diagonal=False)


@in_llvm
def dot(typing: Any, a: Any, first: Any, step: Any, b: Any, other: Any, vectors: Any) -> Any:
    """Σ a[first + v · step + lane] · b[other + v · LANES + lane], v = 0 .. vectors − 1: the sum of
    each lane in their order, then the lanes pairwise."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, step, _, other, vectors = arguments
        a, b = (
            context.make_array(signature.args[at])(context, builder, arguments[at]).data
            for at in (0, 3)
        )
        total = cgutils.alloca_once_value(builder, ir.Constant(FLOATS, [0.0] * LANES))
        with cgutils.for_range(builder, vectors) as loop:
            one = load(builder, a, builder.add(first, builder.mul(loop.index, step)))
            lanes = builder.mul(loop.index, vectors.type(LANES))
            two = load(builder, b, builder.add(other, lanes))
            builder.store(multiply_add(builder, one, two, builder.load(total)), total)
        return sum_of_lanes(builder, builder.load(total))

    whole = types.intp
    return types.float64(a, whole, whole, b, whole, whole), generate
