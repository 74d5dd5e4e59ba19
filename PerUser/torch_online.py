"""`torch_online`: the small network of each user, one step of Adam for each rating."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from PerUser.initial_networks import initial_networks
from PerUser.perUser_pytorch import HIDDEN, LEARNING_RATE
from PerUser.small_networks import compile_kernels, step_on_one
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.recommender import OfAll, OnlineRecommender
from recbench.three_layers import ask, filled_up_network, zeros_like


class TorchOnlineRecommender(OnlineRecommender):
    """The network, the start, the loss and the learning rate of `torch`; a rating is learned by one
    step of Adam (Kingma & Ba 2015) on that rating alone, once.

    A user without ratings is predicted the thermometer of the mean of the ratings given to `fit`.

    Args:
        seed: of the initial weights, 0 or more.
        labels: "half_stars" or "truncated", see `encode_ratings`.
        loss: "logits", or "double_sigmoid" as published.
    """

    name: ClassVar[str] = "torch_online"
    options: ClassVar[tuple[str, ...]] = ("seed", "labels", "loss")
    fitted_together: ClassVar[str] = ""

    def __init__(self, seed: int = 0, labels: str = "half_stars", loss: str = "logits") -> None:
        if loss not in ("logits", "double_sigmoid"):
            raise ValueError(f"the loss is 'logits' or 'double_sigmoid', not '{loss}'")
        self.seed = seed
        self.labels = labels
        self.loss = loss
        compile_kernels()  # here, so that it does not pass for learning

    def fit(self, train: Ratings, movies: Movies, of_all: OfAll | None = None) -> Self:
        of_all = of_all or self.of_all_users(train, movies)
        self._features = movies.bits.astype(np.float32)  # (movies, bits)
        self._sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
        self._unknown = encode_ratings(of_all["mean_stars"], self.labels)[0]  # (10,)
        self._learned: dict[int, list[Any]] = {}  # network, gradients, both moments, steps
        for row in np.argsort(train.time, kind="stable"):
            self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
        return self

    def of_all_users(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> OfAll:
        return {"mean_stars": np.array([train.mean_stars()])}

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        learned = self._learned.get(user)
        if learned is None:
            learned = self._learned[user] = self._start(user)
        learned[-1] += 1
        labels = encode_ratings(np.array([stars]), self.labels)[0]  # (10,)
        double_sigmoid = self.loss == "double_sigmoid"
        step_on_one(*learned, self._features[movie], labels, LEARNING_RATE, double_sigmoid)

    def _start(self, user: int) -> list[Any]:
        drawn = initial_networks(np.array([user]), self._sizes, self.seed)
        network = tuple(one[0] for one in filled_up_network(drawn))
        return [network, *(zeros_like(network) for _ in range(3)), 0]

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]."""
        user, movie = np.asarray(user), np.asarray(movie)
        bits = np.repeat(self._unknown[None], len(user), axis=0)  # (n, 10)
        for one in np.unique(user):
            if int(one) in self._learned:
                rows = user == one
                network = self._learned[int(one)][0]
                bits[rows] = ask(network, self._features[movie[rows]])[:, :RATING_BITS] > 0.5
        return bits

    def state_bytes(self) -> int:
        """Weights, and the two moments that Adam keeps of each."""
        weights = sum((inputs + 1) * outputs for inputs, outputs in pairwise(self._sizes))
        return 3 * 4 * weights * len(self._learned)
