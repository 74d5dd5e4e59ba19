"""Binary codes of movies, from the factors of an item table."""

from __future__ import annotations

import numpy as np

from recbench.models.item_table.scales import arcsine_kernel
from recbench.models.item_table.table import ItemTable
from weightless.counters import addresses_of

CODE_BITS = 512
POOL = 4_096  # hyperplanes to choose code bits from
MOST_RATED = 500  # movies that the choice looks at
METADATA = 0.35  # length of a movie's metadata among its features, chosen on development users


def codes_of(table: ItemTable, bits: int = CODE_BITS, seed: int = 0) -> np.ndarray:
    """A code of each movie of a table, see `choose_codes`: uint8 [movies, bits], 0 or 1."""
    return choose_codes(table.factors[:, 1:], table.count, bits, seed)


def choose_codes(factors: np.ndarray, count: np.ndarray, bits: int, seed: int) -> np.ndarray:
    """A code of `bits` bits for each movie, from its factors.

    A bit tells on which side of a random hyperplane a movie's factors are. Of two movies at the
    angle θ, a share of 1 − θ/π of the bits agrees on average (Charikar 2002), so

        (agreeing − differing) / bits ≈ 2/π arcsin(cos θ)

    the arc-sine kernel (Williams 1998). Random hyperplanes have an error of 1/√bits. Here they are
    chosen from a pool one by one, each time the one that minimises the sum of squared errors over
    pairs of movies, as in kernel herding (Chen, Welling & Smola 2010).

    Args:
        factors: float64 [movies, f], without the first factor, which is similar for all movies.
        count: int [movies], number of ratings; movies are weighted by √count.
        bits: number of bits, 0 or more.
        seed: of the pool.

    Returns:
        uint8 [movies, bits], 0 or 1. A movie without factors has zeros.
    """
    if bits == 0 or not factors.any():
        return np.zeros((len(factors), bits), dtype=np.uint8)
    planes = np.random.default_rng([seed, 6]).standard_normal((factors.shape[1], max(POOL, bits)))
    most = np.argsort(-count, kind="stable")[:MOST_RATED]
    most = most[np.linalg.norm(factors[most], axis=1) > 0]
    chosen = _herded(factors[most], np.sqrt(count[most] + 1.0), planes, bits)
    return (factors @ planes[:, chosen] > 0).astype(np.uint8)


def _herded(factors: np.ndarray, weight: np.ndarray, planes: np.ndarray, bits: int) -> list[int]:
    """The chosen hyperplanes, in order.

    With the target T and sides s of ±1 each, Σ_ij w_i w_j (T_ij − 1/t Σ_b s_bi s_bj)² over t bits
    is least for the next bit where t·s'T s − Σ_b (s's_b)² is greatest, products weighted by w.
    """
    sides = np.where(factors @ planes > 0, 1.0, -1.0)  # (movies, pool)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    weight = weight / weight.mean()
    weighted = sides * weight[:, None]
    target = np.vecdot(weighted.T, (arcsine_kernel(unit, unit) @ weighted).T)  # s'T s, (pool,)
    taken = np.zeros(len(target))  # Σ_b (s's_b)²
    chosen: list[int] = []
    for step in range(1, bits + 1):
        gain = step * target - taken
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        taken += (weighted.T @ sides[:, chosen[-1]]) ** 2
    return chosen


def spelled(table: ItemTable, bits: np.ndarray, n: int, tuples: int, seed: int = 0) -> np.ndarray:
    """The address of each movie of a table in each tuple of an n-tuple memory.

    Each bit of an address tells on which side of a random hyperplane a movie's *features* are: its
    factors and, as ±1 scaled to the length .35, its metadata bits, both multiplied by the square
    root of their scale in the table's kernel. So metadata have more weight if factors are less
    informative. Two movies at the angle θ have the same address in about (1 − θ/π)^n of the tuples.
    The n hyperplanes of a tuple are orthogonal within the factors and within the metadata, as far
    as dimensions allow, which reduces the variance (super-bits; Ji and others 2012).

    Args:
        bits: uint8 [movies, b], of metadata.
        n: bits of a tuple, 1 to 32.
        tuples: number of tuples.
        seed: of the hyperplanes.

    Returns:
        uint8, uint16 or uint32, the smallest that holds n bits: [movies, tuples]. A movie without
        features has zeros.
    """
    factors = np.sqrt(table.scales.similarity) * table.factors[:, 1:]  # (movies, f)
    length = METADATA * np.sqrt(table.scales.metadata / max(bits.shape[1], 1))
    metadata = length * (1.0 - 2.0 * bits)  # (movies, b)
    side = np.zeros((len(bits), tuples * n))
    for place, features in enumerate((factors, metadata)):
        if f := features.shape[1]:
            rng = np.random.default_rng([seed, 16 + 2 * place])
            drawn = np.linalg.qr(rng.standard_normal((tuples, -(-n // f), f, f)))[0]
            planes = np.sqrt(f) * drawn.reshape(tuples, -1, f)[:, :n]
            side += features @ planes.reshape(tuples * n, f).T
    places = np.arange(tuples * n).reshape(tuples, n)
    return addresses_of((side > 0).astype(np.uint8), places)
