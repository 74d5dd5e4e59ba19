"""`mlp_tuned`: the per-user network with settings that were tuned.

The same outputs as `torch` and one more input, the item baseline; trained with early stopping by
cross-validation within the user's own ratings, and shrunk towards the baseline as those show.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from PerUser.early_stopped_network import compile_kernels, expected_stars
from PerUser.early_stopped_network import train as train_network
from PerUser.initial_networks import initial_networks
from PerUser.shrunk_means import mean_of_all, shrunk_means
from PerUser.user_chunks import rows_of_each
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings
from recbench.item_baseline import ItemBaseline, Start, starting_stars
from recbench.ratings import DEFAULT_STARS, MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import OfAll, Recommender
from recbench.three_layers import filled_up_network

FEWEST = 4  # ratings of a user with whom cross-validation is tried
FOLDING = 1  # the stream of random numbers that cuts it


class TunedPerUserMlp(Recommender):
    """r̂_ui = b_ui + s_u (f_u(x_i) − b_ui), f_u a multi-layer perceptron of the user's own.

    b_ui = o_i + (Σ (r − o) + κ m) / (n + κ) is what is predicted without it: o_i is the item
    baseline in stars, and a feature beside the movie's bits; or, from the mean, 3. m is the mean
    of r − o over all training ratings.

    f_u(x) = ½ Σ_k sigmoid(z_k(x)), the expected number of half stars if z holds the log-odds of the
    thermometer's ten bits (ordinal regression: Frank & Hall 2001, "A simple approach to ordinal
    classification"). Its loss is the binary cross-entropy of the bits, minimised by full-batch
    AdamW (Loshchilov & Hutter 2019). The last layer starts at zero weights and at the log-odds of
    the user's own ratings with κ ratings of all users mixed in, so that f_u starts at their mean.

    The user's ratings are cut into folds, and for each fold a network is trained on the others. The
    number of steps t_u is the one with the least squared error on the ratings put aside (Prechelt
    1998, "Early stopping — but when?"), and with d = f − b and e = r − b on those, b taking the
    user bias from the others alone (o and m, being of all users, know all),

        s_u = Σ d e / (Σ d² + c), cut to 0 .. 1.

    Then the network is trained anew on all the user's ratings for t_u steps. A user of fewer than
    four ratings gets b, and one of none o_i + m.

    Args:
        seed: of initial weights and folds, 0 or more.
        units: of the first hidden layer; the second has half as many.
        learning_rate: of AdamW.
        weight_decay: of AdamW, on weights and not on biases.
        epochs: steps at the most.
        patience: steps without improvement after which a user's training ends.
        damping: κ, in ratings.
        shrinkage: c, in squared stars.
        folds: parts of the cross-validation, 2 or more.
        start: what residuals are taken from, "item_baseline" or "mean".

    Trained by compiled code on the CPU, one user after another: networks this small would keep a
    GPU waiting, and each stops when it has learned enough. The same seed gives the same bits on
    every processor.
    """

    name: ClassVar[str] = "mlp_tuned"
    starts_from_item_baseline: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("seed",)
    search_space: ClassVar[dict] = {
        "units": (8, 64, "int"),
        "learning_rate": (0.001, 0.03, "log"),
        "weight_decay": (0.001, 10.0, "log"),
        "patience": (5, 50, "int"),
        "damping": (0.1, 30.0, "log"),
        "shrinkage": (0.1, 30.0, "log"),
        "folds": (2, 5, "int"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/trials"
    fitted_together: ClassVar[str] = ""

    def __init__(
        self,
        *,
        seed: int = 0,
        units: int = 42,
        learning_rate: float = 0.0096,
        weight_decay: float = 3.5,
        epochs: int = 200,
        patience: int = 39,
        damping: float = 3.9,
        shrinkage: float = 6.9,
        folds: int = 2,
        start: Start = "item_baseline",
    ) -> None:
        self.seed = seed
        self.units = units
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.patience = patience
        self.damping = damping
        self.shrinkage = shrinkage
        self.folds = folds
        self.start: Start = start
        compile_kernels()  # here, so that it does not pass for training

    def fit(
        self,
        train: Ratings,
        movies: Movies,
        item_baseline: ItemBaseline | None = None,
        of_all: OfAll | None = None,
    ) -> Self:
        of_all = of_all or self.of_all_users(train, movies, item_baseline)
        self._level = starting_stars(self.start, item_baseline, movies)  # o, (movies,)
        features = [movies.bits]
        if self.start == "item_baseline":
            features.append((self._level - DEFAULT_STARS)[:, None])
        self._features = np.concatenate(features, axis=1).astype(np.float32)  # (movies, features)
        residual = train.stars - self._level[train.movie]  # (ratings,)
        self._users = np.unique(train.user)
        self._otherwise = float(of_all["mean_residual"])  # m
        self._means = shrunk_means(train.user, residual, self.damping, self._otherwise)
        self._scale = np.zeros(len(self._users))  # s_u

        sizes = (self._features.shape[1], self.units, max(self.units // 2, 1), RATING_BITS)
        drawn = initial_networks(self._users, sizes, self.seed)
        self._learned = sum(parameter.size for parameter in drawn)  # the others stay zero
        self._networks = filled_up_network(drawn)
        labels = encode_ratings(train.stars, "half_stars")  # (ratings, 10)
        for place, rows in enumerate(rows_of_each(train.user)):
            _, self._scale[place] = train_network(
                self._network(place),
                self._features[train.movie[rows]],
                labels[rows],
                self._folds(int(self._users[place]), len(rows)),
                self.folds,
                of_all["share_of_ones"],
                self.damping,
                self._otherwise,
                self._level[train.movie[rows]],
                self.shrinkage,
                self.epochs,
                self.patience,
                self.learning_rate,
                self.weight_decay,
            )
        return self

    def of_all_users(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> OfAll:
        level = starting_stars(self.start, item_baseline, movies)
        ones = encode_ratings(train.stars, "half_stars").sum(axis=0, dtype=np.float64)  # (10,)
        return {
            "mean_residual": np.array(mean_of_all(train.stars - level[train.movie])),
            "share_of_ones": ones / max(len(train), 1),
        }

    def _network(self, place: int) -> tuple[np.ndarray, ...]:
        return tuple(parameter[place] for parameter in self._networks)

    def _folds(self, user: int, count: int) -> np.ndarray:
        """Which fold each of a user's ratings is in, int64 [count]; -1 of a short history."""
        if count < FEWEST:
            return np.full(count, -1)
        generator = np.random.default_rng([self.seed, user, FOLDING])
        return generator.permutation(count) % self.folds

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._level[movie] + self._otherwise  # (n,)
        asked = np.flatnonzero(np.isin(user, self._users))
        for rows in rows_of_each(user[asked]):
            own = asked[rows]
            place = int(np.searchsorted(self._users, user[own[0]]))
            without = self._level[movie[own]] + self._means[place]  # b, (rows,)
            f = expected_stars(self._network(place), self._features[movie[own]], RATING_BITS)
            stars[own] = without + self._scale[place] * (f - without)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return 4 * self._learned + self._means.nbytes + self._scale.nbytes
