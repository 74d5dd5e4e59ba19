"""One cell of the grid in one iteration: who is in it, what is learned from, what is tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_prep import Dataset, Sample, draw_sample, encode_movies
from evaluation.holdout import hold_out_last, hold_out_random, hold_out_rows
from evaluation.protocols import Protocol
from ratings import Movies, Ratings


@dataclass(frozen=True)
class Split:
    """What is learned from and what is held out; dense user indices as in `Cell`."""

    train: Ratings
    test: Ratings


@dataclass(frozen=True)
class Cell:
    """Users of the sample have dense indices 0 .. n_users - 1, other users those after.

    Attributes:
        movies: with their bits.
        personal: the split for recommenders of one person.
        collaborative: the split for those that learn from many; its `train` holds the ratings of
            other users too. Same test rows as `personal`, but for the holdout "published".
        n_users: in the sample.
        n_other_users: outside it, learned from and never tested.
    """

    movies: Movies
    personal: Split
    collaborative: Split
    n_users: int
    n_other_users: int

    def split_for(self, learns_from_others: bool) -> Split:
        return self.collaborative if learns_from_others else self.personal


def make_cell(
    dataset: Dataset,
    protocol: Protocol,
    num_users: int,
    reviews_per_user: int,
    top_percentile: float = 0.0,
    split: float = 0.8,
    seed: int = 0,
) -> Cell:
    """Draw the sample, encode the movies, split the ratings.

    Raises:
        InputError: fewer users exist than asked for, or a parameter is out of its range.
    """
    sample = draw_sample(dataset, num_users, reviews_per_user, top_percentile, seed)
    movies = encode_movies(dataset, protocol.vote_scale, sample.outside)
    ratings = dataset.ratings.take(sample.rows)
    dense_user = np.searchsorted(sample.users, ratings.user)
    ratings = Ratings(dense_user, ratings.movie, ratings.stars, ratings.time)

    hold_out = hold_out_last if protocol.holdout == "last" else hold_out_random
    personal = _split(ratings, hold_out(ratings, split, seed))
    collaborative = personal
    if protocol.holdout == "published":
        collaborative = _split(ratings, hold_out_rows(ratings, split, seed))
    others, n_other_users = _other_users(dataset, sample, protocol.other_users, seed)
    collaborative = Split(Ratings.concatenate([collaborative.train, others]), collaborative.test)
    return Cell(movies, personal, collaborative, len(sample.users), n_other_users)


def _split(ratings: Ratings, held_out: np.ndarray) -> Split:
    return Split(ratings.take(~held_out), ratings.take(held_out))


def _other_users(dataset: Dataset, sample: Sample, at_most: int, seed: int) -> tuple[Ratings, int]:
    """All ratings of up to `at_most` users outside the sample, numbered after those in it."""
    outside = np.flatnonzero(sample.outside)
    rng = np.random.default_rng([seed, 4])
    chosen = np.sort(rng.permutation(outside)[:at_most])
    number = np.full(dataset.n_users, -1)
    number[chosen] = len(sample.users) + np.arange(len(chosen))
    ratings = dataset.ratings
    rows = np.flatnonzero((number[ratings.user] >= 0) & sample.kept[ratings.movie])
    theirs = ratings.take(rows)
    return Ratings(number[theirs.user], theirs.movie, theirs.stars, theirs.time), len(chosen)
