"""Ratings and metadata -> joined, sampled, binary-encoded.

The published interface: the encoders by their published names, and `prepare_data`, all of it in one
call. The work is done in `recbench.data`. Parameters of `python data_prep.py` stand in
`Parameters`, its flags.

    python data_prep.py --dataset ml-100k --num-users 100
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from recbench.command_line import run
from recbench.data.encodings.movies import channels_as_lists, encode_movies
from recbench.data.encodings.published import (
    encode_genres,
    encode_lang,
    encode_vote_average,
    encode_vote_count,
)
from recbench.data.encodings.thermometer import encode_rating, encode_ratings
from recbench.data.joining import load_dataset
from recbench.data.kept import clear, megabytes, size_of
from recbench.data.sampling import draw_sample
from recbench.evaluation.protocols import PROTOCOLS
from recbench.ratings import Movies

__all__ = [
    "data_prep",
    "encode_genres",
    "encode_lang",
    "encode_rating",
    "encode_vote_average",
    "encode_vote_avg",
    "encode_vote_count",
    "prepare_data",
]

encode_vote_avg = encode_vote_average  # the published README's name for it


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
    movies = encode_movies(data, vote_scale, sample.background)
    ratings = data.ratings.take(sample.rows)
    bits_of = channels_as_lists(movies)
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


@dataclass
class Parameters:
    """What to prepare; each is a flag too."""

    dataset: str = "auto"
    """auto, the-movies-dataset, the-movies-dataset-small, ml-100k, or a folder or zip file"""
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
    cache: bool = True
    """whether a large dataset is kept joined in the user's cache, for later runs"""
    clear_cache: bool = False
    """delete all that is kept there so, and nothing else"""


def main(parameters: Parameters) -> None:
    if parameters.clear_cache:
        clear_cache()
        return
    protocol = PROTOCOLS[parameters.protocol]
    data = load_dataset(parameters.dataset, protocol.join, parameters.cache)
    sample = draw_sample(
        data,
        parameters.num_users,
        parameters.reviews_per_user,
        parameters.top_percentile,
        parameters.seed,
    )
    movies = encode_movies(data, protocol.vote_scale, sample.background)
    drawn = data.ratings.take(sample.rows)

    if data.kept_in is not None:
        print(f"read from {data.kept_in} ({megabytes(size_of(data.kept_in))})")
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


def clear_cache() -> None:
    """Delete what is kept of joined datasets, and say what that was."""
    deleted = clear()
    for folder, size in deleted:
        print(f"deleted {folder} ({megabytes(size)})")
    if not deleted:
        print("no joined dataset is kept")


def _in_words(movies: Movies, movie: int) -> str:
    patterns = [
        f"{channel} {''.join(str(bit) for bit in bits[movie])}"
        for channel, bits in channels_as_lists(movies).items()
    ]
    ones = [name for name, bit in zip(movies.bit_names, movies.bits[movie], strict=True) if bit]
    genres = [name.split(":")[1] for name in ones if name.startswith("genres:")]
    return f"{', '.join(genres) or 'none of the ten genres'} | {', '.join(patterns)}"


if __name__ == "__main__":
    run(main, Parameters)
