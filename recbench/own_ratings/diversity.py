"""A list of movies that are good, and not all alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

POOL = 10  # movies looked at for each that is chosen: the best ones

Likeness = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of places [m], [n]: float64 [m, n]


def diversified(stars: np.ndarray, likeness: Likeness, count: int, diversity: float) -> np.ndarray:
    """Maximal marginal relevance (Carbonell and Goldstein 1998): one movie after another, each the
    one with the largest

        (1 − d) · relevance − d · likeness to the most alike of those chosen

    among the ten times `count` best. The relevance of a movie is where its stars lie between the
    least (0) and the most (1) of these, so that both parts are of one size.

    Args:
        stars: float64 [m], expected.
        likeness: of movies at places int [m] and int [n], at most 1.
        diversity: d, 0 (the best movies in order) .. 1 (the best movie, then those least alike).

    Returns:
        places of the chosen, int [≤ count], in the order chosen.
    """
    order = np.argsort(-stars, kind="stable")
    if diversity == 0 or count == 0:
        return order[:count]
    pool = order[: POOL * count]
    width = np.ptp(stars[pool]) if len(pool) else 0.0
    relevance = (stars[pool] - stars[pool].min(initial=np.inf)) / (width or 1.0)
    most_alike = np.zeros(len(pool))  # to those chosen; the first is chosen by its stars
    left, chosen = np.ones(len(pool), dtype=bool), list[int]()
    for _ in range(min(count, len(pool))):
        first = not chosen
        score = relevance if first else (1 - diversity) * relevance - diversity * most_alike
        best = int(np.where(left, score, -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        alike = likeness(pool[[best]], pool)[0]
        most_alike = alike if first else np.maximum(most_alike, alike)
    return pool[chosen]
