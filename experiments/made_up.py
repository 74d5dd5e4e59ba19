"""A made-up dataset of any size in the layout of Kaggle's The Movies Dataset.

It is a test load and never a result: it shows the cost of a size, not the quality of predictions.
Activity is log-normal, popularity falls with the square of the rank, stars are quality, user bias
and noise. Defects of the real files are left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator

from recbench.errors import InputError, check_range

KAGGLE_RATINGS, KAGGLE_USERS, KAGGLE_MOVIES = 26_024_289, 270_896, 45_115
BLOCK = 500_000  # approximate number of ratings made and written at a time
GENRES = "Drama Comedy Thriller Romance Action Horror Crime Documentary Family Mystery War Music"
FIRST, LAST = 820_454_400, 1_501_829_566  # of the times: January 1996, August 2017
ACTIVITY_SIGMA = 1.4  # of the logarithm


def make_dataset(output: Path, ratings: int, seed: int = 0) -> None:
    """Write `ratings` ratings to the new folder `output`. Users grow in proportion to ratings,
    movies with their square root, both from Kaggle's numbers; the same seed gives the same files.

    Raises:
        InputError: the folder is there already, or a number is out of its range.
    """
    check_range("--seed", seed, least=0)
    check_range("--ratings", ratings, least=1000)
    if output.exists():
        raise InputError(f"--make {output}: exists already. Give another name")
    output.mkdir(parents=True)
    users = ratings * KAGGLE_USERS // KAGGLE_RATINGS
    movies = int(KAGGLE_MOVIES * (ratings / KAGGLE_RATINGS) ** 0.5)
    rng = np.random.default_rng([seed, users, movies])
    movie_id = rng.permutation(np.cumsum(rng.integers(1, 8, movies)))  # with gaps
    quality = rng.normal(0, 0.5, movies).clip(-1.8, 1.8)
    write_ratings(output, movie_id, quality, activity(users, movies, ratings, rng), rng)
    write_movies(output, movie_id, quality, rng)  # last: without them it is no dataset yet
    size = f"{ratings:,} ratings of {users:,} users and {movies:,} movies"
    print(f"{output}: {size}, made up: a test load, never a result")


def write_movies(folder: Path, movie_id: np.ndarray, quality: np.ndarray, rng: Generator) -> None:
    """links.csv and movies_metadata.csv."""
    movies, movie = len(movie_id), np.arange(len(movie_id))
    tmdb_id = 2 + 3 * rng.permutation(movies)
    links = {"movieId": movie_id, "imdbId": movie + 1_000_000, "tmdbId": tmdb_id}
    pl.DataFrame(links).sort("movieId").write_csv(folder / "links.csv")
    names = rng.choice(GENRES.split(), (movies, 3)).tolist()
    columns = {
        "belongs_to_collection": [f"{{'id': {k}}}" if k % 10 == 0 else "" for k in movie],
        "genres": [str([{"name": n} for n in dict.fromkeys(names[k][: k % 4])]) for k in movie],
        "id": tmdb_id,
        "original_language": rng.choice(["en", "en", "en", "fr", "ja"], movies),
        "overview": [f'Movie {k}, "made up".\nNobody has seen it. ' * 8 for k in movie],
        "release_date": [f"{year}-06-01" for year in rng.integers(1918, 2018, movies)],
        "runtime": rng.normal(95, 20, movies).round(),
        "title": [f"Movie {k}" for k in movie],
        "vote_average": (6.4 + 2 * quality).round(1),
        "vote_count": (8_000 / (1 + movie / flat_ranks(movies)) ** 2).astype(int),
    }
    pl.DataFrame(columns)[rng.permutation(movie)].write_csv(folder / "movies_metadata.csv")


def flat_ranks(movies: int) -> int:
    """Number of ranks of equal popularity, before it falls."""
    return movies // 158 + 1


def activity(users: int, movies: int, ratings: int, rng: Generator) -> np.ndarray:
    """Number of ratings of each user: `ratings` in all, each from one to half of the movies."""
    weight = rng.lognormal(0, ACTIVITY_SIGMA, users)
    counts = (1 + weight / weight.sum() * (ratings - users)).astype(int).clip(1, movies // 2)
    while missing := ratings - int(counts.sum()):  # rounded down or cut off
        counts[np.flatnonzero(counts < movies // 2)[:missing]] += 1
    return counts


def write_ratings(
    folder: Path, movie_id: np.ndarray, quality: np.ndarray, of_user: np.ndarray, rng: Generator
) -> None:
    """ratings.csv, sorted by user, with `of_user` ratings of each; written block by block."""
    blocks = np.split(of_user, np.flatnonzero(np.diff(np.cumsum(of_user) // BLOCK)) + 1)
    first = 1
    with (folder / "ratings.csv").open("wb") as stream:
        for counts in blocks:
            user, movie = drawn(len(movie_id), counts, rng)
            stars = 3.5 + quality[movie] + rng.normal(0, 0.43, len(counts))[user]
            stars = np.rint(2 * (stars + rng.normal(0, 0.82, len(user)))).clip(1, 10) / 2
            time = rng.integers(FIRST, LAST, len(user))
            ids = {"userId": first + user, "movieId": movie_id[movie]}
            table = pl.DataFrame(ids | {"rating": stars, "timestamp": time})
            table.write_csv(stream, include_header=first == 1)
            first += len(counts)


def drawn(movies: int, counts: np.ndarray, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw `counts` movies of each user, none twice, by popularity: users and movies, ascending."""
    pairs, flat, turn = np.empty(0, np.int64), flat_ranks(movies), 0
    while len(pairs) < counts.sum():
        missing = counts - np.bincount(pairs // movies, minlength=len(counts))
        user = np.repeat(np.arange(len(counts)), missing)
        # 1 / (rank + flat)²; after some turns uniform, to find movies not drawn yet
        place = 1 / rng.uniform(1 / (movies + flat), 1 / flat, len(user))
        rank = place - flat if turn < 8 else rng.uniform(0, movies, len(user))
        pairs = np.unique(np.append(pairs, user * movies + rank.astype(int).clip(0, movies - 1)))
        turn += 1
    return np.divmod(pairs, movies)
