"""How long the rest of a grid takes."""

from __future__ import annotations

import pytest

from recbench.report.progress import TimeLeft
from recbench.runs.processes import Piece


def piece(model, size, iteration=1, **part):
    return Piece(size, 1, iteration, model, **part)


def size_of(one):
    return one.num_users / one.parts


def time_left(*pieces):
    left = TimeLeft(size_of)
    left.expect(pieces)
    return left


def test_nothing_is_known_before_the_first():
    left = time_left(piece("a", 1), piece("a", 2))
    assert left.seconds(5.0, {}) is None
    assert left.seconds(5.0, {piece("a", 1): 5.0}) is None


def test_the_same_takes_as_long_as_on_average():
    left = time_left(*(piece("a", 7, iteration) for iteration in range(1, 6)))
    left.took(piece("a", 7, 1), 2.0)
    left.took(piece("a", 7, 2), 4.0)
    assert left.seconds(6.0, {}) == pytest.approx(9.0)
    assert left.seconds(6.5, {piece("a", 7, 3): 0.5}) == pytest.approx(8.5)


def test_what_is_between_and_several_at_a_time_count():
    left = time_left(piece("a", 1, 1), piece("a", 1, 2))
    left.took(piece("a", 1, 1), 10.0)
    assert left.seconds(5.0, {}) == pytest.approx(5.0)  # two at a time
    assert left.seconds(20.0, {}) == pytest.approx(20.0)  # half the time between them


@pytest.mark.parametrize(
    ("known", "size", "expected"),
    [
        ({10: 1.0}, 1000, 100.0),
        ({10: 2.0, 20: 4.0}, 40, 8.0),
    ],
)
def test_other_sizes_take_as_much_for_a_rating(known, size, expected):
    left = time_left(*(piece("a", one) for one in known), piece("a", size))
    for one, seconds in known.items():
        left.took(piece("a", one), seconds)
    assert left.seconds(sum(known.values()), {}) == pytest.approx(expected)


def test_an_unknown_recommender_takes_as_long_as_all_on_average():
    left = time_left(piece("a", 1), piece("b", 1), piece("c", 1))
    left.took(piece("a", 1), 1.0)
    left.took(piece("b", 1), 3.0)
    assert left.seconds(4.0, {}) == pytest.approx(2.0)


def test_parts_are_pieces_of_their_own():
    parts = [piece("a", 9, part=part, parts=3) for part in range(3)]
    left = time_left(piece("a", 9))
    left.drop([piece("a", 9)])
    left.expect(parts)
    left.took(parts[1], 2.0)
    assert left.seconds(2.0, {}) == pytest.approx(4.0)
    left.took(piece("a", 9), 100.0)  # the row of all: known from its parts
    assert left.seconds(2.0, {}) == pytest.approx(4.0)


def test_it_is_never_below_zero_and_what_is_done_twice_counts_once():
    left = time_left(piece("a", 1, 1), piece("a", 1, 2))
    left.took(piece("a", 1, 1), 1.0)
    assert left.seconds(100.0, {piece("a", 1, 2): 99.0}) == 0.0
    left.took(piece("a", 1, 1), 50.0)
    assert left.seconds(1.0, {}) == pytest.approx(1.0)
    left.drop([piece("a", 1, 2)])
    assert left.seconds(1.0, {}) == 0.0
