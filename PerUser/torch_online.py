"""`torch_online`: the small network of each user, one step of Adam for each rating."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
import torch._dynamo  # the first Adam imports it: a second that would pass for learning
from torch import Tensor

from PerUser.batched_mlp import bit_loss, forward
from PerUser.initial_networks import initial_networks
from PerUser.perUser_pytorch import HIDDEN, LEARNING_RATE
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.recommender import OfAll, OnlineRecommender


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
        self.seed = seed
        self.labels = labels
        self.loss = loss

    def fit(self, train: Ratings, movies: Movies, of_all: OfAll | None = None) -> Self:
        of_all = of_all or self.of_all_users(train, movies)
        self._bits = torch.from_numpy(movies.bits.astype(np.float32))  # (movies, bits)
        self._unknown = encode_ratings(of_all["mean_stars"], self.labels)[0]  # (10,)
        self._networks: dict[int, tuple[list[Tensor], torch.optim.Adam]] = {}
        for row in np.argsort(train.time, kind="stable"):
            self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
        return self

    def of_all_users(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> OfAll:
        return {"mean_stars": np.array([train.mean_stars()])}

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        parameters, optimiser = self._network(user)
        target = torch.from_numpy(encode_ratings(np.array([stars]), self.labels).astype(np.float32))
        optimiser.zero_grad()
        z = forward(parameters, self._bits[movie][None, None])  # (1, 1, 10)
        bit_loss(z, target[None], self.loss).mean().backward()
        optimiser.step()

    def _network(self, user: int) -> tuple[list[Tensor], torch.optim.Adam]:
        if user not in self._networks:
            sizes = (self._bits.shape[1], *HIDDEN, RATING_BITS)
            drawn = initial_networks(np.array([user]), sizes, self.seed)
            parameters = [torch.from_numpy(one).requires_grad_() for one in drawn]
            self._networks[user] = parameters, torch.optim.Adam(parameters, lr=LEARNING_RATE)
        return self._networks[user]

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]."""
        user, movie = np.asarray(user), np.asarray(movie)
        bits = np.repeat(self._unknown[None], len(user), axis=0)  # (n, 10)
        with torch.no_grad():
            for one in np.unique(user):
                if int(one) in self._networks:
                    rows = user == one
                    parameters, _ = self._networks[int(one)]
                    z = forward(parameters, self._bits[movie[rows]][None])[0]  # (rows, 10)
                    bits[rows] = (torch.sigmoid(z) > 0.5).numpy()
        return bits

    def state_bytes(self) -> int:
        """Weights, and the two moments that Adam keeps of each."""
        return 3 * sum(
            parameter.numel() * parameter.element_size()
            for parameters, _ in self._networks.values()
            for parameter in parameters
        )
