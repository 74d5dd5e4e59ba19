"""Training the networks of `torch` by PyTorch, those of many users at once, for a GPU.

The weights of U users' networks stand in tensors with a first axis of U, and one batched matrix
product takes the place of U small ones. Users of unequal history are padded to the longest of
their chunk; the padding is masked out of the loss, so each network learns exactly what it would
have learned alone.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from PerUser.user_chunks import chunks_of_users


def train(
    networks: list[np.ndarray],
    user: np.ndarray,
    movie: np.ndarray,
    features: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    learning_rate: float,
    double_sigmoid: bool,
    device: str,
) -> None:
    """What `PerUser.small_networks.train` does, by PyTorch.

    Args:
        networks: weight [users, in, out] and bias [users, 1, out] of each layer, float32, of the
            distinct users in order; changed in place.
        The others: as there.
    """

    def there(array: np.ndarray) -> Tensor:
        """A float32 copy on the device."""
        return torch.from_numpy(array.astype(np.float32)).to(device)

    for chunk in chunks_of_users(user):
        x = there(features[movie[chunk.rows]])  # (users, ratings, features)
        y = there(labels[chunk.rows])  # (users, ratings, bits)
        mask = there(chunk.mask[:, :, None])
        # a sum over everybody's bits with these weights is a sum of each user's mean
        weight = mask / (mask.sum(dim=1, keepdim=True) * labels.shape[1])  # (users, ratings, 1)
        parameters = [there(one[chunk.users]).requires_grad_() for one in networks]
        # Adam works on each weight by itself: on all users' stacked it does what it does on each.
        optimiser = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
        for _ in range(epochs):
            optimiser.zero_grad()
            z = forward(parameters, x)
            scores = torch.sigmoid(z) if double_sigmoid else z
            of_bits = F.binary_cross_entropy_with_logits(scores, y, reduction="none")
            (of_bits * weight).sum().backward()
            optimiser.step()
        for one, parameter in zip(networks, parameters, strict=True):
            one[chunk.users] = parameter.detach().cpu().numpy()


def forward(parameters: list[Tensor], x: Tensor) -> Tensor:
    """Logits [u, r, out] of the networks for the inputs x [u, r, in]; ReLU between layers."""
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = F.relu(torch.baddbmm(bias, x, weight))  # (users, ratings, units)
    weight, bias = last
    return torch.baddbmm(bias, x, weight)  # (users, ratings, outputs)
