"""`colab`: one neural network for all users, on embeddings of users and movies and on movie bits.

python Collaborative/torch_colab.py --num-users 100 --ratings-per-user 25
"""

from __future__ import annotations

# What most people change; each is the default of the flag of that name.
DATASET = "auto"  # Kaggle's if available, else ml-100k; also ml-1m .. ml-32m, a folder, a zip
NUM_USERS = 100  # users that are drawn at random; 0: all
REVIEWS_PER_USER = 25  # ratings of each user; 0: all
SPLIT = 0.8  # share of the ratings for training
PROTOCOL = "strict"  # or "published": as in the published benchmark; see --help
SEED = 0  # of the sample, the split, the initial weights and the shuffling
EMBEDDING = 32  # numbers in the embedding of a user, and of a movie
HIDDEN = (64, 32)  # units of the hidden layers
EPOCHS = 25  # passes over all ratings
BATCH = 256  # ratings a step
LEARNING_RATE = 0.001  # of Adam

import sys
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script: find the project

from recbench.command_line import read_flags, run
from recbench.runs.experiment import Experiment, print_experiment, run_experiment, settings_of


@dataclass
class Parameters(Experiment):
    """Flags of `python Collaborative/torch_colab.py`."""

    embedding: int = EMBEDDING
    """length of the embeddings of users and movies"""
    hidden: tuple[int, ...] = HIDDEN
    """units of the hidden layers"""
    epochs: int = EPOCHS
    """passes over all ratings"""
    batch: int = BATCH
    """ratings per step"""
    learning_rate: float = LEARNING_RATE
    """learning rate of Adam"""


DEFAULTS = Parameters(DATASET, NUM_USERS, REVIEWS_PER_USER, SPLIT, PROTOCOL, SEED)  # type: ignore[arg-type]
if __name__ == "__main__":
    FLAGS = read_flags(DEFAULTS, settings_of)  # --help ends here: what follows takes a second

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data_prep import decode_ratings, encode_ratings
from recbench.contract import Recommender, Training
from recbench.data.encodings.thermometer import RATING_BITS
from recbench.threads import choose_device

USER, MOVIE, LAYERS, SHUFFLE = range(4)  # one stream of random numbers for each
ROWS_AT_ONCE = 65_536  # when predicting


# --- the network -------------------------------------------------------------------------------


class EmbeddingNetwork(nn.Module):
    """z = W₃ relu(W₂ relu(W₁ [p_u, q_i, bits_i] + b₁) + b₂) + b₃.

    Args:
        users, movies: float32 [n, embedding], initial p and q.
        bits: number of bits of a movie.
        hidden: units of the hidden layers.
    """

    def __init__(
        self, users: Tensor, movies: Tensor, bits: int, hidden: tuple[int, ...] = HIDDEN
    ) -> None:
        super().__init__()
        self.users = nn.Embedding.from_pretrained(users, freeze=False)
        self.movies = nn.Embedding.from_pretrained(movies, freeze=False)
        sizes = (2 * users.shape[1] + bits, *hidden, RATING_BITS)
        layers = [layer for pair in pairwise(sizes) for layer in (nn.Linear(*pair), nn.ReLU())]
        self.layers = nn.Sequential(*layers[:-1])  # no ReLU behind the last

    def forward(self, user: Tensor, movie: Tensor, bits: Tensor) -> Tensor:
        """Logits [n, 10] of rows of the embeddings (int64 [n]) and bits (float32 [n, b])."""
        return self.score(self.users(user), self.movies(movie), bits)

    def score(self, users: Tensor, movies: Tensor, bits: Tensor) -> Tensor:
        """The same, from embeddings, float32 [n, embedding] each."""
        return self.layers(torch.cat((users, movies, bits), dim=1))  # (n, 10)


def initial_embeddings(ids: np.ndarray, size: int, seed: int, stream: int) -> np.ndarray:
    """Standard normal float32 [n, size], each row drawn from (seed, stream, id) only."""
    rows = np.empty((len(ids), size), dtype=np.float32)
    for row, one in zip(rows, ids, strict=True):
        generator = np.random.default_rng([seed, stream, int(one)])
        generator.standard_normal(out=row, dtype=np.float32)
    return rows


# --- the recommender ---------------------------------------------------------------------------


@dataclass(eq=False)
class TorchCollaborativeRecommender(Recommender):
    """Embeddings of user and movie with the movie's bits through a multi-layer perceptron.

    Bit k of the rating's thermometer is one where sigmoid(z_k) > 0.5, that is z_k > 0. The loss is
    the binary cross-entropy averaged over a batch's ratings × 10 bits, minimised by Adam (Kingma &
    Ba 2015) in shuffled batches; the layers are those of neural collaborative filtering (He et al.
    2017). Stars are half the number of ones, at least 0.5. As published, the gradients of the
    embeddings are dense, so momentum moves a user even at steps without their ratings.

    Embeddings start from a standard normal distribution, drawn for each id from (seed, id). A user
    or movie without training ratings keeps this initial embedding in predictions, as in the
    published table with a row for everybody. Only the rows of ids in the training ratings are
    stored here.

    Args:
        embedding, hidden, epochs, batch, learning_rate: see `Parameters`.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
    """

    name: ClassVar[str] = "colab"
    learns_from: ClassVar[str] = "all"

    embedding: int = EMBEDDING
    hidden: tuple[int, ...] = HIDDEN
    epochs: int = EPOCHS
    batch: int = BATCH
    learning_rate: float = LEARNING_RATE
    device: str = "auto"

    def fit(self, training: Training) -> Self:
        train, loss = training.all_ratings, training.loss
        if loss not in ("logits", "double_sigmoid"):
            raise ValueError(f"the loss is 'logits' or 'double_sigmoid', not '{loss}'")
        self._seed, device = training.seed, choose_device(self.device)
        self._bits = torch.from_numpy(training.movies.bits.astype(np.float32))  # (movies, b)
        self._users, user = np.unique(train.user, return_inverse=True)
        self._movies, movie = np.unique(train.movie, return_inverse=True)
        labels = encode_ratings(train.stars, training.labels).astype(np.float32)  # (ratings, 10)
        self._network = self._initial_network().to(device)
        self._train(
            torch.from_numpy(user).to(device),
            torch.from_numpy(movie).to(device),
            self._bits[self._movies].to(device),  # (movies met, b)
            torch.from_numpy(labels).to(device),
            loss == "double_sigmoid",
        )
        self._network.cpu()
        return self

    def _initial_network(self) -> EmbeddingNetwork:
        """Embeddings as `initial_embeddings` says; layers by PyTorch's default for Linear."""
        users = self._drawn(self._users, USER)
        movies = self._drawn(self._movies, MOVIE)
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers are unaffected
            torch.manual_seed(_seed_of(self._seed, LAYERS))
            return EmbeddingNetwork(users, movies, self._bits.shape[1], self.hidden)

    def _drawn(self, ids: np.ndarray, stream: int) -> Tensor:
        return torch.from_numpy(initial_embeddings(ids, self.embedding, self._seed, stream))

    def _train(
        self, user: Tensor, movie: Tensor, bits: Tensor, y: Tensor, double_sigmoid: bool
    ) -> None:
        """Adam in shuffled batches of rows of the embeddings, [n], and thermometers, [n, 10]. The
        published loss applies the sigmoid again to the outputs of a sigmoid."""
        adam = torch.optim.Adam(self._network.parameters(), lr=self.learning_rate, fused=True)
        shuffling = torch.Generator().manual_seed(_seed_of(self._seed, SHUFFLE))
        for _ in range(self.epochs):
            order = torch.randperm(len(y), generator=shuffling).to(y.device)
            shuffled = (one[order].split(self.batch) for one in (user, movie, y))
            for of_user, of_movie, target in zip(*shuffled, strict=True):
                z = self._network(of_user, of_movie, bits[of_movie])  # (batch, 10)
                scores = torch.sigmoid(z) if double_sigmoid else z
                loss = F.binary_cross_entropy_with_logits(scores, target)
                adam.zero_grad()
                loss.backward()
                adam.step()

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    @torch.no_grad()
    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]: not always a thermometer."""
        users, of_user = self._embeddings(USER, np.asarray(user))
        movies, of_movie = self._embeddings(MOVIE, np.asarray(movie))
        bits = self._bits[np.unique(movie)]  # in the order of the rows of `movies`
        ones = np.empty((len(of_user), RATING_BITS), dtype=np.uint8)
        for start in range(0, len(ones), ROWS_AT_ONCE):
            u, i = (one[start : start + ROWS_AT_ONCE] for one in (of_user, of_movie))
            ones[start : start + len(u)] = self._network.score(users[u], movies[i], bits[i]) > 0
        return ones

    def _embeddings(self, stream: int, ids: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Embeddings of the distinct `ids`, [distinct, embedding], untrained for unknown ids; and
        the row of each of `ids`, int [n]."""
        known, learned = (
            (self._users, self._network.users)
            if stream == USER
            else (self._movies, self._network.movies)
        )
        distinct, row = np.unique(ids, return_inverse=True)
        met = np.isin(distinct, known)
        rows = torch.empty((len(distinct), self.embedding))
        rows[met] = learned.weight[np.searchsorted(known, distinct[met])]
        rows[~met] = self._drawn(distinct[~met], stream)
        return rows, row

    def state_bytes(self) -> int:
        return self._network.users.weight.nbytes

    def shared_bytes(self) -> int:
        learned = sum(one.nbytes for one in self._network.parameters())
        return learned - self.state_bytes() + self._bits.nbytes


def _seed_of(seed: int, stream: int) -> int:
    """The PyTorch seed of one stream of random numbers."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])


# --- the published experiment ------------------------------------------------------------------


def run_colab_model(
    num_users: int, reviews_per_user: int, **parameters: Any
) -> tuple[float, float]:
    """(accuracy over all test ratings, seconds to fit and predict).

    Args:
        num_users, reviews_per_user: of the sample; 0: all.
        parameters: other fields of `Parameters`.
    """
    parameters |= {"num_users": num_users, "reviews_per_user": reviews_per_user}
    row = run_experiment(TorchCollaborativeRecommender, replace(DEFAULTS, **parameters))
    return row["accuracy_pooled"], row["fit_seconds"] + row["predict_seconds"]


def main(parameters: Parameters) -> None:
    print_experiment(TorchCollaborativeRecommender, parameters)


if __name__ == "__main__":
    run(main, FLAGS)
