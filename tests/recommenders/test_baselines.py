"""The baselines on numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from fitting import fit

from Baselines.means import Always3, MovieMean, UserMean, UserMedian
from recbench.ratings import Ratings

# user 0: movies 0, 1, 2 -> 1.0, 2.0, 4.5    user 2: movies 1, 4 -> 3.0, 5.0
HAND = Ratings(
    user=np.array([2, 0, 0, 2, 0]),
    movie=np.array([4, 2, 0, 1, 1]),
    stars=np.array([5.0, 4.5, 1.0, 3.0, 2.0]),
    time=np.arange(5),
)
NOBODY = HAND.take(np.empty(0, dtype=int))


def stars_of(cls, train, user, movie):
    return fit(cls(), train).predict(np.array(user), np.array(movie)).tolist()


@pytest.mark.parametrize(
    ("cls", "user", "movie", "expected"),
    [
        (Always3, [0, 7], [1, 9], [3.0, 3.0]),
        # movie 1: (2 + 3) / 2; movies 3 and 9 are not rated: (5 + 4.5 + 1 + 3 + 2) / 5
        (MovieMean, [0, 0, 2, 7, 7], [0, 1, 4, 3, 9], [1.0, 2.5, 5.0, 3.1, 3.1]),
        # user 0: (1 + 2 + 4.5) / 3; user 2: (3 + 5) / 2; users 1 and 8 have none: 15.5 / 5
        (UserMean, [0, 1, 2, 8], [0, 0, 0, 0], [2.5, 3.1, 4.0, 3.1]),
        # user 0: 1, 2, 4.5 -> 2; user 2: 3, 5 -> 4; all: 1, 2, 3, 4.5, 5 -> 3
        (UserMedian, [0, 1, 2, 8], [0, 0, 0, 0], [2.0, 3.0, 4.0, 3.0]),
    ],
)
def test_by_hand(cls, user, movie, expected):
    assert stars_of(cls, HAND, user, movie) == pytest.approx(expected)


@pytest.mark.parametrize("cls", [UserMean, UserMedian])
def test_what_a_stranger_gets_is_of_the_whole_sample(cls):
    """Of a part of the users, too: each predicts what it would predict of all of them."""
    whole = fit(cls(), HAND).predict(np.array([0, 1, 8]), np.zeros(3))
    part = fit(cls(), HAND.take(HAND.user == 0), everyone=HAND)
    np.testing.assert_array_equal(part.predict(np.array([0, 1, 8]), np.zeros(3)), whole)


@pytest.mark.parametrize("cls", [MovieMean, UserMean, UserMedian])
def test_without_any_rating_three_stars(cls):
    assert stars_of(cls, NOBODY, [0, 4], [0, 4]) == [3.0, 3.0]
