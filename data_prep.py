"""Ratings and metadata -> joined, sampled, binary-encoded.

The encoders stand here. An encoding is a function of the movie, so it is computed once per movie.
"""

from __future__ import annotations

import ast
from functools import lru_cache

import numpy as np

GENRES = (
    "Drama",
    "Comedy",
    "Action",
    "Romance",
    "Documentary",
    "Thriller",
    "Adventure",
    "Fantasy",
    "Crime",
    "Horror",
)
LANGUAGES = {
    "en": [0, 0, 0],
    "fr": [0, 0, 1],
    "de": [0, 1, 0],
    "ja": [0, 1, 1],
    "it": [1, 0, 0],
    "es": [1, 1, 0],
}
OTHER_LANGUAGE = [1, 1, 1]
RATING_BITS = 10


# --- encoders of one value ---------------------------------------------------------------------


def encode_genres(genres: object) -> list[int]:
    """10 bits, one for each of `GENRES`.

    Args:
        genres: the cell of movies_metadata.csv, a list of dicts as text:
            "[{'id': 18, 'name': 'Drama'}]". Missing or malformed: all zeros.
    """
    names = genre_names(genres) or ()
    return [int(genre in names) for genre in GENRES]


@lru_cache(maxsize=100_000)  # some thousand different texts stand in 45,000 rows
def genre_names(genres: object) -> tuple[str, ...] | None:
    """The names in a cell of `genres`; None if it is not such a list."""
    try:
        listed = ast.literal_eval(genres)  # type: ignore[arg-type]
        return tuple(str(genre["name"]) for genre in listed)
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        return None


def encode_lang(lang: object) -> list[int]:
    """3 bits: en 000, fr 001, de 010, ja 011, it 100, es 110, any other 111."""
    return list(LANGUAGES.get(lang, OTHER_LANGUAGE)) if isinstance(lang, str) else [1, 1, 1]


def encode_vote_count(count: object) -> list[int]:
    """10 bits, one-hot: hundreds of votes, 900 and more in the last; so is what is no number."""
    number = _number(count)
    position = 9 if np.isnan(number) else int(min(max(number, 0) // 100, 9))
    return [int(position == place) for place in range(10)]


def encode_vote_average(average: object) -> list[int]:
    """3 bits on a scale of 0 to 5: <1 000, <2 001, <3 010, <4 011, else (and no number) 111."""
    number = _number(average)
    for limit, code in ((1, [0, 0, 0]), (2, [0, 0, 1]), (3, [0, 1, 0]), (4, [0, 1, 1])):
        if number < limit:
            return code
    return [1, 1, 1]


encode_vote_avg = encode_vote_average  # the published README's name for it


def encode_rating(rating: float) -> list[int]:
    """A thermometer of 10 bits: two ones for each whole star, half stars cut off, then zeros.

    Raises:
        ValueError: if `rating` is not within 0 .. 5.
    """
    return encode_ratings(np.array([rating]), "truncated")[0].tolist()


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


# --- encoders of many values -------------------------------------------------------------------


def encode_ratings(stars: np.ndarray, labels: str) -> np.ndarray:
    """Thermometers of `stars`.

    Args:
        stars: float [n], 0 .. 5.
        labels: "truncated", 2·int(stars) ones as published, or "half_stars",
            round(2·stars) ones, halves up.

    Returns:
        uint8 [n, 10], ones first.

    Raises:
        ValueError: a rating is outside 0 .. 5 or nan, or there are no such labels.
    """
    return thermometer(count_ones(stars, labels))


def count_ones(stars: np.ndarray, labels: str) -> np.ndarray:
    """How many ones the thermometer of each of `stars` has, int64 [n]; see `encode_ratings`."""
    stars = np.asarray(stars, dtype=np.float64)
    outside = ~((stars >= 0) & (stars <= 5))
    if outside.any():
        raise ValueError(f"a rating must be within 0 .. 5, not {stars[outside][0]}")
    if labels == "truncated":
        return 2 * stars.astype(np.int64)
    if labels == "half_stars":
        return np.floor(2 * stars + 0.5).astype(np.int64)
    raise ValueError(f"labels are 'truncated' or 'half_stars', not '{labels}'")


def thermometer(ones: np.ndarray) -> np.ndarray:
    """uint8 [n, 10] with `ones` (int [n], 0 .. 10) ones at the front of each row."""
    return (np.arange(RATING_BITS) < np.asarray(ones)[:, None]).astype(np.uint8)


def decode_ratings(bits: np.ndarray) -> np.ndarray:
    """Stars float32 [n] of output bits [n, 10]: half a star for each one, 0.5 at the least."""
    return np.maximum(bits.sum(axis=1) / 2, 0.5).astype(np.float32)
