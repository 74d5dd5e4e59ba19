"""Ratings find their movies, batch by batch: what is in memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import numba
import numpy as np
import polars as pl

from recbench.data.prefetch import ahead
from recbench.data.tables import RATING_COLUMNS, Source, in_batches
from recbench.errors import InputError
from recbench.ratings import Ratings, read_only

T = TypeVar("T")
AHEAD = 24  # batches that are read ahead, some 2 MB each
WIDEST = 2**24  # between the lowest and the highest movieId, for a table of all between


class Matching:
    """The join of one source, see `match`: go through `parts` once, then ask for the rest.

    Args:
        join: "links": ratings.movieId -> links.tmdbId -> movies.id, which is right; "direct":
            ratings.movieId -> movies.id, which mixes two id spaces, as published.

    Raises:
        InputError: there are no links to join through.
    """

    def __init__(self, source: Source, join: str) -> None:
        self._source, self._join = source, join
        if join == "direct":
            bridge = source.movies.select(tmdbId="id", movieId="id")
        elif source.links is not None:
            bridge = source.links.select("tmdbId", "movieId")
        else:
            raise InputError(
                f"{source.name}: has no links file, so ratings cannot find their movies. Put "
                "links.csv (or links_small.csv) beside the ratings"
            )
        # One row per movieId that has a movie. Several may be one movie, at the first's place.
        rows = source.movies.join(bridge, left_on="id", right_on="tmdbId").sort("movieId")
        self._rows = rows.with_columns(film=pl.col("id").rank("dense").cast(pl.Int32) - 1)
        self._row_of = finder(rows["movieId"].to_numpy())
        # The last place of both is for ratings without a movie, whose row is -1.
        self._movie_of = np.append(self._rows["film"].to_numpy(), np.int32(-1))
        self._rated = np.zeros(len(rows) + 1, dtype=bool)
        self._last = np.full(len(rows) + 1, -1, dtype=np.int64)  # see `which_stay`
        self._user_ids: list[np.ndarray] = []
        self._users = self._users_kept = 0
        self._ratings = self._without_movie = self._kept = 0

    def parts(self) -> Iterator[Ratings]:
        """All ratings that have a movie, sorted by user, part after part. Users are dense indices;
        movies have provisional numbers, see `movie_of`.

        Raises:
            Unsorted: the file is not sorted by user.
        """
        for batch in whole_users(ahead(self._source.batches(), AHEAD)):
            yield self._matched(batch)

    def _matched(self, batch: pl.DataFrame) -> Ratings:
        user_id, movie_id, stars, time = (
            read_only(batch[name].to_numpy(), dtype)  # all alike, so that kernels are compiled once
            for name, dtype in zip(RATING_COLUMNS, ("i8", "i8", "f4", "i8"), strict=True)
        )
        row = self._row_of(movie_id)
        part, own_ids, users, without_movie = latest_ratings(
            user_id, row, self._movie_of, stars, time, self._last, self._ratings, self._users_kept
        )
        self._rated[row] = True
        self._ratings += len(row)
        self._users += users
        self._without_movie += without_movie
        self._kept += len(part[0])
        self._user_ids.append(own_ids)
        self._users_kept += len(own_ids)
        return Ratings(*part)

    def table(self) -> pl.DataFrame:
        """One row per movie that has a rating, see `Dataset.table`.

        Raises:
            InputError: no rating found a movie.
        """
        return self._films().drop("film")

    def movie_of(self) -> np.ndarray:
        """int32: from the provisional number of a movie to its place in `table`."""
        films = self._films()["film"].to_numpy()
        place = np.full(len(self._rows), -1, dtype=np.int32)
        place[films] = np.arange(len(films))
        return place

    def user_id(self) -> np.ndarray:
        """int64 [users]: the id behind each dense user index."""
        return np.concatenate(self._user_ids)

    def counts(self) -> dict[str, int]:
        """What was found, cleaned, joined and kept, in the order to print it."""
        found = {"ratings": self._ratings, "users": self._users}
        return (
            found
            | self._source.counts
            | {
                "ratings without a movie": self._without_movie,
                "ratings repeated by their user": (
                    self._ratings - self._without_movie - self._kept
                ),
                "ratings kept": self._kept,
                "users kept": self._users_kept,
                "movies kept": len(self._films()),
            }
        )

    def _films(self) -> pl.DataFrame:
        if not self._kept:
            raise InputError(f"{self._source.name}: no rating finds a movie by --join {self._join}")
        rated = self._rows.filter(self._rated[:-1])
        return rated.unique("film", keep="first", maintain_order=True)


def match(source: Source, join: str, take: Callable[[Iterator[Ratings]], T]) -> tuple[Matching, T]:
    """Join a source, and let `take` go through the parts; from the beginning once more, with all
    ratings in memory, if the file turns out not to be sorted by user.

    Raises:
        InputError: as `Matching`.
    """
    matching = Matching(source, join)
    try:
        return matching, take(matching.parts())
    except Unsorted:
        pass  # and what was read ahead is let go
    ratings = source.ratings.sort("userId", maintain_order=True)
    matching = Matching(replace(source, batches=in_batches(ratings)), join)
    return matching, take(matching.parts())


class Unsorted(ValueError):
    """Ratings are not sorted by user."""


def whole_users(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same ratings in batches that part no user's. A user of several batches comes in one of
    their own, so that only such ratings are copied.

    Raises:
        Unsorted: they are not sorted by user.
    """
    rest: list[pl.DataFrame] = []  # of the last user, who may go on in the next batch
    for batch in batches:
        user = batch["userId"].to_numpy()
        if (user[1:] < user[:-1]).any():
            raise Unsorted
        begin = 0
        if rest:
            last = rest[0]["userId"][0]
            if user[0] < last:
                raise Unsorted
            begin = int(np.searchsorted(user, last, side="right"))
            rest.append(batch[:begin])
            if begin == len(user):
                continue
            yield pl.concat(rest, rechunk=True)
        end = int(np.searchsorted(user, user[-1]))
        if end > begin:
            yield batch[begin:end]
        rest = [batch[end:]]
    if rest:
        yield pl.concat(rest, rechunk=True)


def finder(ids: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from movie ids (int64 [n]) to their places in `ids` (ascending, each once), int32
    [n]; -1: not there."""
    if len(ids) == 0:
        return lambda wanted: np.full(len(wanted), -1, dtype=np.int32)
    if int(ids[-1]) - int(ids[0]) < WIDEST:  # a table takes a tenth of the time of a search
        place = np.full(ids[-1] - ids[0] + 3, -1, dtype=np.int32)  # -1 at either end
        place[ids - ids[0] + 1] = np.arange(len(ids))
        return lambda wanted: place.take(wanted - (ids[0] - 1), mode="clip")

    def search(wanted: np.ndarray) -> np.ndarray:
        near = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1).astype(np.int32)
        return np.where(ids[near] == wanted, near, np.int32(-1))

    return search


@numba.njit(cache=True, nogil=True)
def latest_ratings(
    user_id: np.ndarray,
    row_of: np.ndarray,
    film_of: np.ndarray,
    stars: np.ndarray,
    time: np.ndarray,
    last: np.ndarray,
    ratings_before: int,
    users_before: int,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray, int, int]:
    """The ratings that stay, see `which_stay`: dense user indices from `users_before` on, movies,
    stars, times. Then the id behind each of these users; how many users there are, also of those
    without a rating that stays; and ratings without a movie."""
    stays, all_users, without_film = which_stay(
        user_id, row_of, film_of, time, last, ratings_before
    )
    n = stays.sum()
    user, ids = np.empty(n, dtype=np.int32), np.empty(n, dtype=user_id.dtype)
    films, given = np.empty(n, dtype=film_of.dtype), np.empty(n, dtype=stars.dtype)
    when = np.empty(n, dtype=time.dtype)
    kept, users = 0, 0
    for rating in range(len(stays)):  # in one pass: a mask for each column takes several times it
        if stays[rating]:
            if users == 0 or user_id[rating] != ids[users - 1]:
                ids[users] = user_id[rating]
                users += 1
            user[kept] = users_before + users - 1
            films[kept] = film_of[row_of[rating]]
            given[kept], when[kept] = stars[rating], time[rating]
            kept += 1
    return (user, films, given, when), ids[:users].copy(), all_users, without_film


@numba.njit(cache=True, nogil=True)
def which_stay(
    user_id: np.ndarray,
    row_of: np.ndarray,
    film_of: np.ndarray,
    time: np.ndarray,
    last: np.ndarray,
    ratings_before: int,
) -> tuple[np.ndarray, int, int]:
    """Which ratings stay, bool [n]: those that have a movie, and of a user's ratings of one movie
    the latest; of equal times the last row. Then how many users there are, and ratings without a
    movie.

    Args:
        user_id, row_of, time: int [n], sorted by user; where in `movie_of` the movie of each
        stands. movie_of: int32 [rows + 1], -1 in the last place.
        last: int64 [rows + 1], kept from batch to batch: of each movie the rating that is to stay
            of those seen, counted over all batches; -1: none.
        ratings_before: how many there are in the batches before.
    """
    stays = np.ones(len(user_id), dtype=np.bool_)
    first, users, without_film = 0, 1, 0  # rating of this user
    for rating in range(len(user_id)):
        if user_id[rating] != user_id[first]:
            first = rating
            users += 1
        film = film_of[row_of[rating]]
        if film < 0:
            stays[rating] = False
            without_film += 1
            continue
        before = last[film] - ratings_before
        if before < first:  # of another user, or none
            last[film] = ratings_before + rating
        elif time[before] <= time[rating]:
            stays[before] = False
            last[film] = ratings_before + rating
        else:
            stays[rating] = False
    return stays, users, without_film
