"""Toy data: rectangular and asymmetric, so that transposed or mixed-up indices show."""

from __future__ import annotations

import numpy as np

from recbench.models.item_table.scales import EVEN, Scales
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings, read_only

CHANNELS = {"genres": 10, "vote_average": 3, "language": 3, "vote_count": 10}
NUM_MOVIES = 23
USERS = (0, 1, 2, 4, 5)
UNSEEN_USER, UNSEEN_MOVIE = 3, 21  # within the tables, but in no rating
UNKNOWN_USER = 50_000  # beyond every table
LATER_USER = 8  # comes after `fit`


def toy_movies(count: int, seed: int = 0) -> Movies:
    """`count` movies with random bits; every third has no external votes."""
    rng = np.random.default_rng(seed)
    names = tuple(f"{channel}:{i}" for channel, n in CHANNELS.items() for i in range(n))
    average = rng.uniform(1, 5, count).astype(np.float32)
    average[::3] = np.nan
    return Movies(
        bits=rng.integers(0, 2, (count, len(names)), dtype=np.uint8),
        bit_names=names,
        vote_average=average,
        vote_count=np.where(np.isnan(average), 0, 50).astype(np.float32),
        movie_id=np.arange(count) * 10 + 3,
        title=np.array([f"Movie {i}" for i in range(count)], dtype=object),
    )


def toy_ratings(lengths: list[int], movies: int, seed: int = 0) -> Ratings:
    """User k rates `lengths[k]` different movies, in half stars."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    own = [rng.permutation(movies)[:n] for n in lengths]
    movie = np.concatenate(own) if lengths else np.array([], dtype=int)
    stars = rng.integers(1, 11, len(user)) / 2
    return Ratings(user, movie, stars, np.arange(len(user)) + 1_000_000)


def stream(seed: int = 0, later: int = 0) -> Ratings:
    """Ratings of users 0 .. 4, mixed in time (none of user 3), then `later` ones of LATER_USER."""
    ratings = toy_ratings([12, 1, 9, 0, 17, 0, 0, 0, later], movies=20, seed=seed)
    order = np.random.default_rng(seed).permutation(len(ratings) - later)
    mixed = ratings.take(np.append(order, np.arange(len(order), len(ratings))))
    return Ratings(mixed.user, mixed.movie, mixed.stars, np.arange(len(ratings)))


def parts(ratings: Ratings, first: int = 20) -> tuple[Ratings, Ratings]:
    """The first ratings, for `fit`, and those that come after."""
    rows = np.arange(len(ratings))
    return ratings.take(rows < first), ratings.take(rows >= first)


def toy_table(movies: Movies, seed: int = 0, scales: Scales | None = None) -> ItemTable:
    """A random item table of the form that these movies might have; a movie's factors depend only
    on its row number and the seed."""
    m, rng = len(movies), np.random.default_rng([seed, 9])
    factors = rng.standard_normal((m, 6)) * [0.1, 0.3, 0.2, 0.15, 0.1, 0.1]
    factors[:, 0] += 0.6
    return ItemTable(
        movie_id=movies.movie_id,
        mean=rng.uniform(2, 4.5, m),
        factors=factors,
        implicit=rng.standard_normal((m, 6)) * 0.2,
        implicit_mean=np.full(6, 0.05),
        uncertainty=rng.uniform(0.02, 0.1, m),
        count=np.arange(m) + 1,
        scales=scales or Scales(),
        steps=EVEN,
    )


def toy_tables(movies: Movies) -> ItemTables:
    """`toy_table` for all users."""
    return ItemTables.same_for_all(toy_table(movies))


def all_pairs(users: tuple[int, ...], movies: int = NUM_MOVIES) -> tuple[np.ndarray, np.ndarray]:
    """Every user with every movie: two arrays int64 [users · movies]."""
    user, movie = np.meshgrid(users, np.arange(movies), indexing="ij")
    return read_only(user.ravel(), "i8"), read_only(movie.ravel(), "i8")


MOVIES = toy_movies(NUM_MOVIES)
# Users 0, 1, 2, 4 and 5 with 12, 1, 7, 3 and 19 ratings of movies 0 .. 19; user 3 has none.
TRAIN = toy_ratings([12, 1, 7, 0, 3, 19], movies=20)
ASKED = all_pairs((0, 1, 2, UNSEEN_USER, 4, 5, UNKNOWN_USER))
KNOWN = all_pairs(USERS, 20)
NO_PAIRS = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
