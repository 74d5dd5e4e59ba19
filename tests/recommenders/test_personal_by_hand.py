"""The example of docs/personal-model.md."""

import numpy as np
import pytest

from PerUser.personal import Personal
from recbench.models.item_table.scales import EVEN, Scales
from recbench.models.item_table.table import ItemTable, ItemTables
from recbench.ratings import Movies, Ratings

A, B, C = range(3)


@pytest.fixture
def model():
    movies = Movies(
        bits=np.zeros((3, 1)),
        bit_names=("genres:drama",),
        vote_average=np.full(3, np.nan),
        vote_count=np.zeros(3),
        movie_id=np.array([11, 12, 13]),
        title=np.array(["A", "B", "C"]),
    )
    codes = [[int(bit) for bit in code] for code in ("00000000", "10000000", "11111100")]
    table = ItemTable(
        movie_id=movies.movie_id,
        mean=np.full(3, 3.0),
        factors=np.tile([0.5, 1.0], (3, 1)),  # a level of a half, a length of one
        codes=np.array(codes),
        scales=Scales(level=1, likeness=1, metadata=0, slope=0, drift=0, noise=0.75),
        steps=EVEN,
    )
    ratings = Ratings(np.array([0, 0]), np.array([A, C]), np.array([5, 3]), np.array([1, 2]))
    return Personal().fit(ratings, movies, ItemTables.same_for_all(table))


def test_the_prediction_and_its_variance(model):
    mean, variance = model.predict_normal(np.array([0]), np.array([B]))
    assert mean[0] == pytest.approx(3 + 64 / 63)
    assert variance[0] == pytest.approx(1.25 + 0.75 - 32 / 63)


def test_shares_and_what_is_left_without_a_rating(model):
    mean, of_a, of_c = model.explain_one(0, B).contributions
    assert (mean.movie, mean.stars) == (None, 3)
    assert (of_a.movie, of_a.stars) == (A, pytest.approx(64 / 63))
    assert (of_c.movie, of_c.stars) == (C, pytest.approx(0, abs=1e-12))
    assert of_a.if_forgotten == pytest.approx(-64 / 63)
    assert of_c.if_forgotten == pytest.approx(4 - (3 + 64 / 63))
    model.forget_one(0, C)
    assert model.predict_one(0, B) == pytest.approx(4.0)
