"""What is different between two lists of recommendations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.own_ratings.recommendation import Recommendation

SHOWN = 3  # of those that moved


@dataclass(frozen=True)
class Changes:
    """Names of movies; places count from 1.

    Attributes:
        new, gone: in one list and not in the other, in their order.
        up, down: (name, place before, place after), the furthest first.
    """

    new: tuple[str, ...]
    gone: tuple[str, ...]
    up: tuple[tuple[str, int, int], ...]
    down: tuple[tuple[str, int, int], ...]

    @classmethod
    def between(cls, before: Sequence[Recommendation], after: Sequence[Recommendation]) -> Changes:
        was = {film.movie: place for place, film in enumerate(before, start=1)}
        now = {film.movie: place for place, film in enumerate(after, start=1)}
        moved = sorted(
            ((film.name, was[film.movie], now[film.movie]) for film in after if film.movie in was),
            key=lambda one: -abs(one[1] - one[2]),
        )
        return cls(
            new=tuple(film.name for film in after if film.movie not in was),
            gone=tuple(film.name for film in before if film.movie not in now),
            up=tuple(one for one in moved if one[2] < one[1]),
            down=tuple(one for one in moved if one[2] > one[1]),
        )

    def lines(self) -> list[str]:
        """In words, a line for each kind of change."""
        said = []
        for word, moved in (("up", self.up), ("down", self.down)):
            if moved:
                shown = [f"{name} ({was} → {now})" for name, was, now in moved[:SHOWN]]
                said.append(f"{word}: {', '.join(shown)}{_more(len(moved) - SHOWN)}")
        for word, names in (("new", self.new), ("gone", self.gone)):
            if names:
                said.append(f"{word}: {', '.join(names)}")
        return said or ["the list stays as it was"]


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""
