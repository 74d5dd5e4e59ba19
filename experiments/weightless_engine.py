"""What the weightless engine costs, beside the alternatives, each ratio from one run.

    python benchmarks/weightless_engine.py            # about two minutes
    python benchmarks/weightless_engine.py --quick    # a few seconds, small sizes, nothing written

Writes results/sample-weightless/engine.csv and, from it, the table in docs/weightless.md.
`wisardpkg` and `wnnlib` are compared where they can be imported:

    pip install scikit-learn pybind11 setuptools matplotlib
    pip install --no-build-isolation wisardpkg && pip install wnnlib
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # one core each, numpy's and torch's too

import numba
import numpy as np
import torch

import weightless as ao
from weightless.kernels import nearest_by_hamming
from weightless.mutual_information import weights

CSV = ROOT / "results" / "sample-weightless" / "engine.csv"
DOC = ROOT / "docs" / "weightless.md"
BEGIN, END = "<!-- engine.csv -->\n", "<!-- end of engine.csv -->"

USERS, STORED, ASKED = 1_000, 400, 100  # of the population
SCANNED = 2**20  # patterns of 64 bits: 8 MB
REPEATS = 5  # of everything that takes less than a second or two; the median counts
EPOCHS = 25  # of the multilayer perceptrons, as published
MOVIE = {"arch_i": [10, 3, 3, 10], "arch_z": [10], "connector_function": "forward_forward_conn"}


@dataclass
class Row:
    """A line of the table: a figure, and what it is measured against."""

    subject: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    ratio: float | None = None  # how many times better than `against`; growth: how many times more


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median processor time of `work`, after one call that is not counted."""
    work()
    return float(np.median([_processor_time(work) for _ in range(repeats)]))


def _processor_time(work: Callable[[], object]) -> float:
    # All of this runs on one core, which others may be using as well.
    start = time.process_time()
    work()
    return time.process_time() - start


def _elapsed(work: Callable[[], object]) -> float:
    # For what takes microseconds, of which the processor's clock knows too little.
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _median_elapsed(work: Callable[[], object]) -> float:
    work()
    return float(np.median([_elapsed(work) for _ in range(51)]))


def _least_elapsed(work: Callable[[], object]) -> float:
    """The least time that passed, of several calls: for work that several threads share."""
    return min(_elapsed(work) for _ in range(2 * REPEATS))


# --- a population: the published rule for a thousand people -------------------------------


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inputs uint8 [n, 26] of even, independent bits: hardly two are the same."""
    return rng.integers(0, 2, (n, 26), np.uint8)


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


def numpy_recall(inputs: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The published rule for one person, in whole arrays: uint8 [asked, 10].

    A weighted Hamming distance is sum wx + sum wp - 2 sum wxp, so all distances of a channel are
    one matrix product. The coin is left out: a neuron without a decision says 0.
    """
    edges = np.cumsum([0, *MOVIE["arch_i"]])
    state = np.empty_like(asked)
    for channel in (slice(a, b) for a, b in pairwise(edges)):
        state[:, channel] = numpy_fire(inputs[:, channel], inputs[:, channel], asked[:, channel])
    return numpy_fire(inputs, labels, state)


def numpy_fire(stored: np.ndarray, answers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """A group of neurons: uint8 [asked, neurons]."""
    p, x, one = stored.astype(np.float32), asked.astype(np.float32), answers.T == 1
    both = (answers.T.astype(np.float32) @ p).astype(np.int64)  # (neurons, bits)
    w = weights(len(stored), stored.sum(0, np.int64), answers.sum(0, np.int64), both)
    w = w.astype(np.float32)  # exact: sums stay below 2**24
    hamming = np.ones((1, p.shape[1]), np.float32)
    fired, undecided = np.zeros((len(one), len(x)), bool), np.ones((len(one), len(x)), bool)
    for weight in (w, hamming):
        distance = x @ weight.T  # (asked, neurons or 1)
        distance = distance.T[:, :, None] + (weight @ p.T)[:, None]  # (.., asked, stored)
        distance = distance - 2 * (x[None] * weight[:, None]) @ p.T
        to_one = np.where(one[:, None], distance, np.inf).min(2)  # (neurons, asked)
        to_zero = np.where(one[:, None], np.inf, distance).min(2)
        fired |= undecided & (to_one < to_zero)
        undecided &= to_one == to_zero
        if not undecided.any():
            break
    return fired.T.astype(np.uint8)


def train_perceptrons(inputs: np.ndarray, labels: np.ndarray) -> None:
    """A 26-32-16-10 perceptron for every person, all at once: [users, rows, bits]."""
    x, y = torch.from_numpy(inputs).float(), torch.from_numpy(labels).float()
    sizes = [26, 32, 16, 10]
    matrices = [
        ((torch.rand(len(x), a, b) * 2 - 1) / a**0.5).requires_grad_() for a, b in pairwise(sizes)
    ]
    biases = [torch.zeros(len(x), 1, b, requires_grad=True) for b in sizes[1:]]
    optimizer = torch.optim.Adam([*matrices, *biases], lr=0.001)
    for _ in range(EPOCHS):
        hidden = x
        for layer, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, matrix)  # (users, rows, units)
            if layer < 2:
                hidden = torch.relu(hidden)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(hidden, y, reduction="none")
        optimizer.zero_grad()
        loss.mean((1, 2)).sum().backward()
        optimizer.step()


def population_rows(users: int, stored: int, asked: int) -> Iterator[Row]:
    """The published rule over a population, against perceptrons and against numpy."""
    rng = np.random.default_rng(0)
    arch = ao.Arch(**MOVIE)
    for name, draw in (("even bits", uniform), ("bits like movies", like_movies)):
        who, who_asks = np.repeat(np.arange(users), stored), np.repeat(np.arange(users), asked)
        inputs, labels, questions = (
            draw(rng, users * stored),
            thermometers(rng, len(who)),
            draw(rng, len(who_asks)),
        )
        population = ao.Population(arch, users)
        learning = _processor_time(partial(population.learn, who, inputs, labels))

        ours = seconds(partial(population.recall, who_asks, questions, threads=1))
        shape = f"{users} users × {stored} stored × {asked} asked, {name}"

        by_user = [
            array.reshape(users, -1, array.shape[1]) for array in (inputs, labels, questions)
        ]
        start = time.process_time()
        plain = np.concatenate([numpy_recall(*one) for one in zip(*by_user, strict=True)])
        numpy_seconds = time.process_time() - start
        assert (plain == population.recall(who_asks, questions, Default=False)).all()
        yield Row(f"recall, {shape}", ours, "s", "vectorised numpy, one core", numpy_seconds,
                  numpy_seconds / ours)  # fmt: skip

        if draw is uniform:
            torch.set_num_threads(1)
            mlp = seconds(lambda b=by_user: train_perceptrons(b[0], b[1]), 1)
            yield Row(f"learn and recall, {shape}", learning + ours, "s",
                      f"training the same users' MLPs at once, {EPOCHS} epochs, one core", mlp,
                      mlp / (learning + ours))  # fmt: skip
            alone, shared = (
                _least_elapsed(partial(population.recall, who_asks, questions, threads=threads))
                for threads in (1, 2)
            )
            yield Row(f"recall, {shape}, two threads, elapsed", shared, "s",
                      "itself with one thread", alone, alone / shared)  # fmt: skip
            yield Row("memory of an example, offsets and all",
                      population.nbytes / population.counts.sum(), "bytes")  # fmt: skip


# --- a Hamming scan, and how near it is to reading memory ----------------------------------


@numba.njit
def read_memory(words: np.ndarray) -> np.uint64:
    """Touch every word once, and do next to nothing with it."""
    total = np.uint64(0)
    for at in range(len(words)):
        total += words[at]
    return total


def scan_rows(patterns: int) -> Iterator[Row]:
    """Pattern comparisons a second of one core, 64 bits, one question at a time."""
    rng = np.random.default_rng(1)
    for n in (patterns // 64, patterns, 16 * patterns):
        stored = rng.integers(0, 2**64, (1, n), np.uint64)
        answers, question = np.zeros((1, n), np.uint64), rng.integers(0, 2**64, 1, np.uint64)
        ones, zeros = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        scan = _median_elapsed(
            lambda s=stored, a=answers, q=question, n=n, o=ones, z=zeros: nearest_by_hamming(
                s, a, 0, n, q, o, z
            )
        )
        read = _median_elapsed(lambda s=stored: read_memory(s[0]))
        yield Row(f"Hamming scan, {n:,} patterns of 64 bits ({n * 8 / 2**20:g} MB)", n / scan / 1e9,
                  "10⁹ comparisons/s", "reading the same memory, 10⁹ words/s", n / read / 1e9,
                  read / scan)  # fmt: skip


# --- one agent ------------------------------------------------------------------------------


def agent_rows() -> Iterator[Row]:
    """One person's agent: storing one example, and asking once, in microseconds."""
    rng = np.random.default_rng(2)
    inputs, labels = uniform(rng, 2_000), thermometers(rng, 2_000)
    agent = ao.Agent(ao.Arch(**MOVIE))
    agent.next_state(inputs[0], labels[0], unsequenced=True)
    agent.next_state(inputs[0], unsequenced=True)
    times = np.array(
        [
            _processor_time(lambda x=x, y=y: agent.next_state(x, y, unsequenced=True))
            for x, y in zip(inputs, labels, strict=True)
        ]
    )
    first, last = np.median(times[:500]) * 1e6, np.median(times[-500:]) * 1e6
    yield Row("store one example, 26 → 10 bits, median of 2,000", np.median(times) * 1e6, "µs")
    yield Row("the same, 99th percentile", np.percentile(times, 99) * 1e6, "µs")
    yield Row("the same, the last 500", last, "µs", "the first 500", first, last / first)
    for stored in (20, 200, 2_000):
        agent = ao.Agent(ao.Arch(**MOVIE))
        agent.next_state_batch(inputs[:stored], labels[:stored], unsequenced=True)
        asked = uniform(rng, 300)
        agent.next_state(asked[0], unsequenced=True)
        times = [
            _processor_time(lambda x=x, a=agent: a.next_state(x, unsequenced=True)) for x in asked
        ]
        yield Row(f"ask once, {stored:,} stored, median of 300", np.median(times) * 1e6, "µs")


def digit_rows() -> Iterator[Row]:
    """scikit-learn's digits as thermometers, half to learn and half to tell: other packages."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    bits = (digits.data[:, :, None] > np.arange(1, 16, 2)).reshape(len(order), 512).astype(np.uint8)
    truth, one_hot = digits.target, np.eye(10, dtype=np.uint8)[digits.target]
    results: dict[str, tuple[float, float, float]] = {}  # accuracy, seconds to learn, to tell

    for name, rules in (("DD, Hamming, Default", {}), ("Hamming, Default", {"DD": False})):
        for _ in range(2):  # the first compiles
            agent = ao.Agent(ao.Arch([8] * 64, [10], (), "forward_forward_conn"))
            learning = _processor_time(
                partial(agent.next_state_batch, bits[train], one_hot[train], unsequenced=True)
            )
            start = time.process_time()
            said = agent.next_state_batch(bits[test], unsequenced=True, **rules).argmax(1)
            results[f"weightless ({name})"] = (
                float(np.mean(said == truth[test])), learning, time.process_time() - start
            )  # fmt: skip
    if find_spec("wisardpkg"):
        results["wisardpkg (28 bits an address, mean of 5)"] = _wisard(bits, truth, train, test)
    if find_spec("wnnlib"):
        results["wnnlib (VG-RAM node)"] = _vgram(bits, truth, train, test)

    usual = results["weightless (DD, Hamming, Default)"]
    for name, (accuracy, learning, telling) in results.items():
        other = not name.startswith("weightless")
        yield Row(f"digits: accuracy, {name}", accuracy, "")
        for what, value, ours, n in (
            ("store one", learning, usual[1], len(train)),
            ("tell one", telling, usual[2], len(test)),
        ):
            yield Row(f"digits: {what}, {name}", value / n * 1e6, "µs",
                      *(("weightless", ours / n * 1e6, ours / value) if other else ()))  # fmt: skip


def _wisard(
    bits: np.ndarray, truth: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[float, float, float]:
    import wisardpkg

    learned, asked = wisardpkg.DataSet(), wisardpkg.DataSet()  # made outside what is timed
    for row in train:
        learned.add(wisardpkg.BinInput(bits[row].tolist()), str(truth[row]))
    for row in test:
        asked.add(wisardpkg.BinInput(bits[row].tolist()))
    runs = []
    for _ in range(REPEATS):  # each draws which bits make an address
        network = wisardpkg.Wisard(28)
        learning = _processor_time(partial(network.train, learned))
        start = time.process_time()
        said = network.classify(asked)
        telling = time.process_time() - start
        runs.append((np.mean(np.array(said) == truth[test].astype(str)), learning, telling))
    accuracy, learning, telling = np.mean(runs, axis=0)
    return float(accuracy), float(learning), float(telling)


def _vgram(
    bits: np.ndarray, truth: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[float, float, float]:
    from wnnlib.vgram.VGRAMNode import VGRAMNode

    np.random.seed(0)  # noqa: NPY002 - the generator that wnnlib draws from
    node = VGRAMNode(512, 1, len(train) + 1, 0, 512, default_output=-1.0)
    learning = _processor_time(
        lambda: [node.learn(bits[row].astype(bool), float(truth[row])) for row in train]
    )
    start = time.process_time()
    said = [node.recall(bits[row].astype(bool))[0] for row in test]
    return float(np.mean(np.array(said) == truth[test])), learning, time.process_time() - start


# --- growth, and the first call ---------------------------------------------------------------


def growth_rows(users: int, stored: int, asked: int) -> Iterator[Row]:
    """How recall grows with the number of users, and with what each has stored."""
    rng = np.random.default_rng(4)

    def recall_seconds(users: int, stored: int) -> float:
        population = ao.Population(ao.Arch(**MOVIE), users)
        n = users * stored
        population.learn(np.repeat(np.arange(users), stored), uniform(rng, n), thermometers(rng, n))
        who, questions = np.repeat(np.arange(users), asked), uniform(rng, users * asked)
        return seconds(lambda: population.recall(who, questions, threads=1))

    once = recall_seconds(users, stored)
    for what, more in (
        ("twice the users", recall_seconds(2 * users, stored)),
        ("twice the memory of each", recall_seconds(users, 2 * stored)),
    ):
        yield Row(
            f"recall, {what}", more, "s", f"{users} users × {stored} stored", once, more / once
        )


FIRST_CALL = f"""
import time
start = time.perf_counter()
import numpy as np, weightless as ao
imported = time.perf_counter()
population = ao.Population(ao.Arch(**{MOVIE!r}), 1)
population.learn([0], np.zeros((1, 26)), np.zeros((1, 10)))
population.recall([0], np.zeros((1, 26)))
agent = population.agent(0)
agent.next_state([0] * 26, unsequenced=True)
print(imported - start, time.perf_counter() - imported)
"""


def first_call_rows() -> Iterator[Row]:
    """A process that must compile, and the next, which must not."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}

        def process() -> list[float]:
            done = subprocess.run(
                [sys.executable, "-c", FIRST_CALL],
                env=environment, check=True, capture_output=True, text=True,
            )  # fmt: skip
            return [float(number) for number in done.stdout.split()]

        (_, compiling), (importing, cached) = process(), process()
    yield Row("first calls on a machine, compiled", compiling, "s")
    yield Row("first calls in the next process, from the cache", cached, "s", "compiled", compiling,
              compiling / cached)  # fmt: skip
    yield Row("import weightless", importing, "s")


# --- the table ----------------------------------------------------------------------------------


def table(rows: list[Row]) -> str:
    """Markdown, one line a row."""
    lines = ["| what | figure | beside | its figure | ratio |", "|---|---:|---|---:|---:|"]
    for row in rows:
        other = "" if row.against_value is None else f"{row.against_value:.3g}"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g} ×"
        figure = f"{row.value:.3g} {row.unit}".strip()
        lines.append(f"| {row.subject} | {figure} | {row.against} | {other} | {ratio} |")
    return "\n".join(lines) + "\n"


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    names = info.read_text().split("model name") if info.exists() else []
    return names[1].split("\n")[0].strip("\t :") if len(names) > 1 else platform.processor()


def write(rows: list[Row]) -> None:
    """The CSV, and the table in the documentation between its markers."""
    CSV.parent.mkdir(parents=True, exist_ok=True)
    with CSV.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Row.__annotations__))
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    machine = (
        f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"numpy {np.__version__}, numba {numba.__version__}, torch {torch.__version__}. "
        f"{os.getloadavg()[1]:.1f} processes were running while it was measured."
    )
    text = DOC.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    DOC.write_text(f"{before}\n{table(rows)}\n{machine}\n\n{after}")


def main() -> None:
    """Measure everything, print it, write it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written")
    quick = parser.parse_args().quick
    users = 40 if quick else USERS
    rows = []
    for part in (
        population_rows(users, STORED, ASKED),
        scan_rows(SCANNED),
        agent_rows(),
        digit_rows(),
        growth_rows(users // 4, STORED, ASKED),
        first_call_rows(),
    ):
        for row in part:
            rows.append(row)
            print(table([row]).splitlines()[-1], flush=True)
    if not quick:
        write(rows)


if __name__ == "__main__":
    main()
