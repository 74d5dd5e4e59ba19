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

from PerUser import small_networks
from PerUser.initial_networks import initial_networks
from recbench.command_line import run
from recbench.data.encodings.thermometer import RATING_BITS, decode_ratings, encode_ratings
from recbench.device import choose_device
from recbench.item_baseline import ItemBaseline
from recbench.ratings import Movies, Ratings
from recbench.recommender import OfAll, Recommender
from recbench.runs.experiment import Experiment, print_scores, run_experiment
from recbench.three_layers import filled_up_network

HIDDEN = (32, 16)  # units of the hidden layers
EPOCHS = 25  # steps, each over all ratings of the user
LEARNING_RATE = 0.001  # of Adam

Networks = tuple[np.ndarray, ...]  # see `PerUser.small_networks`


class TorchPerUserRecommender(Recommender):
    """A multi-layer perceptron per user, movie bits -> thermometer of the rating.

    z = W₃ relu(W₂ relu(W₁ x + b₁) + b₂) + b₃, and bit k is one where sigmoid(z_k) > 0.5. The loss
    of a user is the binary cross-entropy averaged over their own ratings × 10 bits, minimised by
    full-batch Adam (Kingma & Ba 2015). Stars are half the number of ones, 0.5 at the least.

    A user without training ratings has no network and gets the thermometer of the mean of all
    training ratings (of 3.0 where there are none), and the stars read from it.

    On a CPU it is trained by kernels of our own (`PerUser.small_networks`): the same seed
    gives the same bits on every processor, which PyTorch's do not. On a GPU PyTorch trains it, and
    sums are taken in any order.

    Args:
        seed: of the initial weights, 0 or more.
        labels: "half_stars" or "truncated", see `encode_ratings`.
        loss: "logits", or "double_sigmoid", which hands the sigmoid's outputs to a loss that
            applies the sigmoid again, as published.
        epochs: full-batch steps.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
    """

    name: ClassVar[str] = "torch"
    options: ClassVar[tuple[str, ...]] = ("seed", "labels", "loss")
    fitted_together: str = ""  # type: ignore[misc]

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
        if self.device != "cpu":
            self.fitted_together = "a GPU takes sums in any order, by how many users there are"
        small_networks.compile_kernels()  # here, so that it does not pass for training

    def fit(self, train: Ratings, movies: Movies, of_all: OfAll | None = None) -> Self:
        of_all = of_all or self.of_all_users(train, movies)
        self._unknown_bits = encode_ratings(of_all["mean_stars"], self.labels)  # (1, bits)
        self._features = movies.bits.astype(np.float32)
        self._users = np.unique(train.user)
        sizes = (movies.bits.shape[1], *HIDDEN, RATING_BITS)
        drawn = initial_networks(self._users, sizes, self.seed)
        self._learned = sum(one.nbytes for one in drawn)  # the others stay zero
        labels = encode_ratings(train.stars, self.labels)  # (ratings, 10)
        train_on = self._train if self.device == "cpu" else self._train_on_gpu
        self._networks = train_on(
            drawn,
            train.user,
            train.movie,
            self._features,
            labels,
            epochs=self.epochs,
            learning_rate=LEARNING_RATE,
            double_sigmoid=self.loss == "double_sigmoid",
        )
        return self

    @staticmethod
    def _train(drawn: list[np.ndarray], *data: np.ndarray, **settings: Any) -> Networks:
        """The networks that training makes of those drawn, filled up."""
        networks = filled_up_network(drawn)
        small_networks.train(networks, *data, **settings)
        return networks

    @staticmethod
    def _train_on_gpu(
        drawn: list[np.ndarray], *data: np.ndarray, device: str = "cuda", **settings: Any
    ) -> Networks:
        from PerUser import small_networks_gpu  # needs PyTorch

        small_networks_gpu.train(drawn, *data, device=device, **settings)
        return filled_up_network(drawn)

    def of_all_users(
        self, train: Ratings, movies: Movies, item_baseline: ItemBaseline | None = None
    ) -> OfAll:
        return {"mean_stars": np.array([train.mean_stars()])}

    def predict(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        return decode_ratings(self.predict_bits(user, movie))

    def predict_bits(self, user: np.ndarray, movie: np.ndarray) -> np.ndarray:
        """The output bits, uint8 [n, 10]: not always a thermometer."""
        user, movie = np.asarray(user), np.asarray(movie)
        bits = np.repeat(self._unknown_bits, len(user), axis=0)  # (rows, 10)
        known = np.isin(user, self._users)
        place = np.searchsorted(self._users, user[known])
        said = small_networks.probabilities(
            self._networks, place, movie[known], self._features
        )  # (known rows, 16)
        bits[known] = said[:, :RATING_BITS] > 0.5
        return bits

    def state_bytes(self) -> int:
        return self._learned


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
