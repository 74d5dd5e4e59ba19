"""The movies there are: what is shown of each, filtered by and matched with, as one file."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recbench.errors import InputError
from recbench.own_ratings.rating import OwnRating
from recbench.ratings import Movies, read_only

FORMAT, VERSION = "recbench movies", 1
TEXTS = ("shown", "genres", "language", "imdb_id", "other_titles")


@dataclass(frozen=True)
class Catalogue:
    """Facts about movies, a row each; the rows are those of `movies`.

    Attributes:
        dataset: where they come from.
        movies: as a recommender gets them.
        shown: title of each, as it is spoken: "The Matrix", not "Matrix, The".
        year: int64 [m], of release; 0 if unknown.
        genres: names of each.
        language: ISO 639-1 of each; "" if unknown.
        rated_by: int64 [m], how many users of the dataset rated it.
        imdb_id: "tt0114709" of each; "" if unknown.
        other_titles: of each, in its own language and elsewhere.
    """

    dataset: str
    movies: Movies
    shown: tuple[str, ...]
    year: np.ndarray
    genres: tuple[tuple[str, ...], ...]
    language: tuple[str, ...]
    rated_by: np.ndarray
    imdb_id: tuple[str, ...]
    other_titles: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for name in ("year", "rated_by"):
            object.__setattr__(self, name, read_only(getattr(self, name), "i8"))
        lengths = {len(getattr(self, name)) for name in (*TEXTS, "movies", "year", "rated_by")}
        if len(lengths) > 1:
            raise ValueError(f"the columns of a catalogue differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.shown)

    def name(self, movie: int) -> str:
        """ "The Matrix (1999)"."""
        year = int(self.year[movie])
        return f"{self.shown[movie]} ({year})" if year else self.shown[movie]

    def described(self, movie: int, rating: OwnRating) -> OwnRating:
        """A rating with what is said here of its movie, so that another catalogue finds it."""
        year, other = int(self.year[movie]), self.other_titles[movie]
        return OwnRating(
            stars=rating.stars,
            title=self.shown[movie],
            year=year or rating.year,
            time=rating.time,
            movie_id=int(self.movies.movie_id[movie]),
            imdb_id=self.imdb_id[movie] or rating.imdb_id,
            original_title=rating.original_title or (other[0] if other else ""),
        )

    @cached_property
    def same(self) -> np.ndarray:
        """Of each movie the row that stands for it, int64 [m]: some datasets have a movie twice,
        with the same title and year, and no other IMDb id. The one that more users rated stands for
        both."""
        stands_for: dict[tuple[str, str], int] = {}
        for row in np.argsort(-self.rated_by, kind="stable"):
            stands_for.setdefault((self.name(row), self.imdb_id[row]), int(row))
        return np.array(
            [stands_for[self.name(row), self.imdb_id[row]] for row in range(len(self))], dtype=int
        )

    @cached_property
    def all_genres(self) -> tuple[str, ...]:
        return tuple(sorted({genre for genres in self.genres for genre in genres}))

    @cached_property
    def all_languages(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.language) - {""}))

    def save(self, path: Path) -> None:
        """Write it in one step: an interrupted write leaves the old file, or none."""
        texts = {name: getattr(self, name) for name in TEXTS}
        header = {"format": FORMAT, "version": VERSION, "dataset": self.dataset, **texts}
        header |= {"title": list(self.movies.title), "bit_names": self.movies.bit_names}
        unfinished = Path(f"{path}.{os.getpid()}.unfinished")
        with unfinished.open("wb") as file:
            np.savez_compressed(
                file,
                header=np.frombuffer(json.dumps(header).encode(), np.uint8),
                bits=self.movies.bits,
                vote_average=self.movies.vote_average,
                vote_count=self.movies.vote_count,
                movie_id=self.movies.movie_id,
                year=self.year,
                rated_by=self.rated_by,
            )
        os.replace(unfinished, path)

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """What `save` wrote; nothing in the file is code.

        Raises:
            InputError: there is no such file, it is damaged, no list of movies, or of a later
                version.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays: dict[str, Any] = {name: file[name] for name in file.files}
            header = json.loads(arrays.pop("header").tobytes())
            if header["format"] != FORMAT:
                raise ValueError("another format")
            if header["version"] != VERSION:
                raise InputError(
                    f"{path}: is of version {header['version']}. This program reads {VERSION}"
                )
            movies = Movies(
                title=np.array(header["title"], dtype=object),
                bit_names=tuple(header["bit_names"]),
                **{name: arrays[name] for name in ("bits", "vote_average", "vote_count")},
                movie_id=arrays["movie_id"],
            )
            return cls(
                dataset=header["dataset"],
                movies=movies,
                shown=tuple(header["shown"]),
                year=arrays["year"],
                genres=tuple(map(tuple, header["genres"])),
                language=tuple(header["language"]),
                rated_by=arrays["rated_by"],
                imdb_id=tuple(header["imdb_id"]),
                other_titles=tuple(map(tuple, header["other_titles"])),
            )
        except InputError:
            raise
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file. Expected a list of movies") from None
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, EOFError,
            NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
        ) as error:  # fmt: skip
            raise InputError(f"{path}: damaged, or no list of movies. Delete it") from error
