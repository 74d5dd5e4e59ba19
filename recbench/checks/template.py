"""A recommender of your own: the mean of all ratings, plus a bias of the movie and of the user.

    python -m recbench check my_file:MyModel
    python compare_all.py --models my_file:MyModel user_mean bias

docs/your-own-model.md lists all optional declarations and methods.
"""

from typing import Any, ClassVar, Self

import numpy as np

from recbench import Recommender, Training


class MyModel(Recommender):
    """In the tables it has the name of the class."""

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
        # Draw only from np.random.default_rng(training.seed), so that a run can be repeated.
        train, movies = training.all_ratings, training.movies  # movies.bits, .title and more
        self.mean = train.mean_stars()
        residual = train.stars - self.mean  # (ratings,)
        # Any row of movies can be the input, also a movie that nobody has rated.
        self.movie_bias = self.shrunk_means(train.movie, residual, len(movies))
        residual = residual - self.movie_bias[train.movie]
        # One entry more than there are users: the bias of users never seen.
        users = int(train.user.max(initial=-1)) + 2
        self.user_bias = self.shrunk_means(train.user, residual, users)
        return self

    def shrunk_means(self, index: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
        """Shrunk mean of the values at each index, (n,); 0 without values."""
        total = np.bincount(index, values, minlength=n)
        return total / (np.bincount(index, minlength=n) + self.damping)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        known = np.minimum(user, len(self.user_bias) - 1)  # a larger index is a user never seen
        stars = self.mean + self.movie_bias[movie] + self.user_bias[known]
        return np.clip(stars, 0.5, 5.0).astype(np.float32)

    def state_bytes(self) -> int:
        return self.user_bias.nbytes  # divided by the number of users in the column bytes_per_user

    def shared_bytes(self) -> int:
        return self.movie_bias.nbytes  # the column bytes_shared: what serves all users
