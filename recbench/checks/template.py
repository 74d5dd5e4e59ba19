"""A recommender of your own: the mean of all ratings, plus a bias of the movie and of the user.

    python -m recbench check my_file:MyModel
    python compare_all.py --models my_file:MyModel user_mean bias

docs/your-own-model.md says what else it may declare and have.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from recbench import Recommender, Training


class MyModel(Recommender):
    """Its name in the tables is the name of the class."""

    # "user": from each user's own ratings. "user+items": also from an item baseline and item tables
    # of other users. "all": also from the ratings of background users, who are never tested.
    learns_from = "all"
    # What `python tune.py --models my_file:MyModel` may choose from; "log", "linear" or "int".
    search_space: ClassVar[dict[str, Any]] = {"damping": (0.5, 50.0, "log")}

    def __init__(self, damping: float = 5.0) -> None:
        self.damping = damping  # the number of ratings at which a bias is half of their mean

    def fit(self, training: Training) -> Self:
        # train.user and train.movie are indexes, train.stars is 0.5 .. 5, train.time in seconds;
        # all are read-only. There may be no rating at all: mean_stars() is 3 then.
        # Draw at random from np.random.default_rng(training.seed) alone, and a run can be repeated.
        train, movies = training.all_ratings, training.movies
        self.mean = train.mean_stars()
        residual = train.stars - self.mean  # (ratings,)

        # Any row of movies can be the input, also a movie that nobody has rated.
        # movies.bits, .vote_average, .title and more describe the movies.
        count = np.bincount(train.movie, minlength=len(movies))
        total = np.bincount(train.movie, residual, minlength=len(movies))
        self.movie_bias = total / (count + self.damping)  # (movies,); 0 without ratings
        residual = residual - self.movie_bias[train.movie]

        # One more place than there are users: the bias of those who were never seen.
        users = int(train.user.max(initial=-1)) + 2
        count = np.bincount(train.user, minlength=users)
        total = np.bincount(train.user, residual, minlength=users)
        self.user_bias = total / (count + self.damping)  # (users + 1,)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        # A user that fit never saw has an index beyond the last.
        known = np.minimum(user, len(self.user_bias) - 1)
        stars = self.mean + self.movie_bias[movie] + self.user_bias[known]
        return np.clip(stars, 0.5, 5.0).astype(np.float32)

    def state_bytes(self) -> int:
        # The column bytes_per_user is this over the number of users.
        return self.user_bias.nbytes

    def shared_bytes(self) -> int:
        # The column bytes_shared: what serves all users.
        return self.movie_bias.nbytes
