"""Training the network of one user of `mlp_tuned`, with early stopping by cross-validation.

A network is six float32 arrays: weight and bias of three layers, see `recbench.perceptron`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from recbench.matrix_product import LANES, numeric
from recbench.perceptron import (
    adam,
    add_layer_gradient,
    back,
    hidden_layer,
    layer,
    sigmoid,
)

SMALLEST_SHARE = 1e-3  # log-odds of the start are those of shares from here to 1 − here


@cache
def compile_kernels() -> None:
    """Once in a process: some seconds the first time on a machine."""
    network = tuple(np.zeros((rows, LANES), np.float32) for rows in (1, 1, LANES, 1, LANES, 1))
    x, y = np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32)
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
        y: float32 [n, bits], their thermometers.
        fold: int64 [n], 0 .. folds − 1; -1: not cross-validated.
        share_of_all: float64 [bits], how often each bit is one in all training ratings.
        mean_residual: m, of all training ratings, stars.
        level: float64 [n], o of each rating, stars.
        The others: see `TunedPerUserMlp`.
    """
    everything = np.zeros(len(x), np.int64)
    steps, best = 0, np.zeros(len(x))
    if fold[0] >= 0:
        steps, best = _cross_validate(
            network, x, y, fold, folds, share_of_all, damping,
            epochs, patience, learning_rate, weight_decay,
        )  # fmt: skip
    scale = _scale(best, y, fold, folds, level, mean_residual, damping, shrinkage)
    _start(network, y, everything, -1, share_of_all, damping)
    state = _zeros(network)
    for step in range(1, steps + 1):
        _step(network, state, x, y, everything, -1, step, learning_rate, weight_decay)
    return steps, scale


@numeric
def _cross_validate(
    network: Any,
    x: Any,
    y: Any,
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
    stars = _stars(y)
    said, best = np.zeros(len(x)), np.zeros(len(x))
    best_error, best_step = np.inf, 0
    for step in range(epochs + 1):
        for k in range(folds):  # said after `step` steps, and one more step
            z = _step(networks[k], states[k], x, y, fold, k, step + 1, learning_rate, weight_decay)
            for row in range(len(x)):
                if fold[row] == k:
                    said[row] = _expected(z, row, y.shape[1])
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
    y: Any,
    fold: Any,
    aside: Any,
    step: Any,
    learning_rate: Any,
    weight_decay: Any,
) -> Any:
    """The logits [n, bits and what fills them up] before a step of AdamW, which is then taken: on
    the binary cross-entropy averaged over the bits of the ratings whose fold is not `aside`."""
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 = network
    h1 = hidden_layer(x, weight_1, bias_1)  # (n, units)
    h2 = hidden_layer(h1, weight_2, bias_2)  # (n, units / 2)
    z = layer(h2, weight_3, bias_3)

    count = 0
    for row in range(len(x)):
        count += fold[row] != aside
    d3 = np.zeros_like(z)  # ∂loss/∂z
    if count:
        share = np.float32(1.0 / (count * y.shape[1]))
        for row in range(len(x)):
            if fold[row] != aside:
                for bit in range(y.shape[1]):
                    d3[row, bit] = (sigmoid(z[row, bit]) - y[row, bit]) * share
    d2 = back(d3, weight_3, h2)
    d1 = back(d2, weight_2, h1)
    gradients, first, second = state
    add_layer_gradient(h2, d3, gradients[4], gradients[5])
    add_layer_gradient(h1, d2, gradients[2], gradients[3])
    add_layer_gradient(x, d1, gradients[0], gradients[1])
    for k in range(len(network)):
        decay = weight_decay if k % 2 == 0 else 0.0  # of weights, not of biases
        adam(network[k], gradients[k], first[k], second[k], step, learning_rate, decay)
    return z


@numeric
def expected_stars(network: Any, x: Any, bits: Any) -> Any:
    """½ Σ_k sigmoid(z_k) of each row of x, float64 [n]."""
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 = network
    h1 = hidden_layer(x, weight_1, bias_1)
    z = layer(hidden_layer(h1, weight_2, bias_2), weight_3, bias_3)
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
    return _zeros_like(network), _zeros_like(network), _zeros_like(network)


@numeric
def _zeros_like(network: Any) -> Any:
    a, b, c, d, e, f = network
    return (
        np.zeros_like(a), np.zeros_like(b), np.zeros_like(c),
        np.zeros_like(d), np.zeros_like(e), np.zeros_like(f),
    )  # fmt: skip
