"""`colab`: one neural network for all users, embeddings of users and movies beside the bits.

python Collaborative/torch_colab.py --num-users 100 --reviews-per-user 25
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs as a script, too

import numpy as np
import torch
import torch._dynamo  # the first Adam imports it: over a second that would pass for training
import torch.nn.functional as F
from torch import Tensor

from recbench.command_line import run
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.ratings import Movies, Ratings
from recbench.recommender import Recommender
from recbench.runs.experiment import Experiment, print_scores, run_experiment
from recbench.threads import one_thread

EMBEDDING = 32  # numbers in the embedding of a user, and of a movie
HIDDEN = (64, 32)  # units of the hidden layers
EPOCHS = 25  # passes over all ratings
BATCH = 256  # ratings a step
LEARNING_RATE = 0.001  # of Adam

USER, MOVIE, LAYERS, SHUFFLE = range(4)  # one stream of random numbers for each


class TorchCollaborativeRecommender(Recommender):
    """Embeddings of user and movie with the movie's bits through a multi-layer perceptron.

    x = [p_u, q_i, bits_i], z = W₃ relu(W₂ relu(W₁ x + b₁) + b₂) + b₃, and bit k of the rating's
    thermometer is one where sigmoid(z_k) > 0.5. The loss is the binary cross-entropy averaged over
    a batch's ratings × 10 bits, minimised by Adam (Kingma & Ba 2015) in shuffled batches; the
    layers are those of neural collaborative filtering (He et al. 2017). Stars are half the number
    of ones, 0.5 at the least.

    Embeddings start from a standard normal distribution, drawn for each id from (seed, id). A user
    or movie without training ratings is predicted with that untrained embedding, as published: a
    table with a row for everybody, of which training leaves the rows it never meets as they were.
    Only the rows that are met are kept here.

    Args:
        seed: of initial weights and of the shuffling, 0 or more. On a CPU the same seed gives the
            same result; on a GPU sums are taken in any order.
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
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._bits = movies.bits
        self._users, user = np.unique(train.user, return_inverse=True)
        self._movies, movie = np.unique(train.movie, return_inverse=True)
        self._user_embedding = self._initial_embedding(USER, self._users).to(self.device)
        self._movie_embedding = self._initial_embedding(MOVIE, self._movies).to(self.device)
        self._layers = self._initial_layers(2 * EMBEDDING + movies.bits.shape[1])
        with one_thread():
            self._train(
                torch.from_numpy(user).to(self.device),
                torch.from_numpy(movie).to(self.device),
                self._tensor(movies.bits[self._movies]),
                self._tensor(encode_ratings(train.stars, self.labels)),
            )
        return self

    def _train(self, user: Tensor, movie: Tensor, bits: Tensor, y: Tensor) -> None:
        """Adam in shuffled batches.

        Args:
            user, movie: int64 [n], rows of the embeddings.
            bits: [movies, b], of the movies embedded.
            y: [n, 10], thermometers of the ratings.
        """
        parameters = [self._user_embedding, self._movie_embedding, *self._layers]
        for parameter in parameters:
            parameter.requires_grad_()
        optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
        shuffling = np.random.default_rng([self.seed, SHUFFLE])
        for _ in range(EPOCHS):
            order = torch.from_numpy(shuffling.permutation(len(y))).to(self.device)
            for batch in order.split(BATCH):
                optimiser.zero_grad()
                whose, what = user[batch], movie[batch]
                z = self._logits(
                    F.embedding(whose, self._user_embedding),
                    F.embedding(what, self._movie_embedding),
                    bits[what],
                )
                scores = torch.sigmoid(z) if self.loss == "double_sigmoid" else z
                F.binary_cross_entropy_with_logits(scores, y[batch]).backward()
                optimiser.step()
        for parameter in parameters:
            parameter.requires_grad_(False)

    def _logits(self, user_embedding: Tensor, movie_embedding: Tensor, bits: Tensor) -> Tensor:
        x = torch.cat((user_embedding, movie_embedding, bits), dim=1)  # (rows, 32 + 32 + bits)
        first, first_bias, second, second_bias, last, last_bias = self._layers
        x = F.relu(torch.addmm(first_bias, x, first))  # (rows, 64)
        x = F.relu(torch.addmm(second_bias, x, second))  # (rows, 32)
        return torch.addmm(last_bias, x, last)  # (rows, 10)

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]: not always a thermometer."""
        user, movie = np.asarray(user), np.asarray(movie)
        with one_thread():
            z = self._logits(
                self._embedding(USER, self._users, self._user_embedding, user),
                self._embedding(MOVIE, self._movies, self._movie_embedding, movie),
                self._tensor(self._bits[movie]),
            )
            return (torch.sigmoid(z) > 0.5).cpu().numpy().astype(np.uint8)

    def _embedding(self, stream: int, known: np.ndarray, table: Tensor, ids: np.ndarray) -> Tensor:
        """The embeddings of `ids`, [n, 32]: from `table` if `known`, else untrained."""
        distinct, place = np.unique(ids, return_inverse=True)
        rows = self._initial_embedding(stream, distinct).to(self.device)  # (distinct, 32)
        met = np.isin(distinct, known)
        rows[met] = table[np.searchsorted(known, distinct[met])]
        return rows[place]  # (rows, 32)

    def _initial_embedding(self, stream: int, ids: np.ndarray) -> Tensor:
        """Standard normal [ids, 32], each row from (seed, id) alone."""
        rows = np.empty((len(ids), EMBEDDING), dtype=np.float32)
        for place, one in enumerate(ids):
            generator = np.random.default_rng([self.seed, stream, int(one)])
            generator.standard_normal(out=rows[place], dtype=np.float32)
        return torch.from_numpy(rows)

    def _initial_layers(self, inputs: int) -> list[Tensor]:
        """PyTorch's default for Linear: weights [in, out] and biases uniform in ±1/√in."""
        generator = np.random.default_rng([self.seed, LAYERS])
        sizes = (inputs, *HIDDEN, RATING_BITS)
        layers = []
        for rows, columns in pairwise(sizes):
            for shape in ((rows, columns), (columns,)):
                drawn = generator.uniform(-(rows**-0.5), rows**-0.5, shape)
                layers.append(self._tensor(drawn))
        return layers

    def state_bytes(self) -> int:
        tensors = (self._user_embedding, self._movie_embedding, *self._layers)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.astype(np.float32)).to(self.device)


# --- the published experiment ------------------------------------------------------------------


def run_colab_model(
    num_users: int, reviews_per_user: int, **parameters: object
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
