"""`torch_online`: the small network of each user, one step of Adam for each rating."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F

from PerUser.perUser_pytorch import HIDDEN, LEARNING_RATE, Networks, initial_networks, layer_shapes
from recbench.contract import OnlineRecommender, Training
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.threads import choose_device


class TorchOnlineRecommender(OnlineRecommender):
    """The network, initial weights, loss and learning rate of `torch`. Each rating is learned once,
    by one step of Adam (Kingma & Ba 2015) on that rating only.

    For a user without ratings, the thermometer of the mean of all training ratings is predicted.
    """

    name: ClassVar[str] = "torch_online"
    learns_from: ClassVar[str] = "user"
    needs_bits: ClassVar[bool] = True

    def fit(self, training: Training) -> Self:
        choose_device("cpu")  # one rating at a time would keep a GPU waiting
        train, movies = training.ratings, training.movies
        self._seed, self._labels, self._loss = training.seed, training.labels, training.loss
        self._features = torch.from_numpy(movies.bits.astype(np.float32))  # (movies, bits)
        self._sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
        mean_stars = np.array([training.sample.mean_stars()])
        self._unknown = encode_ratings(mean_stars, self._labels)[0]  # (10,)
        self._learned: dict[int, tuple[Networks, torch.optim.Adam]] = {}
        for row in np.argsort(train.time, kind="stable"):
            self.learn_one(int(train.user[row]), int(train.movie[row]), float(train.stars[row]))
        return self

    def learn_one(self, user: int, movie: int, stars: float) -> None:
        if user not in self._learned:
            network = Networks(
                self._sizes, initial_networks(np.array([user]), self._sizes, self._seed)
            )
            adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
            self._learned[user] = network, adam
        network, adam = self._learned[user]
        z = network(self._features[None, None, movie])  # (1, 1, 10)
        scores = torch.sigmoid(z) if self._loss == "double_sigmoid" else z
        y = torch.from_numpy(encode_ratings(np.array([stars]), self._labels)).float()  # (1, 10)
        loss = F.binary_cross_entropy_with_logits(scores[0], y)
        adam.zero_grad()
        loss.backward()
        adam.step()

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    @torch.no_grad()
    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]."""
        user, movie = np.asarray(user), np.asarray(movie)
        bits = np.repeat(self._unknown[None], len(user), axis=0)  # (n, 10)
        for one in np.unique(user):
            if int(one) in self._learned:
                rows = user == one
                network, _ = self._learned[int(one)]
                bits[rows] = (network(self._features[None, movie[rows]]) > 0)[0].numpy()
        return bits

    def shared_bytes(self) -> int:
        return self._features.nbytes

    def state_bytes(self) -> int:
        """Bytes of the weights and of Adam's two moments of each."""
        numbers = sum(rows * columns for rows, columns in layer_shapes(self._sizes))
        return 3 * 4 * numbers * len(self._learned)
