"""`autorec`: an autoencoder of the ratings of a movie, the neural network to compare with."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from Collaborative.sparse_autoencoder import (
    DECODER,
    USER_BIAS,
    MovieVectors,
    Parameters,
    Training,
    compile_kernels,
    hidden_units,
    outputs,
)
from Collaborative.surprise_trainset import Known
from recbench.item_baseline import ItemBaseline, Start, starting_stars
from recbench.ratings import MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import Recommender

BATCH = 512  # movies a step

WEIGHTS, SHUFFLE = range(2)  # one stream of random numbers for each


class AutoRecModel(Recommender):
    """r̂_ui = o_i + b_u + W_u·h_i, h_i = σ(m + Σ_v V_v r_vi) − ½: an item-based autoencoder.

    The sum is over the users v who rated movie i, o is the item baseline of each movie in stars and
    the mean residual from it, or the mean of all ratings. It minimises Σ (r_ui − r̂_ui)² +
    (λ / 2) (‖V‖² + ‖W‖²) + λ_u Σ b_u² over the ratings (I-AutoRec: Sedhain, Menon, Sanner & Xie
    2015, "AutoRec: autoencoders meet collaborative filtering", equations 1 and 2), by Adam (Kingma
    & Ba 2015) in shuffled batches of movies, with a learning rate that falls linearly to zero.

    The encoder reads the stars themselves, not residuals, as published: who rated a movie, and not
    only how, is then an input. What is not published: the decoder gives residuals from o; b_u is
    damped and starts at the damped mean of the user's residuals; and the ½, without which W_u·h
    would be one more user bias, and the damping of users with few ratings would not be λ_u.

    An unknown user or movie has no W_u·h; an unknown user has no b_u either.

    Args:
        seed: of the initial weights and of the shuffling, 0 or more.
        units: hidden units, the numbers in h_i.
        epochs: passes over all movies.
        learning_rate: of the first pass.
        regularisation: λ.
        damping_user: λ_u, in ratings.
        start: what o is, "item_baseline" or "mean".

    The defaults were chosen on validation rows of development users, before any tuning by the rule
    of all. The authors use 500 units, and choose λ among .001, .01, .1, 1, 100 and 1000.
    """

    name: ClassVar[str] = "autorec"
    learns_from_background: ClassVar[bool] = True
    starts_from_item_baseline: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("seed",)
    search_space: ClassVar[dict] = {
        "units": (8, 128, "int"),
        "epochs": (10, 80, "int"),
        "learning_rate": (0.0005, 0.02, "log"),
        "regularisation": (10.0, 500.0, "log"),
        "damping_user": (0.5, 50.0, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/autorec"

    def __init__(
        self,
        seed: int = 0,
        units: int = 100,
        epochs: int = 30,
        learning_rate: float = 0.005,
        regularisation: float = 100.0,
        damping_user: float = 5.0,
        start: Start = "item_baseline",
    ) -> None:
        self.seed = seed
        self.units = units
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.regularisation = regularisation
        self.damping_user = damping_user
        self.start: Start = start
        compile_kernels()  # here, so that it does not pass for training

    def fit(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> Self:
        level = starting_stars(self.start, item_baseline, movies)  # (movies,)
        self._known = Known.of(train, level)
        user = np.searchsorted(self._known.users, train.user)
        movie = np.searchsorted(self._known.movies, train.movie)
        residual = train.stars - self._known.level[train.movie]  # (ratings,)
        vectors = MovieVectors.of(user, movie, given=train.stars, wanted=residual)
        parameters = self._initial(user, residual)
        training = Training(
            parameters,
            vectors,
            weight_penalty=self.regularisation / 2,
            bias_penalty=self.damping_user,
        )
        shuffling = np.random.default_rng([self.seed, SHUFFLE])
        for epoch in range(self.epochs):
            learning_rate = self.learning_rate * (1 - epoch / self.epochs)
            training.epoch(shuffling.permutation(len(vectors)), BATCH, learning_rate)
        # The last row of each is of those who are unknown.
        self._weights = np.pad(parameters[DECODER], ((0, 1), (0, 0)))  # (users + 1, units)
        self._biases = np.pad(parameters[USER_BIAS], ((0, 0), (0, 1)))  # (1, users + 1)
        self._hidden = np.pad(hidden_units(parameters, vectors), ((0, 1), (0, 0)))
        return self

    def _initial(self, user: np.ndarray, residual: np.ndarray) -> Parameters:
        """Uniform weights (Glorot & Bengio 2010), an encoder bias of zero, damped user biases.

        Args:
            user: int [n], whose rating it is, numbered from 0 without a gap.
            residual: float64 [n], stars.
        """
        users = len(self._known.users)
        generator = np.random.default_rng([self.seed, WEIGHTS])
        limit = np.sqrt(6 / (users + self.units))
        encoder, decoder = generator.uniform(-limit, limit, (2, users, self.units))
        biases = np.bincount(user, residual) / (np.bincount(user) + self.damping_user)
        encoder_bias = np.zeros(self.units)
        return tuple(
            np.atleast_2d(one).astype(np.float32)
            for one in (encoder, encoder_bias, decoder, biases)
        )

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        whose = _place(self._known.users, np.asarray(user))
        what = _place(self._known.movies, np.asarray(movie))
        beyond = outputs(self._biases, self._weights, self._hidden, whose, what)  # (rows,)
        stars = self._known.level[movie] + beyond
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._weights.nbytes + self._biases.nbytes + self._hidden.nbytes


def _place(known: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Where each of `ids` stands in `known` (sorted), int64 [n]; behind the last if it does not."""
    place = np.searchsorted(known, ids)
    met = np.append(known, -1)[place] == ids
    return np.where(met, place, len(known))
