"""One rating as a user gave it."""

from __future__ import annotations

from dataclasses import dataclass

from recbench.ratings import MAX_STARS, MIN_STARS


@dataclass(frozen=True)
class OwnRating:
    """Stars for a movie, and all that its source says of which movie that is.

    Attributes:
        stars: 0.5 .. 5.0 in halves.
        title: as the source spells it; "" if it gives an id alone.
        year: of release; None if unknown.
        time: when it was given, seconds since 1970 (UTC); None if unknown.
        movie_id: in the numbering of a MovieLens set; None if unknown.
        imdb_id: "tt0114709"; "" if unknown.
        original_title: in the movie's own language; "" if unknown.
    """

    stars: float
    title: str = ""
    year: int | None = None
    time: int | None = None
    movie_id: int | None = None
    imdb_id: str = ""
    original_title: str = ""

    @property
    def name(self) -> str:
        """ "Alien (1979)", or the id where there is no title."""
        if self.title:
            return self.title if self.year is None else f"{self.title} ({self.year})"
        return self.imdb_id or f"movieId {self.movie_id}"


def on_the_grid(stars: float) -> bool:
    """Whether these are stars as MovieLens and Letterboxd have them: 0.5, 1.0 .. 5.0."""
    return MIN_STARS <= stars <= MAX_STARS and 2 * stars == int(2 * stars)
