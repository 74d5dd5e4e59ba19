"""`personal` of all users of a cell, beside a loop over users in numpy, and beside what the
arithmetic of one core allows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from scipy.linalg import cho_solve, cholesky, solve_triangular

from experiments.speed.rows import REPEATS, Row, median_seconds, processor_seconds
from PerUser.personal import Personal, histories, rows_by_user
from PerUser.vectors import FLOATS, LANES, in_all_lanes, in_llvm, multiply_add, sum_of_lanes
from recbench import Movies, Ratings
from recbench.evaluation.cells import Cell
from recbench.film_table.kernel import drift_shape, metadata_shape
from recbench.film_table.table import FilmTable
from recbench.film_table.tables import FilmTables
from weightless.lanes import popcount

CHAINS = 12  # of fused multiply-adds that do not wait for each other
PER_ELEMENT = 10  # floating-point operations of the kernel of two ratings
AGREE = 1e-8  # stars


def personal_rows(cell: Cell) -> Iterator[Row]:
    """All of this part; the film tables are made beforehand."""
    train, test = cell.train_and_test(learns_from_background=False)
    movies, tables = cell.movies, cell.personal_tables
    n = np.bincount(train.user).astype(float)
    m = np.bincount(test.user, minlength=len(n)).astype(float)[: len(n)]
    n, elements = n[m > 0], (n**2 / 2 + m * n)[m > 0].sum()
    m = m[m > 0]
    model = Personal().fit(train, movies, tables)
    words = model._kernels[0].patterns.shape[1] * elements
    flops, counted = multiply_adds_per_second(), words_counted_per_second()
    shape = f"{len(n):,} users, {len(train):,} ratings, {len(test):,} asked for"
    for what, with_variance in (("mean", False), ("mean and variance", True)):
        ask = Personal.predict_normal if with_variance else Personal.predict

        def ours(ask: Any = ask) -> None:
            ask(Personal().fit(train, movies, tables), test.user, test.movie)

        seconds = median_seconds(ours, repeats=3)
        asking = median_seconds(partial(ask, model, test.user, test.movie), repeats=3)
        found = model.predict_normal(test.user, test.movie)
        start = time.process_time()
        plain = numpy_loop(train, test, movies, tables, with_variance)
        in_numpy = time.process_time() - start
        for one, other in zip(found, plain[: 1 + with_variance], strict=False):
            if np.abs(one - other).max(initial=0) > AGREE:
                raise AssertionError("numpy and personal disagree")
        operations = (n**3 / 3 + 2 * n**2).sum() + PER_ELEMENT * elements
        operations += (n**2 * m).sum() if with_variance else 2 * (n * m).sum()
        least = operations / flops + words / counted
        binds = (
            f"{operations:.3g} operations at {flops / 1e9:.3g} Gflop/s of one core, and "
            f"{words:.3g} words compared at {counted / 1e9:.3g} · 10⁹/s"
        )
        against = "a loop over users in numpy and scipy"
        yield Row(
            f"personal, fit and {what}, {shape}", seconds, "s", against, in_numpy,
            in_numpy / seconds, binds, least, seconds / least,
        )  # fmt: skip
        yield Row(
            f"personal, {what} alone, {shape}", asking, "s", against, in_numpy,
            in_numpy / asking, binds, least, asking / least,
        )  # fmt: skip
    yield from thread_rows(model, test, shape)


def thread_rows(model: Personal, test: Ratings, shape: str) -> Iterator[Row]:
    """Two threads beside one: in turn, the least of each, for others may use the cores as well."""
    elapsed: dict[int, list[float]] = {1: [], 2: []}
    used: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(2 * REPEATS):
        for threads in (1, 2):
            model.threads = threads
            start = time.perf_counter()
            used[threads].append(processor_seconds(lambda: model.predict(test.user, test.movie)))
            elapsed[threads].append(time.perf_counter() - start)
    model.threads = 1
    for what, seconds in (("elapsed", elapsed), ("processor time of both", used)):
        one, two = min(seconds[1]), min(seconds[2])
        yield Row(
            f"personal, mean, two threads, {what}, {shape}", two, "s", "one thread", one, one / two
        )


def numpy_loop(
    train: Ratings, test: Ratings, movies: Movies, tables: FilmTables, with_variance: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What `Personal` predicts, as one writes it in numpy: user by user, bits as numbers ±1, whose
    matrix product says how many agree. Mean, not clipped, and variance, float64 [n] each."""
    of_tables = [_Films(table, movies) for table in tables.tables]
    ratings_of = dict(histories(train))
    mean, variance = np.empty(len(test)), np.empty(len(test))
    for user, rows in rows_by_user(test.user):
        films = of_tables[tables.fold_of(user)]
        own = ratings_of.get(user, np.empty(0, dtype=np.int64))
        rated, asked, n = train.movie[own], test.movie[rows], len(own)
        mean[rows], variance[rows] = films.mean[asked], films.variance[asked]
        if not n:
            continue
        place = np.arange(n)
        covariance = films.kernel(rated, rated, place[:, None] - place)
        covariance[place, place] += films.scales.noise
        root = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        residual = train.stars[own] - films.mean[rated]
        with_asked = films.kernel(asked, rated, n - place)  # (asked, rated)
        if with_variance:
            z = solve_triangular(root, residual, lower=True, check_finite=False)
            v = solve_triangular(root, with_asked.T, lower=True, check_finite=False)
            mean[rows] += z @ v
            variance[rows] -= (v**2).sum(axis=0)
        else:
            mean[rows] += with_asked @ cho_solve((root, True), residual, check_finite=False)
    return mean, variance


class _Films:
    """What the loop reads of a film table, made once."""

    def __init__(self, table: FilmTable, movies: Movies) -> None:
        bits, metadata = table.codes, movies.metadata_bits
        self.scales = scales = table.scales
        self.mean, self.norm, self.level = table.mean, table.norm, table.level
        self.codes = (1 - 2.0 * bits).astype(np.float32)  # sums of few bits: exact
        self.metadata = (1 - 2.0 * metadata).astype(np.float32)
        self.variance = (
            scales.likeness * self.norm**2
            + scales.level * self.level**2
            + scales.slope * (self.mean - 3) ** 2
            + scales.metadata
            + scales.drift
            + scales.noise
        )

    def kernel(self, movie: np.ndarray, other: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """float64 [m, n]; `apart`: int, to be broadcast to that."""
        scales, bits = self.scales, self.metadata.shape[1]
        differing = (bits - (self.metadata[movie] @ self.metadata[other].T).astype(np.float64)) / 2
        likeness = scales.likeness / max(self.codes.shape[1], 1)
        norms = np.outer(likeness * self.norm[movie], self.norm[other])
        return (
            norms * (self.codes[movie] @ self.codes[other].T)
            + np.outer(scales.level * self.level[movie], self.level[other])
            + np.outer(scales.slope * (self.mean[movie] - 3), self.mean[other] - 3)
            + scales.metadata * metadata_shape(differing)
            + scales.drift * drift_shape(apart)
        )


# --- what one core can do ------------------------------------------------------------------------


@in_llvm
def _chains(typing: Any, steps: Any, factor: Any) -> Any:
    """So many steps of `CHAINS` · `LANES` fused multiply-adds that do nothing but wait."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        steps, factor = arguments
        every = in_all_lanes(builder, factor)
        totals = [
            cgutils.alloca_once_value(builder, ir.Constant(FLOATS, [float(k)] * LANES))
            for k in range(CHAINS)
        ]
        with cgutils.for_range(builder, steps):
            for total in totals:
                builder.store(multiply_add(builder, builder.load(total), every, every), total)
        vector = builder.load(totals[0])
        for total in totals[1:]:
            vector = builder.fadd(vector, builder.load(total))
        return sum_of_lanes(builder, vector)

    return types.float64(types.intp, types.float64), generate


@numba.njit(nogil=True)
def multiply_add_chains(steps: Any, factor: Any) -> float:
    return _chains(steps, factor)


def multiply_adds_per_second(steps: int = 1_000_000) -> float:
    """Floating-point operations a second of one core, float64, all in registers."""
    work = partial(multiply_add_chains, steps, 0.5)
    work()
    return 2 * CHAINS * LANES * steps / min(processor_seconds(work) for _ in range(REPEATS))


@numba.njit(nogil=True)
def count_differing(words: np.ndarray, asked: np.uint64, times: int) -> np.uint64:
    total = np.uint64(0)
    for time_ in range(times):
        own = asked + np.uint64(time_)
        for at in range(len(words)):
            total += popcount(words[at] ^ own)
    return total


def words_counted_per_second(times: int = 100_000) -> float:
    """Words of 64 bits compared a second by one core, in its first cache."""
    words = np.random.default_rng(0).integers(0, 2**63, 1_024).astype(np.uint64)
    work = partial(count_differing, words, np.uint64(7), times)
    work()
    return len(words) * times / min(processor_seconds(work) for _ in range(REPEATS))
