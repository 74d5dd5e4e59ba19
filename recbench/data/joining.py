"""Datasets by name, joined: each rating has its movie."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from recbench.data.csv_files import is_large
from recbench.data.dataset import Dataset
from recbench.data.dataset_cache import load_kept
from recbench.data.datasets import locate
from recbench.data.matching import match
from recbench.data.tables import Source
from recbench.ratings import Ratings


def load_dataset(dataset: str = "auto", join: str = "links", cache: bool = True) -> Dataset:
    """The dataset of that name (see `locate`), joined; kept in memory for the next call.

    Args:
        join: see `join_movies`.
        cache: whether a large one is kept in the user's cache too, and read from there.
    """
    return _load_and_join(dataset, join, cache)


@lru_cache(maxsize=2)
def _load_and_join(dataset: str, join: str, cache: bool) -> Dataset:
    place = locate(dataset)
    if cache and place.files and is_large(place.files[0]):
        try:
            return load_kept(place, join)
        except OSError as error:
            print(f"{place.name}: cannot be kept ({error}); it is joined anew in each run")
    return join_movies(place.read(), join)


def join_movies(source: Source, join: str = "links") -> Dataset:
    """Give each rating its movie, in memory.

    Args:
        join: "links": ratings.movieId -> links.tmdbId -> movies.id, which is right; "direct":
            ratings.movieId -> movies.id, which mixes two id spaces, as published.

    Raises:
        InputError: there are no links to join through, or no rating finds a movie.
    """
    matching, parts = match(source, join, list)
    table = matching.table()
    ratings = Ratings.concatenate(parts)
    ratings = replace(ratings, movie=matching.movie_of()[ratings.movie])
    return Dataset(source, ratings, matching.user_id(), table, matching.counts())
