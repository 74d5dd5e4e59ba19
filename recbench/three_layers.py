"""Perceptrons of three layers whose outputs are bits, in compiled code: forward, back, one step.

A network is six float32 arrays: weight and bias of three layers, see `recbench.perceptron`, the
rows of the second and third weight filled up as well. Gradients and the two moments of Adam have
the same shapes. The loss is the binary cross-entropy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recbench.compiled import numeric
from recbench.matrix_product import LANES
from recbench.perceptron import (
    adam,
    add_layer_gradient,
    back,
    filled_up,
    hidden_layer,
    layer,
    sigmoid,
)


def filled_up_network(network: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Weight [.., in, out] and bias [.., 1, out] of each layer, filled up to whole vectors."""
    return tuple(
        filled_up(one, rows=place % 2 == 0 and place > 0) for place, one in enumerate(network)
    )


@numeric
def forward(network: Any, x: Any) -> Any:
    """Both hidden layers and the logits, float32 [rows, units] each; x is float32 [rows, in]."""
    weight_1, bias_1, weight_2, bias_2, weight_3, bias_3 = network
    h1 = hidden_layer(x, weight_1, bias_1)
    h2 = hidden_layer(h1, weight_2, bias_2)
    return h1, h2, layer(h2, weight_3, bias_3)


@numeric
def ask(network: Any, x: Any) -> Any:
    """The probability of each output being one, float32 [n, outputs]; x is float32 [n, f]."""
    _, _, z = forward(network, x)
    for row in range(z.shape[0]):
        for bit in range(z.shape[1]):
            z[row, bit] = sigmoid(z[row, bit])
    return z


@numeric
def targets(labels: Any, rows: Any) -> Any:
    """Those rows of labels (uint8 [n, bits]), float32 [rows, whole vectors]."""
    bits = labels.shape[1]
    of_rows = np.zeros((len(rows), (bits + LANES - 1) // LANES * LANES), np.float32)
    for place, row in enumerate(rows):
        for bit in range(bits):
            of_rows[place, bit] = labels[row, bit]
    return of_rows


@numeric
def shares(count: Any, bits: Any, width: Any) -> Any:
    """The weight of each output in a mean over `count` rows × bits, float32 [width]; 0 of the
    outputs that fill up."""
    share = np.zeros(width, np.float32)
    share[:bits] = np.float32(1.0 / (count * bits))
    return share


@numeric
def to_loss_gradient(z: Any, target: Any, share: Any, double_sigmoid: Any) -> None:
    """Logits z in, ∂loss/∂z out: that of the binary cross-entropy of each output times its share.

    Args:
        z, target: float32 [rows, outputs].
        share: float32 [outputs].
        double_sigmoid: the loss applies the sigmoid to the sigmoid's outputs, as published.
    """
    # All outputs, also those that fill up: whole vectors take half the time.
    for row in range(z.shape[0]):
        if double_sigmoid:
            for k in range(z.shape[1]):
                s = sigmoid(z[row, k])
                z[row, k] = (sigmoid(s) - target[row, k]) * s * (np.float32(1) - s) * share[k]
        else:
            for k in range(z.shape[1]):
                z[row, k] = (sigmoid(z[row, k]) - target[row, k]) * share[k]


@numeric
def add_gradients(network: Any, gradients: Any, x: Any, h1: Any, h2: Any, d3: Any) -> Any:
    """Add ∂loss/∂network, of ∂loss/∂z = d3 [rows, outputs]; ∂loss/∂(inputs of the first
    rectifier), float32 [rows, units]."""
    _, _, weight_2, _, weight_3, _ = network
    d2 = back(d3, weight_3, h2)
    d1 = back(d2, weight_2, h1)
    add_layer_gradient(h2, d3, gradients[4], gradients[5])
    add_layer_gradient(h1, d2, gradients[2], gradients[3])
    add_layer_gradient(x, d1, gradients[0], gradients[1])
    return d1


@numeric
def adam_step(
    network: Any, gradients: Any, first: Any, second: Any, step: Any, learning_rate: Any, decay: Any
) -> None:
    """A step of AdamW on all of a network, see `recbench.perceptron.adam`; the decay is of weights,
    not of biases."""
    for k in range(len(network)):
        of_weights = decay if k % 2 == 0 else 0.0
        adam(network[k], gradients[k], first[k], second[k], step, learning_rate, of_weights)


@numeric
def zeros_like(network: Any) -> Any:
    """Six arrays of zeros."""
    a, b, c, d, e, f = network
    return (
        np.zeros_like(a), np.zeros_like(b), np.zeros_like(c),
        np.zeros_like(d), np.zeros_like(e), np.zeros_like(f),
    )  # fmt: skip
