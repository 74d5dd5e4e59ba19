"""Ratings joined to movies, to draw samples from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from recbench.data.tables import Source
from recbench.errors import InputError
from recbench.ratings import Ratings


@dataclass(frozen=True)
class Dataset:
    """Ratings joined to movies.

    Attributes:
        source: the source they come from.
        ratings: all ratings that have a movie, sorted by user; of a user's ratings of one movie
            only the latest.
        user_id: int64 [users], the id behind each dense user index.
        table: one row per movie that has a rating, in the order of the dense movie index: the
            columns of the source's movies, and movieId.
        counts: numbers of rows found, cleaned, joined and kept, in the order to print.
        cached_in: its folder in the cache; None: it is in memory.
    """

    source: Source
    ratings: Ratings
    user_id: np.ndarray
    table: pl.DataFrame
    counts: dict[str, int]
    cached_in: Path | None = None

    @property
    def n_users(self) -> int:
        return len(self.user_id)

    @cached_property
    def first_row(self) -> np.ndarray:
        """int64 [users + 1]: first row of each user, and the end of the last user's rows."""
        users = np.arange(self.n_users + 1, dtype=self.ratings.user.dtype)
        return np.searchsorted(self.ratings.user, users)

    def with_own_ids(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """`predictions` with the file's `user` and `item` beside user_id and movie_id, if ids there
        are not integers."""
        if self.source.users is not None:
            text = dict(self.source.users.rows())
            predictions = predictions.assign(user=predictions["user_id"].map(text))
        if "item" in self.table:
            text = dict(self.table.select("movieId", "item").rows())
            predictions = predictions.assign(item=predictions["movie_id"].map(text))
        return predictions

    def rows_of(self, users: np.ndarray) -> np.ndarray:
        """The rows of all ratings of `users` (int [k]), user by user."""
        first, count = self.first_row[users], np.diff(self.first_row)[users]
        before = np.cumsum(count) - count
        return np.arange(count.sum()) + np.repeat(first - before, count)


def join_movies(source: Source, join: str = "links") -> Dataset:
    """Find the movie of each rating.

    Args:
        join: "links": ratings.movieId -> links.tmdbId -> movies.id, the correct one; "direct":
            ratings.movieId -> movies.id, which mixes two id spaces, as published.

    Raises:
        InputError: there are no links to join through, or no rating has a movie.
    """
    if join == "direct":
        links = source.movies.select(movieId="id", tmdbId="id")
    elif source.links is not None:
        links = source.links
    else:
        raise InputError(
            f"{source.name}: has no links file, so ratings cannot find their movies. Put "
            "links.csv (or links_small.csv) beside the ratings"
        )
    ratings = source.read_ratings()
    found = {"ratings": len(ratings), "users": ratings["userId"].n_unique()}
    rated = (
        source.movies.join(links.select("tmdbId", "movieId"), left_on="id", right_on="tmdbId")
        .filter(pl.col("movieId").is_in(ratings["movieId"].unique().implode()))
        .sort("movieId")
    )
    if rated.is_empty():
        raise InputError(f"{source.name}: no rating has a movie with --join {join}")
    table = rated.unique("id", keep="first", maintain_order=True)  # movieIds may share a movie
    numbers = table.select("id", movie=pl.int_range(pl.len(), dtype=pl.Int32))
    movie_of = rated.select("id", "movieId").join(numbers, on="id").drop("id")
    joined = ratings.join(movie_of, on="movieId", maintain_order="left").drop("movieId")
    without_movie = len(ratings) - len(joined)
    del ratings  # a full-size set takes a gigabyte
    if not joined["userId"].is_sorted():
        joined = joined.sort("userId", maintain_order=True)
    user_id = joined["userId"].unique(maintain_order=True).to_numpy()
    joined = joined.with_columns(user=pl.col("userId").rle_id().cast(pl.Int32)).drop("userId")
    latest = _latest_of_repeated(joined, len(table))
    return Dataset(
        source,
        Ratings(*(latest[name].to_numpy() for name in ("user", "movie", "rating", "timestamp"))),
        user_id,
        table,
        found
        | source.counts
        | {
            "ratings without a movie": without_movie,
            "ratings repeated by their user": len(joined) - len(latest),
            "ratings kept": len(latest),
            "users kept": len(user_id),
            "movies kept": len(table),
        },
    )


def _latest_of_repeated(joined: pl.DataFrame, movies: int) -> pl.DataFrame:
    """Keep only the latest rating of a movie by a user; with equal times the later row."""
    pair = pl.col("user").cast(pl.Int64) * movies + pl.col("movie")
    repeated = joined.select(pair.is_duplicated()).to_series()
    rows = joined.with_row_index("row").filter(repeated).sort("timestamp", maintain_order=True)
    kept = ~repeated.to_numpy()
    kept[rows.unique(["user", "movie"], keep="last")["row"].to_numpy()] = True
    return joined.filter(pl.Series(kept, dtype=pl.Boolean))
