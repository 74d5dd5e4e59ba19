"""The ratings of a replay in time order, and the data available at each moment."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock

from recbench.data.dataset import Dataset
from recbench.data.encodings.movies import encode_movies
from recbench.data.sampling import user_sets
from recbench.models.item_baseline import ItemBaseline
from recbench.models.item_table.making import FOLDS, fold_of_each, make_item_table
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings, place_within


def ratings_in_time(dataset: Dataset, user_set: str, num_users: int, seed: int) -> Ratings:
    """All ratings of the chosen users, the earliest first; equal times in seeded random order.

    Users are numbered 0 .. n − 1 in the order of their first rating.

    Args:
        user_set: see `recbench.data.sampling.draw_sample`.
        num_users: number of users drawn at random; 0: all.
    """
    ratings = dataset.ratings
    chosen = np.ones(dataset.n_users, dtype=bool)
    if user_set != "all":
        chosen = user_sets(dataset.user_id)[user_set]
    if num_users:
        drawn = np.random.default_rng([seed, 20]).permutation(np.flatnonzero(chosen))[:num_users]
        chosen = np.isin(np.arange(dataset.n_users), drawn)
    ratings = ratings.take(chosen[ratings.user])
    tie_break = np.random.default_rng([seed, 21]).random(len(ratings))
    ratings = ratings.take(np.lexsort((tie_break, ratings.time)))
    _, first, user = np.unique(ratings.user, return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first))
    return Ratings(number[user], ratings.movie, ratings.stars, ratings.time)


def date_of(seconds: int) -> str:
    """The day (UTC), such as 1997-09-20; the number itself if it is no date."""
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(int(seconds)))
    except (OSError, OverflowError, ValueError):
        return str(seconds)


def ratings_before(ratings: Ratings) -> np.ndarray:
    """Number of earlier ratings of the same user, int64 [n]."""
    return place_within(ratings.user, np.argsort(ratings.user, kind="stable"))


@dataclass(frozen=True)
class Stream:
    """A sequence of ratings, and what can be computed from the first n of them.

    Votes are counted over those n: a metadata file has the votes of the day on which it was
    written, which is after most ratings.

    Attributes:
        dataset: source of the ratings.
        ratings: in the order of their time, of users 0 .. u − 1.
        encoding: of the movies, see `encode_movies`; only metadata bits.
        seed: of item tables.
        folder: of the item tables, while the replay runs.
        delay: seconds until a rating is available for learning.
    """

    dataset: Dataset
    ratings: Ratings
    encoding: str
    seed: int
    folder: Path
    delay: int = 0

    @property
    def n_users(self) -> int:
        """Number of users."""
        return int(self.ratings.user.max(initial=-1)) + 1

    def known_at(self, row: int) -> int:
        """Number of ratings available when the rating `row` is predicted; they never include it."""
        if not self.delay:
            return row
        limit = self.ratings.time[row] - self.delay
        return min(row, int(np.searchsorted(self.ratings.time, limit, side="right")))

    def first(self, n: int) -> Ratings:
        """The first n ratings."""
        return self.ratings.take(np.arange(n))

    def movies(self, n: int) -> Movies:
        """The movies with the votes of the first n ratings."""
        source = self.dataset.source
        no_votes = [pl.lit(None, pl.Float64).alias(name) for name in ("vote_average", "vote_count")]
        without = replace(source, movies=source.movies.with_columns(no_votes))
        counted = replace(self.dataset, source=without, ratings=self.first(n))
        everybody = np.ones(self.n_users, dtype=bool)
        return encode_movies(counted, background=everybody, encoding=self.encoding)

    def item_baseline(self, n: int, movies: Movies) -> ItemBaseline:
        """Fitted to the first n ratings."""
        return ItemBaseline.fit(self.first(n), movies, voters_from=0)

    def item_tables(self, n: int, movies: Movies) -> tuple[ItemTables, float]:
        """Tables learned from the first n ratings, and the seconds it took to make them.

        One table for each fold of the users so far, learned from the other folds; and one learned
        from all, for later users. They are made once, by the process that needs them first.
        """
        seen = self.first(n)
        fold = np.full(self.n_users, FOLDS)
        users = np.unique(seen.user)
        fold[users] = fold_of_each(users, self.seed)
        self.folder.mkdir(exist_ok=True, parents=True)
        files = [self.folder / f"{n}-{k}.npz" for k in range(FOLDS + 1)]
        about = self.folder / f"{n}.json"
        with FileLock(about.with_suffix(".lock")):
            if not about.exists():
                started = time.process_time()
                for k, file in enumerate(files):
                    others = seen.take(fold[seen.user] != k)
                    make_item_table(others, movies, self.seed, voters_from=0, most_folds=1).save(
                        file
                    )
                about.write_text(json.dumps({"seconds": time.process_time() - started}))
            seconds = json.loads(about.read_text())["seconds"]
            return ItemTables(tuple(map(ItemTable.load, files)), fold), seconds
