"""Which movies may be recommended."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from recbench.errors import InputError
from recbench.own_ratings.catalogue import Catalogue

# What MovieLens and others call a genre of TMDB
OTHER_NAMES = {
    "sci-fi": "Science Fiction",
    "scifi": "Science Fiction",
    "sf": "Science Fiction",
    "children": "Family",
    "children's": "Family",
    "musical": "Music",
    "documentaries": "Documentary",
    "movie noir": "Movie-Noir",
    "noir": "Movie-Noir",
}


@dataclass(frozen=True)
class Filters:
    """What is asked of a movie; all of it must hold.

    Attributes:
        genres: it has one of these, as the catalogue names them; none: any movie.
        not_genres: it has none of these.
        languages: it is in one of these; none: any.
        year_from, year_to: it is of these years or between them; 0: no limit. A movie of unknown
            year is left out where there is a limit.
        rated_by: so many users of the dataset rated it, or more.
    """

    genres: tuple[str, ...] = ()
    not_genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    year_from: int = 0
    year_to: int = 0
    rated_by: int = 0

    def passing(self, catalogue: Catalogue, muted: Collection[str] = ()) -> np.ndarray:
        """Which movies pass, bool [m].

        Args:
            muted: genres that none may have, as well.
        """
        wanted, unwanted = set(self.genres), {*self.not_genres, *muted}
        passing = catalogue.rated_by >= self.rated_by
        passing &= catalogue.same == np.arange(len(catalogue))  # a movie that is there twice, once
        if self.year_from or self.year_to:
            passing &= (catalogue.year >= max(self.year_from, 1)) & (
                catalogue.year <= (self.year_to or np.inf)
            )
        if wanted:
            passing &= np.array([bool(wanted & set(genres)) for genres in catalogue.genres])
        if unwanted:
            passing &= np.array([not unwanted & set(genres) for genres in catalogue.genres])
        if self.languages:
            passing &= np.isin(np.array(catalogue.language), self.languages)
        return passing


def known_genre(genre: str, flag: str, known: Iterable[str]) -> str:
    """A genre as the movies name it, whatever its case.

    Raises:
        InputError: there is none of that name; lists those there are.
    """
    by_name = {one.casefold(): one for one in known}
    wanted = genre.strip().casefold()
    found = by_name.get(wanted) or by_name.get(OTHER_NAMES.get(wanted, "").casefold())
    if found is None:
        raise InputError(f"{flag} {genre}: no movie is of this genre. Expected one of "
                         f"{', '.join(by_name.values())}")  # fmt: skip
    return found


def known_language(language: str, flag: str, known: Iterable[str]) -> str:
    """A language as the movies name it.

    Raises:
        InputError: no movie is in it; lists those there are.
    """
    listed = list(known)
    wanted = language.strip().casefold()
    if wanted not in listed:
        raise InputError(
            f"{flag} {language}: no movie is in this language. Expected one of {', '.join(listed)}"
        )
    return wanted
