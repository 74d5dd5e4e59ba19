"""Which ratings are held out for the test: every row is in training or in test, none in both."""

from __future__ import annotations

import numpy as np

from errors import InputError
from ratings import Ratings


def hold_out_last(ratings: Ratings, split: float, seed: int) -> np.ndarray:
    """bool [n]: the rows held out, each user's last in time.

    Question answered: how well is a person's next rating foretold from those before it?
    Equal times stand in seeded random order, never in that of ids, which carry information.

    Args:
        split: the part of each user's ratings that is for training, rounded down to whole
            ratings; one rating at least is on either side, a single rating is for training.
    """
    tie_break = np.random.default_rng([seed, 1]).random(len(ratings))
    return _hold_out_tail(ratings, np.lexsort((tie_break, ratings.time, ratings.user)), split)


def hold_out_random(ratings: Ratings, split: float, seed: int) -> np.ndarray:
    """bool [n]: the rows held out, a random part of each user's; `split` as in `hold_out_last`.

    Question answered: how well are missing ratings filled in, later ones being known?
    """
    key = np.random.default_rng([seed, 2]).random(len(ratings))
    return _hold_out_tail(ratings, np.lexsort((key, ratings.user)), split)


def date_of_split(ratings: Ratings, split: float) -> int:
    """The one date for all, in seconds since 1970, before which lies `split` of the ratings."""
    check_split(split)
    place = _n_train(np.array(len(ratings)), split)
    return int(np.partition(ratings.time, place)[place]) if len(ratings) > 1 else 0


def hold_out_after(ratings: Ratings, date: int) -> np.ndarray:
    """bool [n]: the rows held out, whatever was rated on the date or later, whoever rated it.

    Question answered: how would a system have done that was trained up to a day and then used?
    People without a rating before the date are cold: a recommender has never seen them.
    """
    return ratings.time >= date


def hold_out_rows(ratings: Ratings, split: float, seed: int) -> np.ndarray:
    """bool [n]: the rows held out, a random part of all rows whoever's they are, as published for
    the collaborative model."""
    check_split(split)
    order = np.random.default_rng([seed, 3]).permutation(len(ratings))
    held_out = np.zeros(len(ratings), dtype=bool)
    held_out[order[_n_train(np.array(len(ratings)), split) :]] = True
    return held_out


def check_split(split: float) -> None:
    """Raises InputError unless 0 < split < 1."""
    if not 0 < split < 1:
        raise InputError(
            f"split is {split}. Expected the part of the ratings to train on, between 0 and 1, "
            "such as 0.8"
        )


def _hold_out_tail(ratings: Ratings, order: np.ndarray, split: float) -> np.ndarray:
    """`order` sorts the rows by user, and within a user so that the tail is held out."""
    check_split(split)
    user = ratings.user[order]
    _, start, count = np.unique(user, return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(start, count)  # within the user
    held_out = np.zeros(len(order), dtype=bool)
    held_out[order] = place >= np.repeat(_n_train(count, split), count)
    return held_out


def _n_train(count: np.ndarray, split: float) -> np.ndarray:
    whole = np.floor(split * count + 1e-9).astype(np.int64)  # 0.8 * 15 is a hair below 12
    return np.clip(whole, 1, np.maximum(count - 1, 1))
