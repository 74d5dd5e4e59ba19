"""Training the network of `colab` by PyTorch, for a GPU."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Parameters = tuple[np.ndarray, ...]


class GpuTraining:
    """What `Collaborative.embedding_network.Training` does; sums are taken in any order.

    Args:
        device: where PyTorch computes.
        The others: as there; `parameters` stay as they are.
    """

    def __init__(
        self,
        parameters: Parameters,
        user: np.ndarray,
        movie: np.ndarray,
        bits: np.ndarray,
        labels: np.ndarray,
        *,
        double_sigmoid: bool,
        learning_rate: float,
        device: str = "cuda",
    ) -> None:
        def there(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        self._parameters = [there(one).clone().requires_grad_() for one in parameters]
        self._user, self._movie = there(user), there(movie)
        self._bits, self._target = there(bits), there(labels.astype(np.float32))
        self._double_sigmoid = double_sigmoid
        self._adam = torch.optim.Adam(self._parameters, lr=learning_rate, fused=True)

    def epoch(self, order: np.ndarray, batch: int) -> None:
        """Once over the rows in `order` (int [n]), `batch` of them a step."""
        for rows in torch.from_numpy(order).to(self._bits.device).split(batch):
            self._adam.zero_grad()
            movie = self._movie[rows]
            z = logits(self._parameters, self._user[rows], movie, self._bits[movie])
            z = z[:, : self._target.shape[1]]  # without those that fill up
            scores = torch.sigmoid(z) if self._double_sigmoid else z
            F.binary_cross_entropy_with_logits(scores, self._target[rows]).backward()
            self._adam.step()

    def parameters(self) -> Parameters:
        """As they are now."""
        return tuple(one.detach().cpu().numpy() for one in self._parameters)


def logits(parameters: list[Tensor], user: Tensor, movie: Tensor, bits: Tensor) -> Tensor:
    """[rows, outputs and what fills them up], of rows of the embeddings and the bits [rows, b] of
    the movies."""
    users, movies, first, first_bias, second, second_bias, last, last_bias = parameters
    x = torch.cat((F.embedding(user, users), F.embedding(movie, movies), bits), dim=1)
    x = F.relu(torch.addmm(first_bias, x, first))  # (rows, 64)
    x = F.relu(torch.addmm(second_bias, x, second))  # (rows, 32)
    return torch.addmm(last_bias, x, last)  # (rows, 16)
