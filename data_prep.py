"""Ratings and metadata -> joined, sampled, binary-encoded.

The encoders stand here; an encoding is a function of the movie, so it is computed once per movie.
The join of ratings to movies and the sample of users are in `preparation`. `prepare_data` is all of
it in one call, as published. Parameters of `python data_prep.py` stand in `Parameters`, its flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl

from preparation.extended_encoding import extended_bits, facts_of
from preparation.joining import Dataset, crowd_votes, load_dataset
from preparation.sampling import draw_sample
from ratings import Movies
from sources.tables import genre_names

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


# --- the movies' bits --------------------------------------------------------------------------

VOTE_SCALES = {"as_published": 1.0, "halved": 0.5}  # TMDB's 0 .. 10 read as 0 .. 5, or halved


def encode_movies(
    dataset: Dataset,
    vote_scale: str = "halved",
    outside: np.ndarray | None = None,
    crowd: bool = True,
    date: int | None = None,
    encoding: str = "published",
) -> Movies:
    """The bits of each movie of `dataset`.

    Args:
        vote_scale: of the published encoding: "halved", or "as_published": a vote average of
            0 .. 10 read as 0 .. 5.
        outside: bool [users], who is outside the sample. A source without votes has them counted
            over these users' ratings.
        crowd: False: as if nobody had voted.
        date: such votes are counted up to this one alone, in seconds since 1970.
        encoding: "published", 26 bits: genres 10, vote average 3, language 3, vote count 10; or
            "extended", see `preparation.extended_encoding`.
    """
    table = dataset.table
    votes, average = np.zeros(len(table)), np.zeros(len(table))
    if crowd:
        votes, average = crowd_votes(dataset, outside, date)  # average on TMDB's 0 .. 10
    if encoding == "extended":
        bits, names = _extended_bits(dataset, votes, average, crowd)
    else:
        bits, names = _published_bits(table, votes, average * VOTE_SCALES[vote_scale])
    return Movies(
        bits=bits,
        bit_names=names,
        crowd_stars=np.where(votes > 0, average / 2, np.nan).astype(np.float32),
        crowd_votes=np.nan_to_num(votes).astype(np.float32),
        movie_id=table["movieId"].to_numpy().astype(np.int64),
        title=table["title"].fill_null("").to_numpy(),
    )


def _published_bits(
    table: pl.DataFrame, votes: np.ndarray, average: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    bits = np.hstack(
        [
            np.array([encode_genres(text) for text in table["genres"]]),
            np.array([encode_vote_average(value) for value in average]),
            np.array([encode_lang(code) for code in table["original_language"]]),
            np.array([encode_vote_count(count) for count in votes]),
        ]
    ).astype(np.uint8)  # (movies, 26)
    names = [f"genres:{genre}" for genre in GENRES]
    names += [f"vote_average:{bit}" for bit in range(3)]
    names += [f"language:{bit}" for bit in range(3)]
    names += [f"vote_count:{100 * hundreds}" for hundreds in range(10)]
    return bits, tuple(names)


def _extended_bits(
    dataset: Dataset, votes: np.ndarray, average: np.ndarray, crowd: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Thresholds are those of the whole table of movies, rated or not. Votes that were counted
    are those of rated movies; the others have none and would weigh nothing."""
    movies = facts_of(dataset.table, votes, average)
    population, whole = movies, dataset.source.movies
    if crowd and dataset.source.has_votes:
        counts, averages = whole["vote_count"], whole["vote_average"]
        population = facts_of(whole, counts.to_numpy(), averages.to_numpy())
    elif not votes.any():
        population = facts_of(whole, np.zeros(len(whole)), np.zeros(len(whole)))
    return extended_bits(movies, population)


# --- all of it in one call, as published -------------------------------------------------------


def prepare_data(
    reviews_per_user: int | None = None,
    top_percentile: float | None = None,
    num_user: int | None = None,
    per_user: bool = True,
    *,
    dataset: str = "auto",
    join: str = "links",
    vote_scale: str = "halved",
    labels: str = "half_stars",
    seed: int = 0,
) -> pd.DataFrame | list[list[list]]:
    """Ratings with their movies' bits.

    Args:
        reviews_per_user: None or 0: all of them; else exactly so many of each user, at random.
        top_percentile: q keeps the movies whose vote count reaches the q-quantile.
        num_user: None or 0: all users; else so many, at random among those with at least
            `reviews_per_user` ratings, or at least 2 where that is not given.
        per_user: a list of users, each a list of rows of seven values; else a DataFrame.
        dataset, join, vote_scale, labels: see `load_dataset`, `join_movies`, `encode_movies` and
            `encode_ratings`.
        seed: of the draw; the same seed draws the same.

    Returns:
        userId, movieId, rating (10 bits), genres_enc (10), lang_enc (3), vote_avg_enc (3) and
        vote_count_enc (10) for each rating; bits are lists of 0 and 1.

    Raises:
        ValueError: more users are asked for than exist (it says how many there are), or a
            parameter or file is wrong.
    """
    data = load_dataset(dataset, join)
    sample = draw_sample(data, num_user, reviews_per_user, top_percentile, seed)
    movies = encode_movies(data, vote_scale, sample.outside)
    ratings = data.ratings.take(sample.rows)
    bits_of = _channels_as_lists(movies)
    frame = pd.DataFrame(
        {
            "userId": data.user_id[ratings.user],
            "movieId": movies.movie_id[ratings.movie],
            "rating": encode_ratings(ratings.stars, labels).tolist(),
            "genres_enc": [bits_of["genres"][movie] for movie in ratings.movie],
            "lang_enc": [bits_of["language"][movie] for movie in ratings.movie],
            "vote_avg_enc": [bits_of["vote_average"][movie] for movie in ratings.movie],
            "vote_count_enc": [bits_of["vote_count"][movie] for movie in ratings.movie],
        }
    )
    if not per_user:
        return frame
    rows = [list(row) for row in frame.itertuples(index=False, name=None)]
    ends = np.searchsorted(ratings.user, sample.users, side="right")
    starts = np.append(0, ends[:-1])
    return [rows[start:end] for start, end in zip(starts, ends, strict=True)]


data_prep = prepare_data  # the published README's name for it


def _channels_as_lists(movies: Movies) -> dict[str, list[list[int]]]:
    ends = np.cumsum(list(movies.channels.values()))
    return dict(
        zip(
            movies.channels,
            (part.tolist() for part in np.split(movies.bits, ends[:-1], 1)),
            strict=True,
        )
    )


# --- python data_prep.py -----------------------------------------------------------------------


@dataclass
class Parameters:
    """What to prepare; each is a flag too."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder of Kaggle's files"""
    num_users: int = 0
    """how many users to draw; 0: all"""
    reviews_per_user: int = 0
    """how many ratings of each; 0: all they have"""
    top_percentile: float = 0.0
    """keep the movies whose vote count reaches this quantile, such as 0.9; 0: all"""
    protocol: Literal["strict", "published"] = "strict"
    """strict joins through links; published joins movieId to the TMDB id directly, as published"""
    seed: int = 0
    """of the draw"""
    show: int = 5
    """how many encoded movies to print"""


def main(parameters: Parameters) -> None:
    from evaluation.protocols import PROTOCOLS  # only the script needs it

    protocol = PROTOCOLS[parameters.protocol]
    data = load_dataset(parameters.dataset, protocol.join)
    sample = draw_sample(
        data,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.top_percentile,
        parameters.seed,
    )
    movies = encode_movies(data, protocol.vote_scale, sample.outside)
    drawn = data.ratings.take(sample.rows)

    print(f"{data.source.name}, joined by {protocol.join}")
    for what, count in data.counts.items():
        print(f"  {count:>12,} {what}")
    print("drawn")
    print(f"  {len(sample.users):>12,} users")
    print(f"  {len(drawn):>12,} ratings")
    print(f"  {len(np.unique(drawn.movie)):>12,} movies")
    print(f"{len(movies.bit_names)} bits a movie: {movies.channels}. The most rated:")
    most_rated = np.argsort(-np.bincount(drawn.movie, minlength=len(movies)), kind="stable")
    for movie in most_rated[: parameters.show]:
        print(f"  {movies.title[movie]}: {_in_words(movies, movie)}")


def _in_words(movies: Movies, movie: int) -> str:
    patterns = [
        f"{channel} {''.join(str(bit) for bit in bits[movie])}"
        for channel, bits in _channels_as_lists(movies).items()
    ]
    ones = [name for name, bit in zip(movies.bit_names, movies.bits[movie], strict=True) if bit]
    genres = [name.split(":")[1] for name in ones if name.startswith("genres:")]
    return f"{', '.join(genres) or 'none of the ten genres'} | {', '.join(patterns)}"


if __name__ == "__main__":
    from command_line import run

    run(main, Parameters)
