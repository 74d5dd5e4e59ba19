"""Each rating gets its movie, and each movie its external votes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from recbench.data.datasets import load_source
from recbench.data.tables import Source
from recbench.errors import InputError
from recbench.ratings import Ratings


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
    """The dataset of that name (see `load_source`), joined; kept for the next call."""
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


def external_votes(
    dataset: Dataset, background: np.ndarray | None = None, cutoff: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """How many voted for each movie, and their average on TMDB's scale of 0 .. 10.

    Those of the metadata, or where it has none, counted over the ratings of the `background`
    users (bool [users]; None: nobody), before the time `cutoff` if there is one. No votes: 0 and
    0. Missing in the metadata: nan.
    """
    if dataset.source.has_votes:
        count, average = dataset.table["vote_count"], dataset.table["vote_average"]
        return count.to_numpy().astype(float), average.to_numpy().astype(float)
    ratings = dataset.ratings
    counted = background[ratings.user] if background is not None else np.zeros(len(ratings), bool)
    if cutoff is not None:
        counted &= ratings.time < cutoff
    n_movies = len(dataset.table)
    votes = np.bincount(ratings.movie[counted], minlength=n_movies).astype(float)
    stars = np.bincount(ratings.movie[counted], ratings.stars[counted], minlength=n_movies)
    return votes, 2 * stars / np.maximum(votes, 1)
