"""Surprise's own way to predictions: through its data set and text ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import surprise

from recbench.ratings import Ratings


def dense_ratings(users: int, movies: int, seed: int) -> Ratings:
    """Users and movies first met in ascending order: Surprise then numbers them as they are."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((users, movies)) < 0.6)
    pairs = np.concatenate(([[0, movie] for movie in range(movies)], pairs[pairs[:, 0] > 0]))
    stars = rng.integers(1, 11, len(pairs)) / 2
    return Ratings(pairs[:, 0], pairs[:, 1], stars, np.zeros(len(pairs)))


def surprise_predictions(model: Any, train: Ratings, user, movie) -> np.ndarray:
    """Of a model of Surprise, fitted here."""
    frame = pd.DataFrame({"user": train.user, "movie": train.movie, "stars": train.stars})
    reader = surprise.Reader(rating_scale=(0.5, 5))
    model.fit(surprise.Dataset.load_from_df(frame, reader).build_full_trainset())
    return np.array([model.predict(u, m).est for u, m in zip(user, movie, strict=True)])
