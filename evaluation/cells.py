"""One cell of the grid in one iteration: who is in it, what is learned from, what is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from crowd_opinion import crowd_opinion
from data_prep import encode_movies
from errors import InputError
from evaluation.holdout import (
    date_of_split,
    hold_out_after,
    hold_out_last,
    hold_out_random,
    hold_out_rows,
)
from evaluation.protocols import Protocol
from preparation.joining import Dataset
from preparation.sampling import Sample, draw_sample
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
        movies: with their bits, and the opinion of all whose ratings are learned from.
        personal: the split for recommenders of one person.
        collaborative: the split for those that learn from many; its `train` holds the ratings of
            other users too. Same test rows as `personal`, but for the holdout "published".
        user_id: int64 [n_users], the ids behind the dense indices of the sample.
        n_other_users: outside it, learned from and never tested.
    """

    movies: Movies
    personal: Split
    collaborative: Split
    user_id: np.ndarray
    n_other_users: int

    @property
    def n_users(self) -> int:
        """How many there are in the sample."""
        return len(self.user_id)

    def split_for(self, learns_from_others: bool) -> Split:
        return self.collaborative if learns_from_others else self.personal


def make_cell(
    dataset: Dataset, protocol: Protocol, num_users: int, reviews_per_user: int, seed: int = 0
) -> Cell:
    """Draw the sample, encode the movies, split the ratings.

    Raises:
        InputError: fewer users exist than asked for, or a parameter is out of its range.
    """
    sample = draw_sample(
        dataset, num_users, reviews_per_user, protocol.top_percentile, seed, protocol.user_set
    )
    date = None
    if protocol.holdout == "global-time":
        date = date_of_split(dataset.ratings, protocol.split)
    movies = encode_movies(
        dataset, protocol.vote_scale, sample.outside, protocol.crowd, date, protocol.encoding
    )
    ratings = dataset.ratings.take(sample.rows)
    dense_user = np.searchsorted(sample.users, ratings.user)
    ratings = Ratings(dense_user, ratings.movie, ratings.stars, ratings.time)

    held_out = _held_out(ratings, protocol, date, seed)
    personal = collaborative = _split(ratings, held_out)
    seen_by_all = personal.train
    if protocol.holdout == "published":
        of_collaborative = hold_out_rows(ratings, protocol.split, seed)
        collaborative = _split(ratings, of_collaborative)
        seen_by_all = ratings.take(~held_out & ~of_collaborative)
    others, n_other_users = _other_users(dataset, sample, protocol.other_users, date, seed)
    movies = with_opinion(movies, Ratings.concatenate([seen_by_all, others]), protocol)
    collaborative = Split(Ratings.concatenate([collaborative.train, others]), collaborative.test)
    return Cell(movies, personal, collaborative, dataset.user_id[sample.users], n_other_users)


def parse_cells(texts: tuple[str, ...], least_reviews: int) -> list[tuple[int, int]]:
    """Users and ratings of each, of cells written "250x25" (0: all).

    Raises:
        InputError: a text is no such cell, has fewer ratings than `least_reviews`, or is there
            twice.
    """
    sizes = []
    for cell in texts:
        users, times, reviews = cell.partition("x")
        if not (times and users.isdecimal() and reviews.isdecimal()):
            raise InputError(f"--cells: '{cell}'. Expected users x ratings of each, such as 250x25")
        if 0 < int(reviews) < least_reviews:
            raise InputError(f"--cells: '{cell}'. Expected {least_reviews} ratings or more of each")
        sizes.append((int(users), int(reviews)))
    if len(set(sizes)) != len(sizes):
        raise InputError(f"--cells is {' '.join(texts)}. Expected each once")
    return sizes


def validation_cell(cell: Cell, protocol: Protocol, seed: int) -> Cell:
    """The cell with a part of its *training* rows held out in place of the test: to choose on.

    The same holdout as the cell's own, within the training rows of its users; the test rows are
    in neither part.
    """
    own = cell.collaborative.train.user < cell.n_users
    train = cell.collaborative.train.take(own)
    date = date_of_split(train, protocol.split) if protocol.holdout == "global-time" else None
    inner = _split(train, _held_out(train, protocol, date, seed))
    others = cell.collaborative.train.take(~own)
    if date is not None:
        others = others.take(~hold_out_after(others, date))
    collaborative = Split(Ratings.concatenate([inner.train, others]), inner.test)
    movies = with_opinion(cell.movies, collaborative.train, protocol)
    return replace(cell, movies=movies, personal=inner, collaborative=collaborative)


def with_opinion(movies: Movies, train: Ratings, protocol: Protocol) -> Movies:
    """`movies` with the crowd's opinion, as the ratings of `train` say. Without a crowd, it does
    not say how a movie was rated."""
    return replace(movies, crowd_opinion=crowd_opinion(train, movies, protocol.crowd))


def _held_out(ratings: Ratings, protocol: Protocol, date: int | None, seed: int) -> np.ndarray:
    if date is not None:
        return hold_out_after(ratings, date)
    hold_out = hold_out_last if protocol.holdout == "last" else hold_out_random
    return hold_out(ratings, protocol.split, seed)


def _split(ratings: Ratings, held_out: np.ndarray) -> Split:
    return Split(ratings.take(~held_out), ratings.take(held_out))


def _other_users(
    dataset: Dataset, sample: Sample, at_most: int, date: int | None, seed: int
) -> tuple[Ratings, int]:
    """Ratings of up to `at_most` users outside the sample, numbered after those in it.

    All they gave; where there is a date, before it.
    """
    outside = np.flatnonzero(sample.outside)
    rng = np.random.default_rng([seed, 4])
    chosen = np.sort(rng.permutation(outside)[:at_most])
    number = np.full(dataset.n_users, -1)
    number[chosen] = len(sample.users) + np.arange(len(chosen))
    ratings = dataset.ratings
    wanted = (number[ratings.user] >= 0) & sample.kept[ratings.movie]
    if date is not None:
        wanted &= ~hold_out_after(ratings, date)
    theirs = ratings.take(np.flatnonzero(wanted))
    return Ratings(number[theirs.user], theirs.movie, theirs.stars, theirs.time), len(chosen)
