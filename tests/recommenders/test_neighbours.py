"""`item_knn` and `user_knn`: Surprise's KNNBaseline is their plain reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import surprise
from fitting import fit
from scipy import sparse

from Collaborative import neighbours, rated
from Collaborative.neighbours import (
    ItemNeighbours,
    UserNeighbours,
    neighbour_means,
)
from recbench.checks.toy_data import toy_movies, toy_ratings
from recbench.errors import InputError
from recbench.ratings import Ratings

USERS, MOVIES = 34, 23


def random_ratings(seed: int) -> Ratings:
    """Users and movies first met in ascending order: Surprise then numbers them as they are."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((USERS, MOVIES)) < 0.6)
    pairs = np.concatenate(([[0, movie] for movie in range(MOVIES)], pairs[pairs[:, 0] > 0]))
    stars = rng.integers(1, 11, len(pairs)) / 2
    return Ratings(pairs[:, 0], pairs[:, 1], stars, np.zeros(len(pairs)))


def surprise_predictions(train: Ratings, user, movie, **settings) -> np.ndarray:
    frame = pd.DataFrame({"user": train.user, "movie": train.movie, "stars": train.stars})
    reader = surprise.Reader(rating_scale=(0.5, 5))
    model = surprise.KNNBaseline(verbose=False, **settings)
    model.fit(surprise.Dataset.load_from_df(frame, reader).build_full_trainset())
    return np.array([model.predict(u, m).est for u, m in zip(user, movie, strict=True)])


@pytest.mark.parametrize(("seed", "most"), [(0, 1), (1, 5), (2, 40)])
@pytest.mark.parametrize("similarity", ["pearson_baseline", "msd"])
@pytest.mark.parametrize("cls", [ItemNeighbours, UserNeighbours])
def test_it_is_surprise(cls, similarity, most, seed, monkeypatch):
    """With two users and two movies among those asked for that nobody knows."""
    train = random_ratings(seed)
    asked = np.meshgrid(np.arange(USERS + 2), np.arange(MOVIES + 2))
    user, movie = (grid.ravel() for grid in asked)
    expected = surprise_predictions(
        train,
        user,
        movie,
        k=most,
        sim_options={"name": similarity, "user_based": cls.by_user, "shrinkage": 7},
        bsl_options={"n_epochs": 6, "reg_u": 3.0, "reg_i": 2.0},
    )
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
        (UserNeighbours, r"user_knn: a table of 3 × 3 users takes 72 bytes.*or item_knn"),
        (ItemNeighbours, r"item_knn: a table of 9 × 9 movies takes 648 bytes.*--top-percent"),
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
