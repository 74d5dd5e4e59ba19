"""`colab`: one neural network for all users, embeddings of users and movies beside the bits.

python Collaborative/torch_colab.py --num-users 100 --reviews-per-user 25
"""

from __future__ import annotations

EMBEDDING = 32  # numbers in the embedding of a user, and of a movie
HIDDEN = (64, 32)  # units of the hidden layers
EPOCHS = 25  # passes over all ratings
BATCH = 256  # ratings a step
LEARNING_RATE = 0.001  # of Adam

import sys
from pathlib import Path
from typing import Any, ClassVar, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs as a script, too

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recbench.command_line import run
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.ratings import Movies, Ratings
from recbench.recommender import Recommender
from recbench.runs.experiment import Experiment, print_scores, run_experiment
from recbench.threads import choose_device

USER, MOVIE, LAYERS, SHUFFLE = range(4)  # one stream of random numbers for each
ROWS_AT_ONCE = 65_536  # when predicting


# --- the network -------------------------------------------------------------------------------


class EmbeddingNetwork(nn.Module):
    """z = W₃ relu(W₂ relu(W₁ [p_u, q_i, bits_i] + b₁) + b₂) + b₃.

    Args:
        users, movies: float32 [n, 32], the embeddings p and q that it starts from.
        bits: how many a movie has.
    """

    def __init__(self, users: Tensor, movies: Tensor, bits: int) -> None:
        super().__init__()
        self.users = nn.Embedding.from_pretrained(users, freeze=False)
        self.movies = nn.Embedding.from_pretrained(movies, freeze=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * EMBEDDING + bits, HIDDEN[0]),
            nn.ReLU(),
            nn.Linear(HIDDEN[0], HIDDEN[1]),
            nn.ReLU(),
            nn.Linear(HIDDEN[1], RATING_BITS),
        )

    def forward(self, user: Tensor, movie: Tensor, bits: Tensor) -> Tensor:
        """Logits [n, 10] of rows of the embeddings (int64 [n]) and bits (float32 [n, b])."""
        return self.score(self.users(user), self.movies(movie), bits)

    def score(self, users: Tensor, movies: Tensor, bits: Tensor) -> Tensor:
        """The same of embeddings, float32 [n, 32] both."""
        return self.layers(torch.cat((users, movies, bits), dim=1))  # (n, 10)


def initial_embeddings(ids: np.ndarray, seed: int, stream: int) -> np.ndarray:
    """Standard normal float32 [n, 32], each row from (seed, stream, id) alone."""
    rows = np.empty((len(ids), EMBEDDING), dtype=np.float32)
    for row, one in zip(rows, ids, strict=True):
        generator = np.random.default_rng([seed, stream, int(one)])
        generator.standard_normal(out=row, dtype=np.float32)
    return rows


# --- the recommender ---------------------------------------------------------------------------


class TorchCollaborativeRecommender(Recommender):
    """Embeddings of user and movie with the movie's bits through a multi-layer perceptron.

    Bit k of the rating's thermometer is one where sigmoid(z_k) > 0.5, that is z_k > 0. The loss is
    the binary cross-entropy averaged over a batch's ratings × 10 bits, minimised by Adam (Kingma &
    Ba 2015) in shuffled batches; the layers are those of neural collaborative filtering (He et al.
    2017). Stars are half the number of ones, 0.5 at the least. As published, the gradients of the
    embeddings are dense: momentum moves a user also at steps that do not meet one of their ratings.

    Embeddings start from a standard normal distribution, drawn for each id from (seed, id). A user
    or movie without training ratings is predicted with that untrained embedding, as published: a
    table with a row for everybody, of which training leaves the rows it never meets as they were.
    Only the rows that are met are kept here.

    Args:
        seed: of initial weights and of the shuffling, 0 or more.
        labels: "half_stars" or "truncated", see `encode_ratings`.
        loss: "logits", or "double_sigmoid", which hands the sigmoid's outputs to a loss that
            applies the sigmoid again, as published.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
    """

    name: ClassVar[str] = "colab"
    learns_from_background: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("seed", "labels", "loss")

    def __init__(
        self,
        seed: int = 0,
        labels: str = "half_stars",
        loss: str = "logits",
        device: str = "auto",
    ) -> None:
        if loss not in ("logits", "double_sigmoid"):
            raise ValueError(f"the loss is 'logits' or 'double_sigmoid', not '{loss}'")
        self.seed = seed
        self.labels = labels
        self.loss = loss
        self.device = choose_device(device)

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._bits = torch.from_numpy(movies.bits.astype(np.float32))  # (movies, b)
        self._users, user = np.unique(train.user, return_inverse=True)
        self._movies, movie = np.unique(train.movie, return_inverse=True)
        labels = encode_ratings(train.stars, self.labels).astype(np.float32)  # (ratings, 10)
        self._network = self._initial_network().to(self.device)
        self._train(
            torch.from_numpy(user).to(self.device),
            torch.from_numpy(movie).to(self.device),
            self._bits[self._movies].to(self.device),  # (movies met, b)
            torch.from_numpy(labels).to(self.device),
        )
        self._network.cpu()
        return self

    def _initial_network(self) -> EmbeddingNetwork:
        """Embeddings as `initial_embeddings` says; layers by PyTorch's default for Linear."""
        users = torch.from_numpy(initial_embeddings(self._users, self.seed, USER))
        movies = torch.from_numpy(initial_embeddings(self._movies, self.seed, MOVIE))
        with torch.random.fork_rng(devices=[]):  # the user's own random numbers stay as they are
            torch.manual_seed(_seed_of(self.seed, LAYERS))
            return EmbeddingNetwork(users, movies, self._bits.shape[1])

    def _train(self, user: Tensor, movie: Tensor, bits: Tensor, y: Tensor) -> None:
        """Adam in shuffled batches.

        Args:
            user, movie: int64 [n], rows of the embeddings.
            bits: float32 [movies, b], of the movies embedded.
            y: float32 [n, 10], thermometers of the ratings.
        """
        adam = torch.optim.Adam(self._network.parameters(), lr=LEARNING_RATE, fused=True)
        shuffling = torch.Generator().manual_seed(_seed_of(self.seed, SHUFFLE))
        for _ in range(EPOCHS):
            order = torch.randperm(len(y), generator=shuffling).to(y.device)
            shuffled = (one[order].split(BATCH) for one in (user, movie, y))
            for of_user, of_movie, target in zip(*shuffled, strict=True):
                z = self._network(of_user, of_movie, bits[of_movie])  # (256, 10)
                scores = torch.sigmoid(z) if self.loss == "double_sigmoid" else z
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
        """Embeddings of the distinct `ids`, [distinct, 32], learned or, of the unknown, untrained;
        and for each of `ids` its row, int [n]."""
        known, learned = (
            (self._users, self._network.users)
            if stream == USER
            else (self._movies, self._network.movies)
        )
        distinct, row = np.unique(ids, return_inverse=True)
        met = np.isin(distinct, known)
        rows = torch.empty((len(distinct), EMBEDDING))
        rows[met] = learned.weight[np.searchsorted(known, distinct[met])]
        rows[~met] = torch.from_numpy(initial_embeddings(distinct[~met], self.seed, stream))
        return rows, row

    def state_bytes(self) -> int:
        return sum(4 * one.numel() for one in self._network.parameters())


def _seed_of(seed: int, stream: int) -> int:
    """A seed of PyTorch's, for one stream of a run's random numbers."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])


# --- the published experiment ------------------------------------------------------------------


def run_colab_model(
    num_users: int, reviews_per_user: int, **parameters: Any
) -> tuple[float, float]:
    """(accuracy over all test ratings, seconds to fit and predict).

    Args:
        num_users, reviews_per_user: of the sample; 0: all.
        parameters: others of `recbench.runs.experiment.Experiment`.
    """
    chosen = Experiment(num_users=num_users, reviews_per_user=reviews_per_user, **parameters)
    row = run_experiment(TorchCollaborativeRecommender, chosen)
    return row["accuracy_pooled"], row["fit_seconds"] + row["predict_seconds"]


def main(parameters: Experiment) -> None:
    print_scores(run_experiment(TorchCollaborativeRecommender, parameters))


if __name__ == "__main__":
    run(main, Experiment)
