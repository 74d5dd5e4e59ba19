"""Match ratings to movies: by ids, else by title and year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

import numpy as np
from rapidfuzz import fuzz, process

from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.titles import ALTERNATIVE, key, names_of, parts_of, words_of
from recbench.own_ratings.values import split_title

How = Literal["id", "title", "nearly", ""]
YEARS_OFF = 1  # sites may give release years that differ by one
# Similarities of titles are rapidfuzz's ratio, 0 .. 100: twice the common letters over all letters
SIMILAR = 88.0  # at least, for one title to be a typo of another
LEAD = 3.0  # over the next best
LONGEST_SLIP = 2  # characters more or fewer
SHORTEST = 6  # characters; in shorter titles a typo can be another title
LIKELY = 70.0  # at least, for a search to have a typo of the title
NEAR = 85.0  # at least, for a title to be suggested


@dataclass(frozen=True)
class Match:
    """The result for a rating."""

    movie: int | None = None  # row of the movie; None if no movie or several fit
    # "title": title and year; "nearly": another year, no article, part of the title, or a typo
    how: How = ""
    candidates: tuple[int, ...] = ()  # rows of movies that fit equally well

    @property
    def sure(self) -> bool:
        """Whether the match is certain, so that no other movie is likely."""
        return self.how != "nearly"


class Matcher:
    """Finds movies of a catalogue; of duplicates, the row that represents both. If two movies fit
    equally well, it chooses neither."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        same, movie_id = catalogue.same.tolist(), catalogue.movies.movie_id.tolist()
        self._of_imdb = {one: same[row] for row, one in enumerate(catalogue.imdb_id) if one}
        self._of_tmdb = {int(one): same[row] for row, one in enumerate(catalogue.tmdb_id) if one}
        self._of_id = {one: same[row] for row, one in enumerate(movie_id)}
        self._rows = np.unique(catalogue.same)
        title, other = catalogue.movies.title.tolist(), catalogue.other_titles
        self.names = cache(lambda row: all_names(title[row], *other[row]))  # and their ranks
        self._parts = cache(lambda row: parts_of(title[row]))

    @cached_property
    def _index(self) -> dict[str, dict[int, int]]:
        """Key of a name -> row of each movie that has it -> rank of the name there."""
        index: dict[str, dict[int, int]] = {}
        for row in self._rows.tolist():
            for name, rank in self.names(row).items():
                index.setdefault(name, {})[row] = rank
        return index

    @cached_property
    def _spelling(self) -> tuple[list[str], np.ndarray]:
        """Every name of every movie, and the movie of each, int64 [names]."""
        pairs = [(name, row) for name, rows in self._index.items() for row in rows]
        return [name for name, _ in pairs], np.array([row for _, row in pairs], dtype=np.int64)

    @cached_property
    def _words(self) -> list[tuple[str, int]]:
        """The words of each name of a movie, each after a blank, and the movie's row."""
        shown, other = self._catalogue.shown, self._catalogue.other_titles
        return [
            (f" {' '.join(words_of(name))}", row)
            for row in self._rows.tolist()
            for name in (shown[row], *other[row])
        ]

    # --- the movie of a rating -------------------------------------------------------------------

    def find(self, rating: OwnRating) -> Match:
        """The movie of a rating."""
        by_id = self._by_id(rating)
        if by_id is not None or not rating.title:
            return Match(by_id, "" if by_id is None else "id")
        names = all_names(rating.title, rating.original_title)
        found = self._by_title(rating, names)
        if found.movie is not None or found.candidates or rating.year is None:
            return found
        return self._nearly(rating, names)

    def _by_id(self, rating: OwnRating) -> int | None:
        """Ids of IMDb and TMDB are trusted. A movieId is trusted if the title there is the same, or
        the rating has no title: not all MovieLens sets number their movies alike."""
        row = self._of_imdb.get(rating.imdb_id, self._of_tmdb.get(rating.tmdb_id or 0))
        if row is not None:
            return row
        row = self._of_id.get(rating.movie_id) if rating.movie_id is not None else None
        if row is None or not rating.title:
            return row
        names = all_names(rating.title, rating.original_title)
        same = self.names(row).keys() & names.keys()
        return row if same and self._years_off(rating, row) <= YEARS_OFF else None

    def _by_title(self, rating: OwnRating, names: Mapping[str, int]) -> Match:
        """Of the movies that share a name, the one with the nearest year, then the best-known name.
        If both sides have an IMDb id, the ids differ; then title and year must match exactly, since
        datasets have some wrong ids."""
        scores: dict[int, tuple[bool, int, int]] = {}
        for name, rank in names.items():
            for row, its_rank in self._index.get(name, {}).items():
                other_id, years = self._other_id(rating, row), self._years_off(rating, row)
                score = (other_id, years, rank + its_rank)
                may_be = years <= YEARS_OFF if not other_id else rating.year and years == rank == 0
                if may_be:
                    scores[row] = min(score, scores.get(row, score))
        best = min(scores.values(), default=None)
        rows = tuple(row for row, score in scores.items() if score == best)
        if best is None or len(rows) > 1:
            return Match(candidates=rows)
        other_id, years, rank = best
        sure = rating.year is not None and not (other_id or years or rank % ALTERNATIVE)
        return Match(rows[0], "title" if sure else "nearly")

    def _nearly(self, rating: OwnRating, names: Mapping[str, int]) -> Match:
        """The movie of the same year if one title is part of the other, such as "Life of Brian" and
        "Monty Python's Life of Brian"; or the movie of about that year if the titles differ by a
        typo, but in no digit."""
        whole = {name for name, rank in names.items() if rank % ALTERNATIVE == 0}
        parts, title = parts_of(rating.title), key(rating.title)
        years_off = np.abs(self._catalogue.year - (rating.year or 0))
        rows = [
            row
            for row in self._rows[years_off[self._rows] == 0].tolist()
            if not self._other_id(rating, row)
            and (parts & self.names(row).keys() or whole & self._parts(row))
        ]
        if len(rows) == 1 or len(title) < SHORTEST:
            return Match(rows[0], "nearly") if len(rows) == 1 else Match()
        names_there, movies = self._spelling
        there = {place: names_there[place] for place in np.flatnonzero(years_off[movies] <= 1)}
        ratios: dict[int, float] = {}
        for name, ratio, place in process.extract(
            title, there, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=None
        ):  # the largest first
            row, one_size = int(movies[place]), abs(len(name) - len(title)) <= LONGEST_SLIP
            if one_size and _digits(name) == _digits(title) and not self._other_id(rating, row):
                ratios.setdefault(row, ratio)
        best, second, *_ = [*ratios.values(), 0.0, 0.0]
        return Match(next(iter(ratios)), "nearly") if best - second >= LEAD else Match()

    def _years_off(self, rating: OwnRating, row: int) -> int:
        year = int(self._catalogue.year[row])
        if rating.year is None:
            return 0
        return abs(year - rating.year) if year else YEARS_OFF

    def _other_id(self, rating: OwnRating, row: int) -> bool:
        """Whether both have an IMDb id; these differ, since equal ones were matched before."""
        return bool(rating.imdb_id and self._catalogue.imdb_id[row])

    # --- movies for a typed title ----------------------------------------------------------------

    def nearest(self, title: str, count: int = 3, least: float = 0.0) -> list[int]:
        """Rows of the movies with the most similar titles, nearest first. Names with all words of a
        `title` of several come first; others need a ratio of `least`."""
        names, movies = self._spelling
        words = words_of(title)
        rows = self._with_words(words) if len(words) > 1 else []  # one word is in too many titles
        score = process.cdist([key(title)], names, scorer=fuzz.ratio)[0]  # 0 .. 100
        score += 100 * np.isin(movies, rows)
        best_known = np.lexsort((movies, -self._catalogue.rated_by[movies], -score))
        near = movies[best_known[score[best_known] >= least]]
        return list(dict.fromkeys(near.tolist()))[:count]

    def search(self, typed: str, count: int) -> list[int]:
        """Rows of the movies with a name that contains all typed words or beginnings of words:
        exact names first, then names that begin so, then others; best-known movies first. "Alien
        (1979)" finds that year only. If there is none, movies with similar names."""
        title, year = split_title(typed)
        there = self._with_words(words_of(title))
        found = [row for row in there if year in (None, self._catalogue.year[row])]
        if not found and len(key(title)) > 2:
            found = self.nearest(title, count, LIKELY)
        return found[:count]

    def _with_words(self, words: list[str]) -> list[int]:
        begin = f" {' '.join(words)}"
        best: dict[int, int] = {}
        for name, row in self._words if words else ():
            if all(f" {word}" in name for word in words):
                rank = (name != begin) + (not name.startswith(begin))
                best[row] = min(rank, best.get(row, rank))
        return sorted(best, key=lambda row: (best[row], -self._catalogue.rated_by[row], row))


def all_names(title: str, *other: str) -> dict[str, int]:
    """Keys of all names of a movie, and their ranks."""
    names = names_of(title)
    for alternative in filter(None, other):
        for name, rank in names_of(alternative).items():
            names.setdefault(name, rank + ALTERNATIVE)
    return names


def _digits(name: str) -> str:
    return "".join(character for character in name if character.isdigit())
