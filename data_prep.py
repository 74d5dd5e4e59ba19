"""Ratings and metadata -> joined, sampled, binary-encoded.

Four steps, each a section below: the encoders (a function of the movie, so computed once per
movie), the join of ratings to movies, the sample of users, and `prepare_data`, which is all of
them in one call. Parameters of `python data_prep.py` stand in `Parameters`, its flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
import polars as pl

from errors import InputError, TooFewUsers
from extended_encoding import extended_bits, facts_of
from ratings import Movies, Ratings
from sources import Source, load_source
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


# --- the join of ratings to movies -------------------------------------------------------------


@dataclass(frozen=True)
class Dataset:
    """Ratings joined to movies.

    Attributes:
        source: where they come from.
        ratings: all ratings that found their movie, sorted by user; a user's repeated rating of a
            movie counts once, the latest.
        user_id: int64 [users], the id behind each dense user index.
        table: one row per movie that has a rating, in the order of the dense movie index: the
            columns of the source's movies, and movieId.
        counts: what was found, cleaned, joined and kept, in the order to print it.
    """

    source: Source
    ratings: Ratings
    user_id: np.ndarray
    table: pl.DataFrame
    counts: dict[str, int]

    @property
    def n_users(self) -> int:
        return len(self.user_id)


def load_dataset(dataset: str = "auto", join: str = "links") -> Dataset:
    """The dataset of that name (see `sources.load_source`), joined; kept for the next call."""
    return _load_and_join(dataset, join)


@lru_cache(maxsize=2)
def _load_and_join(dataset: str, join: str) -> Dataset:
    return join_movies(load_source(dataset), join)


def join_movies(source: Source, join: str = "links") -> Dataset:
    """Give each rating its movie.

    Args:
        join: "links": ratings.movieId -> links.tmdbId -> movies.id, which is right; "direct":
            ratings.movieId -> movies.id, which mixes two id spaces, as published.

    Raises:
        InputError: there are no links to join through, or no rating finds a movie.
    """
    if join == "direct":
        bridge = source.ratings.select("movieId").unique().with_columns(tmdbId="movieId")
    elif source.links is not None:
        bridge = source.links
    else:
        raise InputError(
            f"{source.name}: has no links file, so ratings cannot find their movies. Put links.csv "
            "(or links_small.csv) beside the ratings"
        )
    table = (
        source.movies.join(bridge.sort("movieId"), left_on="id", right_on="tmdbId")
        .filter(pl.col("movieId").is_in(source.ratings["movieId"].unique().implode()))
        .sort("movieId")
    )
    one_row_per_movie = table.unique("id", keep="first", maintain_order=True)
    row_of_movie = (
        table.select("id", "movieId")
        .join(one_row_per_movie.select("id").with_row_index("movie"), on="id")
        .select("movieId", "movie")
    )
    joined = source.ratings.join(row_of_movie, on="movieId")
    if joined.is_empty():
        raise InputError(f"{source.name}: no rating finds a movie by --join {join}")
    latest = _latest_of_repeated(joined)
    if not latest["userId"].is_sorted():
        latest = latest.sort("userId", maintain_order=True)
    users = latest["userId"].unique().sort().to_numpy()
    counts = source.counts | {
        "ratings without a movie": len(source.ratings) - len(joined),
        "ratings repeated by their user": len(joined) - len(latest),
        "ratings kept": len(latest),
        "users kept": len(users),
        "movies kept": len(one_row_per_movie),
    }
    ratings = Ratings(
        np.searchsorted(users, latest["userId"].to_numpy()),
        *(latest[column].to_numpy() for column in ("movie", "rating", "timestamp")),
    )
    return Dataset(source, ratings, users, one_row_per_movie, counts)


def _latest_of_repeated(joined: pl.DataFrame) -> pl.DataFrame:
    """Without the earlier ratings of a movie by the same user; of equal times the later row."""
    n_movies = int(joined["movie"].max()) + 1  # type: ignore[arg-type]
    pair = pl.col("userId") * n_movies + pl.col("movie")
    repeated = joined.select(pair.is_duplicated()).to_series()
    if not repeated.any():
        return joined
    rows = joined.with_row_index("row").filter(repeated).sort("timestamp", maintain_order=True)
    latest = rows.unique(["userId", "movie"], keep="last")["row"].to_numpy()
    kept = ~repeated.to_numpy()
    kept[latest] = True
    return joined.filter(pl.Series(kept))


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
            "extended", see `extended_encoding`.
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


def crowd_votes(
    dataset: Dataset, outside: np.ndarray | None = None, date: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """How many voted for each movie, and their average on TMDB's scale of 0 .. 10.

    Those of the metadata, or where it has none, counted over the ratings of the users
    `outside` (bool [users]; None: nobody), before `date` if there is one. No votes: 0 and 0.
    Missing in the metadata: nan.
    """
    if dataset.source.has_votes:
        count, average = dataset.table["vote_count"], dataset.table["vote_average"]
        return count.to_numpy().astype(float), average.to_numpy().astype(float)
    ratings = dataset.ratings
    counted = outside[ratings.user] if outside is not None else np.zeros(len(ratings), bool)
    if date is not None:
        counted &= ratings.time < date
    n_movies = len(dataset.table)
    votes = np.bincount(ratings.movie[counted], minlength=n_movies).astype(float)
    stars = np.bincount(ratings.movie[counted], ratings.stars[counted], minlength=n_movies)
    return votes, 2 * stars / np.maximum(votes, 1)


# --- the sample of users -----------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """The users drawn, their ratings, and whoever is outside.

    Attributes:
        rows: int64, the rows of `dataset.ratings` that were drawn, ascending.
        users: int64 [n_users], dense indices in `dataset` of the users drawn, ascending.
        kept: bool [movies], whether a movie reaches the `top_percentile` asked for.
        outside: bool [users], who is outside the sample and may be counted or learned from.
    """

    rows: np.ndarray
    users: np.ndarray
    kept: np.ndarray
    outside: np.ndarray


def draw_sample(
    dataset: Dataset,
    num_users: int | None = None,
    reviews_per_user: int | None = None,
    top_percentile: float | None = None,
    seed: int = 0,
    user_set: str = "all",
) -> Sample:
    """Draw users at random and ratings of each at random; the four cases of `prepare_data`.

    Args:
        num_users, reviews_per_user, top_percentile: 0 or None: all.
        seed: of both draws.
        user_set: "all"; "development" for research and tuning, which then sees nothing at all of
            the reserved users; "reserved", a fifth of all, for what is claimed in the end.

    Raises:
        InputError: a parameter is out of its range, or fewer users exist than asked for; says
            how many there are.
    """
    num_users, reviews_per_user = num_users or 0, reviews_per_user or 0
    if num_users < 0 or reviews_per_user < 0:
        raise InputError(
            f"num_users ({num_users}) and reviews_per_user ({reviews_per_user}) must be 0 (all) "
            "or more"
        )
    rng = np.random.default_rng([seed, num_users, reviews_per_user])
    reserved = is_reserved(dataset.user_id)
    anybody = np.ones(dataset.n_users, dtype=bool)
    may_be_drawn = {"all": anybody, "development": ~reserved, "reserved": reserved}[user_set]
    may_be_outside = ~reserved if user_set == "development" else anybody
    everybody = rng.permutation(np.flatnonzero(may_be_drawn))
    if top_percentile and not dataset.source.has_votes:
        return _draw_with_counted_votes(
            dataset, num_users, reviews_per_user, top_percentile, everybody, may_be_outside, rng
        )
    kept = _reaches(
        dataset.table["vote_count"].to_numpy(),
        dataset.source.movies["vote_count"].to_numpy(),
        top_percentile,
    )
    chosen = _first_eligible(dataset, everybody, kept, num_users, reviews_per_user)
    rows = _draw_rows(dataset, chosen, kept, reviews_per_user, rng)
    inside = np.isin(np.arange(dataset.n_users), chosen)
    return Sample(rows, chosen, kept, may_be_outside & ~inside)


def is_reserved(user_id: np.ndarray) -> np.ndarray:
    """bool [n]: whether each user (int64 [n], as in the ratings file) is of the reserved fifth.

    By a hash of the id alone (Fibonacci hashing, Knuth 1973), so it is the same in every run.
    """
    hashed = user_id.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (hashed >> np.uint64(32)) % np.uint64(5) == 0


def _draw_with_counted_votes(
    dataset: Dataset,
    num_users: int,
    reviews_per_user: int,
    top_percentile: float,
    everybody: np.ndarray,
    may_be_outside: np.ndarray,
    rng: np.random.Generator,
) -> Sample:
    """Votes are counted outside the sample, but who is eligible depends on them.

    So users are set aside in random order, more and more, until enough of those set aside have
    ratings enough of the movies that are popular among the rest.
    """
    if num_users == 0:
        raise InputError(
            f"top_percentile: {dataset.source.name} has no votes of its own, they are counted over "
            "users outside the sample, and all are inside. Give a number of users"
        )
    most = 0
    for n_aside in range(num_users, len(everybody) + 1):
        aside = np.isin(np.arange(dataset.n_users), everybody[:n_aside])
        if not (may_be_outside & ~aside).any():
            break
        votes, _ = crowd_votes(dataset, may_be_outside & ~aside)
        kept = _reaches(votes, votes, top_percentile)
        enough = _counts_per_user(dataset, kept) >= max(reviews_per_user, 2)
        most = max(most, int((enough & aside).sum()))
        if (enough & aside).sum() >= num_users:
            chosen = everybody[:n_aside][enough[everybody[:n_aside]]][:num_users]
            rows = _draw_rows(dataset, np.sort(chosen), kept, reviews_per_user, rng)
            return Sample(rows, np.sort(chosen), kept, may_be_outside & ~aside)
    raise _too_few(num_users, most, max(reviews_per_user, 2))


def _reaches(votes: np.ndarray, of_all: np.ndarray, top_percentile: float | None) -> np.ndarray:
    """bool [movies]: whose `votes` reach the quantile asked for of `of_all`, where known."""
    if not top_percentile:
        return np.ones(len(votes), dtype=bool)
    if not 0 < top_percentile < 1:
        raise InputError(
            f"top_percentile is {top_percentile}. Expected a quantile between 0 and 1, such as 0.9 "
            "for the tenth of the movies with the most votes"
        )
    return np.nan_to_num(votes, nan=-1.0) >= np.nanquantile(of_all, top_percentile)


def _counts_per_user(dataset: Dataset, kept: np.ndarray) -> np.ndarray:
    ratings = dataset.ratings
    return np.bincount(ratings.user[kept[ratings.movie]], minlength=dataset.n_users)


def _first_eligible(
    dataset: Dataset, order: np.ndarray, kept: np.ndarray, num_users: int, reviews_per_user: int
) -> np.ndarray:
    needed = reviews_per_user or (2 if num_users else 1)
    eligible = order[_counts_per_user(dataset, kept)[order] >= needed]
    if len(eligible) < max(num_users, 1):
        raise _too_few(num_users, len(eligible), needed)
    return np.sort(eligible[: num_users or None])


def _too_few(num_users: int, there_are: int, needed: int) -> TooFewUsers:
    return TooFewUsers(
        f"num_users is {num_users or 'all'}, but only {there_are} users have {needed} ratings or "
        "more of the movies kept. Ask for fewer users or fewer reviews per user",
        there_are,
    )


def _draw_rows(
    dataset: Dataset,
    chosen: np.ndarray,
    kept: np.ndarray,
    reviews_per_user: int,
    rng: np.random.Generator,
) -> np.ndarray:
    ratings = dataset.ratings
    is_chosen = np.zeros(dataset.n_users, dtype=bool)
    is_chosen[chosen] = True
    rows = np.flatnonzero(is_chosen[ratings.user] & kept[ratings.movie])
    if reviews_per_user == 0:
        return rows
    user = ratings.user[rows]  # ascending
    shuffled = np.lexsort((rng.random(len(rows)), user))  # within each user
    starts = np.searchsorted(user, chosen)
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    return np.sort(rows[shuffled[place < reviews_per_user]])


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
