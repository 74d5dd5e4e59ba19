"""How long the rest of a grid takes, from what its recommenders have taken so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from recbench.runs.processes import Piece


class TimeLeft:
    """The time left for pieces of work.

    Pieces of the same recommender and size take what such pieces took on average. Other sizes lie
    on a line through those that are known (least squares, neither end below zero); one of a
    recommender that has done only one size takes as long as that, one that is not known yet as long
    as all pieces on average.

    Args:
        size_of: of a piece: how many ratings it learns, about.
    """

    def __init__(self, size_of: Callable[[Piece], float]) -> None:
        self._size_of = size_of
        self._ahead: set[Piece] = set()
        self._taken: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._spent = 0.0

    def expect(self, pieces: Iterable[Piece]) -> None:
        """They are still to be done."""
        self._ahead |= set(pieces)

    def took(self, piece: Piece, seconds: float) -> None:
        """It is done; said a second time, it counts as it did."""
        if piece in self._ahead:
            self._ahead.remove(piece)
            self._taken[piece.model][self._size_of(piece)].append(seconds)
            self._spent += seconds

    def drop(self, pieces: Iterable[Piece]) -> None:
        """They need not be done, or are done already."""
        self._ahead -= set(pieces)

    def seconds(self, elapsed: float, at_work: Mapping[Piece, float]) -> float | None:
        """Until all is done; None: nothing is known yet.

        What pieces take is set beside the time that has passed: several are done at a time, and
        there is work between them.

        Args:
            elapsed: seconds since the first piece was begun.
            at_work: seconds since each piece that is being done was begun.
        """
        gone = {piece: min(seconds, self._of(piece)) for piece, seconds in at_work.items()}
        spent = self._spent + sum(gone.values())
        if not self._spent or not spent:
            return None
        left = sum(self._of(piece) - gone.get(piece, 0.0) for piece in self._ahead)
        return left * elapsed / spent

    def _of(self, piece: Piece) -> float:
        """What a piece takes, in all."""
        taken, size = self._taken.get(piece.model), self._size_of(piece)
        if not taken:
            every = [one for sizes in self._taken.values() for of in sizes.values() for one in of]
            return float(np.mean(every)) if every else 0.0
        if size in taken:
            return float(np.mean(taken[size]))
        sizes = np.array(list(taken))
        seconds = np.array([np.mean(taken[one]) for one in taken])  # (sizes,)
        if len(sizes) == 1:
            return float(seconds[0])
        slope = max(float(np.polyfit(sizes, seconds, 1)[0]), 0.0)
        slope = min(slope, float(seconds.mean() / sizes.mean()))  # at size 0 it is not below zero
        return float(seconds.mean() + slope * (size - sizes.mean()))
