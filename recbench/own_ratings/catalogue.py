"""The catalogue of movies: facts to show, filter and match by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recbench.own_ratings.reading import OwnRating
from recbench.ratings import Movies, read_only

TEXTS = ("shown", "genres", "language", "imdb_id", "other_titles")
NUMBERS = ("year", "rated_by", "tmdb_id")
# GroupLens's datasets, newest first: year of their last movies, megabytes to download
NEWER = {"ml-32m": (2023, 239), "ml-25m": (2019, 250), "ml-latest-small": (2018, 1)}
MOVIE_ARRAYS = ("bits", "vote_average", "vote_count", "movie_id")


@dataclass(frozen=True)
class Catalogue:
    """Facts about movies, one row each, in the order of `movies`."""

    dataset: str  # the source of the movies
    movies: Movies  # as passed to a recommender
    shown: tuple[str, ...]  # title as it is spoken: "The Matrix", not "Matrix, The"
    year: np.ndarray  # int64 [m], of release; 0 if unknown
    genres: tuple[tuple[str, ...], ...]
    language: tuple[str, ...]  # ISO 639-1; "" if unknown
    rated_by: np.ndarray  # int64 [m], how many users of the dataset rated it
    imdb_id: tuple[str, ...]  # "tt0114709"; "" if unknown
    tmdb_id: np.ndarray  # int64 [m]; 0 if unknown
    other_titles: tuple[tuple[str, ...], ...]  # in its own language and elsewhere

    def __post_init__(self) -> None:
        for name in NUMBERS:
            object.__setattr__(self, name, read_only(getattr(self, name), "i8"))
        lengths = {len(getattr(self, name)) for name in (*TEXTS, *NUMBERS, "movies")}
        if len(lengths) > 1:
            raise ValueError(f"the columns of a catalogue differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.shown)

    def name(self, movie: int) -> str:
        """ "The Matrix (1999)"."""
        year = int(self.year[movie])
        return f"{self.shown[movie]} ({year})" if year else self.shown[movie]

    def described(self, movie: int, rating: OwnRating) -> OwnRating:
        """A rating with the facts about its movie, so that another catalogue finds it."""
        other = self.other_titles[movie]
        return OwnRating(
            stars=rating.stars,
            title=self.shown[movie],
            year=int(self.year[movie]) or rating.year,
            time=rating.time,
            movie_id=int(self.movies.movie_id[movie]),
            imdb_id=self.imdb_id[movie] or rating.imdb_id,
            original_title=rating.original_title or (other[0] if other else ""),
            tmdb_id=int(self.tmdb_id[movie]) or rating.tmdb_id,
        )

    @cached_property
    def same(self) -> np.ndarray:
        """For each movie the row that represents it, int64 [m]: some datasets have a movie twice,
        with the same title, year and IMDb id. The row rated by more users represents both."""
        facts = [(self.name(row), self.imdb_id[row]) for row in range(len(self))]
        stands_for: dict[tuple[str, str], int] = {}
        for row in np.argsort(-self.rated_by, kind="stable"):
            stands_for.setdefault(facts[row], int(row))
        return np.array([stands_for[one] for one in facts], dtype=int)

    @cached_property
    def last_year(self) -> int:
        """Latest year of the movies that users of the dataset rated; 0 if no year is known."""
        return int(self.year[self.rated_by > 0].max(initial=0))

    @property
    def until(self) -> str:
        """The last year in a sentence, with the datasets that have later movies, newest first."""
        further = "".join(
            f", until {year} ({size} MB) in --dataset {name}"
            for name, (year, size) in NEWER.items()
            if year > self.last_year
        )
        return f"movies go until {self.last_year} in {self.dataset}{further}"

    def about_later(self, lacking: Sequence[OwnRating]) -> list[str]:
        """A sentence about ratings of movies later than `last_year`; empty if there are none."""
        later = sum((rating.year or 0) > self.last_year for rating in lacking)
        return [f"of these, from later years: {later:,}; {self.until}"] if later else []

    @cached_property
    def all_genres(self) -> tuple[str, ...]:
        return tuple(sorted({genre for genres in self.genres for genre in genres}))

    @cached_property
    def all_languages(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.language) - {""}))

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The content: values that JSON can store, and arrays of numbers."""
        texts = {name: getattr(self, name) for name in ("dataset", *TEXTS)}
        header = texts | {"title": list(self.movies.title), "bit_names": self.movies.bit_names}
        arrays = {name: getattr(self.movies, name) for name in MOVIE_ARRAYS}
        return header, arrays | {name: getattr(self, name) for name in NUMBERS}

    @classmethod
    def of(cls, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Catalogue:
        """Inverse of `parts`. Raises KeyError, TypeError or ValueError for other content."""
        movies = Movies(
            title=np.array(header["title"], dtype=object),
            bit_names=tuple(header["bit_names"]),
            **{name: arrays[name] for name in MOVIE_ARRAYS},
        )
        facts: dict[str, Any] = {name: arrays[name] for name in NUMBERS}
        for name in TEXTS:
            facts[name] = tuple(tuple(x) if isinstance(x, list) else x for x in header[name])
        return cls(dataset=header["dataset"], movies=movies, **facts)
