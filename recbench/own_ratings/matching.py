"""Which movie a rating is of: by its ids, else by title and year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from rapidfuzz import fuzz, process

from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.reading import OwnRating
from recbench.own_ratings.titles import (
    ALTERNATIVE,
    TITLE,
    key,
    names_of,
    parts_of,
    words_of,
)
from recbench.own_ratings.values import split_title

How = Literal["id", "title", "nearly", ""]
Index = dict[str, dict[int, int]]  # key of a name -> rows of movies -> rank of the name
PART = 2 * ALTERNATIVE  # the rank of a part of a title
YEARS_OFF = 1  # sites differ in what they call the year of a movie
# How uncertain a match is, a sum: another year, or none; an article left out; a part of the title,
# a slip in it, or another IMDb id
SURE, YEAR, LEFT_OUT, NEARLY = 0, 1, 2, 4
# Similarities of titles are rapidfuzz's ratio, 0 .. 100: twice the common letters over all letters
SIMILAR = 88.0  # from which one title is taken for a slip of another
LEAD = 3.0  # over the next best
LONGEST_SLIP = 2  # characters more or fewer
SHORTEST = 6  # characters of a title in which a slip can be told from another title
LIKELY = 70.0  # from which a title is taken for a slip of a search
NEAR = 85.0  # from which a title is worth naming as a near one
WHOLE, BEGINS, HAS = range(3)  # how much of a name was typed in a search


@dataclass(frozen=True)
class Match:
    """The result for a rating."""

    movie: int | None = None  # row of the movie; None if none, or no single one, is found
    how: How = ""  # "title": and year; "nearly": a part of the title, or a slip in it
    candidates: tuple[int, ...] = ()  # rows of movies that fit equally well
    doubt: int = SURE  # .. NEARLY and more


class Matcher:
    """Finds movies of a catalogue; of those that are there twice, the one that stands for both.
    Nothing is guessed where two movies fit equally well."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        same, movie_id = catalogue.same.tolist(), catalogue.movies.movie_id.tolist()
        self._of_imdb = {one: same[row] for row, one in enumerate(catalogue.imdb_id) if one}
        self._of_tmdb = {int(one): same[row] for row, one in enumerate(catalogue.tmdb_id) if one}
        self._of_id = {one: same[row] for row, one in enumerate(movie_id)}
        self._rows = sorted(set(same))

    @cached_property
    def _names(self) -> Index:
        """Of each name the movies that have it, and its rank."""
        index: Index = {}
        for row in self._rows:
            for name, rank in self._names_of_movie(row).items():
                index.setdefault(name, {})[row] = rank
        return index

    @cached_property
    def _parts(self) -> Index:
        """The same of parts of titles."""
        index: Index = {}
        for row in self._rows:
            for part in parts_of(self._catalogue.movies.title[row]):
                index.setdefault(part, {})[row] = PART
        return index

    @cached_property
    def _spelling(self) -> tuple[list[str], np.ndarray]:
        """Every name of every movie, and the movie of each, int64 [names]."""
        pairs = [(name, row) for name, rows in self._names.items() for row in rows]
        return [name for name, _ in pairs], np.array([row for _, row in pairs], dtype=np.int64)

    @cached_property
    def _words(self) -> list[tuple[str, int]]:
        """Of each name of a movie its words, a blank before each, and the movie."""
        shown, other = self._catalogue.shown, self._catalogue.other_titles
        return [
            (f" {' '.join(words_of(name))}", row)
            for row in self._rows
            for name in (shown[row], *other[row])
        ]

    # --- the movie of a rating -------------------------------------------------------------------

    def find(self, rating: OwnRating, strict: bool = False) -> Match:
        """The movie of a rating; `strict`: no slip and no missing subtitle is forgiven."""
        by_id = self._by_id(rating)
        if by_id is not None:
            return Match(by_id, "id")
        if not rating.title:
            return Match()
        names = _all_names(rating.title, rating.original_title)
        found = self._decide(rating, names, self._names, YEARS_OFF, "title")
        if found.movie is None and rating.imdb_id:
            if rating.year is None:
                return Match()
            # just that title and year, with another IMDb id: datasets have some ids wrong
            without_id = replace(rating, imdb_id="")
            titles = {name: rank for name, rank in names_of(rating.title).items() if rank == TITLE}
            found = self._decide(without_id, titles, self._names, 0, "nearly")
        if found.movie is not None or found.candidates or strict or rating.year is None:
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
        names = _all_names(rating.title, rating.original_title)
        same = self._names_of_movie(row).keys() & names.keys()
        return row if same and self._years_off(rating, row) <= YEARS_OFF else None

    def _nearly(self, rating: OwnRating, names: Mapping[str, int]) -> Match:
        """A movie of the same year of whose title this is a part, or the other way round, "Life of
        Brian" and "Monty Python's Life of Brian"; or one of about that year with a slip."""
        names = {name: rank for name, rank in names.items() if rank % ALTERNATIVE == 0}
        parts = dict.fromkeys(parts_of(rating.title), PART)
        for keys, index in ((parts, self._names), (names, self._parts)):
            found = self._decide(rating, keys, index, 0, "nearly")
            if found.movie is not None:
                return found
        movie = self._slip(rating)
        return Match() if movie is None else Match(movie, "nearly", doubt=NEARLY)

    def _slip(self, rating: OwnRating) -> int | None:
        """The movie of about that year whose title differs by a slip, and in no number."""
        title, (names, movies) = key(rating.title), self._spelling
        assert rating.year is not None
        if len(title) < SHORTEST:
            return None
        ratios: dict[int, float] = {}
        for place in np.flatnonzero(
            np.abs(self._catalogue.year[movies] - rating.year) <= YEARS_OFF
        ):
            row, name = int(movies[place]), names[place]
            ratio = fuzz.ratio(title, name, score_cutoff=SIMILAR)  # 0 below it
            one_size = abs(len(name) - len(title)) <= LONGEST_SLIP
            if ratio and one_size and _digits(name) == _digits(title) and self._may_be(rating, row):
                ratios[row] = max(ratio, ratios.get(row, 0.0))
        best, second, *_ = sorted([*ratios.values(), 0.0, 0.0], reverse=True)
        if not best or best - second < LEAD:
            return None
        return max(ratios, key=lambda row: ratios[row])

    def _decide(
        self, rating: OwnRating, keys: Mapping[str, int], index: Index, most_years: int, how: How
    ) -> Match:
        """The one movie with the nearest year, then the best known name, among those with a key."""
        scores: dict[int, tuple[int, int]] = {}
        for name, rank in keys.items():
            for row, its_rank in index.get(name, {}).items():
                score = (self._years_off(rating, row), rank + its_rank)
                if score[0] <= most_years and self._may_be(rating, row):
                    scores[row] = min(score, scores.get(row, score))
        years, rank = best = min(scores.values(), default=(0, 0))
        rows = tuple(row for row, score in scores.items() if score == best)
        if len(rows) != 1:
            return Match(candidates=rows)
        doubt = YEAR * (years > 0 or rating.year is None) + LEFT_OUT * (rank % ALTERNATIVE > 0)
        return Match(rows[0], how, doubt=NEARLY if how == "nearly" else doubt)

    def _years_off(self, rating: OwnRating, row: int) -> int:
        year = int(self._catalogue.year[row])
        if rating.year is None:
            return 0
        return abs(year - rating.year) if year else YEARS_OFF

    def _may_be(self, rating: OwnRating, row: int) -> bool:
        """Not if both have an IMDb id: they differ, else it would have been found by it."""
        return not (rating.imdb_id and self._catalogue.imdb_id[row])

    def _names_of_movie(self, row: int) -> dict[str, int]:
        return _all_names(self._catalogue.movies.title[row], *self._catalogue.other_titles[row])

    # --- movies for a title that somebody types --------------------------------------------------

    def nearest(self, title: str, count: int = 3, least: float = 0.0) -> list[int]:
        """Rows of the movies whose titles are spelled most like `title`, the nearest first; a title
        that contains its words comes before others, which must have a ratio of `least`."""
        names, movies = self._spelling
        words = words_of(title)
        phrase = f" {' '.join(words)} "  # one word is in too many titles
        rows = {row for name, row in self._words if len(words) > 1 and phrase in f"{name} "}
        score = process.cdist([key(title)], names, scorer=fuzz.ratio)[0]  # 0 .. 100
        score += 100 * np.isin(movies, list(rows))
        best_known = np.lexsort((movies, -self._catalogue.rated_by[movies], -score))
        near = movies[best_known[score[best_known] >= least]]
        return list(dict.fromkeys(near.tolist()))[:count]

    def search(self, typed: str, count: int) -> list[int]:
        """Rows of the movies whose name has all words typed, or begins of words: the whole name
        first, then names that begin so, then others; the best-known first. "Alien (1979)" is of
        that year alone. Where none is found, those spelled nearly so, the nearest first."""
        title, year = split_title(typed)
        words = words_of(title)
        if not words:
            return []
        begin = f" {' '.join(words)}"
        best: dict[int, int] = {}
        for name, row in self._words:
            if all(f" {word}" in name for word in words):
                rank = HAS if not name.startswith(begin) else WHOLE if name == begin else BEGINS
                best[row] = min(rank, best.get(row, rank))
        rated_by = self._catalogue.rated_by
        found = sorted(best, key=lambda row: (best[row], -rated_by[row], row))
        if year is not None:
            found = [row for row in found if self._catalogue.year[row] == year]
        if not found and len(key(title)) > 2:
            found = self.nearest(title, count, LIKELY)
        return found[:count]


def _all_names(title: str, *other: str) -> dict[str, int]:
    """Keys of all names of a movie, and their ranks."""
    names = names_of(title)
    for alternative in filter(None, other):
        for name, rank in names_of(alternative).items():
            names.setdefault(name, rank + ALTERNATIVE)
    return names


def _digits(name: str) -> str:
    return "".join(character for character in name if character.isdigit())
