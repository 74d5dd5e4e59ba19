"""`autorec`: an autoencoder of a movie's ratings, the collaborative neural reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from Collaborative.rated import Rated
from recbench.contract import Recommender, Training
from recbench.models.item_baseline import Start
from recbench.ratings import MAX_STARS, MIN_STARS, places
from recbench.threads import choose_device

BATCH = 512  # movies a step
ROWS_AT_ONCE = 65_536  # when predicting

WEIGHTS, SHUFFLE = range(2)  # one stream of random numbers for each


class Autoencoder(nn.Module):
    """b_u + W_u·h_i with h_i = σ(m + Σ_v V_v r_vi) − ½, for the ratings of some movies.

    Args:
        encoder, decoder: float32 [users, units], initial V and W.
        user_bias: float32 [users], initial b.
    """

    def __init__(self, encoder: Tensor, decoder: Tensor, user_bias: Tensor) -> None:
        super().__init__()
        self.encoder = nn.Parameter(encoder)  # V, (users, units)
        self.encoder_bias = nn.Parameter(torch.zeros(encoder.shape[1]))  # m, (units,)
        self.decoder = nn.Parameter(decoder)  # W, (users, units)
        self.user_bias = nn.Parameter(user_bias)  # b, (users,)

    def encode(self, user: Tensor, stars: Tensor, count: Tensor) -> Tensor:
        """h, [movies, units], from ratings sorted by movie.

        Args:
            user, stars: int64 and float32 [n], of each rating.
            count: int64 [movies], number of ratings of each movie, at least 1.
        """
        start = count.cumsum(0) - count
        sums = F.embedding_bag(user, self.encoder, start, mode="sum", per_sample_weights=stars)
        return torch.sigmoid(sums + self.encoder_bias) - 0.5  # (movies, units)

    def forward(self, user: Tensor, stars: Tensor, count: Tensor) -> Tensor:
        """Predictions minus o, float32 [n]; arguments as in `encode`."""
        h = self.encode(user, stars, count)  # (movies, units)
        of_movie = torch.arange(len(count), device=h.device).repeat_interleave(count)  # (n,)
        product = F.embedding(user, self.decoder) * F.embedding(of_movie, h)  # (n, units)
        return self.user_bias[user] + product.sum(dim=1)

    def penalty(self, regularisation: float, damping_user: float) -> Tensor:
        """(λ / 2) (‖V‖² + ‖W‖²) + λ_u ‖b‖²."""
        weights = self.encoder.square().sum() + self.decoder.square().sum()
        return regularisation / 2 * weights + damping_user * self.user_bias.square().sum()


@dataclass(eq=False)
class AutoRecModel(Recommender):
    """r̂_ui = o_i + b_u + W_u·h_i, h_i = σ(m + Σ_v V_v r_vi) − ½: an item-based autoencoder.

    The sum is over the users v who rated movie i. o_i is the item baseline in stars plus the mean
    residual from it, or the mean of all ratings. The model minimises Σ (r_ui − r̂_ui)² + (λ / 2)
    (‖V‖² + ‖W‖²) + λ_u Σ b_u² over the ratings (I-AutoRec: Sedhain, Menon, Sanner & Xie 2015,
    "AutoRec: autoencoders meet collaborative filtering", equations 1 and 2), by Adam (Kingma & Ba
    2015) in shuffled batches of movies, with a learning rate that falls linearly to zero.

    As published, the encoder reads stars, not residuals, so its input also tells who rated the
    movie. Three parts differ from the publication: the decoder predicts residuals from o; b_u is
    damped and starts at the damped mean of the user's residuals; and ½ is subtracted, without which
    W_u·h would act as a second user bias that λ_u does not damp.

    For an unknown user or movie W_u·h is 0; for an unknown user b_u is, too.

    Args:
        units: number of hidden units, the length of h_i.
        epochs: passes over all movies.
        learning_rate: of the first pass.
        regularisation: λ.
        damping_user: λ_u, in ratings.
        start: source of o, "item_baseline" or "mean".
        device: "auto" (CUDA where there is one), "cpu" or "cuda".

    The defaults were chosen on validation rows of development users, before tuning by `tune.py`.
    The authors use 500 units, and choose λ among .001, .01, .1, 1, 100 and 1000.
    """

    name: ClassVar[str] = "autorec"
    learns_from: ClassVar[str] = "all"
    search_space: ClassVar[dict] = {
        "units": (8, 128, "int"),
        "epochs": (10, 80, "int"),
        "learning_rate": (0.0005, 0.02, "log"),
        "regularisation": (10.0, 500.0, "log"),
        "damping_user": (0.5, 50.0, "log"),
        "start": ("item_baseline", "mean"),
    }
    tuned: ClassVar[str] = "results/tuning/autorec"

    units: int = 100
    epochs: int = 30
    learning_rate: float = 0.005
    regularisation: float = 100.0
    damping_user: float = 5.0
    start: Start = "item_baseline"
    device: str = "auto"

    def fit(self, training: Training) -> Self:
        train, device = training.all_ratings, choose_device(self.device)
        self._rated = Rated.of(training, self.start)
        user, movie = self._rated.rows_of(train)
        residual = train.stars - self._rated.offset[train.movie]  # (ratings,)
        order = np.argsort(movie, kind="stable")  # ratings sorted by movie

        def on_device(array: np.ndarray, dtype: type) -> Tensor:
            return torch.from_numpy(array.astype(dtype)).to(device)

        network = self._initial(user, residual, training.seed).to(device)
        of_user = on_device(user[order], np.int64)  # (ratings,)
        stars = on_device(train.stars[order], np.float32)
        count = on_device(np.bincount(movie), np.int64)  # (movies,)
        residuals = on_device(residual[order], np.float32)
        self._train(network, of_user, stars, residuals, count, training.seed)
        with torch.no_grad():
            hidden = network.encode(of_user, stars, count).cpu().numpy()
        # The last row of each is for unknown ids.
        self._weights = np.pad(network.decoder.detach().cpu().numpy(), ((0, 1), (0, 0)))
        self._biases = np.pad(network.user_bias.detach().cpu().numpy(), (0, 1))  # (users + 1,)
        self._hidden = np.pad(hidden, ((0, 1), (0, 0)))  # (movies + 1, units)
        return self

    def _initial(self, user: np.ndarray, residual: np.ndarray, seed: int) -> Autoencoder:
        """Uniform weights (Glorot & Bengio 2010), an encoder bias of zero, damped user biases."""
        users = len(self._rated.users)
        generator = np.random.default_rng([seed, WEIGHTS])
        limit = np.sqrt(6 / (users + self.units))
        encoder, decoder = generator.uniform(-limit, limit, (2, users, self.units))
        biases = np.bincount(user, residual) / (np.bincount(user) + self.damping_user)
        return Autoencoder(*(torch.from_numpy(one).float() for one in (encoder, decoder, biases)))

    def _train(
        self,
        network: Autoencoder,
        user: Tensor,
        stars: Tensor,
        residual: Tensor,
        count: Tensor,
        seed: int,
    ) -> None:
        """Adam on half the loss, in shuffled batches of movies; `count` is each movie's number of
        ratings, and the rows [n] of the other arguments are sorted by movie."""
        start = count.cumsum(0) - count  # (movies,)
        adam = torch.optim.Adam(network.parameters(), fused=True)
        shuffling = np.random.default_rng([seed, SHUFFLE])
        for epoch in range(self.epochs if len(count) else 0):
            adam.param_groups[0]["lr"] = self.learning_rate * (1 - epoch / self.epochs)
            order = torch.from_numpy(shuffling.permutation(len(count))).to(count.device)
            for movies in order.split(BATCH):
                rows = _ranges(start[movies], count[movies])
                predicted = network(user[rows], stars[rows], count[movies])
                error = predicted - residual[rows]
                share = len(movies) / len(count)  # of the penalty, which counts once per epoch
                penalty = share * network.penalty(self.regularisation, self.damping_user)
                adam.zero_grad()
                ((error.square().sum() + penalty) / 2).backward()
                adam.step()

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        of_user = places(np.asarray(user), self._rated.users)
        of_movie = places(np.asarray(movie), self._rated.movies)
        stars = self._rated.offset[movie] + self._biases[of_user]
        for start in range(0, len(stars), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            product = self._weights[of_user[rows]] * self._hidden[of_movie[rows]]  # (rows, units)
            stars[rows] += product.sum(axis=1)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        return self._weights.nbytes + self._biases.nbytes

    def shared_bytes(self) -> int:
        return self._hidden.nbytes + self._rated.offset.nbytes


def _ranges(start: Tensor, count: Tensor) -> Tensor:
    """start[0], start[0] + 1 .., `count[0]` of them, then those from start[1] on, and so on."""
    before = count.cumsum(0) - count
    return (start - before).repeat_interleave(count) + torch.arange(
        int(count.sum()), device=count.device
    )
