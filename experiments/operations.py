"""What it costs to store a rating and to predict one, by formula: a part of `experiments.cost`.

Of histories of made-up movies: 14 normal factors each, a code of 512 bits by random hyperplanes,
and 26 even bits. The places that a search in a table looks at are counted in the table itself:

- addition: an addition, subtraction or comparison of two numbers (shifts and loops not counted);
- multiplication: a multiplication or division; two in each hash;
- read: a number or a row fetched from a table.

Bytes are of one user and, apart, of what all users share.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import weightless as ao
from recbench.threads import one_thread
from weightless.counters import Counters, addresses_of, mix

HISTORIES = (10, 100, 1_000, 10_000)  # ratings that are there before
N, TUPLES = 8, 256  # bits of a tuple of the code, and how many tuples
MOVIES, FACTORS, CODE_BITS, OUTPUTS = 12_000, 14, 512, 10
RATING_BYTES = 5  # a movie's number and half stars


def operations() -> pd.DataFrame:
    """A row for each form of memory and each of `HISTORIES`."""
    with one_thread():
        return pd.DataFrame(
            {"model": name, "ratings": history, "bytes_of_ratings": RATING_BYTES * history}
            | form(history)
            for name, form in FORMS.items()
            for history in HISTORIES
        )


def cost(learn: Any, predict: Any, user_bytes: int, shared_bytes: int, **more: object) -> dict:
    """A row; `learn` and `predict` are additions, multiplications and reads."""
    names = ("additions", "multiplications", "reads")
    row = {
        f"{what}_{name}": round(number)
        for what, numbers in (("learn", learn), ("predict", predict))
        for name, number in zip(names, numbers, strict=True)
    }
    return row | {"user_bytes": user_bytes, "shared_bytes": shared_bytes} | more


def wisard(history: int) -> dict:
    """The ten pairs of discriminators of the recommender `wisard`, on 26 bits. The first step of
    bleaching is counted, in which nearly all are decided or the second."""
    bits = np.random.default_rng(2).integers(0, 2, (MOVIES, 26), np.uint8)
    tuples = ao.draw_tuples(26, 2, 64)
    addresses, memory = addresses_of(bits, tuples), ao.Wisard(tuples, 2, 6)
    for movie in range(history):
        memory.add(addresses[movie], np.eye(2)[movie % 2])
    t, looked = OUTPUTS * len(tuples), OUTPUTS * len(tuples) * probes(memory)
    reads = len(tuples) + t + looked
    learn, predict = (t + looked, 2 * t, reads), (4 * t + looked, 2 * t, reads)
    return cost(learn, predict, OUTPUTS * memory.nbytes, addresses.nbytes)


def counters(history: int) -> dict:
    """Sums and counts in a table that has what was met; `c_bytes` is the machine code of the C
    file for this machine, made for size."""
    addresses, tuples = spelled()
    memory, residual = ao.NTupleMemory(tuples, 0.25), np.array([3, 1])
    for movie in range(history):
        memory.add(addresses[movie], residual)
    t, held, looked = len(tuples), memory.nbytes, len(tuples) * probes(memory)
    learn, predict = (
        (2 * t + looked, multiplications, 2 * t + looked) for multiplications in (2 * t, 2 * t + 1)
    )
    return cost(learn, predict, held, addresses.nbytes, c_bytes=c_bytes())


def all_addresses(history: int) -> dict:
    """The same in an array that has every address: no search."""
    t, addresses = TUPLES, spelled()[0]
    return cost((2 * t, 0, 2 * t), (2 * t, 1, 2 * t), 8 * t << N, addresses.nbytes)


def patterns(history: int) -> dict:
    """The same predictions from the ratings and their residuals: there is nothing to learn."""
    addresses, t, n = spelled()[0], TUPLES, history
    predict = (2 * n * t + 2 * n, n + 1, t + n * t + n)
    return cost((0, 0, 0), predict, (4 + 2) * n, addresses.nbytes)


def gaussian_process(history: int) -> dict:
    """A row of the Cholesky factor to learn; a forward substitution to predict, for the variance,
    too. Of the kernel the product of factors alone is counted."""
    n = history
    row = n * FACTORS + n * n // 2  # multiplications, and as many additions
    held = 8 * n * n + (RATING_BYTES + 16) * n
    return cost([row] * 3, [row + 2 * n] * 3, held, 8 * FACTORS * MOVIES)


FORMS: dict[str, Callable[[int], dict]] = {
    "wisard, counters": wisard,
    "n-tuple, counters": counters,
    "n-tuple, all addresses": all_addresses,
    "n-tuple, patterns": patterns,
    "Gaussian process": gaussian_process,
}

# --- what they share ---------------------------------------------------------------------------


def spelled() -> tuple[np.ndarray, np.ndarray]:
    """Addresses of all movies, and the tuples that spell them."""
    factors = np.random.default_rng(0).standard_normal((MOVIES, FACTORS))
    planes = np.random.default_rng(1).standard_normal((FACTORS, CODE_BITS))
    tuples = ao.draw_tuples(CODE_BITS, N, TUPLES)
    return addresses_of((factors @ planes > 0).astype(np.uint8), tuples), tuples


def probes(memory: Counters) -> float:
    """Places that a search for a row that is there looks at, on average."""
    there, mask = np.flatnonzero(memory._keys), len(memory._keys) - 1
    home = [int(mix(np.uint64(key))) & mask for key in memory._keys[there].tolist()]
    return float(((there - np.array(home)) & mask).mean()) + 1


def c_bytes() -> int:
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "ntuple.o"
        source = Path(ao.__file__).with_name("ntuple.c")
        subprocess.run(["cc", "-std=c99", "-Os", "-c", source, "-o", built], check=True)
        shown = subprocess.run(["size", built], check=True, capture_output=True, text=True).stdout
    return int(shown.splitlines()[1].split()[0])  # text
