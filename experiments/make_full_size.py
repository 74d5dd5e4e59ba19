"""A made-up dataset of any size in the layout of Kaggle's The Movies Dataset -> <output>/.

A test load and never a result: it shows what a size costs, not how well anybody predicts. Activity
is log-normal, popularity falls with the square of the rank, stars are quality, bias, latent factors
and noise. Ratings come in sittings, days to months apart. `DEFECTS` are those of the real files.

    python -m experiments.make_full_size --output FOLDER
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import Generator
from rich.progress import track

from recbench.command_line import run
from recbench.errors import InputError, check_range

KAGGLE_RATINGS, KAGGLE_USERS, KAGGLE_MOVIES = 26_024_289, 270_896, 45_115
BLOCK = 500_000  # ratings that are made and written at a time, about
GENRES = "Drama Comedy Thriller Romance Action Horror Crime Documentary Family Mystery War Music"
FIRST, LAST = 820_454_400, 1_501_829_566  # of the times: January 1996, August 2017
SITTING = 30  # ratings, the mean
REPEATED = 2_000  # one rating in so many is of a movie that the user has rated before
ACTIVITY_SIGMA = 1.4  # of the logarithm
DEFECTS = {  # one movie in so many; of each one at the least
    "movies without a link": 2_000,
    "links without a tmdbId": 200,
    "links with the tmdbId of the movie before": 1_500,
    "movies without metadata": 100,
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
    """how many; 0: as in Kaggle's, by the square root of the ratings"""
    seed: int = 0
    """of all draws; the same gives the same files"""


def main(parameters: Parameters) -> None:
    output = Path(parameters.output).absolute()
    users, movies = sizes(parameters)
    if output.exists():
        raise InputError(f"--output {output}: is there already. Give another name")
    output.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([parameters.seed, users, movies])
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        films = Films(movies, rng)
        write_movies(films, whole, rng)
        write_ratings(films, activity(users, movies, parameters.ratings, rng), whole, rng)
        whole.rename(output)  # whole or not at all
    size = f"{parameters.ratings:,} ratings of {users:,} users and {movies:,} movies"
    print(f"{output}: {size}, made up: a test load, never a result")


def sizes(parameters: Parameters) -> tuple[int, int]:
    """How many users and movies; an `InputError` where the numbers do not go together."""
    ratings = parameters.ratings
    check_range("--seed", parameters.seed, least=0)
    check_range("--ratings", ratings, least=1)
    users = parameters.users or max(ratings * KAGGLE_USERS // KAGGLE_RATINGS, 1)
    movies = parameters.movies or max(int(KAGGLE_MOVIES * (ratings / KAGGLE_RATINGS) ** 0.5), 20)
    check_range("--users", users, least=1)
    check_range("--movies", movies, least=20, most=10**6)
    most = users * (movies // 2)
    if not users <= ratings <= most:
        raise InputError(
            f"--ratings is {ratings:,}. Of {users:,} users and {movies:,} movies expected {users:,}"
            f" to {most:,}: one for each user at the least, and half of the movies at the most"
        )
    return users, movies


def activity(users: int, movies: int, ratings: int, rng: Generator) -> np.ndarray:
    """How many ratings each user has: `ratings` in all, each from one to half of the movies."""
    weight = rng.lognormal(0, ACTIVITY_SIGMA, users)
    counts = (1 + weight / weight.sum() * (ratings - users)).astype(int).clip(1, movies // 2)
    while missing := ratings - int(counts.sum()):  # what was rounded down or cut off
        counts[np.flatnonzero(counts < movies // 2)[:missing]] += 1
    return counts


class Films:
    """What is behind the ratings: ids with gaps as MovieLens has them, popularity, stars."""

    def __init__(self, movies: int, rng: Generator) -> None:
        self.movie_id = np.cumsum(rng.integers(1, 8, movies))
        self.of_rank = rng.permutation(movies)
        self.flat = movies // 158 + 1  # ranks until popularity falls
        self.quality = rng.normal(0, 0.5, movies).clip(-1.8, 1.8)
        self.factors = rng.standard_normal((movies, 8), np.float32)

    def draw(self, counts: np.ndarray, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """So many movies of each user, none twice: users and movies, ascending."""
        pairs, movies, turn = np.empty(0, np.int64), len(self.of_rank), 0
        while len(pairs) < counts.sum():
            missing = counts - np.bincount(pairs // movies, minlength=len(counts))
            user = np.repeat(np.arange(len(counts)), missing)
            # by popularity, 1 / (rank + flat)²; after some that were seen already, any
            place = 1 / rng.uniform(1 / (movies + self.flat), 1 / self.flat, len(user))
            rank = place - self.flat if turn < 8 else rng.uniform(0, movies, len(user))
            film = self.of_rank[rank.astype(int).clip(0, movies - 1)]
            pairs = np.sort(np.append(pairs, user * movies + film))
            pairs = pairs[np.diff(pairs, prepend=-1) > 0]
            turn += 1
        return np.divmod(pairs, movies)


def write_movies(films: Films, folder: Path, rng: Generator) -> None:
    """links.csv and movies_metadata.csv, with the defects."""
    film = np.arange(len(films.movie_id))
    ends = np.cumsum([max(len(film) // part, 1) for part in DEFECTS.values()])
    # each movie has one defect at the most, the first has none
    *defects, _ = np.split(rng.permutation(film[1:]), ends)
    no_link, nameless, shared, no_metadata, dated, again, malformed, no_votes = defects
    tmdb_id = 2 + 3 * rng.permutation(len(film))
    target = pl.Series(tmdb_id).scatter(shared, tmdb_id[shared - 1]).scatter(nameless, None)
    links = pl.DataFrame({"movieId": films.movie_id, "imdbId": film + 1_000_000, "tmdbId": target})
    links[np.delete(film, no_link)].write_csv(folder / "links.csv")
    names = rng.choice(GENRES.split(), (len(film), 3)).tolist()
    genres = [str([{"name": one} for one in dict.fromkeys(names[k][: k % 4])]) for k in film]
    votes = (8_000 / (1 + np.argsort(films.of_rank) / films.flat) ** 2).astype(int)
    columns = {
        "belongs_to_collection": [f"{{'id': {k}}}" if k % 10 == 0 else "" for k in film],
        "genres": pl.Series(genres).scatter(malformed, "[{'name': 'Dra"),
        "id": tmdb_id.astype(str),
        "original_language": rng.choice(["en", "en", "en", "fr", "ja"], len(film)),
        "overview": [f'Movie {k}, "made up".\nNobody has seen it. ' * 8 for k in film],
        "release_date": [f"{year}-06-01" for year in rng.integers(1918, 2018, len(film))],
        "runtime": rng.normal(95, 20, len(film)).round(),
        "title": [f"Movie {k}" for k in film],
        "vote_average": pl.Series((6.4 + 2 * films.quality).round(1)).scatter(no_votes, None),
        "vote_count": pl.Series(votes).scatter(no_votes, None),
    }
    table = pl.DataFrame(columns)
    own = table[np.append(np.delete(film, no_metadata), again)]
    rows = pl.concat([own, table[dated].with_columns(id="release_date")])
    rows[rng.permutation(len(rows))].write_csv(folder / "movies_metadata.csv")


def write_ratings(films: Films, ratings_of: np.ndarray, folder: Path, rng: Generator) -> None:
    """ratings.csv, sorted by user and movie as Kaggle's is; written block by block."""
    blocks = np.split(ratings_of, np.flatnonzero(np.diff(np.cumsum(ratings_of) // BLOCK)) + 1)
    first = 1
    with (folder / "ratings.csv").open("wb") as stream:
        for counts in track(blocks, "ratings", transient=True):
            rated(films, first, counts, rng).write_csv(stream, include_header=first == 1)
            first += len(counts)


def rated(films: Films, first: int, counts: np.ndarray, rng: Generator) -> pl.DataFrame:
    """All ratings of the users from `first` on, who have so many each."""
    user, film = films.draw(counts, rng)
    again = (np.diff(user, prepend=-1) == 0) & (rng.random(len(user)) < 1 / REPEATED)
    film[again] = np.roll(film, 1)[again]
    taste = rng.normal(0, 0.14, (len(counts), 8)).astype(np.float32)
    stars = 3.5 + films.quality[film] + rng.normal(0, 0.43, len(counts))[user]
    stars += np.vecdot(taste[user], films.factors[film]) + rng.normal(0, 0.72, len(user))
    # the next minute or another sitting; who would pass the last year goes on in the first
    later = rng.uniform(4, 44, len(user))
    later = np.where(rng.random(len(user)) < 1 / SITTING, 86_400 * 2 ** (later / 4 - 1), later)
    time = (rng.uniform(0, LAST - FIRST, len(counts))[user] + np.cumsum(later)) % (LAST - FIRST)
    time = FIRST + time[np.argsort(user + rng.random(len(user)))].astype(int)
    ids = {"userId": first + user, "movieId": films.movie_id[film]}
    return pl.DataFrame(ids | {"rating": np.rint(2 * stars).clip(1, 10) / 2, "timestamp": time})


if __name__ == "__main__":
    run(main, Parameters)
