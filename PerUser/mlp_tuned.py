"""`mlp_tuned`: the per-user network with settings that were tuned.

The same outputs as `torch` and one more input, the item baseline; trained with early stopping by
cross-validation within the user's own ratings, which also chooses how far to shrink towards the
baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from PerUser.perUser_pytorch import Networks, batches_of_users, initial_networks, layer_shapes
from recbench.contract import Recommender, Training
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings
from recbench.models.item_baseline import Start, mean_of_all, shrunk_means, starting_stars
from recbench.ratings import DEFAULT_STARS, MAX_STARS, MIN_STARS
from recbench.threads import choose_device

FEWEST = 4  # ratings of a user with whom cross-validation is tried
FOLDING = 1  # the stream of random numbers that cuts it
SMALLEST_SHARE = 1e-3  # log-odds of the start are those of shares from here to 1 − here


@dataclass(eq=False, kw_only=True)
class TunedPerUserMlp(Recommender):
    """r̂_ui = b_ui + s_u (f_u(x_i) − b_ui), f_u a multi-layer perceptron of the user's own.

    b_ui = o_i + (Σ (r − o) + κ m) / (n + κ) is the prediction without the network: o_i is the item
    baseline in stars, which is also a feature beside the movie's bits; with `start` "mean" it is 3.
    m is the mean of r − o over all training ratings.

    f_u(x) = ½ Σ_k sigmoid(z_k(x)), the expected number of half stars if z holds the log-odds of the
    thermometer's ten bits (ordinal regression: Frank & Hall 2001, "A simple approach to ordinal
    classification"). Its loss is the binary cross-entropy of the bits, minimised by full-batch
    AdamW (Loshchilov & Hutter 2019). The last layer starts at zero weights and at the log-odds of
    the user's own ratings with κ ratings of all users mixed in, so that f_u starts at their mean.

    The user's ratings are cut into folds, and for each fold a network is trained on the others. The
    number of steps t_u is the one with the least squared error on the ratings put aside (Prechelt
    1998, "Early stopping — but when?"), and with d = f − b and e = r − b on those, where b has the
    user bias of the other folds only (o and m are global, so they include all ratings),

        s_u = Σ d e / (Σ d² + c), cut to 0 .. 1.

    Then the network is trained again on all of the user's ratings, for t_u steps. For a user with
    fewer than four ratings b is predicted; without ratings, o_i + m.

    Args:
        units: of the first hidden layer; the second has half as many.
        learning_rate: of AdamW.
        weight_decay: of AdamW, on weights and not on biases.
        epochs: largest number of steps.
        patience: steps without improvement after which a user's training ends.
        damping: κ, in ratings.
        shrinkage: c, in squared stars.
        folds: parts of the cross-validation, 2 or more.
        start: o_i, "item_baseline" or "mean".
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
    """

    name: ClassVar[str] = "mlp_tuned"
    learns_from: ClassVar[str] = "user+items"
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

    units: int = 42
    learning_rate: float = 0.0096
    weight_decay: float = 3.5
    epochs: int = 200
    patience: int = 39
    damping: float = 3.9
    shrinkage: float = 6.9
    folds: int = 2
    start: Start = "item_baseline"
    device: str = "auto"

    def fit(self, training: Training) -> Self:
        train, sample, movies = training.ratings, training.sample, training.movies
        device = choose_device(self.device)
        baseline = training.item_baseline if self.start == "item_baseline" else None
        self._baseline = starting_stars(self.start, baseline, movies)  # o, (movies,)
        features = [movies.bits]
        if self.start == "item_baseline":
            features.append((self._baseline - DEFAULT_STARS)[:, None])
        # (movies, features)
        self._features = torch.from_numpy(np.concatenate(features, axis=1).astype(np.float32))
        residual = train.stars - self._baseline[train.movie]  # (ratings,)
        self._users = np.unique(train.user)
        self._otherwise = mean_of_all(sample.stars - self._baseline[sample.movie])  # m
        ones = encode_ratings(sample.stars, "half_stars").sum(axis=0, dtype=np.float64)  # (10,)
        share_of_ones = ones / max(len(sample), 1)
        self._means = shrunk_means(train.user, residual, self.damping, self._otherwise)
        self.sizes = (len(self._features.T), self.units, max(self.units // 2, 1), RATING_BITS)
        self._numbers = initial_networks(self._users, self.sizes, training.seed)  # (users, n)
        self._steps = np.zeros(len(self._users), dtype=np.int64)  # t_u
        self._scale = np.zeros(len(self._users))  # s_u
        labels = encode_ratings(train.stars, "half_stars")  # (ratings, 10)
        for batch in batches_of_users(train.user):
            fold = np.full(batch.mask.shape, -1)  # of padding and of short histories
            counts = batch.mask.sum(axis=1)
            for own, user, n in zip(fold, self._users[batch.users], counts, strict=True):
                own[:n] = self._folds(int(user), n, training.seed)

            def on_device(array: np.ndarray) -> Tensor:
                return torch.from_numpy(array).to(device)

            movie = train.movie[batch.rows]
            network, steps, scale = self._train(
                self._numbers[batch.users].to(device),
                x=self._features[movie].to(device),  # (users, ratings, features)
                y=on_device(labels[batch.rows]).float(),  # (users, ratings, 10)
                baseline=on_device(self._baseline[movie]),  # (users, ratings)
                mask=on_device(batch.mask),  # (users, ratings)
                fold=on_device(fold),  # (users, ratings)
                share_of_all=on_device(share_of_ones),  # (10,)
            )
            self._numbers[batch.users] = network.cpu()
            self._steps[batch.users], self._scale[batch.users] = steps.cpu(), scale.cpu()
        return self

    def _train(
        self,
        initial: Tensor,
        *,
        x: Tensor,
        y: Tensor,
        baseline: Tensor,
        mask: Tensor,
        fold: Tensor,
        share_of_all: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The networks [users, n], t_u and s_u [users] of a batch of users."""
        stars = y.sum(dim=2, dtype=torch.float64) / 2  # (users, ratings)
        aside = fold == torch.arange(self.folds, device=fold.device)[:, None, None]
        others = mask & ~aside  # (folds, users, ratings)

        # A network for each fold and user, all at once, which predicts the ratings put aside.
        least = torch.full((len(x),), torch.inf, dtype=torch.float64, device=x.device)
        steps, best = torch.zeros_like(least, dtype=torch.int64), torch.zeros_like(stars)
        of_folds = [one.repeat(self.folds, *[1] * (one.ndim - 1)) for one in (initial, x, y)]
        networks = Optimiser(self, *of_folds, others.flatten(0, 1), share_of_all)
        cut = (fold >= 0).any(dim=1)  # users whose history is long enough
        for step in range(self.epochs + 1):
            going_on = cut & (step - steps <= self.patience)
            if not going_on.any():
                break
            z = networks.logits()
            predicted = expected_stars(z.detach()).view(self.folds, *stars.shape)
            of_others = (predicted * aside).sum(dim=0)  # (users, ratings)
            error = ((of_others - stars) ** 2 * mask).sum(dim=1)  # (users,)
            better = going_on & (error < least)
            least[better], steps[better], best[better] = error[better], step, of_others[better]
            networks.step(z)

        residual = ((stars - baseline) * others).sum(dim=2, keepdim=True)  # (folds, users, 1)
        count = others.sum(dim=2, keepdim=True)
        bias = (residual + self.damping * self._otherwise) / (count + self.damping)
        d = (best - baseline - bias) * aside  # (folds, users, ratings)
        e = (stars - baseline - bias) * aside
        scale = (d * e).sum(dim=(0, 2)) / ((d**2).sum(dim=(0, 2)) + self.shrinkage)

        networks = Optimiser(self, initial, x, y, mask, share_of_all)
        final = torch.empty_like(initial)
        for step in range(int(steps.max()) + 1):
            done = steps == step
            final[done] = networks.networks.numbers.detach()[done]
            networks.step(networks.logits())
        return final, steps, scale.clip(0, 1)

    def _folds(self, user: int, count: int, seed: int) -> np.ndarray:
        """Number of the fold of each of a user's ratings, int64 [count]; -1 for a short history."""
        if count < FEWEST:
            return np.full(count, -1)
        generator = np.random.default_rng([seed, user, FOLDING])
        return generator.permutation(count) % self.folds

    @torch.no_grad()
    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._baseline[movie] + self._otherwise  # (n,)
        known = np.flatnonzero(np.isin(user, self._users))
        owners = np.searchsorted(self._users, np.unique(user[known]))
        for batch in batches_of_users(user[known]):
            place, rows = owners[batch.users], known[batch.rows]  # (users,) and (users, rows)
            z = Networks(self.sizes, self._numbers[place])(self._features[movie[rows]])
            f = expected_stars(z).numpy()  # (users, rows)
            b = self._baseline[movie[rows]] + self._means[place, None]
            of_batch = b + self._scale[place, None] * (f - b)
            stars[rows[batch.mask]] = of_batch[batch.mask]
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        learned = 4 * sum(rows * columns for rows, columns in layer_shapes(self.sizes))
        return len(self._users) * learned + self._means.nbytes + self._scale.nbytes

    def shared_bytes(self) -> int:
        return self._features.nbytes + self._baseline.nbytes


class Optimiser:
    """Full-batch AdamW on many networks at once, each on its own ratings.

    Args:
        model: with its settings.
        initial: float32 [networks, n], whose last layer is replaced by the start.
        x, y: float32 [networks, ratings, features] and [networks, ratings, 10].
        rows: bool [networks, ratings], the ratings to learn from.
        share_of_all: float64 [10], how often each bit is one in all training ratings.
    """

    def __init__(
        self,
        model: TunedPerUserMlp,
        initial: Tensor,
        x: Tensor,
        y: Tensor,
        rows: Tensor,
        share_of_all: Tensor,
    ) -> None:
        self.networks = Networks(model.sizes, initial.clone())
        count = rows.sum(dim=1)[:, None]  # (networks, 1)
        ones = (y * rows[:, :, None]).sum(dim=1, dtype=torch.float64)  # (networks, 10)
        share = (ones + model.damping * share_of_all) / (count + model.damping)
        with torch.no_grad():
            *_, (weight, bias) = self.networks.layers()
            weight.zero_()
            bias[:, 0] = torch.logit(share, eps=SMALLEST_SHARE).float()
        # Weighted so, a sum over all bits is the sum of each network's mean.
        self._weight = (rows / (count * RATING_BITS).clip(1))[:, :, None]
        self._x, self._y = x, y
        self._adam = torch.optim.Adam(self.networks.parameters(), model.learning_rate, fused=True)
        self._kept = 1 - model.learning_rate * model.weight_decay

    def logits(self) -> Tensor:
        """z, [networks, ratings, 10]."""
        return self.networks(self._x)

    def step(self, z: Tensor) -> None:
        """One step, from these logits."""
        loss = F.binary_cross_entropy_with_logits(z, self._y, self._weight, reduction="sum")
        self._adam.zero_grad()
        loss.backward()
        with torch.no_grad():  # the decay of AdamW, of weights and not of biases
            for weight, _ in self.networks.layers():
                weight.mul_(self._kept)
        self._adam.step()


def expected_stars(z: Tensor) -> Tensor:
    """½ Σ_k sigmoid(z_k) of logits [.., ratings, 10], float64 [.., ratings]."""
    return torch.sigmoid(z).sum(dim=-1, dtype=torch.float64) / 2
