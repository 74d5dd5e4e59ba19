"""n-tuple regression: a memory of one user that only stores and counts.

The n-tuple regression network (Kolcz & Allinson 1996; Regression WiSARD, Lusquino Filho and others
2020) over the residuals of ratings. For each tuple and each address of it there are the sum of the
residuals learned there, in integer units, and their number:

    learn:    sum_t += residual, count_t += 1    in the row of each of T tuples
    forget:   the same with minus
    predict:  Σ_t sum_t / (Σ_t count_t + λT)

It is a mean of residuals, weighted by the tuples that *fire*; λT shrinks it to 0 if few do. With
m(q, j) the number of tuples in which the query q and the stored pattern j have the same address,

    predict:  Σ_j m(q, j) residual_j / (Σ_j m(q, j) + λT)

is the same number from patterns: both are integers until the final division.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from weightless.compiled import compiled
from weightless.counters import Counters

UNITS = 16  # of a star: residuals are whole sixteenths


class NTupleMemory(Counters):
    """Sums and counts of residuals, see the module.

    Args:
        tuples: int [tuples, n], places in a pattern, such as those of `draw_tuples`.
        weight: λ > 0; λT is rounded to an integer, at least 1.

    Attributes:
        prior: λT, an integer.

    Raises:
        ValueError: a value out of its range.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ("weight",)

    def __init__(self, tuples: np.ndarray, weight: float) -> None:
        super().__init__(tuples, columns=2)
        self.weight, self.prior = weight, prior_of(weight, len(self.tuples))

    def learn(self, bits: np.ndarray, residual: float) -> int:
        """Learn the residual of one rating.

        Args:
            bits: [bits], 0 or 1, of the movie.
            residual: stars, rounded to sixteenths.

        Returns:
            The residual in sixteenths, for `forget` and for patterns.

        Raises:
            ValueError: bits or residual are invalid.
        """
        units = to_units(residual)
        self.add(self.addresses(bits)[0], np.array([units, 1]))
        return units

    def forget(self, bits: np.ndarray, residual: float) -> None:
        """Remove what was learned; the memory then equals one that never learned it.

        Raises:
            ValueError: it was not learned, as far as counters can tell; nothing is changed.
        """
        units, addresses = to_units(residual), self.addresses(bits)[0]
        sums, counts = self.read(addresses).T
        if not counts.all() or (sums[counts == 1] != units).any():
            raise ValueError(f"a residual of {residual:g} was not learned of this pattern")
        self.add(addresses, np.array([-units, -1]))

    def sums(self, bits: np.ndarray) -> tuple[int, int]:
        """Numerator (in units) and denominator of the prediction for one pattern [bits]."""
        total, count = self.read(self.addresses(bits)[0]).sum(axis=0, dtype=np.int64).tolist()
        return total, count + self.prior

    def predict(self, bits: np.ndarray) -> float:
        """The predicted residual of one pattern [bits], in stars; 0 if no tuple fires."""
        return stars_of(*self.sums(bits))

    def explain(self, bits: np.ndarray, stored: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """The share of each stored rating in `predict(bits)`; the shares sum to the prediction.

        Counters do not hold single ratings, so the caller gives them.

        Args:
            stored: [ratings, bits], the patterns learned.
            residuals: int [ratings], their residuals in units, as `learn` returned them.

        Returns:
            float64 [ratings], stars: m(q, j) residual_j / (Σ m + λT).

        Raises:
            ValueError: the memory has not learned these, and only these.
        """
        fires = matches(self.addresses(bits), self.addresses(stored))[0]
        total, count = self.sums(bits)
        parts = fires * np.asarray(residuals, np.int64)
        if (int(parts.sum()), int(fires.sum()) + self.prior) != (total, count):
            raise ValueError("these ratings are not those that were learned")
        return stars_of(parts, count)


def prior_of(weight: float, tuples: int) -> int:
    """λT as an integer, at least 1.

    Raises:
        ValueError: λ is not above 0, or not finite.
    """
    if not 0 < weight < np.inf:
        raise ValueError(f"weight: a number above 0 expected, got {weight}")
    return max(1, round(weight * tuples))


def to_units(stars: Any) -> Any:
    """Stars, a number or an array, in whole sixteenths; halves are rounded to even.

    Raises:
        ValueError: not finite, or not within ±2,048 stars.
    """
    units = np.rint(np.asarray(stars, np.float64) * UNITS)
    if not (np.abs(units) < 2**15).all():  # nan, too
        raise ValueError(f"residuals within ±{2**15 // UNITS} stars expected, got {stars}")
    return units.astype(np.int16) if units.ndim else int(units)


def stars_of(total: Any, count: Any) -> Any:
    """Units divided by a count, in stars: the only division."""
    return total / count / UNITS


# --- patterns, of many users -------------------------------------------------------------------


@compiled
def matches(queries: Any, stored: Any) -> Any:
    """m(q, j), the number of tuples in which two patterns have the same address.

    Args:
        queries, stored: uint [q, tuples] and [j, tuples], see `addresses_of`.

    Returns:
        int64 [q, j].
    """
    fires = np.empty((len(queries), len(stored)), np.int64)
    for query in range(len(queries)):
        for pattern in range(len(stored)):
            fires[query, pattern] = _fires(queries[query], stored[pattern])
    return fires


@compiled
def sums_of_users(
    addresses: Any, first: Any, movie: Any, units: Any, user: Any, query: Any, prior: Any
) -> Any:
    """Numerator and denominator of each prediction, from the patterns that users have stored.

    They equal those of an `NTupleMemory` per user, without its counters: a query of a user with k
    ratings takes k·T comparisons, many at once. Up to some thousand ratings that is faster than
    learning them all, and a rating takes only a few bytes.

    Args:
        addresses: uint [movies, tuples], see `addresses_of`.
        first: int [users + 1]; the ratings of user u are those from first[u] to first[u + 1].
        movie: int [ratings], rows of `addresses`.
        units: int [ratings], residuals, see `to_units`.
        user, query: int [n], user and movie of each prediction.
        prior: λT, see `prior_of`.

    Returns:
        int64 [n] each, to convert by `stars_of`.
    """
    total, count = np.zeros(len(query), np.int64), np.full(len(query), np.int64(prior))
    for row in range(len(query)):
        own = addresses[query[row]]
        for rating in range(first[user[row]], first[user[row] + 1]):
            fires = _fires(own, addresses[movie[rating]])
            total[row] += fires * np.int64(units[rating])
            count[row] += fires
    return total, count


@compiled
def _fires(one: Any, other: Any) -> Any:
    same = 0
    for row in range(len(one)):
        same += one[row] == other[row]
    return same
