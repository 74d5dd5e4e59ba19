"""A tested person among exactly so many others; where two lines cross."""

from dataclasses import replace

import numpy as np
import pytest

from recbench.evaluation.background import (
    cell_without_crowd,
    cells_with_crowd,
    crossing,
    group_size,
)
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.item_baseline import crowd_opinion

EVERYBODY = replace(PROTOCOLS["strict"], other_users=10**6)


@pytest.fixture(scope="module")
def cell(synthetic):
    return make_cell(synthetic, EVERYBODY, 13, 20)


@pytest.mark.parametrize("people", [0, 1, 10, 25, 47])
def test_everybody_is_tested_once_among_so_many_others(cell, people):
    test = cell.collaborative.test
    tested = []
    for part in cells_with_crowd(cell, people, EVERYBODY, seed=0):
        train, held_out = part.collaborative.train, part.collaborative.test
        group = set(held_out.user.tolist())
        assert len(group) <= group_size(people)
        for user in group:
            assert user in train.user
            assert len(set(train.user.tolist()) - {user}) == people
            own = set(train.movie[train.user == user].tolist())
            assert not own & set(held_out.movie[held_out.user == user].tolist())
        tested += zip(held_out.user.tolist(), held_out.movie.tolist(), strict=True)
    assert sorted(tested) == sorted(zip(test.user.tolist(), test.movie.tolist(), strict=True))


def test_a_larger_crowd_holds_the_smaller(cell):
    def others(people):
        first = next(cells_with_crowd(cell, people, EVERYBODY, seed=3))
        return set(first.collaborative.train.user.tolist()) - set(range(cell.n_users))

    assert others(5) < others(9)
    assert len(others(9)) == 9
    assert others(9) < others(40)
    again = next(cells_with_crowd(cell, 9, EVERYBODY, seed=4))
    assert set(again.collaborative.train.user.tolist()) - set(range(cell.n_users)) != others(9)


def test_no_test_rating_of_a_group_is_learned_by_its_crowd(cell):
    """Those of the group who are others to each other bring training ratings alone."""
    held_out = {*zip(cell.personal.test.user, cell.personal.test.movie, strict=True)}
    for part in cells_with_crowd(cell, 30, EVERYBODY, seed=0):
        train = part.collaborative.train
        assert not held_out & {*zip(train.user, train.movie, strict=True)}


def test_the_opinion_of_movies_is_that_of_the_crowd_alone(cell):
    for part in cells_with_crowd(cell, 5, EVERYBODY, seed=0):
        expected = crowd_opinion(part.collaborative.train, cell.movies)
        assert np.array_equal(part.movies.crowd_opinion, expected)


def test_without_a_crowd_votes_and_bits_make_the_opinion(cell):
    alone = cell_without_crowd(cell, EVERYBODY)
    expected = crowd_opinion(cell.personal.train, cell.movies, with_ratings=False)
    assert np.array_equal(alone.movies.crowd_opinion, expected)
    assert alone.split_for(True) is alone.split_for(False) is cell.personal


def test_more_others_than_there_are(cell):
    with pytest.raises(ValueError, match="there are 47"):
        next(cells_with_crowd(cell, 48, EVERYBODY, seed=0))


PEOPLE = np.array([0, 9, 99])  # 1 + people is 1, 10, 100


@pytest.mark.parametrize(
    ("error", "level", "expected"),
    [
        ([1.0, 0.9, 0.8], 0.9, 9.0),
        ([1.0, 0.9, 0.8], 0.85, 10**1.5 - 1),  # half way in the logarithm
        ([1.0, 0.9, 0.8], 1.1, 0.0),
        ([1.0, 0.9, 0.8], 1.0, 0.0),
        ([1.0, 0.9, 0.8], 0.8, None),
        ([0.9, 1.1, 0.8], 1.0, 10 ** (4 / 3) - 1),  # the last time, not the first
        ([0.8, 0.9, 1.0], 0.95, None),  # below at first, not in the end
    ],
)
def test_where_lines_cross(error, level, expected):
    found = crossing(PEOPLE, np.array(error), level)
    assert found == (None if expected is None else pytest.approx(expected))
