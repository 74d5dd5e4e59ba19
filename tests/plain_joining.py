"""Joining as it was written first: whole tables in memory, step by step. To compare with."""

from __future__ import annotations

import numpy as np
import polars as pl

from recbench.data.csv_files import read_ratings, read_text
from recbench.data.kaggle_files import files_of
from recbench.data.tables import MOVIE_COLUMNS, check_ratings, clean_links, clean_movies


def plain_join(folder, join):
    """user, movie, stars, time, user_id, table and counts of a folder in Kaggle's layout."""
    ratings_file, links_file, metadata_file = files_of(folder)
    ratings = check_ratings(read_ratings(ratings_file), ratings_file)
    counts = {"ratings": len(ratings), "users": ratings["userId"].n_unique()}
    links, link_counts = clean_links(read_text(links_file, ("movieId", "tmdbId")))
    movies, movie_counts = clean_movies(read_text(metadata_file, MOVIE_COLUMNS))
    bridge = links
    if join == "direct":
        bridge = ratings.select("movieId").unique().with_columns(tmdbId="movieId")
    table = (
        movies.join(bridge.sort("movieId"), left_on="id", right_on="tmdbId")
        .filter(pl.col("movieId").is_in(ratings["movieId"].unique().implode()))
        .sort("movieId")
    )
    one_row_per_movie = table.unique("id", keep="first", maintain_order=True)
    row_of_movie = (
        table.select("id", "movieId")
        .join(one_row_per_movie.select("id").with_row_index("movie"), on="id")
        .select("movieId", "movie")
    )
    joined = ratings.join(row_of_movie, on="movieId", maintain_order="left")
    latest = latest_of_repeated(joined)
    if not latest["userId"].is_sorted():
        latest = latest.sort("userId", maintain_order=True)
    users = latest["userId"].unique().sort().to_numpy()
    counts |= link_counts | movie_counts
    counts |= {
        "ratings without a movie": len(ratings) - len(joined),
        "ratings repeated by their user": len(joined) - len(latest),
        "ratings kept": len(latest),
        "users kept": len(users),
        "movies kept": len(one_row_per_movie),
    }
    return {
        "user": np.searchsorted(users, latest["userId"].to_numpy()).astype(np.int32),
        "movie": latest["movie"].to_numpy().astype(np.int32),
        "stars": latest["rating"].to_numpy(),
        "time": latest["timestamp"].to_numpy(),
        "user_id": users,
        "table": one_row_per_movie,
        "counts": counts,
    }


def latest_of_repeated(joined):
    """Without the earlier ratings of a movie by the same user; of equal times the later row."""
    pair = pl.struct("userId", "movie")
    repeated = joined.select(pair.is_duplicated()).to_series()
    rows = joined.with_row_index("row").filter(repeated).sort("timestamp", maintain_order=True)
    latest = rows.unique(["userId", "movie"], keep="last")["row"].to_numpy()
    kept = ~repeated.to_numpy()
    kept[latest] = True
    return joined.filter(pl.Series(kept, dtype=pl.Boolean))
