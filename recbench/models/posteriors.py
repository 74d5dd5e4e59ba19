"""The Gaussian processes of many users, asked about all their movies in compiled code.

For each user the same as `recbench.models.gaussian_process` on
`recbench.models.item_kernel.CodeKernel`: bits that differ, kernel, Cholesky factor and solutions,
in scratch memory that the users take in turn. Matrices lie in bands, see
`recbench.models.cholesky`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils

from recbench.models.cholesky import dot, factorise, solve, solve_transposed
from recbench.models.item_table.scales import Scales, drift_shape
from recbench.models.vectors import (
    FLOATS,
    LANES,
    WORDS,
    contents,
    in_all_lanes,
    in_llvm,
    load,
    multiply_add,
    ones,
    store,
    whole_lines,
)
from weightless.compiled import compiled as numeric

HUGE = 2.0**1000  # of y with itself; its root is a power of 2, by which one divides exactly


FIXED = 2_000  # operations of a rating besides those of the factor, about
PARTS_A_THREAD = 8  # that are handed out one by one, for some take longer than expected


class Films(NamedTuple):
    """What the kernel reads of movies.

    Attributes:
        patterns: uint64 [movies, words], codes first, then metadata.
        code_words: how many of the words are codes.
        norm: float64 [movies].
        linear: float64 [movies, 2], whose products add up.
        agreement: of codes that are the same, and what each bit that differs adds to it.
        by_metadata: float64 [64 · metadata words + 1], by bits that differ.
    """

    patterns: np.ndarray
    code_words: int
    norm: np.ndarray
    linear: np.ndarray
    agreement: tuple[float, float]
    by_metadata: np.ndarray


def all_posteriors(
    films: Films,
    scales: Scales,
    movie: list[np.ndarray],
    residual: list[np.ndarray],
    asked: list[np.ndarray],
    variance: bool,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    """As `recbench.models.item_kernel.MovieKernel.posteriors`.

    Raises:
        LinAlgError: the covariance of a user is not positive definite.
    """
    rated_from, asked_from = _ends(movie), _ends(asked)
    mean = np.empty(asked_from[-1])
    known = np.empty(len(mean) if variance else 0)
    if not len(movie):
        return mean, known
    rated, asked_for = (np.concatenate(one).astype(np.int64) for one in (movie, asked))
    given = np.concatenate(residual)
    longest = int(np.diff(rated_from).max())
    by_distance = scales.drift * drift_shape(np.arange(longest + LANES + 2))

    def work(users: slice) -> None:
        failed = posteriors(
            films, by_distance, scales.noise, rated, given, rated_from[users],
            asked_for, asked_from[users], mean, known,
        )  # fmt: skip
        if failed:
            raise np.linalg.LinAlgError(
                "the covariance of a user's ratings is not positive definite"
            )

    n, m = np.diff(rated_from), np.diff(asked_from)
    operations = np.cumsum(n * (FIXED + n * (n / 3 + n + variance * m)))  # roughly
    parts = PARTS_A_THREAD * threads if threads > 1 else 1
    cuts = np.searchsorted(operations, np.linspace(0, operations[-1], parts + 1)[1:-1])
    edges = [0, *cuts.tolist(), len(movie)]
    shares = [slice(a, b + 1) for a, b in pairwise(edges) if a < b]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, shares))
    return mean, known


def _ends(arrays: list[np.ndarray]) -> np.ndarray:
    """Where each begins, were they one after another, and where the last ends: int64 [k + 1]."""
    return np.cumsum([0, *(len(one) for one in arrays)])


@numeric
def posteriors(
    films: Any,
    by_distance: Any,
    noise: Any,
    rated: Any,
    residual: Any,
    rated_from: Any,
    asked: Any,
    asked_from: Any,
    mean: Any,
    known: Any,
) -> bool:
    """Posterior mean of the residuals of movies asked for, of each user.

    Args:
        movies: `Movies`.
        by_distance: float64 [≥ longest history + LANES + 1], by how far apart ratings are.
        noise: variance of a rating, more than 0.
        rated, residual: int [n] and float64 [n], user after user, the latest of each last.
        rated_from: int [users + 1], where each user begins, and n.
        asked, asked_from: int [m] and int [users + 1], likewise.
        mean: float64 [m], written.
        known: float64 [m], written: by how much the variance is less than without ratings. Of
            length 0: that is not worked out, which spares a good part of the work.

    Returns:
        Whether it ended early, at a user whose covariance is not positive definite.
    """
    longest = np.diff(rated_from).max()
    longest += LANES - longest % LANES  # at least one more, for y
    a = whole_lines((longest + LANES) * longest)  # and a band of what is asked for
    scale, x = np.empty(longest), whole_lines(longest)
    words = films.patterns.shape[1]
    planes, columns = np.zeros((words, longest), np.uint64), np.zeros((3, longest))
    asked_planes, asked_columns = np.zeros((words, LANES), np.uint64), np.zeros((3, LANES))
    drift = np.concatenate((by_distance[:0:-1], by_distance))  # of both signs
    now = len(by_distance) - 1  # where `drift` has the distance 0
    # what is asked for comes after all that is stored: drift is the same for all of a band
    same_drift = np.repeat(by_distance[longest:0:-1], LANES)
    certain = np.empty(LANES)

    for user in range(len(rated_from) - 1):
        start, first, last = rated_from[user], asked_from[user], asked_from[user + 1]
        n = rated_from[user + 1] - start
        if n == 0 or first == last:
            mean[first:last] = 0.0
            if len(known):
                known[first:last] = 0.0
            continue
        for place in range(n):
            _gather(films, rated[start + place], planes, columns, place)

        # K + σ² I; as row n, y; then as many more rows as fill the band up
        size = n + LANES - n % LANES
        matrix = size // LANES
        for band in range(matrix):
            _kernel_band(
                films, rated, start, min(n, (band + 1) * LANES), planes, columns, band * LANES,
                drift, now + band * LANES, -1, a, band * size * LANES,
            )  # fmt: skip
        _fill_up(a, size, n, noise, residual[start : start + n])
        if not factorise(a, size, scale):
            return True

        if len(known):
            for question in range(first, last, LANES):
                together = min(LANES, last - question)
                for lane in range(together):
                    _gather(films, asked[question + lane], asked_planes, asked_columns, lane)
                _kernel_band(
                    films, rated, start, n, asked_planes, asked_columns, 0,
                    same_drift, (longest - n) * LANES, LANES, a, matrix * size * LANES,
                )  # fmt: skip
                a[(matrix * size + n) * LANES : (matrix + 1) * size * LANES] = 0.0
                solve(a, size, scale, matrix)  # v = L⁻¹ k, and of y's column −v'z / L_nn
                _sums_of_squares(a, matrix * size * LANES, n, certain)
                for lane in range(together):
                    known[question + lane] = certain[lane]
                    mean[question + lane] = -a[(matrix * size + n) * LANES + lane] / scale[n]
        else:
            solve_transposed(a, size, scale, n, n, x)  # x = (K + σ² I)⁻¹ y
            for question in range(first, last):
                _kernel_row(films, asked[question], planes, columns, drift, now - n, a, matrix)
                mean[question] = dot(a, 0, LANES, x, 0, matrix)
    return False


@numeric
def _fill_up(a: Any, size: Any, n: Any, noise: Any, residual: Any) -> None:
    """Add σ² to K; write y as row n, and rows of the identity after it."""
    last = (size // LANES - 1) * size * LANES  # where the last band begins
    for k in range(n):
        a[(k // LANES * size + k) * LANES + k % LANES] += noise
        line = last + k * LANES
        a[line + n % LANES] = residual[k]
        a[line + n % LANES + 1 : line + LANES] = 0.0
    for k in range(n, size):
        line = last + k * LANES
        a[line : line + LANES] = 0.0
        a[line + k % LANES] = HUGE if k == n else 1.0


@numeric
def _sums_of_squares(a: Any, band: Any, n: Any, sums: Any) -> None:
    """Of the first n numbers of each row of the band that begins there."""
    sums[:] = 0.0
    for line in range(band, band + n * LANES, LANES):
        for lane in range(LANES):
            sums[lane] += a[line + lane] * a[line + lane]


@numeric
def _gather(films: Any, movie: Any, planes: Any, columns: Any, place: Any) -> None:
    """What the kernel reads of a movie, beside that of others."""
    for word in range(len(planes)):
        planes[word, place] = films.patterns[movie, word]
    columns[0, place] = films.norm[movie]
    columns[1, place] = films.linear[movie, 0]
    columns[2, place] = films.linear[movie, 1]


@numeric
def _kernel_band(
    films: Any,
    rated: Any,
    start: Any,
    count: Any,
    planes: Any,
    columns: Any,
    at: Any,
    drift: Any,
    distances: Any,
    step: Any,
    to: Any,
    place: Any,
) -> None:
    """k of `count` ratings from `start` on, one after another, with the `LANES` movies gathered
    from `at` on, into `to` from `place` on. What drift adds to them stands in `drift` from
    `distances` on, for each rating `step` later."""
    patterns, norm, linear = films.patterns, films.norm, films.linear
    by_metadata, code_words = films.by_metadata, films.code_words
    same, differing = films.agreement
    for k in range(count):
        movie = rated[start + k]
        _kernel_vector(
            to, planes, columns, patterns, by_metadata, drift,
            place + k * LANES, at, movie, distances + k * step, code_words,
            same, differing, norm[movie], linear[movie, 0], linear[movie, 1],
        )  # fmt: skip


@numeric
def _kernel_row(
    films: Any,
    movie: Any,
    planes: Any,
    columns: Any,
    drift: Any,
    distances: Any,
    to: Any,
    bands: Any,
) -> None:
    """k of one movie with the movies gathered, `bands` · `LANES` of them, into `to`. What drift
    adds to them stands in `drift` from `distances` on."""
    patterns, norm, linear = films.patterns, films.norm[movie], films.linear[movie]
    by_metadata, code_words = films.by_metadata, films.code_words
    same, differing = films.agreement
    for at in range(0, bands * LANES, LANES):
        _kernel_vector(
            to, planes, columns, patterns, by_metadata, drift,
            at, at, movie, distances + at, code_words,
            same, differing, norm, linear[0], linear[1],
        )  # fmt: skip


@in_llvm
def _kernel_vector(
    typing: Any,
    to: Any,
    planes: Any,
    columns: Any,
    patterns: Any,
    by_metadata: Any,
    drift: Any,
    place: Any,
    at: Any,
    movie: Any,
    distances: Any,
    code_words: Any,
    same: Any,
    step: Any,
    norm: Any,
    level: Any,
    slope: Any,
) -> Any:
    """k of a movie with the `LANES` gathered from `at` on, into `to` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        shape = context.make_array(signature.args[1])(context, builder, arguments[1]).shape
        words, room = cgutils.unpack_tuple(builder, shape, 2)
        to, planes, columns, patterns, by_metadata, drift = contents(
            context, builder, signature, arguments, 6
        )
        place, at, movie, distances, code_words = arguments[6:11]
        same, step, norm, level, slope = (in_all_lanes(builder, one) for one in arguments[11:])
        pattern = builder.gep(patterns, [builder.mul(movie, words)])

        def differing(first: Any, last: Any) -> Any:
            total = cgutils.alloca_once_value(builder, ir.Constant(WORDS, [0] * LANES))
            with cgutils.for_range_slice(builder, first, last, first.type(1)) as (word, _):
                others = load(builder, planes, builder.add(builder.mul(word, room), at), WORDS)
                own = in_all_lanes(builder, builder.load(builder.gep(pattern, [word])))
                counted = ones(builder, builder.xor(others, own))
                builder.store(builder.add(builder.load(total), counted), total)
            return builder.load(total)

        def column(row: int) -> Any:
            return load(builder, columns, builder.add(builder.mul(room, at.type(row)), at))

        code, metadata = differing(at.type(0), code_words), differing(code_words, words)
        looked_up = ir.Constant(FLOATS, ir.Undefined)
        for lane in range(LANES):
            number = ir.IntType(32)(lane)
            bits = builder.extract_element(metadata, number)
            found = builder.load(builder.gep(by_metadata, [bits]))
            looked_up = builder.insert_element(looked_up, found, number)
        total = builder.fadd(load(builder, drift, distances), looked_up)
        total = multiply_add(builder, level, column(1), total)
        total = multiply_add(builder, slope, column(2), total)
        agreement = multiply_add(builder, builder.uitofp(code, FLOATS), step, same)
        norms = builder.fmul(norm, column(0))
        store(builder, multiply_add(builder, agreement, norms, total), to, place)
        return context.get_dummy_value()

    whole, real = types.intp, types.float64
    signature = types.void(
        to, planes, columns, patterns, by_metadata, drift,
        whole, whole, whole, whole, whole, real, real, real, real, real,
    )  # fmt: skip
    return signature, generate
