"""From a normal distribution on the scale of stars to a probability of each half star."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

STARS = np.arange(1, 11) / 2  # the ten possible ratings
FLOOR = 1e-4  # least probability of a rating: what nobody gave so far is not impossible


@dataclass(frozen=True)
class Steps:
    """Ratings are steps on a latent scale (ordered probit; McKelvey & Zavoina 1975):

        P(r ≤ s_k) = Φ((c_k − μ) / (spread · √v)), v the variance of the latent rating

    so that whole stars, which most users prefer, may have wider steps than half stars.

    Attributes:
        cuts: float64 [9], c_1 ≤ … ≤ c_9, stars; equal ones make a rating that nobody gives.
        spread: by what factor the stated standard deviation is too small.
    """

    cuts: np.ndarray
    spread: float

    def probabilities(self, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Of each of the ten ratings, float64 [n, 10], summing to 1."""
        below = ndtr(
            (self.cuts - np.asarray(mean)[:, None]) / (self.spread * np.sqrt(variance))[:, None]
        )  # (n, 9)
        edges = np.column_stack((np.zeros(len(below)), below, np.ones(len(below))))
        return (1 - 10 * FLOOR) * np.diff(edges, axis=1).clip(0) + FLOOR


EVEN = Steps(cuts=STARS[:-1] + 0.25, spread=1.0)


def fit_steps(stars: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> Steps:
    """Maximum likelihood cuts and spread, from ratings and what was predicted of each.

    Args:
        stars: float [n], given.
        mean, variance: float64 [n], of the latent rating, before it was seen.
    """
    from scipy.optimize import minimize  # slow to import, needed to make a table only

    given = np.rint(2 * stars).astype(int) - 1  # 0 .. 9
    kinds = np.flatnonzero(np.bincount(given, minlength=10))
    if len(kinds) < 2:
        return EVEN
    place = np.searchsorted(kinds, given)  # which of the kinds that occur
    deviation = np.sqrt(variance)
    first = np.append((STARS[kinds[:-1]] + STARS[kinds[1:]]) / 2, 0.0)

    def unpacked(values: np.ndarray) -> tuple[np.ndarray, float]:
        return np.append(values[0], values[0] + np.cumsum(np.exp(values[1:-1]))), np.exp(values[-1])

    def loss(values: np.ndarray) -> float:
        cuts, spread = unpacked(values)
        edges = np.concatenate(([-np.inf], cuts, [np.inf]))
        z = (edges[None] - mean[:, None]) / (spread * deviation)[:, None]
        likely = np.diff(ndtr(z), axis=1)[np.arange(len(place)), place]
        return float(-np.log(likely.clip(1e-12)).mean())

    start = np.concatenate((first[:1], np.log(np.diff(first[:-1])), first[-1:]))
    cuts, spread = unpacked(minimize(loss, start, method="L-BFGS-B").x)
    # a rating that nobody gives lies between two equal cuts
    upper = np.searchsorted(kinds, np.arange(9), side="right") - 1  # last kind at or below each
    all_cuts = np.where(upper < 0, -np.inf, np.append(cuts, np.inf)[upper])
    return Steps(np.nan_to_num(all_cuts, neginf=-1e3, posinf=1e3), float(spread))
