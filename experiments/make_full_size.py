"""A made-up dataset of any size in the layout of Kaggle's The Movies Dataset -> <output>/.

A test load and never a result: it shows what a size costs in seconds and memory, and says nothing
about how well anybody predicts. Nothing in it is taken from real ratings.

- Users: activity is log-normal. Films: popularity falls with the square of the rank (Zipf and
  Mandelbrot). No user rates a film twice, but for one rating in `REPEATED`.
- Stars: quality of the film, bias of the user, likings of genres, latent factors, both drifting
  over the years, noise; rounded to half stars.
- Times: sittings of some dozen films within minutes, days to months apart, from 1996 to 2017.
- Defects, each a stated part of the films (see `DEFECTS`): links without a tmdbId or sharing one,
  films without a link or without metadata, metadata rows with a date for an id, with an id seen
  before, with malformed genres, without votes.

All draws are whole numbers, looked up in tables or mixed from the seed and the user's number, so
the same seed gives the same files on any machine. Ratings are written block by block, and the
folder gets its name when it is whole.

    python -m experiments.make_full_size --output FOLDER
    python -m experiments.make_full_size --output FOLDER --ratings 1_000_000
"""

from __future__ import annotations

import csv
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numba
import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from recbench.command_line import run
from recbench.errors import InputError, check_range

KAGGLE_RATINGS, KAGGLE_USERS, KAGGLE_MOVIES = 26_024_289, 270_896, 45_115
BLOCK = 1_000_000  # ratings that are made and written at a time, about

GENRES = (
    *("Drama", "Comedy", "Thriller", "Romance", "Action", "Horror", "Crime", "Documentary"),
    *("Adventure", "Science Fiction", "Family", "Mystery", "Fantasy", "Animation", "Foreign"),
    *("Music", "History", "War", "Western", "TV Movie"),
)
LANGUAGES = (*("en",) * 14, "fr", "fr", "it", "ja", "de", "es", "ru", "hi", "ko", "zh")
FIRST, LAST = 820_454_400, 1_501_829_566  # of the times: January 1996, August 2017
YEAR = 31_557_600  # seconds
SITTING = 30  # ratings, the mean
REPEATED = 2_000  # one rating in so many is of a film that the user has rated before
FACTORS = 8
ACTIVITY_SIGMA = 1.4  # of the logarithm

# One film in so many; of each one at the least
DEFECTS = {
    "films without a link": 2_000,
    "links without a tmdbId": 200,
    "links with the tmdbId of the film before": 1_500,
    "films without metadata": 100,
    "metadata rows whose id is a date": 15_000,
    "metadata rows with an id seen before": 1_500,
    "metadata rows with malformed genres": 1_000,
    "metadata rows without votes": 5_000,
}


@dataclass
class Parameters:
    """How large; each is a flag too."""

    output: str
    """the new folder"""
    ratings: int = KAGGLE_RATINGS
    """how many"""
    users: int = 0
    """how many; 0: as many to a rating as in Kaggle's"""
    movies: int = 0
    """how many that are rated; 0: as in Kaggle's, by the square root of the ratings"""
    seed: int = 0
    """of all draws"""


console = Console(highlight=False)


def main(parameters: Parameters) -> None:
    output = Path(parameters.output).absolute()
    users, movies = sizes(parameters)
    if output.exists():
        raise InputError(f"--output {output}: is there already. Give another name")
    output.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([parameters.seed, users, movies])
    films = Films.draw(movies, rng)
    ratings_of = activity(users, movies, parameters.ratings, rng)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        write_films(films, whole, rng)
        write_ratings(films, ratings_of, parameters.seed, whole / "ratings.csv")
        os.rename(whole, output)  # whole or not at all
    console.print(
        f"{output}: {parameters.ratings:,} ratings of {users:,} users and {movies:,} movies, made "
        "up: a test load, never a result",
        markup=False,
        soft_wrap=True,
    )


def sizes(parameters: Parameters) -> tuple[int, int]:
    """How many users and movies.

    Raises:
        InputError: a number is out of its range, or the ratings do not fit between the others.
    """
    check_range("--seed", parameters.seed, least=0)
    check_range("--ratings", parameters.ratings, least=1)
    users = parameters.users or max(parameters.ratings * KAGGLE_USERS // KAGGLE_RATINGS, 1)
    of_kaggle = KAGGLE_MOVIES**2 * parameters.ratings // KAGGLE_RATINGS
    movies = parameters.movies or max(math.isqrt(of_kaggle), 20)
    check_range("--users", users, least=1)
    check_range("--movies", movies, least=20, most=10**6)
    if not users <= parameters.ratings <= users * (movies // 2):
        raise InputError(
            f"--ratings is {parameters.ratings:,}. Of {users:,} users and {movies:,} movies "
            f"expected {users:,} to {users * (movies // 2):,}: one for each user at the least, and "
            "half of the movies at the most"
        )
    return users, movies


def activity(users: int, movies: int, ratings: int, rng: np.random.Generator) -> np.ndarray:
    """How many ratings each user has, int64 [users]: log-normal, from one to half of the movies,
    `ratings` in all."""
    normal = NormalDist()
    levels = [
        round(1000 * math.exp(ACTIVITY_SIGMA * normal.inv_cdf((level + 0.5) / 2**16)))
        for level in range(2**16)
    ]
    weight = np.array(levels)[rng.integers(0, 2**16, users)] + 1
    counts = 1 + weight * (ratings - users) // weight.sum()
    counts = np.minimum(counts, movies // 2)
    while missing := ratings - int(counts.sum()):  # what was rounded down or cut off
        counts[np.flatnonzero(counts < movies // 2)[:missing]] += 1
    return counts


# --- films ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Films:
    """What is behind the ratings of m films, in whole numbers; stars in thousandths.

    Attributes:
        movie_id: int32 [m], ascending, with gaps as MovieLens has them.
        slots: int32 [some 2^k], each film as often as it is popular.
        quality, drift: int32 [m], stars, and stars a year.
        genres: int8 [m, 3], places in `GENRES`; -1 for no more.
        factors: int32 [m, FACTORS], thousandths of a standard deviation.
    """

    movie_id: np.ndarray
    slots: np.ndarray
    quality: np.ndarray
    drift: np.ndarray
    genres: np.ndarray
    factors: np.ndarray

    @staticmethod
    def draw(movies: int, rng: np.random.Generator) -> Films:
        rank = rng.permutation(movies)
        weight = 2**52 // (rank + movies // 158 + 1) ** 2
        n_slots = 2 ** (max(movies, 2**14).bit_length() + 6)
        per_film = np.maximum(weight * (n_slots // 64) // (weight.sum() // 64), 1)
        slots = np.repeat(np.arange(movies, dtype=np.int32), per_film)
        genres = np.minimum(rng.integers(0, 20, (movies, 3)), rng.integers(0, 20, (movies, 3)))
        n_genres = np.where(rng.integers(0, 20, movies) == 0, 0, rng.integers(1, 4, movies))
        genres[np.arange(3) >= n_genres[:, None]] = -1
        genres[:, 1:][genres[:, 1:] == genres[:, :1]] = -1  # each once
        genres[genres[:, 2] == genres[:, 1], 2] = -1
        return Films(
            movie_id=np.cumsum(rng.integers(1, 8, movies)).astype(np.int32),
            slots=slots,
            quality=drawn_normal(rng, 450, movies) + 200 - 400 * rank // movies,
            drift=drawn_normal(rng, 20, movies),
            genres=genres.astype(np.int8),
            factors=drawn_normal(rng, 1000, (movies, FACTORS)),
        )


def drawn_normal(
    rng: np.random.Generator, deviation: int, shape: int | tuple[int, int]
) -> np.ndarray:
    """Whole numbers, normal about 0; int32."""
    return (NORMAL[rng.integers(0, len(NORMAL), shape)] * deviation // 1000).astype(np.int32)


def _normal_table(levels: int) -> np.ndarray:
    """Quantiles of the standard normal in thousandths, int64 [levels]."""
    normal = NormalDist()
    return np.array([round(1000 * normal.inv_cdf((k + 0.5) / levels)) for k in range(levels)])


NORMAL = _normal_table(4096)


def write_films(films: Films, folder: Path, rng: np.random.Generator) -> None:
    """links.csv and movies_metadata.csv, with the defects."""
    movies = len(films.movie_id)
    number = {what: max(movies // part, 1) for what, part in DEFECTS.items()}
    shuffled = iter(rng.permutation(np.arange(1, movies)))  # each film has one defect at the most

    def some(what: str) -> set[int]:
        return {int(next(shuffled)) for _ in range(number[what])}

    tmdb_id: list[int | None] = (2 + 3 * rng.permutation(movies)).tolist()
    no_link = some("films without a link")
    nameless = some("links without a tmdbId")
    shared = some("links with the tmdbId of the film before")
    no_metadata = some("films without metadata")
    malformed = some("metadata rows with malformed genres")
    no_votes = some("metadata rows without votes")
    again = some("metadata rows with an id seen before")
    dated = some("metadata rows whose id is a date")

    with (folder / "links.csv").open("w", encoding="utf-8", newline="") as file:
        links = csv.writer(file, lineterminator="\n")
        links.writerow(("movieId", "imdbId", "tmdbId"))
        for film, movie_id in enumerate(films.movie_id.tolist()):
            if film not in no_link:
                target = "" if film in nameless else tmdb_id[film - (film in shared)]
                links.writerow((movie_id, f"{100_000 + film:07d}", target))

    year = 2017 - np.minimum(rng.integers(0, 100, movies), rng.integers(0, 100, movies))
    language = rng.integers(0, len(LANGUAGES), movies)
    runtime = 95 + drawn_normal(rng, 20, movies)
    votes = np.bincount(films.slots, minlength=movies) // 2
    average = np.clip(6_400 + 2 * films.quality + drawn_normal(rng, 500, movies), 500, 10_000)
    with (folder / "movies_metadata.csv").open("w", encoding="utf-8", newline="") as file:
        metadata = csv.writer(file, lineterminator="\n")
        metadata.writerow(
            (
                *("belongs_to_collection", "genres", "id", "original_language", "overview"),
                *("release_date", "runtime", "title", "vote_average", "vote_count"),
            )
        )
        for film in rng.permutation(movies).tolist():
            if film in no_metadata:
                continue
            own = [place for place in films.genres[film].tolist() if place >= 0]
            genres = str([{"id": place, "name": GENRES[place]} for place in own])
            row = [
                f"{{'id': {film}, 'name': 'Series {film}'}}" if film % 10 == 0 else "",
                genres[: len(genres) // 2] + "'" if film in malformed else genres,
                tmdb_id[film],
                LANGUAGES[language[film]],
                f'Film {film}, "made up".\nNobody has seen it. ' * 8,
                f"{year[film]}-06-01",
                f"{runtime[film]}.0",
                f"Film {film}",
                "" if film in no_votes else average[film] // 100 / 10,
                "" if film in no_votes else votes[film],
            ]
            metadata.writerow(row)
            if film in again:
                metadata.writerow(row)
            if film in dated:
                metadata.writerow([*row[:2], f"{year[film]}-08-20", *row[3:]])


# --- ratings -------------------------------------------------------------------------------------


def write_ratings(films: Films, ratings_of: np.ndarray, seed: int, file: Path) -> None:
    """ratings.csv, sorted by user and film as Kaggle's is; written block by block."""
    with file.open("wb") as stream:
        stream.write(b"userId,movieId,rating,timestamp\n")
        parts = list(blocks(ratings_of))
        for first, last in track(parts, "ratings", console=console, transient=True):
            user, film, half_stars, time = rated(
                first, ratings_of[first:last], np.uint64(seed), films.slots, films.quality,
                films.drift, films.genres, films.factors, NORMAL,
            )  # fmt: skip
            table = pl.DataFrame(
                {
                    "userId": user + 1,
                    "movieId": films.movie_id[film],
                    "rating": half_stars / 2,
                    "timestamp": time,
                }
            )
            table.sort("userId", "movieId", "timestamp").write_csv(stream, include_header=False)


def blocks(ratings_of: np.ndarray) -> Iterator[tuple[int, int]]:
    """Users from .. to, of some `BLOCK` ratings together."""
    block_of = (np.cumsum(ratings_of) - 1) // BLOCK
    ends = np.append(np.flatnonzero(np.diff(block_of)) + 1, len(ratings_of))
    return zip(np.append(0, ends[:-1]).tolist(), ends.tolist(), strict=True)


GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True, inline="always")
def mixed(number: np.uint64) -> np.int64:
    """63 random bits of a number (SplitMix64, Steele, Lea and Flood 2014)."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((number ^ (number >> np.uint64(31))) >> np.uint64(1))


@numba.njit(cache=True)
def suits(
    taste: np.ndarray, factors: np.ndarray, liking: np.ndarray, genres: np.ndarray
) -> np.int64:
    """What a user's taste adds to the stars of a film, in thousandths."""
    product = np.int64(0)
    for factor in range(len(taste)):
        product += taste[factor] * factors[factor]
    score = product // 1_000_000
    for genre in genres:
        if genre >= 0:
            score += liking[genre] // 1000
    return score


@numba.njit(cache=True)
def rated(
    first_user: int,
    ratings_of: np.ndarray,
    seed: np.uint64,
    slots: np.ndarray,
    quality: np.ndarray,
    film_drift: np.ndarray,
    genres: np.ndarray,
    factors: np.ndarray,
    normal: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All ratings of the users from `first_user` on: user (int32 [n]), film (int32), half stars
    (int64, 1 .. 10) and time (int64, seconds since 1970), each user's in the order of time.

    A user's draws depend on the seed and the user's number alone.
    """
    n, movies = ratings_of.sum(), len(quality)
    user, film = np.empty(n, np.int32), np.empty(n, np.int32)
    half_stars, time = np.empty(n, np.int64), np.empty(n, np.int64)
    seen_by = np.full(movies, -1, np.int32)
    liking = np.empty(20, np.int64)
    taste = np.empty(factors.shape[1], np.int64)
    end = 0
    for place in range(len(ratings_of)):
        me, start = np.int32(first_user + place), end
        end = start + ratings_of[place]
        key = np.uint64(mixed(seed * GOLDEN + np.uint64(me)))
        for genre in range(len(liking)):
            liking[genre] = normal[mixed(key) & 4095] * 150
            key += GOLDEN
        for factor in range(len(taste)):
            taste[factor] = normal[mixed(key) & 4095] * 140
            key += GOLDEN
        draw = mixed(key)
        key += GOLDEN
        bias, drift = normal[draw & 4095] * 430 // 1000, normal[(draw >> 12) & 4095] * 60 // 1000
        now = FIRST + (draw >> 24) % (LAST - FIRST - 30 * 86_400)
        began = now
        for row in range(start, end):
            draw = mixed(key)
            key += GOLDEN
            # the film: by popularity, and after some that were seen already, any
            again = row > start and draw % REPEATED == 0
            if again:
                chosen = film[start + (draw >> 12) % (row - start)]
            else:
                chosen = slots[(draw >> 12) % len(slots)]
                tries = 0
                while seen_by[chosen] == me:
                    tries += 1
                    draw = mixed(key)
                    key += GOLDEN
                    chosen = np.int32(draw % movies) if tries > 8 else slots[draw % len(slots)]
            seen_by[chosen] = me
            # the time: the next minute, or another sitting
            draw = mixed(key)
            key += GOLDEN
            step = 4 + draw % 40
            if (draw >> 8) % SITTING == 0:
                step = 86_400 * (1 << ((draw >> 16) % 10)) + (draw >> 20) % 86_400
            if now + step > LAST:
                step = (LAST - now) // 2
            now += step
            # the stars
            score = quality[chosen] + bias + normal[(draw >> 40) & 4095] * 720 // 1000
            score += drift * (now - began) // YEAR + film_drift[chosen] * (now - FIRST) // YEAR
            score += suits(taste, factors[chosen], liking, genres[chosen])
            user[row], film[row], time[row] = me, chosen, now
            half_stars[row] = min(max((2 * (3_500 + score) + 500) // 1000, 1), 10)
    return user, film, half_stars, time


if __name__ == "__main__":
    run(main, Parameters)
