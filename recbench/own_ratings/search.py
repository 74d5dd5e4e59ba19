"""Movies looked for while their titles are typed."""

from __future__ import annotations

from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.kinds import split_title
from recbench.own_ratings.matching import Matcher
from recbench.own_ratings.titles import key, words_of

LIKELY = 0.7  # ratio of difflib from which a title is taken for a slip of what was typed
WHOLE, BEGINS, HAS = range(3)  # how much of a name was typed


class Search:
    """Finds movies by the words of their names, each perhaps not typed to its end.

    Args:
        catalogue: the movies.
        matcher: of the same movies; it finds slips.
    """

    def __init__(self, catalogue: Catalogue, matcher: Matcher) -> None:
        self._catalogue, self._matcher = catalogue, matcher
        # of each name of a movie, once for movies that are there twice: its words, and its row
        self._names = [
            (f" {' '.join(words_of(name))}", row)
            for row in sorted(set(catalogue.same.tolist()))
            for name in (catalogue.shown[row], *catalogue.other_titles[row])
        ]

    def find(self, typed: str, count: int) -> list[int]:
        """Rows of the movies whose name has all words typed, or begins of words: the whole name
        first, then names that begin so, then others; the best-known first. "Alien (1979)" is of
        that year alone. Where none is found, those spelled nearly so, the nearest first."""
        title, year = split_title(typed)
        words = words_of(title)
        if not words:
            return []
        wanted, begin = [f" {word}" for word in words], f" {' '.join(words)}"
        best: dict[int, int] = {}
        for name, row in self._names:
            if all(word in name for word in wanted):
                rank = HAS if not name.startswith(begin) else WHOLE if name == begin else BEGINS
                best[row] = min(rank, best.get(row, rank))
        known = self._catalogue.rated_by
        found = sorted(best, key=lambda row: (best[row], -known[row], row))
        if year is not None:
            found = [row for row in found if self._catalogue.year[row] == year]
        if not found and len(key(title)) > 2:
            found = self._matcher.nearest(title, count, LIKELY)
        return found[:count]
