"""Many small networks, one per user, trained and asked all at once.

The weights of U users' networks stand in tensors with a first axis of U, and one batched matrix
product takes the place of U small ones. Users of unequal history are padded to the longest of
their chunk; the padding is masked out of the loss, so each network learns exactly what it would
have learned alone.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch._dynamo  # the first Adam imports it: over a second that would pass for training
import torch.nn.functional as F
from torch import Tensor

from PerUser.user_chunks import chunks_of_users
from recbench.threads import one_thread


def initial_parameters(users: np.ndarray, sizes: tuple[int, ...], seed: int) -> list[Tensor]:
    """PyTorch's default initialisation of Linear layers, for one network per user.

    Weights and biases of a layer with k inputs are uniform in ±1/√k. Each user's are drawn from a
    generator seeded with (seed, user): they do not depend on who else is trained.

    Args:
        users: int [u], the users' indices, 0 or more.
        sizes: units of each layer, input first.
        seed: 0 or more.

    Returns:
        weight [u, in, out] and bias [u, 1, out] of each layer in turn, float32.
    """
    layers = list(pairwise(sizes))
    total = sum((inputs + 1) * outputs for inputs, outputs in layers)
    uniform = np.empty((len(users), total), dtype=np.float32)
    for place, user in enumerate(users):
        np.random.default_rng([seed, int(user)]).random(out=uniform[place], dtype=np.float32)

    parameters = []
    start = 0
    for inputs, outputs in layers:
        for rows in (inputs, 1):
            drawn = uniform[:, start : start + rows * outputs].reshape(-1, rows, outputs)
            parameters.append(torch.from_numpy((2 * drawn - 1) / np.float32(np.sqrt(inputs))))
            start += rows * outputs
    return parameters


def forward(parameters: list[Tensor], x: Tensor) -> Tensor:
    """Logits [u, r, out] of the networks for the inputs x [u, r, in]; ReLU between layers."""
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weight, bias in hidden:
        x = F.relu(torch.baddbmm(bias, x, weight))  # (users, ratings, units)
    weight, bias = last
    return torch.baddbmm(bias, x, weight)  # (users, ratings, outputs)


def logits_of(
    parameters: list[Tensor],
    users: np.ndarray,
    features: np.ndarray,
    user: np.ndarray,
    movie: np.ndarray,
    *,
    device: torch.device,
) -> np.ndarray:
    """What each user's network says of a movie, float32 [n, out].

    Args:
        parameters: of the networks of `users` (int [u], sorted).
        features: [m, b], of all movies: their bits, say.
        user, movie: int [n], the pairs asked about; each user must be among `users`.
    """
    outputs = parameters[-1].shape[2]
    logits = np.empty((len(user), outputs), dtype=np.float32)
    whose = np.searchsorted(users, np.unique(user))
    with one_thread(), torch.no_grad():
        for chunk in chunks_of_users(user):
            own = [parameter[whose[chunk.users]].to(device) for parameter in parameters]
            x = as_tensor(features[movie[chunk.rows]], device)  # (users, ratings, features)
            z = forward(own, x).cpu().numpy()  # (users, ratings, outputs)
            logits[chunk.rows[chunk.mask]] = z[chunk.mask]
    return logits


def bit_loss(logits: Tensor, target: Tensor, loss: str) -> Tensor:
    """Binary cross-entropy of every output bit.

    Args:
        logits: [..., bits].
        target: [..., bits], 0 or 1.
        loss: "logits", or "double_sigmoid", which hands the sigmoid's outputs to a loss that
            applies the sigmoid again, as published.
    """
    scores = torch.sigmoid(logits) if loss == "double_sigmoid" else logits
    return F.binary_cross_entropy_with_logits(scores, target, reduction="none")


def bit_loss_gradient(logits: Tensor, target: Tensor, weight: Tensor, loss: str) -> Tensor:
    """The derivative by the logits of the sum of `bit_loss` times `weight`: training needs no more,
    and the loss itself would take a tenth of the time."""
    s = torch.sigmoid(logits)
    if loss == "double_sigmoid":
        return (torch.sigmoid(s) - target) * weight * (1 - s) * s
    return s.sub_(target).mul_(weight)


def own_mean(mask: Tensor, outputs: int) -> Tensor:
    """Weights [u, r, 1] that turn a sum over everybody's bits into a sum of each user's mean."""
    return mask / (mask.sum(dim=1, keepdim=True) * outputs)


def as_tensor(array: np.ndarray, device: torch.device) -> Tensor:
    """A float32 copy of `array` on `device`."""
    return torch.from_numpy(array.astype(np.float32)).to(device)


def choose_device(device: str) -> torch.device:
    """The device named, or for "auto" the GPU where CUDA has one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)
