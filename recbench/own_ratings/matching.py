"""Which movie a rating is of: by its ids, else by title and year."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

import numpy as np

from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.rating import OwnRating
from recbench.own_ratings.titles import (
    ALTERNATIVE,
    NO_ARTICLE,
    TITLE,
    head_and_tail,
    key,
    names_of,
    tells_much,
)

How = Literal["id", "title", "nearly", ""]
Index = dict[str, dict[int, int]]  # key of a name -> rows of movies -> rank of the name
PART = 2 * ALTERNATIVE  # the rank of a part of a title
YEARS_OFF = 1  # sites differ in what they call the year of a movie
ALIKE = 0.88  # ratio of difflib from which one title is taken for a slip of another
AHEAD = 0.03  # of the next best
LONGEST_SLIP = 2  # signs more or fewer
SHORTEST = 6  # signs of a title in which a slip can be told from another title
LOOKED_AT = 60  # titles compared sign by sign
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Match:
    """What was found.

    Attributes:
        movie: row of the movie; None if none, or no single one, is found.
        how: by "id", by "title" and year, "nearly" (a part of the title, or a slip in it).
        candidates: rows of movies between which it cannot be decided.
    """

    movie: int | None = None
    how: How = ""
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class Spelled:
    """Every name of every movie, to look for the nearest.

    Attributes:
        names: keys.
        row: int64 [names], whose.
        letters: uint8 [names, 37], how often each sign stands in it.
    """

    names: list[str]
    row: np.ndarray
    letters: np.ndarray

    def bound(self, asked: str, places: np.ndarray) -> np.ndarray:
        """What `_ratio` is at most (difflib's quick_ratio), float64 [places]: by common letters."""
        letters = self.letters[places]
        common = np.minimum(letters, _letters([asked])).sum(axis=1)
        return 2 * common / np.maximum(letters.sum(axis=1) + len(asked), 1)


class Matcher:
    """Finds movies of a catalogue, of those that are there twice the one that stands for both.
    Nothing is guessed where two movies fit equally well."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        same, movie_id = catalogue.same.tolist(), catalogue.movies.movie_id.tolist()
        self._of_imdb = {one: same[row] for row, one in enumerate(catalogue.imdb_id) if one}
        self._of_id = {one: same[row] for row, one in enumerate(movie_id)}
        self._rows = sorted(set(same))

    @cached_property
    def _names(self) -> Index:
        """Of each name the movies that have it, and its rank."""
        index: Index = {}
        titles, other = self._catalogue.movies.title, self._catalogue.other_titles
        for row in self._rows:
            for name, rank in _all_names(titles[row], *other[row]).items():
                index.setdefault(name, {})[row] = rank
        return index

    @cached_property
    def _parts(self) -> tuple[Index, Index]:
        """The same of what stands before subtitles, and of subtitles."""
        heads: Index = {}
        tails: Index = {}
        for row in self._rows:
            parts = head_and_tail(self._catalogue.movies.title[row])
            for index, name in zip((heads, tails), parts, strict=True):
                if name:
                    index.setdefault(name, {})[row] = PART
        return heads, tails

    @cached_property
    def _spelled(self) -> Spelled:
        pairs = [(name, row) for name, rows in self._names.items() for row in rows]
        names = [name for name, _ in pairs]
        return Spelled(names, np.array([row for _, row in pairs], dtype=np.int64), _letters(names))

    def find(self, rating: OwnRating, strict: bool = False) -> Match:
        """The movie of a rating.

        Args:
            strict: by id, or by a whole title; no slip and no missing subtitle is forgiven.
        """
        by_id = self._by_id(rating)
        if by_id is not None:
            return Match(by_id, "id")
        if not rating.title:
            return Match()
        names = _all_names(rating.title, rating.original_title)
        found = self._decide(rating, names, self._names, YEARS_OFF, "title")
        if found.movie is None and rating.imdb_id:
            found = self._of_another_id(rating)
        if found.movie is not None or found.candidates or strict or rating.year is None:
            return found
        return self._nearly(rating, names)

    def nearest(self, title: str, count: int = 3, least: float = 0.0) -> list[int]:
        """Rows of the movies whose titles are spelled most like `title`, the nearest first; a title
        that it is a part of comes before others.

        Args:
            least: ratio of difflib that a title must have, if it is no part of it.
        """
        asked, spelled = key(title), self._spelled
        bound = spelled.bound(asked, np.arange(len(spelled.names)))
        within = [len(asked) >= 3 and asked in name for name in spelled.names]
        places = {*np.argsort(-bound, kind="stable")[:LOOKED_AT], *np.flatnonzero(within)}

        def distance(place: int) -> tuple[bool, float, int]:
            rated_by = self._catalogue.rated_by[spelled.row[place]]
            return not within[place], -_ratio(asked, spelled.names[place]), -int(rated_by)

        ranked = sorted((*distance(place), int(spelled.row[place])) for place in places)
        near = [row for outside, ratio, _, row in ranked if not outside or -ratio >= least]
        return list(dict.fromkeys(near))[:count]

    def _by_id(self, rating: OwnRating) -> int | None:
        """An IMDb id is believed. A movieId is believed if the title there is the same, or no title
        is given: not all MovieLens sets number their movies alike."""
        row = self._of_imdb.get(rating.imdb_id)
        if row is not None:
            return row
        row = self._of_id.get(rating.movie_id) if rating.movie_id is not None else None
        if row is None or not rating.title:
            return row
        there = _all_names(self._catalogue.movies.title[row], *self._catalogue.other_titles[row])
        same = there.keys() & _all_names(rating.title, rating.original_title).keys()
        return row if same and self._years_off(rating, row) <= YEARS_OFF else None

    def _of_another_id(self, rating: OwnRating) -> Match:
        """The movie of just that title and year, although its IMDb id is another: datasets have
        some ids wrong."""
        named = OwnRating(stars=rating.stars, title=rating.title, year=rating.year)
        titles = {name: rank for name, rank in names_of(rating.title).items() if rank == TITLE}
        if rating.year is None:
            return Match()
        return self._decide(named, titles, self._names, 0, "nearly")

    def _nearly(self, rating: OwnRating, names: dict[str, int]) -> Match:
        """A movie of the same year with a part of the title, or of about that year with a slip."""
        (heads, tails), (head, tail) = self._parts, head_and_tail(rating.title)
        names = {name: rank for name, rank in names.items() if rank != NO_ARTICLE}  # too weak
        of_parts = {part: PART for part in (head, tail) if part}
        of_tail = {tail: PART} if tail else {}
        ways = ((of_parts, self._names), (names, heads), (names, tails), (of_tail, tails))
        for keys, index in ways:
            found = self._decide(rating, keys, index, 0, "nearly")
            if found.movie is not None:
                return found
        for movie in (self._longer(rating), self._slip(rating)):
            if movie is not None:
                return Match(movie, "nearly")
        return Match()

    def _longer(self, rating: OwnRating) -> int | None:
        """The movie of that year whose title ends with this one of three words or more, or the
        other way round: "Monty Python's Life of Brian" and "Life of Brian"."""
        asked, spelled = key(rating.title), self._spelled
        asked_tells, titles = tells_much(rating.title), self._catalogue.movies.title
        rows = set()
        for place in np.flatnonzero(self._catalogue.year[spelled.row] == rating.year):
            row, name = int(spelled.row[place]), spelled.names[place]
            longer = asked_tells and name.endswith(asked)
            shorter = asked.endswith(name) and tells_much(titles[row])
            if (longer or shorter) and self._may_be(rating, row):
                rows.add(row)
        return rows.pop() if len(rows) == 1 else None

    def _decide(
        self,
        rating: OwnRating,
        keys: dict[str, int],
        index: Index,
        most_years: int,
        how: How,
    ) -> Match:
        """The one movie with the nearest year, then the best known name, among those with a key."""
        scores: dict[int, tuple[int, int]] = {}
        for name, rank in keys.items():
            for row, its_rank in index.get(name, {}).items():
                score = (self._years_off(rating, row), rank + its_rank)
                if score[0] <= most_years and self._may_be(rating, row):
                    scores[row] = min(score, scores.get(row, score))
        if not scores:
            return Match()
        best = min(scores.values())
        rows = tuple(row for row, score in scores.items() if score == best)
        return Match(rows[0], how) if len(rows) == 1 else Match(candidates=rows)

    def _slip(self, rating: OwnRating) -> int | None:
        """The movie of about that year whose title differs by a slip, and in no number."""
        asked, spelled = key(rating.title), self._spelled
        assert rating.year is not None
        near = np.abs(self._catalogue.year[spelled.row] - rating.year) <= YEARS_OFF
        places = np.flatnonzero(near)
        if len(asked) < SHORTEST or not len(places):
            return None
        alike: dict[int, float] = {}
        for place in places[spelled.bound(asked, places) >= ALIKE]:
            row, name = int(spelled.row[place]), spelled.names[place]
            one_size = abs(len(name) - len(asked)) <= LONGEST_SLIP
            if one_size and _digits(name) == _digits(asked) and self._may_be(rating, row):
                alike[row] = max(_ratio(asked, name), alike.get(row, 0.0))
        best, second, *_ = sorted([*alike.values(), 0.0, 0.0], reverse=True)
        if best < ALIKE or best - second < AHEAD:
            return None
        return max(alike, key=lambda row: alike[row])

    def _years_off(self, rating: OwnRating, row: int) -> int:
        year = int(self._catalogue.year[row])
        if rating.year is None:
            return 0
        return abs(year - rating.year) if year else YEARS_OFF

    def _may_be(self, rating: OwnRating, row: int) -> bool:
        """Not if both have an IMDb id: they differ, else it would have been found by it."""
        return not (rating.imdb_id and self._catalogue.imdb_id[row])


def _all_names(title: str, *other: str) -> dict[str, int]:
    """Keys of all names of a movie, and their ranks."""
    names = names_of(title)
    for alternative in other:
        for name, rank in names_of(alternative).items() if alternative else ():
            names.setdefault(name, rank + ALTERNATIVE)
    return names


def _letters(names: list[str]) -> np.ndarray:
    """How often each sign stands in each name, the others together, uint8 [names, 37]."""
    place = {sign: column for column, sign in enumerate(SIGNS)}
    counts = np.zeros((len(names), len(SIGNS) + 1), dtype=np.uint8)
    for row, name in enumerate(names):
        for sign in name[:255]:
            counts[row, place.get(sign, len(SIGNS))] += 1
    return counts


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _digits(name: str) -> str:
    return "".join(sign for sign in name if sign.isdigit())
