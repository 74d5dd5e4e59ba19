"""A tested user among exactly so many background users; where two lines cross."""

import numpy as np
import pytest

from recbench.evaluation.background import (
    cell_without_background,
    cells_with_background,
    crossing,
    group_size,
)
from recbench.evaluation.cells import make_cell
from recbench.evaluation.protocols import PROTOCOLS
from recbench.item_baseline import ItemBaseline

ALL = PROTOCOLS["strict"].changed(background_users="all")


@pytest.fixture(scope="module")
def cell(synthetic):
    return make_cell(synthetic, ALL, 13, 20)


@pytest.mark.parametrize("size", [0, 1, 10, 25, 47])
def test_every_user_is_tested_once_among_so_many_others(cell, size):
    test = cell.collaborative.test
    tested = []
    for part in cells_with_background(cell, size, ALL, seed=0):
        train, held_out = part.train_and_test(learns_from_background=True)
        group = set(held_out.user.tolist())
        assert len(group) <= group_size(size)
        for user in group:
            assert user in train.user
            assert len(set(train.user.tolist()) - {user}) == size
            own = set(train.movie[train.user == user].tolist())
            assert not own & set(held_out.movie[held_out.user == user].tolist())
        tested += zip(held_out.user.tolist(), held_out.movie.tolist(), strict=True)
    assert sorted(tested) == sorted(zip(test.user.tolist(), test.movie.tolist(), strict=True))


def test_a_larger_background_holds_the_smaller(cell):
    def others(size):
        first = next(cells_with_background(cell, size, ALL, seed=3))
        return set(first.collaborative.background.user.tolist())

    assert others(5) < others(9)
    assert len(others(9)) == 9
    assert others(9) < others(40)
    again = next(cells_with_background(cell, 9, ALL, seed=4))
    assert set(again.collaborative.background.user.tolist()) != others(9)


def test_no_test_rating_of_a_group_is_learned(cell):
    """Those of the group who are others to each other bring training ratings alone."""
    held_out = {*zip(cell.personal.test.user, cell.personal.test.movie, strict=True)}
    for part in cells_with_background(cell, 30, ALL, seed=0):
        train, _ = part.train_and_test(learns_from_background=True)
        assert not held_out & {*zip(train.user, train.movie, strict=True)}


def test_the_item_baseline_is_fitted_to_the_group_and_its_background_alone(cell):
    for part in cells_with_background(cell, 5, ALL, seed=0):
        train, _ = part.train_and_test(learns_from_background=True)
        expected = ItemBaseline.fit(train, cell.movies)
        assert np.array_equal(part.item_baseline.stars, expected.stars)


def test_without_background_votes_and_bits_make_the_item_baseline(cell):
    alone = cell_without_background(cell)
    expected = ItemBaseline.fit(cell.personal.train, cell.movies, item_bias=False)
    assert np.array_equal(alone.item_baseline.stars, expected.stars)
    assert len(alone.train_and_test(True)[0]) == len(cell.personal.train)


def test_more_background_users_than_there_are(cell):
    with pytest.raises(ValueError, match="there are 47"):
        next(cells_with_background(cell, 48, ALL, seed=0))


SIZES = np.array([0, 9, 99])  # 1 + size is 1, 10, 100


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
    found = crossing(SIZES, np.array(error), level)
    assert found == (None if expected is None else pytest.approx(expected))
