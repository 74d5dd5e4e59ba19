"""`torch`: one small neural network for each user, trained on that user's ratings alone.

A multi-layer perceptron 26-32-16-10: the movie's bits in, the rating's thermometer out. As
published it is trained for 25 full-batch steps, which hardly moves it from where it starts;
`mlp_tuned` is the same idea trained to the end.

    python PerUser/perUser_pytorch.py --num-users 100 --reviews-per-user 25
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs as a script, too

import numpy as np
import torch
from torch import Tensor

from PerUser.batched_mlp import (
    as_tensor,
    bit_loss_gradient,
    choose_device,
    forward,
    initial_parameters,
    logits_of,
    own_mean,
)
from PerUser.user_chunks import chunks_of_users
from recbench.command_line import run
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.ratings import Movies, Ratings
from recbench.recommender import Recommender
from recbench.runs.experiment import Experiment, print_scores, run_experiment
from recbench.threads import one_thread

HIDDEN = (32, 16)  # units of the hidden layers
EPOCHS = 25  # steps, each over all ratings of the user
LEARNING_RATE = 0.001  # of Adam


class TorchPerUserRecommender(Recommender):
    """A multi-layer perceptron per user, movie bits -> thermometer of the rating.

    z = W₃ relu(W₂ relu(W₁ x + b₁) + b₂) + b₃, and bit k is one where sigmoid(z_k) > 0.5. The loss
    of a user is the binary cross-entropy averaged over their own ratings × 10 bits, minimised by
    full-batch Adam (Kingma & Ba 2015). Stars are half the number of ones, 0.5 at the least.

    A user without training ratings has no network and gets the thermometer of the mean of all
    training ratings (of 3.0 where there are none), and the stars read from it.

    Args:
        seed: of the initial weights, 0 or more.
        labels: "half_stars" or "truncated", see `encode_ratings`.
        loss: "logits", or "double_sigmoid" as published, see `batched_mlp.bit_loss`.
        epochs: full-batch steps.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
    """

    name: ClassVar[str] = "torch"
    options: ClassVar[tuple[str, ...]] = ("seed", "labels", "loss")
    fitted_together: ClassVar[str] = (
        "the networks of many users are trained as one padded array, whose shape shows in last "
        "digits"
    )

    def __init__(
        self,
        seed: int = 0,
        labels: str = "half_stars",
        loss: str = "logits",
        epochs: int = EPOCHS,
        device: str = "auto",
    ) -> None:
        if loss not in ("logits", "double_sigmoid"):
            raise ValueError(f"the loss is 'logits' or 'double_sigmoid', not '{loss}'")
        self.seed = seed
        self.labels = labels
        self.loss = loss
        self.epochs = epochs
        self.device = choose_device(device)

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._bits = movies.bits
        self._users = np.unique(train.user)
        mean = np.array([train.mean_stars()])
        self._unknown_bits = encode_ratings(mean, self.labels)  # (1, bits)

        sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
        self._parameters = initial_parameters(self._users, sizes, self.seed)
        labels = encode_ratings(train.stars, self.labels)
        with one_thread():
            for chunk in chunks_of_users(train.user):
                x = as_tensor(movies.bits[train.movie[chunk.rows]], self.device)
                y = as_tensor(labels[chunk.rows], self.device)  # (users, ratings, 10)
                weight = own_mean(as_tensor(chunk.mask[:, :, None], self.device), RATING_BITS)
                start = [parameter[chunk.users].to(self.device) for parameter in self._parameters]
                trained = self._train(start, x, y, weight)
                for parameter, learned in zip(self._parameters, trained, strict=True):
                    parameter[chunk.users] = learned.cpu()
        return self

    def _train(
        self, parameters: list[Tensor], x: Tensor, y: Tensor, weight: Tensor
    ) -> list[Tensor]:
        """The parameters [users, ...] after `epochs` steps. `weight` is zero for padding."""
        for parameter in parameters:
            parameter.requires_grad_()
        # Adam works on each weight by itself: on all users' stacked it does what it does on each.
        optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
        for _ in range(self.epochs):
            optimiser.zero_grad()
            logits = forward(parameters, x)
            logits.backward(bit_loss_gradient(logits.detach(), y, weight, self.loss))
            optimiser.step()
        return [parameter.detach() for parameter in parameters]

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]: not always a thermometer."""
        user, movie = np.asarray(user), np.asarray(movie)
        bits = np.repeat(self._unknown_bits, len(user), axis=0)  # (rows, 10)
        known = np.isin(user, self._users)
        z = logits_of(
            self._parameters, self._users, self._bits, user[known], movie[known], device=self.device
        )
        bits[known] = torch.sigmoid(torch.from_numpy(z)) > 0.5
        return bits

    def state_bytes(self) -> int:
        return sum(parameter.numel() * parameter.element_size() for parameter in self._parameters)


# --- the published experiment ------------------------------------------------------------------


def run_torch_per_user(
    num_users: int, reviews_per_user: int, split: float = 0.8, **parameters: Any
) -> tuple[float, float, float]:
    """(mean accuracy over users, median accuracy, seconds to fit and predict).

    Args:
        num_users, reviews_per_user: of the sample; 0: all.
        split: the part of each user's ratings to train on.
        parameters: others of `recbench.runs.experiment.Experiment`.
    """
    chosen = Experiment(
        num_users=num_users, reviews_per_user=reviews_per_user, split=split, **parameters
    )
    row = run_experiment(TorchPerUserRecommender, chosen)
    seconds = row["fit_seconds"] + row["predict_seconds"]
    return row["accuracy_mean"], row["accuracy_median"], seconds


def main(parameters: Experiment) -> None:
    print_scores(run_experiment(TorchPerUserRecommender, parameters))


if __name__ == "__main__":
    run(main, Experiment)
