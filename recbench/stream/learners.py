"""A learner in a replay: a recommender, and when it is refitted from scratch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recbench.errors import InputError
from recbench.registry import check_name, name_of

NEVER = "never"
SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
FIRST = 1_000  # ratings before the first refit of a learner such as "x1.5"


@dataclass(frozen=True)
class Learner:
    """A recommender in a stream of ratings.

    Attributes:
        spec: of the recommender, for `recbench.registry.load_recommender`.
        retrained: when it is refitted to all ratings so far: only at the start ("never"), every n
            ratings ("1000"), every period since the first rating ("1d": minutes m, hours h, days d,
            weeks w), or when there are n times as many ratings ("x1.5"). In between it learns each
            rating if it can.
    """

    spec: str
    retrained: str

    @classmethod
    def parse(cls, text: str) -> Learner:
        """The learner of "recommender@retrained".

        Raises:
            InputError: it is not of that form, or there is no such recommender.
        """
        spec, at, retrained = text.rpartition("@")
        learner = cls(spec, retrained)
        if not at or not (retrained == NEVER or _growth(retrained) or _period(retrained)):
            raise InputError(
                f"--models: '{text}'. Expected a recommender and when it is refitted, such as "
                "personal@x1.5 (when ratings have grown by half), bayes_fm@1000 "
                "(every 1000 ratings), bayes_fm@7d (m, h, d, w: minutes, hours, days, weeks) "
                "or user_mean@never"
            )
        check_name(spec)
        return learner

    @property
    def model(self) -> str:
        """The name of the recommender in the tables."""
        return name_of(self.spec)

    @property
    def name(self) -> str:
        """Recommender and refits, such as "bayes_fm@1000"."""
        return f"{self.model}@{self.retrained}"

    def pieces(self, time: np.ndarray) -> list[tuple[int, int]]:
        """First rating, and the one after the last, from each fit to the next; `time` as in
        `starts`."""
        return list(pairwise([*self.starts(time).tolist(), len(time)]))

    def starts(self, time: np.ndarray) -> np.ndarray:
        """The ratings before which it is fitted: int64 [k], rising, the first 0.

        Args:
            time: int64 [n], seconds, of the ratings of the stream, in order.
        """
        n = len(time)
        if growth := _growth(self.retrained):
            starts, place = [0], float(FIRST)
            while place < n:
                starts.append(int(place))
                place = max(place * growth, place + 1)
            return np.array(starts, dtype=np.int64)
        if period := _period(self.retrained):
            number, seconds = period
            if not seconds:
                return np.arange(0, n, number)
            passed = (time.astype(np.float64) - time[0]) // (number * seconds)
            return np.append(0, np.flatnonzero(np.diff(passed)) + 1)
        return np.zeros(1, dtype=np.int64)


def _growth(retrained: str) -> float:
    """1.5 for "x1.5"; 0 for other forms."""
    found = re.fullmatch(r"x(\d{1,9}(?:\.\d{1,9})?)", retrained)
    return float(found[1]) if found and float(found[1]) >= 1.05 else 0.0


def _period(retrained: str) -> tuple[int, int] | None:
    """(7, 86400) for "7d"; (1000, 0) for "1000", which is in ratings."""
    found = re.fullmatch(r"(\d{1,9})([mhdw]?)", retrained)
    if not found or not int(found[1]):
        return None
    return int(found[1]), SECONDS.get(found[2], 0)
