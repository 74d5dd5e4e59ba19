"""`item_knn` and `user_knn`: Surprise's KNNBaseline is their plain reference."""

from __future__ import annotations

import numpy as np
import pytest
import surprise
from fitting import fit
from scipy import sparse
from surprise_reference import dense_ratings, surprise_predictions

from Collaborative import neighbours, rated
from Collaborative.neighbours import ItemNeighbours, UserNeighbours, neighbour_means
from recbench.checks.toy_data import all_pairs, toy_movies, toy_ratings
from recbench.errors import InputError

USERS, MOVIES = 34, 23


@pytest.mark.parametrize(("seed", "most"), [(0, 1), (1, 5), (2, 40)])
@pytest.mark.parametrize("similarity", ["pearson_baseline", "msd"])
@pytest.mark.parametrize("cls", [ItemNeighbours, UserNeighbours])
def test_it_is_surprise(cls, similarity, most, seed, monkeypatch):
    """With two users and two movies among those asked for that nobody knows."""
    train = dense_ratings(USERS, MOVIES, seed)
    user, movie = all_pairs(range(USERS + 2), MOVIES + 2)
    theirs = surprise.KNNBaseline(
        k=most,
        sim_options={"name": similarity, "user_based": cls.by_user, "shrinkage": 7},
        bsl_options={"n_epochs": 6, "reg_u": 3.0, "reg_i": 2.0},
        verbose=False,
    )
    expected = surprise_predictions(theirs, train, user, movie)
    monkeypatch.setattr(neighbours, "BLOCK", 10)  # so that there are several
    model = cls(most, similarity, 7.0, 3.0, 2.0, "mean", epochs=6, damping=0.0)
    stars = fit(model, train, toy_movies(MOVIES + 2)).predict(user, movie)
    np.testing.assert_allclose(stars, expected, atol=1e-5)


def test_the_nearest_are_taken_and_of_equal_ones_the_first():
    similarity = np.array([[1.0, 0.5, 0.9, 0.5, -0.3, 0.9, 0.0]])
    residuals = sparse.csr_array(np.arange(7.0)[None, :])  # of row k: k
    nobody = np.zeros(1, np.int64)
    for most, expected in (
        (1, 2.0),
        (2, (0.9 * 2 + 0.9 * 5) / 1.8),
        (3, (0.9 * 2 + 0.9 * 5 + 0.5 * 1) / 2.3),
        (9, (0.9 * 2 + 0.9 * 5 + 0.5 * 1 + 0.5 * 3) / 2.8),
    ):
        mean = neighbour_means(nobody, nobody, similarity, residuals, most)
        assert mean == pytest.approx(expected)
    damped = neighbour_means(nobody, nobody, similarity, residuals, 1, damping=0.3)
    assert damped == pytest.approx(0.9 * 2 / (0.9 + 0.3))


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (UserNeighbours, r"user_knn: a table of 3 × 3 users needs 72 bytes.*or item_knn"),
        (ItemNeighbours, r"item_knn: a table of 9 × 9 movies needs 648 bytes.*--top-percent"),
    ],
)
def test_similarities_that_do_not_fit_in_memory_are_refused(cls, message, monkeypatch):
    train, movies = toy_ratings([9, 4, 2], movies=9), toy_movies(9)
    fit(cls(start="mean"), train, movies)
    monkeypatch.setattr(rated, "LARGEST", 71)
    with pytest.raises(InputError, match=message):
        fit(cls(start="mean"), train, movies)


def test_a_similarity_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="similarity is 'cosine'"):
        ItemNeighbours(similarity="cosine")
