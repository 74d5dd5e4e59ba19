"""A movie that is recommended: what is expected of it, how sure that is, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reason:
    """A rating of the user's that a recommendation rests on.

    Attributes:
        movie: "Alien (1979)".
        words: "you gave it 5: 82% of those who rate both agree".
        stars: how many it adds; negative: takes off.
    """

    film: str
    words: str
    stars: float


@dataclass(frozen=True)
class Recommendation:
    """A movie, and what is expected of it.

    Attributes:
        movie: row of the catalogue.
        stars: expected, 0.5 .. 5.
        low, high: stars between which the rating will be with a probability of 80 % or more.
        rated_by: how many users of the dataset rated it.
        reasons: the largest first; none if the user has rated nothing.
    """

    movie: int
    title: str
    year: int | None
    movie_id: int
    imdb_id: str
    genres: tuple[str, ...]
    language: str
    rated_by: int
    stars: float
    low: float
    high: float
    reasons: tuple[Reason, ...]

    @property
    def name(self) -> str:
        return self.title if self.year is None else f"{self.title} ({self.year})"


def interval(grid: np.ndarray, probability: np.ndarray, inside: float) -> tuple[float, float]:
    """The values of `grid` between which lies that part of the probability or more, as much of
    the rest below as above at most."""
    below = np.cumsum(probability)
    tail, rounding = (1 - inside) / 2, 1e-9
    low = int(np.searchsorted(below, tail + rounding, side="right"))
    high = int(np.searchsorted(below, 1 - tail - rounding))
    return float(grid[min(low, len(grid) - 1)]), float(grid[min(high, len(grid) - 1)])
