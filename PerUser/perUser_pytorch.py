"""`torch`: one small neural network for each user, trained on that user's ratings alone.

A multi-layer perceptron 26-32-16-10: the movie's bits in, the rating's thermometer out. As
published it is trained for 25 full-batch steps, which hardly change the initial weights;
`mlp_tuned` is the same idea, trained to convergence.

    python PerUser/perUser_pytorch.py --num-users 100 --ratings-per-user 25
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also ml-1m .. ml-32m, a folder, a zip
NUM_USERS = 100  # users that are drawn at random; 0: all
REVIEWS_PER_USER = 25  # ratings of each user; 0: all
SPLIT = 0.8  # share of each user's ratings for training
PROTOCOL = "strict"  # or "published": as in the published benchmark; see --help
SEED = 0  # of the sample, the split and the initial weights
HIDDEN = (32, 16)  # units of the hidden layers
EPOCHS = 25  # steps, each over all ratings of the user
LEARNING_RATE = 0.001  # of Adam

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from recbench.command_line import read_flags, run
from recbench.runs.experiment import Experiment, print_experiment, run_experiment, settings_of


@dataclass
class Parameters(Experiment):
    """Flags of `python PerUser/perUser_pytorch.py`."""

    hidden: tuple[int, ...] = HIDDEN
    """units of the hidden layers"""
    epochs: int = EPOCHS
    """steps, each over all ratings of the user"""
    learning_rate: float = LEARNING_RATE
    """learning rate of Adam"""


DEFAULTS = Parameters(DATASET, NUM_USERS, REVIEWS_PER_USER, SPLIT, PROTOCOL, SEED)  # type: ignore[arg-type]
if __name__ == "__main__":
    GIVEN = read_flags(DEFAULTS, settings_of)  # --help ends here: what follows takes a second

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data_prep import decode_ratings, encode_ratings
from recbench.contract import Recommender, Training
from recbench.data.encodings.thermometer import RATING_BITS
from recbench.threads import choose_device

# Kernels process vectors, and the remaining numbers one by one, with other rounding. Sizes are
# multiples of the widest vector, so a user's results do not depend on the others in a batch.
WIDEST = 32  # numbers
RATINGS_AT_ONCE = 8_192  # padded ratings of a batch: its numbers stay in the processor's cache


# --- the networks ------------------------------------------------------------------------------


class Networks(nn.Module):
    """One multi-layer perceptron per user: z = W₃ relu(W₂ relu(W₁ x + b₁) + b₂) + b₃.

    The networks of U users are U rows of one matrix, so one batched product replaces U small ones.
    Adam works on each number separately, so each network learns as it would alone.

    Args:
        sizes: units of each layer, input first.
        numbers: float32 [users, n], see `initial_networks`.
    """

    def __init__(self, sizes: tuple[int, ...], numbers: Tensor) -> None:
        super().__init__()
        self.shapes = layer_shapes(sizes)
        self.numbers = nn.Parameter(numbers)  # (users, n)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [users, ratings, outputs] of the inputs x [users, ratings, inputs]."""
        *hidden, (weight, bias) = self.layers()
        for hidden_weight, hidden_bias in hidden:
            x = F.relu(torch.baddbmm(hidden_bias, x, hidden_weight))  # (users, ratings, units)
        return torch.baddbmm(bias, x, weight)  # (users, ratings, outputs)

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weight [users, inputs, outputs] and bias [users, 1, outputs] of each layer, views."""
        sizes = [rows * columns for rows, columns in self.shapes]
        parts = self.numbers.split([*sizes, self.numbers.shape[1] - sum(sizes)], dim=1)
        arrays = [
            part.view(-1, *shape) for part, shape in zip(parts[:-1], self.shapes, strict=True)
        ]
        return list(zip(arrays[::2], arrays[1::2], strict=True))


def layer_shapes(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """The shapes of weight and bias of each layer in turn."""
    return [shape for rows, columns in pairwise(sizes) for shape in ((rows, columns), (1, columns))]


def initial_networks(users: np.ndarray, sizes: tuple[int, ...], seed: int) -> Tensor:
    """PyTorch's default initialisation of Linear layers, for one network per user.

    Weights and biases of a layer with k inputs are uniform in ±1/√k. Each user's are drawn from a
    generator seeded with (seed, user): they do not depend on which other users are trained.

    Args:
        users: int [u], the users' indices, 0 or more.
        sizes: units of each layer, input first.
        seed: 0 or more.

    Returns:
        float32 [u, n]: weight [in, out] and bias [1, out] of each layer in turn, then zeros.
    """
    inputs = np.repeat(sizes[:-1], [(rows + 1) * columns for rows, columns in pairwise(sizes)])
    numbers = np.zeros((len(users), len(inputs) + -len(inputs) % WIDEST), dtype=np.float32)
    for row, user in zip(numbers, users, strict=True):
        generator = np.random.default_rng([seed, int(user)])
        drawn = generator.random(len(inputs), dtype=np.float32)
        row[: len(inputs)] = (2 * drawn - 1) / np.sqrt(inputs).astype(np.float32)
    return torch.from_numpy(numbers)


# --- many users at once ------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Users with similar numbers of ratings, padded to one length, which depends on each user's own
    number.

    Attributes:
        users: int [u], places in the sorted distinct users of the table.
        rows: int [u, r], rows of the table; padding repeats the user's first.
        mask: bool [u, r], False for padding.
    """

    users: np.ndarray
    rows: np.ndarray
    mask: np.ndarray


def batches_of_users(user: np.ndarray, ratings: int = RATINGS_AT_ONCE) -> Iterator[Batch]:
    """The rows of a table in batches of users, those of a user in the order of the table.

    Args:
        user: int [n], the owner of each row.
        ratings: largest number of padded rows in a batch, unless a single user has more.
    """
    by_user = np.argsort(user, kind="stable")
    _, first, count = np.unique(user[by_user], return_index=True, return_counts=True)
    length = np.array([_padded(int(one)) for one in count])
    for longest in np.unique(length):
        alike = np.flatnonzero(length == longest)
        at_once = max(ratings // int(longest), 1)
        for users in np.split(alike, range(at_once, len(alike), at_once)):
            place = np.arange(longest)
            mask = place < count[users, None]  # (users, ratings)
            yield Batch(users, by_user[first[users, None] + np.where(mask, place, 0)], mask)


def _padded(count: int) -> int:
    """16, 32, 48, 64, 96, 128, 192 ...: times ten bits always a multiple of `WIDEST`."""
    length = 16
    while length < count:
        power = 1 << (length.bit_length() - 1)
        length += power if length < 32 else power // 2
    return length


# --- the recommender ---------------------------------------------------------------------------


@dataclass(eq=False)
class TorchPerUserRecommender(Recommender):
    """A multi-layer perceptron per user, movie bits -> thermometer of the rating.

    Bit k of the thermometer is one where sigmoid(z_k) > 0.5, that is z_k > 0. The loss of a user is
    the binary cross-entropy averaged over their own ratings × 10 bits, minimised by full-batch Adam
    (Kingma & Ba 2015). The published loss, "double_sigmoid", passes the sigmoid's outputs to a loss
    that applies the sigmoid again. Stars are half the number of ones, at least 0.5.

    A user without training ratings has no network: the thermometer of the mean of all training
    ratings (3.0 if there are none) is predicted, and its stars.

    Args:
        hidden: units of the hidden layers.
        epochs: full-batch steps.
        learning_rate: of Adam.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
    """

    name: ClassVar[str] = "torch"
    learns_from: ClassVar[str] = "user"
    needs_bits: ClassVar[bool] = True

    hidden: tuple[int, ...] = HIDDEN
    epochs: int = EPOCHS
    learning_rate: float = LEARNING_RATE
    device: str = "auto"

    def fit(self, training: Training) -> Self:
        train, movies, labels_are = training.ratings, training.movies, training.labels
        device, mean_stars = choose_device(self.device), np.array([training.sample.mean_stars()])
        self._unknown_bits = encode_ratings(mean_stars, labels_are)  # (1, bits)
        self._features = torch.from_numpy(movies.bits.astype(np.float32))  # (movies, features)
        self._sizes = (movies.bits.shape[1], *self.hidden, RATING_BITS)
        self._users = np.unique(train.user)
        self._numbers = initial_networks(self._users, self._sizes, training.seed)  # (users, n)
        movie = torch.from_numpy(train.movie.astype(np.int64))
        labels = torch.from_numpy(encode_ratings(train.stars, labels_are)).float()  # (ratings, 10)
        for batch in batches_of_users(train.user):
            networks = Networks(self._sizes, self._numbers[batch.users].to(device))
            self._train(
                networks,
                training.loss,
                x=self._features[movie[batch.rows]].to(device),  # (users, ratings, features)
                y=labels[batch.rows].to(device),  # (users, ratings, 10)
                mask=torch.from_numpy(batch.mask).to(device),  # (users, ratings)
            )
            self._numbers[batch.users] = networks.numbers.detach().cpu()
        return self

    def _train(self, networks: Networks, loss_is: str, x: Tensor, y: Tensor, mask: Tensor) -> None:
        # Weighted so, a sum over everybody's bits is the sum of each user's mean.
        weight = (mask / (mask.sum(dim=1, keepdim=True) * RATING_BITS))[:, :, None]
        adam = torch.optim.Adam(networks.parameters(), lr=self.learning_rate, fused=True)
        for _ in range(self.epochs):
            z = networks(x)  # (users, ratings, 10)
            scores = torch.sigmoid(z) if loss_is == "double_sigmoid" else z
            loss = F.binary_cross_entropy_with_logits(scores, y, weight, reduction="sum")
            adam.zero_grad()
            loss.backward()
            adam.step()

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    @torch.no_grad()
    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]: not always a thermometer."""
        user, movie = np.asarray(user), np.asarray(movie)
        bits = np.repeat(self._unknown_bits, len(user), axis=0)  # (n, 10)
        known = np.flatnonzero(np.isin(user, self._users))
        owners = np.searchsorted(self._users, np.unique(user[known]))
        for batch in batches_of_users(user[known]):
            networks = Networks(self._sizes, self._numbers[owners[batch.users]])
            rows = known[batch.rows]  # (users, rows)
            ones = networks(self._features[movie[rows]]) > 0  # (users, rows, 10)
            bits[rows[batch.mask]] = ones.numpy()[batch.mask]
        return bits

    def state_bytes(self) -> int:
        of_user = sum(rows * columns for rows, columns in layer_shapes(self._sizes))
        return 4 * len(self._users) * of_user

    def shared_bytes(self) -> int:
        return self._features.nbytes


# --- the published experiment ------------------------------------------------------------------


def run_torch_per_user(
    num_users: int, reviews_per_user: int, split: float = 0.8, **parameters: Any
) -> tuple[float, float, float]:
    """(mean accuracy over users, median accuracy, seconds to fit and predict).

    Args:
        num_users, reviews_per_user: of the sample; 0: all.
        split: share of each user's ratings for training.
        parameters: other fields of `Parameters`.
    """
    sample: dict[str, Any] = {"num_users": num_users, "reviews_per_user": reviews_per_user}
    row = run_experiment(
        TorchPerUserRecommender, replace(DEFAULTS, **sample, split=split, **parameters)
    )
    seconds = row["fit_seconds"] + row["predict_seconds"]
    return row["accuracy_mean"], row["accuracy_median"], seconds


def main(parameters: Parameters) -> None:
    print_experiment(TorchPerUserRecommender, parameters)


if __name__ == "__main__":
    run(main, GIVEN)
