"""Training the network of one user of `mlp_tuned`, with early stopping by cross-validation.

A network is six float32 arrays: weight and bias of three layers, see `recbench.three_layers`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from recbench.compiled import numeric
from recbench.matrix_product import LANES
from recbench.perceptron import sigmoid
from recbench.three_layers import (
    adam_step,
    add_gradients,
    forward,
    shares,
    targets,
    to_loss_gradient,
    zeros_like,
)

SMALLEST_SHARE = 1e-3  # log-odds of the start are those of shares from here to 1 − here


@cache
def compile_kernels() -> None:
    """Once in a process: some seconds the first time on a machine."""
    network = tuple(np.zeros((rows, LANES), np.float32) for rows in (1, 1, LANES, 1, LANES, 1))
    x, y = np.zeros((2, 1), np.float32), np.zeros((2, 1), np.uint8)
    of_all, fold = np.full(1, 0.5), np.arange(2)
    train(network, x, y, fold, 2, of_all, 1.0, 0.0, np.zeros(2), 1.0, 1, 1, 0.1, 0.1)
    expected_stars(network, x, 1)


@numeric
def train(
    network: Any,
    x: Any,
    y: Any,
    fold: Any,
    folds: Any,
    share_of_all: Any,
    damping: Any,
    mean_residual: Any,
    level: Any,
    shrinkage: Any,
    epochs: Any,
    patience: Any,
    learning_rate: Any,
    weight_decay: Any,
) -> tuple[int, float]:
    """Train `network` in place; (steps, scale), t_u and s_u of `PerUser.mlp_tuned`.

    Args:
        network: as drawn; its last layer is replaced by the start.
        x: float32 [n, features] of the user's ratings.
        y: uint8 [n, bits], their thermometers.
        fold: int64 [n], 0 .. folds − 1; -1: not cross-validated.
        share_of_all: float64 [bits], how often each bit is one in all training ratings.
        mean_residual: m, of all training ratings, stars.
        level: float64 [n], o of each rating, stars.
        The others: see `TunedPerUserMlp`.
    """
    everything = np.zeros(len(x), np.int64)
    target = targets(y, np.arange(len(y)))
    steps, best = 0, np.zeros(len(x))
    if fold[0] >= 0:
        steps, best = _cross_validate(
            network, x, y, target, fold, folds, share_of_all, damping,
            epochs, patience, learning_rate, weight_decay,
        )  # fmt: skip
    scale = _scale(best, y, fold, folds, level, mean_residual, damping, shrinkage)
    _start(network, y, everything, -1, share_of_all, damping)
    state, bits = _zeros(network), y.shape[1]
    for step in range(1, steps + 1):
        _step(network, state, x, target, bits, everything, -1, step, learning_rate, weight_decay)
    return steps, scale


@numeric
def _cross_validate(
    network: Any,
    x: Any,
    y: Any,
    target: Any,
    fold: Any,
    folds: Any,
    share_of_all: Any,
    damping: Any,
    epochs: Any,
    patience: Any,
    learning_rate: Any,
    weight_decay: Any,
) -> Any:
    """The number of steps with the least squared error on the ratings put aside, and what the
    networks that never saw them said of these then, float64 [n] stars."""
    networks, states = [_copy(network)], [_zeros(network)]
    for _ in range(1, folds):
        networks.append(_copy(network))
        states.append(_zeros(network))
    for k in range(folds):
        _start(networks[k], y, fold, k, share_of_all, damping)
    stars, bits = _stars(y), y.shape[1]
    said, best = np.zeros(len(x)), np.zeros(len(x))
    best_error, best_step = np.inf, 0
    for step in range(epochs + 1):
        for k in range(folds):  # said after `step` steps, and one more step
            z = _step(
                networks[k], states[k], x, target, bits, fold, k, step + 1,
                learning_rate, weight_decay,
            )  # fmt: skip
            for row in range(len(x)):
                if fold[row] == k:
                    said[row] = _expected(z, row, bits)
        error = ((said - stars) ** 2).sum()
        if error < best_error:
            best_error, best_step = error, step
            best[:] = said
        if step - best_step >= patience:
            break
    return best_step, best


@numeric
def _scale(
    best: Any,
    y: Any,
    fold: Any,
    folds: Any,
    level: Any,
    mean_residual: Any,
    damping: Any,
    shrinkage: Any,
) -> float:
    """s_u = Σ d e / (Σ d² + c), cut to 0 .. 1; b of a rating knows the other folds' user bias."""
    stars = _stars(y)
    d_e = d_d = 0.0
    for k in range(folds):
        residual, count = damping * mean_residual, damping
        for row in range(len(y)):
            if fold[row] != k:
                residual += stars[row] - level[row]
                count += 1
        for row in range(len(y)):
            if fold[row] == k:
                without = level[row] + residual / count
                d = best[row] - without
                d_e += d * (stars[row] - without)
                d_d += d * d
    return min(max(d_e / (d_d + shrinkage), 0.0), 1.0)


@numeric
def _start(network: Any, y: Any, fold: Any, aside: Any, share_of_all: Any, damping: Any) -> None:
    """The last layer at zero weights and the log-odds of the ratings whose fold is not `aside`."""
    _, _, _, _, weight, bias = network
    weight[:] = 0
    count = 0.0
    ones = np.zeros(y.shape[1])
    for row in range(len(y)):
        if fold[row] != aside:
            count += 1
            for bit in range(y.shape[1]):
                ones[bit] += y[row, bit]
    for bit in range(y.shape[1]):
        share = (ones[bit] + damping * share_of_all[bit]) / (count + damping)
        share = min(max(share, SMALLEST_SHARE), 1 - SMALLEST_SHARE)
        bias[0, bit] = np.log(share / (1 - share))


@numeric
def _step(
    network: Any,
    state: Any,
    x: Any,
    target: Any,
    bits: Any,
    fold: Any,
    aside: Any,
    step: Any,
    learning_rate: Any,
    weight_decay: Any,
) -> Any:
    """The logits [n, bits and what fills them up] before a step of AdamW, which is then taken: on
    the binary cross-entropy averaged over the bits of the ratings whose fold is not `aside`."""
    h1, h2, z = forward(network, x)
    count = 0
    for row in range(len(x)):
        count += fold[row] != aside
    d3 = np.zeros_like(z)  # ∂loss/∂z
    if count:
        d3[:] = z
        to_loss_gradient(d3, target, shares(count, bits, z.shape[1]), False)
        for row in range(len(x)):
            if fold[row] == aside:
                d3[row] = 0
    gradients, first, second = state
    add_gradients(network, gradients, x, h1, h2, d3)
    adam_step(network, gradients, first, second, step, learning_rate, weight_decay)
    return z


@numeric
def expected_stars(network: Any, x: Any, bits: Any) -> Any:
    """½ Σ_k sigmoid(z_k) of each row of x, float64 [n]."""
    _, _, z = forward(network, x)
    stars = np.empty(len(x))
    for row in range(len(x)):
        stars[row] = _expected(z, row, bits)
    return stars


@numeric
def _expected(z: Any, row: Any, bits: Any) -> float:
    ones = 0.0
    for bit in range(bits):
        ones += sigmoid(z[row, bit])
    return ones / 2


@numeric
def _stars(y: Any) -> Any:
    stars = np.zeros(len(y))
    for row in range(len(y)):
        for bit in range(y.shape[1]):
            stars[row] += y[row, bit] / 2
    return stars


@numeric
def _copy(network: Any) -> Any:
    a, b, c, d, e, f = network
    return a.copy(), b.copy(), c.copy(), d.copy(), e.copy(), f.copy()


@numeric
def _zeros(network: Any) -> Any:
    """Gradients and the two moments of Adam."""
    return zeros_like(network), zeros_like(network), zeros_like(network)
