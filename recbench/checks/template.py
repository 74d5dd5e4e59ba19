"""A recommender of one's own: the mean of all ratings, what is added for a movie, what for a user.

    python -m recbench check my_file:MyModel
    python compare_all.py --models my_file:MyModel user_mean bias

docs/your-own-model.md says what else it may declare, be given and be asked.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from recbench import Movies, Ratings, Recommender


class MyModel(Recommender):
    """Its name in the tables is the name of the class."""

    # Who it learns from: True adds the ratings of background users, who are never tested.
    learns_from_background = True
    # What `python tune.py --models my_file:MyModel` may choose from; "log", "linear" or "int".
    search_space: ClassVar[dict[str, Any]] = {"damping": (0.5, 50.0, "log")}

    # Where something is drawn at random, say options = ("seed",): the constructor then gets the
    # seed of the run. Draw from np.random.default_rng(seed) alone, and a run can be repeated.

    def __init__(self, damping: float = 5.0) -> None:
        self.damping = damping  # how many ratings it takes to believe half of what they say

    def fit(self, train: Ratings, movies: Movies) -> Self:
        # train.user and train.movie are indexes, train.stars is 0.5 .. 5, train.time in seconds;
        # all are read-only. There may be no rating at all: mean_stars() is 3 then.
        self.mean = train.mean_stars()
        residual = train.stars - self.mean  # (ratings,)

        # Any row of movies can be asked for, also of a movie that nobody has rated.
        # movies.bits, .vote_average, .title and more say what the movies are.
        count = np.bincount(train.movie, minlength=len(movies))
        total = np.bincount(train.movie, residual, minlength=len(movies))
        self.film_bias = total / (count + self.damping)  # (movies,); 0 without ratings
        residual = residual - self.film_bias[train.movie]

        # One more place than there are users: the bias of those who were never seen.
        users = int(train.user.max(initial=-1)) + 2
        count = np.bincount(train.user, minlength=users)
        total = np.bincount(train.user, residual, minlength=users)
        self.user_bias = total / (count + self.damping)  # (users + 1,)
        return self

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        # A user that fit never saw has an index beyond the last.
        known = np.minimum(user, len(self.user_bias) - 1)
        stars = self.mean + self.film_bias[movie] + self.user_bias[known]
        return np.clip(stars, 0.5, 5.0).astype(np.float32)

    def state_bytes(self) -> int:
        # The column bytes_per_user is this over the number of users.
        return self.user_bias.nbytes

    def shared_bytes(self) -> int:
        # The column bytes_shared: what serves all users.
        return self.film_bias.nbytes
