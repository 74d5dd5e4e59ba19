"""The weightless engine, beside vectorised numpy, reading memory, and itself with twice as much."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from os import environ
from typing import Any

import numba
import numpy as np

import weightless as ao
from experiments.speed.made_up import made_up_movies, uniform
from experiments.speed.rows import (
    REPEATS,
    Row,
    beside,
    elapsed_microseconds,
    median_seconds,
    processor_seconds,
)
from PerUser.perUser_pytorch import EPOCHS, TorchPerUserRecommender
from recbench import Ratings
from recbench.runs.circumstances import ROOT
from weightless.kernels import nearest_by_hamming
from weightless.mutual_information import weights

MOVIE: dict[str, Any] = {
    "arch_i": [10, 3, 3, 10],
    "arch_z": [10],
    "connector_function": "forward_forward_conn",
}
STORED, ASKED = 400, 100  # patterns and questions of each user


def engine_rows(users: int, patterns: int) -> Iterator[Row]:
    """All of this part."""
    yield from population_rows(users)
    yield from scan_rows(patterns)
    yield from agent_rows()
    yield from digit_rows()
    yield from first_call_rows()


def like_movies(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] like movies: some genres, mostly one language, one bin of votes."""
    genres = rng.random((n, 10)) < [0.45, 0.35, 0.25, 0.2, 0.05, 0.2, 0.15, 0.1, 0.15, 0.1]
    vote_average = np.tile([0, 1, 1], (n, 1))
    language = (rng.random((n, 1)) < 0.15) * rng.integers(0, 2, (n, 3))
    vote_count = np.eye(10)[np.minimum(rng.geometric(0.3, n) - 1, 9)]
    return np.concatenate([genres, vote_average, language, vote_count], axis=1).astype(np.uint8)


def thermometers(rng: np.random.Generator, n: int) -> np.ndarray:
    """Labels uint8 [n, 10]: so many ones, then zeros."""
    return (np.arange(10) < rng.integers(1, 11, (n, 1))).astype(np.uint8)


def population_rows(users: int) -> Iterator[Row]:
    """The published rule for many users, beside numpy, MLPs and itself with twice as much."""
    rng = np.random.default_rng(0)
    for name, draw in (("even bits", uniform), ("bits like movies", like_movies)):
        population, who, questions, (inputs, labels) = filled(rng, users, STORED, draw)
        learning = processor_seconds(partial(population.learn, who["stored"], inputs, labels))
        ours = median_seconds(partial(population.recall, who["asked"], questions, threads=1))
        shape = f"{users} users × {STORED} stored × {ASKED} asked, {name}"
        each = [array.reshape(users, -1, array.shape[1]) for array in (inputs, labels, questions)]
        start = time.process_time()
        plain = np.concatenate([numpy_recall(*one) for one in zip(*each, strict=True)])
        in_numpy = time.process_time() - start
        if (plain != population.recall(who["asked"], questions, Default=False)).any():
            raise AssertionError("numpy and the engine disagree")
        yield beside(f"recall, {shape}", ours, "vectorised numpy", in_numpy)
        if draw is uniform:
            movies = made_up_movies(inputs)
            stars = labels.sum(axis=1) / 2
            train = Ratings(who["stored"], np.arange(len(stars)), stars, np.arange(len(stars)))
            mlp = processor_seconds(partial(TorchPerUserRecommender().fit, train, movies))
            against = f"training the users' MLPs, {EPOCHS} steps"
            yield beside(f"learn and recall, {shape}", learning + ours, against, mlp)
            recall = partial(population.recall, who["asked"], questions)
            one, two = (
                min(elapsed_microseconds(partial(recall, threads=t)) for _ in range(REPEATS)) / 1e6
                for t in (1, 2)
            )
            yield beside(f"recall, {shape}, two threads, elapsed", two, "one thread", one)
            size = population.nbytes / population.counts.sum()
            yield Row("memory of a stored pattern, offsets and all", size, "bytes")
    times = {}
    for size in ((users // 4, STORED), (users // 2, STORED), (users // 4, 2 * STORED)):
        population, who, questions, stored = filled(rng, *size, uniform)
        population.learn(who["stored"], *stored)
        times[size] = median_seconds(partial(population.recall, who["asked"], questions, threads=1))
    (_, once), (_, users_twice), (_, memory_twice) = times.items()
    for what, more in (("users", users_twice), ("stored patterns", memory_twice)):
        yield Row(f"recall, twice the {what}", more, "s", "half as many", once, more / once)


def filled(
    rng: np.random.Generator, users: int, stored: int, draw: Callable
) -> tuple[ao.Population, dict[str, np.ndarray], np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """An empty population, whose patterns and questions, the questions, what is to be stored."""
    who = {
        "stored": np.repeat(np.arange(users), stored),
        "asked": np.repeat(np.arange(users), ASKED),
    }
    patterns = draw(rng, users * stored), thermometers(rng, users * stored)
    return ao.Population(ao.Arch(**MOVIE), users), who, draw(rng, users * ASKED), patterns


def numpy_recall(inputs: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The published rule for one user, in whole arrays: uint8 [asked, 10].

    A weighted Hamming distance is Σ wx + Σ wp − 2 Σ wxp, so all distances of a channel are one
    matrix product. The coin is left out: a neuron without a decision says 0.
    """
    state = np.empty_like(asked)
    for first, last in pairwise(np.cumsum([0, *MOVIE["arch_i"]])):
        channel = slice(first, last)
        state[:, channel] = numpy_fire(inputs[:, channel], inputs[:, channel], asked[:, channel])
    return numpy_fire(inputs, labels, state)


def numpy_fire(stored: np.ndarray, answers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A group of neurons: uint8 [asked, neurons]."""
    p, x, one = stored.astype(np.float32), asked.astype(np.float32), answers.T == 1
    both = (answers.T.astype(np.float32) @ p).astype(np.int64)  # (neurons, bits)
    w = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
    fired, undecided = np.zeros((len(one), len(x)), bool), np.ones((len(one), len(x)), bool)
    for weight in (w.astype(np.float32), np.ones((1, p.shape[1]), np.float32)):
        distance = (x @ weight.T).T[:, :, None] + (weight @ p.T)[:, None]
        distance = distance - 2 * (x[None] * weight[:, None]) @ p.T  # (neurons, asked, stored)
        to_one = np.where(one[:, None], distance, np.inf).min(2)  # (neurons, asked)
        to_zero = np.where(one[:, None], np.inf, distance).min(2)
        fired |= undecided & (to_one < to_zero)
        undecided &= to_one == to_zero
    return fired.T.astype(np.uint8)


@numba.njit
def read_memory(words: np.ndarray) -> np.uint64:
    """Touch every word once, and do next to nothing with it."""
    total = np.uint64(0)
    for at in range(len(words)):
        total += words[at]
    return total


def scan_rows(patterns: int) -> Iterator[Row]:
    """Comparisons a second of one core, patterns of 64 bits, one question at a time."""
    rng = np.random.default_rng(1)
    for n in (patterns // 64, patterns, 16 * patterns):
        stored = rng.integers(0, 2**64, (1, n), np.uint64)
        answers, question = np.zeros((1, n), np.uint64), rng.integers(0, 2**64, 1, np.uint64)
        found = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        scan = partial(nearest_by_hamming, stored, answers, 0, n, question, *found)
        read = partial(read_memory, stored[0])
        speeds = []
        for work in (scan, read):
            work()
            speeds.append(n / np.median([elapsed_microseconds(work) for _ in range(51)]) / 1e3)
        what = f"Hamming scan, {n:,} patterns of 64 bits ({n * 8 / 2**20:g} MB)"
        against = "reading the same memory, 10⁹ words/s"
        yield Row(what, speeds[0], "10⁹ comparisons/s", against, speeds[1], speeds[0] / speeds[1])


def agent_rows() -> Iterator[Row]:
    """One user's agent: storing one pattern, and asking once."""
    rng = np.random.default_rng(2)
    inputs, labels = uniform(rng, 2_000), thermometers(rng, 2_000)
    agent = ao.Agent(ao.Arch(**MOVIE))
    agent.next_state(inputs[0], labels[0], unsequenced=True)
    times = np.array(
        [
            elapsed_microseconds(partial(agent.next_state, *pair, unsequenced=True))
            for pair in zip(inputs, labels, strict=True)
        ]
    )
    first, last = np.median(times[:500]), np.median(times[-500:])
    yield Row("store one pattern, 26 → 10 bits, median of 2,000", np.median(times), "µs")
    yield Row("the same, 99th percentile", np.percentile(times, 99), "µs")
    yield Row("the same, the last 500", last, "µs", "the first 500", first, last / first)
    for stored in (20, 200, 2_000):
        agent = ao.Agent(ao.Arch(**MOVIE))
        agent.next_state_batch(inputs[:stored], labels[:stored], unsequenced=True)
        ask = partial(agent.next_state, unsequenced=True)
        ask(inputs[0])
        times = np.array([elapsed_microseconds(partial(ask, x)) for x in uniform(rng, 300)])
        yield Row(f"ask once, {stored:,} stored, median of 300", np.median(times), "µs")


def digit_rows() -> Iterator[Row]:
    """scikit-learn's digits as thermometers, half to learn and half to tell apart."""
    if not find_spec("sklearn"):
        return
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    train, test = np.array_split(order, 2)
    bits = (digits.data[:, :, None] > np.arange(1, 16, 2)).reshape(len(order), 512).astype(np.uint8)
    one_hot = np.eye(10, dtype=np.uint8)[digits.target]

    def learned() -> ao.Agent:
        agent = ao.Agent(ao.Arch([8] * 64, [10], (), "forward_forward_conn"))
        agent.next_state_batch(bits[train], one_hot[train], unsequenced=True)
        return agent

    learning = median_seconds(learned)
    yield Row("digits: store one", 1e6 * learning / len(train), "µs")
    for name, dd in (("DD, Hamming, Default", True), ("Hamming, Default", False)):
        tell = partial(learned().next_state_batch, bits[test], unsequenced=True, DD=dd)
        right = float(np.mean(tell().argmax(1) == digits.target[test]))
        yield Row(f"digits: accuracy, {name}", right, "")
        yield Row(f"digits: tell one, {name}", 1e6 * median_seconds(tell) / len(test), "µs")


FIRST_CALL = f"""
import time
start = time.perf_counter()
import numpy as np, weightless as ao
imported = time.perf_counter()
population = ao.Population(ao.Arch(**{MOVIE!r}), 1)
population.learn([0], np.zeros((1, 26)), np.zeros((1, 10)))
population.recall([0], np.zeros((1, 26)))
population.agent(0).next_state([0] * 26, unsequenced=True)
print(imported - start, time.perf_counter() - imported)
"""


def first_call_rows() -> Iterator[Row]:
    """A process that must compile, and the next, which must not."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**environ, "NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
        call = partial(subprocess.run, env=environment, check=True, capture_output=True, text=True)
        printed = [call([sys.executable, "-c", FIRST_CALL]).stdout.split() for _ in range(2)]
    (_, compiling), (importing, cached) = (map(float, words) for words in printed)
    yield Row("first calls on a machine, elapsed", compiling, "s")
    yield beside("first calls of the next process, elapsed", cached, "the first", compiling)
    yield Row("import weightless, elapsed", importing, "s")
