"""The published encoding of a movie: 26 bits, and the encoder of each of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import polars as pl

from recbench.data.tables import genre_names

GENRES = (
    *("Drama", "Comedy", "Action", "Romance", "Documentary"),
    *("Thriller", "Adventure", "Fantasy", "Crime", "Horror"),
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
    """10 bits, one-hot: hundreds of votes, 900 and more in the last bit, like any non-number."""
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


# Channel -> the encoder of its value, and the names of its bits
CHANNELS: dict[str, tuple[Callable[[object], list[int]], Iterable[object]]] = {
    "genres": (encode_genres, GENRES),
    "vote_average": (encode_vote_average, range(3)),
    "language": (encode_lang, range(3)),
    "vote_count": (encode_vote_count, range(0, 1000, 100)),
}


def published_bits(
    table: pl.DataFrame, votes: np.ndarray, average: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The bits of the m movies in `table`, uint8 [m, 26], and the meaning of each, as
    "channel:meaning".

    Args:
        votes, average: float [m]; the average on a scale of 0 to 5.
    """
    values = {"genres": table["genres"].to_list(), "vote_average": average.tolist()}
    values |= {"language": table["original_language"].to_list(), "vote_count": votes.tolist()}
    bits = [  # an encoder is asked once about values that are the same
        list(map(cache(encode), values[channel])) for channel, (encode, _) in CHANNELS.items()
    ]
    names = [f"{channel}:{name}" for channel, (_, of_bits) in CHANNELS.items() for name in of_bits]
    return np.hstack(bits).astype(np.uint8), tuple(names)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
