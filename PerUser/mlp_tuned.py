"""`mlp_tuned`: the per-user network with settings that were tuned.

The same outputs as `torch` and one more input, the item baseline; trained with early stopping by
cross-validation within the user's own ratings, and shrunk towards the baseline as those show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from PerUser.batched_mlp import (
    as_tensor,
    bit_loss,
    choose_device,
    forward,
    initial_parameters,
    logits_of,
    own_mean,
)
from PerUser.shrunk_means import shrunk_means
from PerUser.user_chunks import chunks_of_users
from recbench.data.encodings.thermometer import RATING_BITS, encode_ratings
from recbench.item_baseline import ItemBaseline, Start, starting_stars
from recbench.ratings import DEFAULT_STARS, MAX_STARS, MIN_STARS, Movies, Ratings
from recbench.recommender import Recommender
from recbench.threads import one_thread

FEWEST = 4  # ratings of a user with whom cross-validation is tried
CELLS_PER_CHUNK = 2_048  # few: a chunk is trained until the last of its users has enough
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
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
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
        device: str = "auto",
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
        self.device = choose_device(device)

    def fit(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> Self:
        self._level = starting_stars(self.start, item_baseline, movies)  # o, (movies,)
        self._features = movies.bits  # (movies, features)
        if self.start == "item_baseline":
            self._features = np.column_stack((movies.bits, self._level - DEFAULT_STARS))
        residual = train.stars - self._level[train.movie]  # (ratings,)
        self._users = np.unique(train.user)
        self._means, self._otherwise = shrunk_means(train.user, residual, self.damping)
        self._scale = np.zeros(len(self._users))  # s_u

        sizes = (self._features.shape[1], self.units, max(self.units // 2, 1), RATING_BITS)
        self._parameters = initial_parameters(self._users, sizes, self.seed)
        labels = encode_ratings(train.stars, "half_stars")
        shares = labels.mean(axis=0) if len(train) else np.zeros(RATING_BITS)
        self._of_all = as_tensor(shares, self.device)  # (10,), how often each bit is one
        with one_thread():
            for chunk in chunks_of_users(train.user, CELLS_PER_CHUNK):
                x = as_tensor(self._features[train.movie[chunk.rows]], self.device)
                level = as_tensor(self._level[train.movie[chunk.rows]], self.device)
                y = as_tensor(labels[chunk.rows], self.device)  # (users, ratings, 10)
                mask = as_tensor(chunk.mask[:, :, None], self.device)  # (users, ratings, 1)
                fold = self._folds(self._users[chunk.users], chunk.mask)  # (users, ratings)
                drawn = [parameter[chunk.users].to(self.device) for parameter in self._parameters]
                steps, s = self._cross_validate(drawn, x, y, level, mask, fold)
                start = self._start(drawn, y, mask)
                learned = self._parameters_after(steps, start, x, y, mask)

                self._scale[chunk.users] = s.cpu().numpy()
                for parameter, of_chunk in zip(self._parameters, learned, strict=True):
                    parameter[chunk.users] = of_chunk.cpu()
        return self

    def _folds(self, users: np.ndarray, mask: np.ndarray) -> Tensor:
        """Which fold a rating is in, int64 [users, ratings]; -1 for padding and short histories."""
        fold = np.full(mask.shape, -1)
        for place, (user, count) in enumerate(zip(users, mask.sum(axis=1), strict=True)):
            if count >= FEWEST:
                generator = np.random.default_rng([self.seed, int(user), FOLDING])
                fold[place, :count] = generator.permutation(count) % self.folds
        return torch.from_numpy(fold).to(self.device)

    def _start(self, drawn: list[Tensor], y: Tensor, mask: Tensor) -> list[Tensor]:
        """Copies of the parameters `drawn`, with the last layer at the ratings in `mask`."""
        count = mask.sum(dim=1, keepdim=True)  # (users, 1, 1)
        ones = (y * mask).sum(dim=1, keepdim=True)  # (users, 1, 10)
        share = (ones + self.damping * self._of_all) / (count + self.damping)
        hidden = [parameter.clone() for parameter in drawn[:-2]]
        return [*hidden, torch.zeros_like(drawn[-2]), torch.logit(share, eps=1e-3)]

    def _cross_validate(
        self,
        drawn: list[Tensor],
        x: Tensor,
        y: Tensor,
        level: Tensor,
        mask: Tensor,
        fold: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """t_u, int64 [users], and s_u, [users]; `level` is o, [users, ratings]."""
        users, folds = len(x), self.folds
        aside = fold == torch.arange(folds, device=self.device)[:, None, None]
        aside = aside.float()  # (folds, users, ratings); each rating is put aside once

        # One network for each fold and user: as many users as there are folds times users.
        x, y = x.repeat(folds, 1, 1), y.repeat(folds, 1, 1)  # (folds * users, ratings, ...)
        kept = mask.repeat(folds, 1, 1) * (1 - aside.flatten(0, 1)[:, :, None])
        start = self._start([p.repeat(folds, 1, 1) for p in drawn], y, kept)
        stars = y[:users].sum(dim=2) / 2  # (users, ratings)

        best_error = torch.full((users,), torch.inf, device=self.device)
        best_step = torch.zeros(users, dtype=torch.int64, device=self.device)
        best = torch.zeros_like(stars)
        training = (fold >= 0).any(dim=1)
        for step, z in enumerate(self._train(start, x, y, kept)):
            f = torch.sigmoid(z).sum(dim=2).view_as(aside) / 2  # (folds, users, ratings)
            f = (f * aside).sum(dim=0)  # (users, ratings), each by the network that never saw it
            error = ((f - stars).square() * (fold >= 0)).sum(dim=1)  # (users,)
            better = training & (error < best_error)
            best_error = torch.where(better, error, best_error)
            best_step[better] = step
            best = torch.where(better[:, None], f, best)
            training &= step - best_step < self.patience
            if not training.any():
                break
        kept = mask[:, :, 0] * (1 - aside)  # (folds, users, ratings)
        residual = (kept * (stars - level)).sum(dim=2, keepdim=True)  # (folds, users, 1)
        user_bias = (residual + self.damping * self._otherwise) / (
            kept.sum(dim=2, keepdim=True) + self.damping
        )
        without = level + (aside * user_bias).sum(dim=0)  # (users, ratings), b
        d, e = (best - without) * (fold >= 0), (stars - without) * (fold >= 0)
        s = (d * e).sum(dim=1) / (d.square().sum(dim=1) + self.shrinkage)
        return best_step, s.clamp(0, 1)

    def _parameters_after(
        self, steps: Tensor, start: list[Tensor], x: Tensor, y: Tensor, mask: Tensor
    ) -> list[Tensor]:
        """The parameters of each user after as many steps as `steps` says."""
        learned = [torch.empty_like(parameter) for parameter in start]
        last = int(steps.max())
        for step, _ in enumerate(self._train(start, x, y, mask)):
            done = steps == step
            for of_user, parameter in zip(learned, start, strict=True):
                of_user[done] = parameter.detach()[done]
            if step == last:
                break
        return learned

    def _train(
        self, parameters: list[Tensor], x: Tensor, y: Tensor, mask: Tensor
    ) -> Iterator[Tensor]:
        """Trains `parameters` in place; gives the logits after 0, 1, 2 ... `epochs` steps."""
        for parameter in parameters:
            parameter.requires_grad_()
        weights, biases = parameters[::2], parameters[1::2]
        groups = [
            {"params": weights, "weight_decay": self.weight_decay},
            {"params": biases, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=self.learning_rate, fused=True)
        weight = own_mean(mask, RATING_BITS)
        for step in range(self.epochs + 1):
            logits = forward(parameters, x)  # (users, ratings, 10)
            yield logits.detach()
            if step < self.epochs:
                optimiser.zero_grad()
                (bit_loss(logits, y, "logits") * weight).sum().backward()
                optimiser.step()

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        user, movie = np.asarray(user), np.asarray(movie)
        stars = self._level[movie] + self._otherwise  # (n,)
        known = np.isin(user, self._users)
        asked = user[known], movie[known]
        z = logits_of(
            self._parameters, self._users, self._features, *asked, device=self.device
        )  # (rows, 10)
        f = torch.sigmoid(torch.from_numpy(z)).numpy().sum(axis=1) / 2  # (rows,)
        whose = np.searchsorted(self._users, user[known])
        without = self._level[movie[known]] + self._means[whose]  # b, (rows,)
        stars[known] = without + self._scale[whose] * (f - without)
        return stars.clip(MIN_STARS, MAX_STARS).astype(np.float32)

    def state_bytes(self) -> int:
        networks = sum(p.numel() * p.element_size() for p in self._parameters)
        return networks + self._means.nbytes + self._scale.nbytes
