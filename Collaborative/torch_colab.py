"""`colab`: one neural network for all users, embeddings of users and movies beside the bits.

python Collaborative/torch_colab.py --num-users 100 --reviews-per-user 25
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs as a script, too

import numpy as np

from Collaborative.embedding_network import Training, compile_kernels, probabilities
from recbench.command_line import run
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.device import choose_device
from recbench.matrix_product import LANES
from recbench.perceptron import filled_up
from recbench.ratings import Movies, Ratings
from recbench.recommender import Recommender
from recbench.runs.experiment import Experiment, print_scores, run_experiment

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

    On a CPU it is trained by kernels of our own (`Collaborative.embedding_network`): the same seed
    gives the same bits on every processor, which PyTorch's do not. On a GPU PyTorch trains it, and
    sums are taken in any order.

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
        compile_kernels()  # here, so that it does not pass for training

    def fit(self, train: Ratings, movies: Movies) -> Self:
        self._bits = movies.bits.astype(np.float32)
        self._users, user = np.unique(train.user, return_inverse=True)
        self._movies, movie = np.unique(train.movie, return_inverse=True)
        layers = self._initial_layers(2 * EMBEDDING + movies.bits.shape[1])
        self._parameters = (
            self._initial_embedding(USER, self._users),
            self._initial_embedding(MOVIE, self._movies),
            *(filled_up(np.atleast_2d(one)) for one in layers),
        )
        labels = encode_ratings(train.stars, self.labels)  # (ratings, 10)
        self._train(user, movie, self._bits[self._movies], labels)
        return self

    def _train(
        self, user: np.ndarray, movie: np.ndarray, bits: np.ndarray, labels: np.ndarray
    ) -> None:
        """Adam in shuffled batches.

        Args:
            user, movie: int [n], rows of the embeddings.
            bits: float32 [movies, b], of the movies embedded.
            labels: uint8 [n, 10], thermometers of the ratings.
        """
        training = self._training()(
            self._parameters,
            user,
            movie,
            bits,
            labels,
            double_sigmoid=self.loss == "double_sigmoid",
            learning_rate=LEARNING_RATE,
        )
        shuffling = np.random.default_rng([self.seed, SHUFFLE])
        for _ in range(EPOCHS):
            training.epoch(shuffling.permutation(len(labels)), BATCH)
        self._parameters = training.parameters()

    def _training(self) -> Any:
        if self.device == "cpu":
            return Training
        from Collaborative.embedding_network_gpu import GpuTraining  # needs PyTorch

        return GpuTraining

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]: not always a thermometer."""
        users, whose = self._embeddings(USER, self._users, np.asarray(user))
        movies, what = self._embeddings(MOVIE, self._movies, np.asarray(movie))
        asked = np.unique(movie)  # in the order of the rows of `movies`
        parameters = (users, movies, *self._parameters[2:])
        ones = probabilities(parameters, whose, what, self._bits[asked]) > 0.5  # (rows, 16)
        return ones[:, :RATING_BITS].astype(np.uint8)

    def _embeddings(
        self, stream: int, known: np.ndarray, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings of the distinct `ids`, [distinct, 32], learned if `known`, else untrained; and
        for each of `ids` its row, int [n]."""
        distinct, place = np.unique(ids, return_inverse=True)
        rows = self._initial_embedding(stream, distinct)
        met = np.isin(distinct, known)
        rows[met] = self._parameters[stream][np.searchsorted(known, distinct[met])]
        return rows, place

    def _initial_embedding(self, stream: int, ids: np.ndarray) -> np.ndarray:
        """Standard normal float32 [ids, 32], each row from (seed, id) alone."""
        rows = np.empty((len(ids), EMBEDDING), dtype=np.float32)
        for place, one in enumerate(ids):
            generator = np.random.default_rng([self.seed, stream, int(one)])
            generator.standard_normal(out=rows[place], dtype=np.float32)
        return rows

    def _initial_layers(self, inputs: int) -> list[np.ndarray]:
        """PyTorch's default for Linear: weights [in, out] and biases uniform in ±1/√in."""
        generator = np.random.default_rng([self.seed, LAYERS])
        sizes = (inputs, *HIDDEN, RATING_BITS)
        return [
            generator.uniform(-(rows**-0.5), rows**-0.5, shape).astype(np.float32)
            for rows, columns in pairwise(sizes)
            for shape in ((rows, columns), (columns,))
        ]

    def state_bytes(self) -> int:
        filled = (LANES - RATING_BITS) * 4 * (self._parameters[-2].shape[0] + 1)
        return sum(one.nbytes for one in self._parameters) - filled


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
