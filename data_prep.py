"""Ratings + metadata -> joined, sampled, binary-encoded: the data of all other scripts.

The steps, and the functions to import from here for each:

    find     locate            path of the files of a dataset; downloads them if necessary
    clean    load_source       the files as tables, and counts of unusable rows
    join     join_movies       each rating with its movie; load_dataset does all steps up to this
    sample   draw_sample       users, and ratings of each
    encode   encode_movies     bits of movies; of a single value: encode_genres,
                               encode_vote_average, encode_lang, encode_vote_count
             encode_ratings    thermometers of stars; of one: encode_rating; inverse: decode_ratings

prepare_data does all of this in one call, as published. The code is in recbench/data/.

    python data_prep.py --dataset ml-100k --num-users 100
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also ml-1m .., a file of ratings
NUM_USERS = 0  # users that are drawn at random; 0: all
REVIEWS_PER_USER = 0  # ratings of each user; 0: all
TOP_PERCENTILE = 0.0  # only movies whose vote count reaches this quantile, such as 0.9; 0: all
PROTOCOL = "strict"  # or "published": ratings joined to movies as published, which mixes ids
SEED = 0  # of the draw
SHOW = 5  # encoded movies that are printed

from dataclasses import dataclass
from typing import Annotated, Literal

from recbench.command_line import RATINGS, read_flags, run
from recbench.data.scales import TableFlags, with_flags
from recbench.evaluation.protocols import PROTOCOLS


@dataclass
class DataFlags:
    """Which data to find, clean and join."""

    dataset: str = DATASET
    """name of a dataset, or path of a folder, zip file or table of ratings; see docs/datasets.md"""
    protocol: Literal["strict", "published"] = PROTOCOL  # type: ignore[assignment]
    """strict joins through links.csv and halves TMDB's votes of 0 to 10; published joins movieId to
    the TMDB id directly and reads votes as 0 to 5"""
    cache: bool = True
    """whether a large dataset is cached, joined, for later runs"""


@dataclass
class SampleFlags:
    """Which users and ratings to draw, and how many to show."""

    num_users: int = NUM_USERS
    """number of users to draw; 0: all"""
    reviews_per_user: Annotated[int, RATINGS] = REVIEWS_PER_USER
    """number of ratings per user; 0: all"""
    top_percentile: float = TOP_PERCENTILE
    """keep movies whose vote count reaches this quantile, such as 0.9; 0: all"""
    seed: int = SEED
    """seed of the draw"""
    show: int = SHOW
    """number of encoded movies to print"""


@dataclass
class Parameters(DataFlags, TableFlags, SampleFlags):
    """All of them."""


if __name__ == "__main__":
    GIVEN = read_flags(Parameters)  # --help ends here: what follows takes a second

import numpy as np
import pandas as pd

from recbench.data.dataset import Dataset, join_movies
from recbench.data.datasets import load_source, locate
from recbench.data.encodings.movies import channels_as_lists, encode_movies
from recbench.data.encodings.published import (
    encode_genres,
    encode_lang,
    encode_vote_average,
    encode_vote_count,
)
from recbench.data.encodings.thermometer import decode_ratings, encode_rating, encode_ratings
from recbench.data.loading import load_dataset, size_of
from recbench.data.sampling import draw_sample
from recbench.errors import InputError
from recbench.ratings import Movies

encode_vote_avg = encode_vote_average  # the published README's name for it


def prepare_data(
    reviews_per_user: int | None = None,
    top_percentile: float | None = None,
    num_user: int | None = None,
    per_user: bool = True,
    *,
    dataset: str = DATASET,
    join: str = "links",
    vote_scale: str = "halved",
    labels: str = "half_stars",
    seed: int = SEED,
) -> pd.DataFrame | list[list[list]]:
    """Ratings with their movies' bits.

    Args:
        reviews_per_user: number of ratings of each user, drawn at random; None or 0: all.
        top_percentile: q keeps movies whose vote count reaches the q-quantile.
        num_user: number of users, drawn at random among those with at least `reviews_per_user`
            ratings (at least 2 if that is not given); None or 0: all users.
        per_user: return a list of users, each a list of rows of seven values; else a DataFrame.
        dataset, join, vote_scale, labels: see `load_dataset`, `join_movies`, `encode_movies` and
            `encode_ratings`.
        seed: of the draw.

    Returns:
        userId, movieId, rating (10 bits), genres_enc (10), lang_enc (3), vote_avg_enc (3) and
        vote_count_enc (10) for each rating; bits are lists of 0 and 1.

    Raises:
        ValueError: there are fewer users than requested (the message has their number), or a
            parameter or file is invalid.
    """
    data = load_dataset(dataset, join)  # find, clean, join
    sample = draw_sample(data, num_user, reviews_per_user, top_percentile, seed)
    movies = encode_movies(data, vote_scale, sample.background)
    ratings = data.ratings.take(sample.rows)
    bits_of = channels_as_lists(movies)
    if not bits_of:
        raise InputError(f"{data.source.name}: the dataset has no features of items")
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


# --- python data_prep.py -----------------------------------------------------------------------


def main(parameters: Parameters) -> None:
    protocol = PROTOCOLS[parameters.protocol]
    data = load_dataset(with_flags(parameters.dataset, parameters), protocol.join, parameters.cache)
    sample = draw_sample(
        data,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.top_percentile,
        parameters.seed,
    )
    movies = encode_movies(data, protocol.vote_scale, sample.background)
    drawn = data.ratings.take(sample.rows)

    if data.cached_in is not None:
        print(f"read from {data.cached_in} ({size_of(data.cached_in)})")
    print(f"{data.source.name}, joined by {protocol.join}")
    for what, count in data.counts.items():
        print(f"  {count:>12,} {what}")
    print("drawn")
    print(f"  {len(sample.users):>12,} users")
    print(f"  {len(drawn):>12,} ratings")
    print(f"  {len(np.unique(drawn.movie)):>12,} movies")
    print(f"{len(movies.bit_names)} bits per movie: {movies.channels}. The most rated:")
    most_rated = np.argsort(-np.bincount(drawn.movie, minlength=len(movies)), kind="stable")
    for movie in most_rated[: parameters.show]:
        print(f"  {movies.title[movie]}: {_in_words(movies, movie)}")


def _in_words(movies: Movies, movie: int) -> str:
    patterns = [
        f"{channel} {''.join(str(bit) for bit in bits[movie])}"
        for channel, bits in channels_as_lists(movies).items()
    ]
    ones = [name for name, bit in zip(movies.bit_names, movies.bits[movie], strict=True) if bit]
    genres = [name.split(":")[1] for name in ones if name.startswith("genres:")]
    return f"{', '.join(genres) or 'none of the ten genres'} | {', '.join(patterns)}"


if __name__ == "__main__":
    run(main, GIVEN)
