"""`wisard`: one WiSARD network per user, on the bits that `ao` reads."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from data_prep import decode_ratings
from recbench.contract import ForgettingRecommender, Training
from recbench.data.encodings.thermometer import count_ones, thermometer
from recbench.ratings import rows_of_each
from weightless.counters import addresses_of, draw_tuples
from weightless.wisard import answers_of_users

NONE = np.empty((2, 0), np.int32)


class WisardRecommender(ForgettingRecommender):
    """Two discriminators, of ones and of zeros, for each of a rating's ten bits, with bleaching.

    They learn by counting, see `weightless.wisard`. The counts can be computed from the user's
    movies and stars, so only these are stored; predictions equal those of the counters bit for bit.
    For a user without ratings, the mean of all training ratings is predicted.

    Args:
        n: bits of a tuple.
        tuples: number of tuples, drawn with the seed of `Training`.
        margin: tuples by which a discriminator must lead the other before bleaching ends.
    """

    name: ClassVar[str] = "wisard"
    needs_bits: ClassVar[bool] = True
    learns_from: ClassVar[str] = "user"
    has_kernels: ClassVar[bool] = True
    search_space: ClassVar[dict[str, tuple]] = {
        "n": (2, 8, "int"),
        "tuples": (8, 16, 24, 32, 48, 64),
        "margin": (1, 8, "int"),
    }
    tuned: ClassVar[str] = "results/tuning/wisard"

    def __init__(self, n: int = 2, tuples: int = 64, margin: int = 6) -> None:
        self.n, self.tuples, self.margin = n, tuples, margin

    def fit(self, training: Training) -> Self:
        train, bits, self.labels = training.ratings, training.movies.bits, training.labels
        drawn = draw_tuples(bits.shape[1], min(self.n, bits.shape[1]), self.tuples, training.seed)
        self.addresses = addresses_of(bits, drawn)
        self.mean_stars = training.sample.mean_stars()
        learned = np.stack([train.movie, count_ones(train.stars, self.labels)]).astype(np.int32)
        of_each = zip(np.unique(train.user).tolist(), rows_of_each(train.user), strict=True)
        self.learned = {user: learned[:, rows] for user, rows in of_each}
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        rated = self.learned.get(int(user), NONE)
        new = np.array([[movie], count_ones(np.array([stars]), self.labels)], np.int32)
        self.learned[int(user)] = np.concatenate([rated, new], axis=1)

    def forget_one(self, user: int, movie: int) -> None:
        rated = self.learned.get(int(user), NONE)
        kept = rated[:, rated[0] != movie]
        if kept.shape == rated.shape:
            raise KeyError(f"user {user} has no rating of movie {movie}")
        self.learned[int(user)] = kept

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        users, place = np.unique(np.asarray(user), return_inverse=True)
        rated = [self.learned.get(one, NONE) for one in users.tolist()]
        first = np.cumsum([0, *(one.shape[1] for one in rated)])
        movies, ones = np.concatenate([NONE, *rated], axis=1)
        answers, _ = answers_of_users(
            self.addresses, first, movies, thermometer(ones), 2, place, np.asarray(movie),
            self.margin,
        )  # fmt: skip
        unknown = count_ones(np.array([self.mean_stars]), self.labels)
        answers[np.diff(first)[place] == 0] = thermometer(unknown)
        return answers

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def state_bytes(self) -> int:
        return sum(rated.nbytes for rated in self.learned.values())

    def shared_bytes(self) -> int:
        return self.addresses.nbytes
