"""The published encoding of a movie: 26 bits, and the encoder of each of its values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl

from recbench.data.tables import genre_names

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


def encode_genres(genres: object) -> list[int]:
    """10 bits, one for each of `GENRES`.

    Args:
        genres: the cell of movies_metadata.csv, a list of dicts as text:
            "[{'id': 18, 'name': 'Drama'}]". Missing or malformed: all zeros.
    """
    names = genre_names(genres) or ()
    return [int(genre in names) for genre in GENRES]


def encode_lang(lang: object) -> list[int]:
    """3 bits: en 000, fr 001, de 010, ja 011, it 100, es 110, any other 111."""
    return list(LANGUAGES.get(lang, OTHER_LANGUAGE)) if isinstance(lang, str) else [1, 1, 1]


def encode_vote_count(count: object) -> list[int]:
    """10 bits, one-hot: hundreds of votes, 900 and more in the last; so is what is no number."""
    number = _number(count)
    position = 9 if np.isnan(number) else int(min(max(number, 0), 900) // 100)
    return [int(position == place) for place in range(10)]


def encode_vote_average(average: object) -> list[int]:
    """3 bits on a scale of 0 to 5: <1 000, <2 001, <3 010, <4 011, else (and no number) 111."""
    number = _number(average)
    for limit, code in ((1, [0, 0, 0]), (2, [0, 0, 1]), (3, [0, 1, 0]), (4, [0, 1, 1])):
        if number < limit:
            return code
    return [1, 1, 1]


def published_bits(
    table: pl.DataFrame, votes: np.ndarray, average: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    bits = np.hstack(
        [
            _each_encoded(encode_genres, table["genres"].to_list()),
            _each_encoded(encode_vote_average, average.tolist()),
            _each_encoded(encode_lang, table["original_language"].to_list()),
            _each_encoded(encode_vote_count, votes.tolist()),
        ]
    )  # (movies, 26)
    names = [f"genres:{genre}" for genre in GENRES]
    names += [f"vote_average:{bit}" for bit in range(3)]
    names += [f"language:{bit}" for bit in range(3)]
    names += [f"vote_count:{100 * hundreds}" for hundreds in range(10)]
    return bits, tuple(names)


def _each_encoded(encode: Callable[[object], list[int]], values: list) -> np.ndarray:
    """uint8 [values, bits]; an encoder is asked once about values that are the same."""
    return np.array(list(map(cache(encode), values)), dtype=np.uint8)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
