"""Multi-layer perceptrons in compiled code: what the networks of families are trained with.

Equal to the last bit on every processor: products are summed in a fixed order (see
`recbench.matrix_product`), and the sigmoid is computed by arithmetic alone.

A layer is a weight [in, out] and a bias [1, out], float32; `out` is a multiple of `LANES`, filled
up with zeros (`filled_up`), which stay zero in training. Hidden units are rectified.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recbench.compiled import numeric
from recbench.matrix_product import LANES, add_product

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8  # of Adam, PyTorch's defaults
RECIPROCALS = 1 / np.arange(1.0, 15.0)  # of the terms of e^x


def filled_up(array: np.ndarray, rows: bool = False) -> np.ndarray:
    """float32 [.., k, n] with zeros behind the last axis, so that it is whole vectors; with `rows`
    behind the last but one, too."""
    room = [(0, 0)] * (array.ndim - 2)
    room += [(0, -array.shape[-2] % LANES if rows else 0), (0, -array.shape[-1] % LANES)]
    return np.pad(array.astype(np.float32), room)


@numeric
def layer(x: Any, weight: Any, bias: Any) -> Any:
    """x · weight + bias, float32 [rows, out]."""
    out = np.empty((x.shape[0], weight.shape[1]), np.float32)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = bias[0, column]
    add_product(x, weight, out)
    return out


@numeric
def hidden_layer(x: Any, weight: Any, bias: Any) -> Any:
    """The same, rectified."""
    out = layer(x, weight, bias)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = max(out[row, column], np.float32(0))
    return out


@numeric
def back(d: Any, weight: Any, h: Any) -> Any:
    """∂loss/∂(inputs of the rectifier) of the layer below, whose outputs are h; d is ∂loss/∂outputs
    of the layer with that weight."""
    below = back_to_inputs(d, weight, h.shape[1])
    for row in range(below.shape[0]):
        for column in range(below.shape[1]):
            if h[row, column] <= 0:
                below[row, column] = 0
    return below


@numeric
def back_to_inputs(d: Any, weight: Any, inputs: Any) -> Any:
    """∂loss/∂x of the first so many inputs of a layer."""
    below = np.zeros((d.shape[0], inputs), np.float32)
    add_product(d, np.ascontiguousarray(weight[:inputs].T), below)
    return below


@numeric
def add_layer_gradient(x: Any, d: Any, weight: Any, bias: Any) -> None:
    """Add ∂loss/∂weight and ∂loss/∂bias of a layer with inputs x."""
    add_product(x.T, d, weight)
    for row in range(d.shape[0]):
        for column in range(d.shape[1]):
            bias[0, column] += d[row, column]


@numeric
def step_sizes(step: Any, learning_rate: Any) -> Any:
    """Of Adam's step 1, 2 ..: the learning rate over the bias of the first moment, and one over the
    root of that of the second; float32."""
    size = np.float32(learning_rate / (1.0 - FIRST_DECAY**step))
    return size, np.float32(1.0 / np.sqrt(1.0 - SECOND_DECAY**step))


@numeric
def adam(
    parameter: Any,
    gradient: Any,
    first: Any,
    second: Any,
    step: Any,
    learning_rate: Any,
    decay: Any,
) -> None:
    """One step of AdamW (Loshchilov & Hutter 2019; Adam, Kingma & Ba 2015, without decay).

    Args:
        parameter, gradient: contiguous; the gradient is zero afterwards.
        first, second: the moments, of the same shape.
        step: 1, 2 ..
        decay: weight decay, 0 for none.
    """
    keep_first, keep_second = np.float32(FIRST_DECAY), np.float32(SECOND_DECAY)
    add_first, add_second = np.float32(1 - FIRST_DECAY), np.float32(1 - SECOND_DECAY)
    size, correction = step_sizes(step, learning_rate)
    kept, epsilon = np.float32(1.0 - learning_rate * decay), np.float32(EPSILON)
    p, g, m, v = parameter.ravel(), gradient.ravel(), first.ravel(), second.ravel()
    for k in range(len(p)):
        m[k] = keep_first * m[k] + add_first * g[k]
        v[k] = keep_second * v[k] + add_second * (g[k] * g[k])
        p[k] = kept * p[k] - size * m[k] / (np.sqrt(v[k]) * correction + epsilon)
        g[k] = 0


@numeric
def sigmoid(z: Any) -> Any:
    """1 / (1 + e^−z), float32, by arithmetic alone: libraries differ in the last digit of e^x."""
    x = min(max(np.float64(z), -40.0), 40.0) / -64.0
    power = 1.0  # Taylor's series of e^x about 0, |x| < .63
    for k in range(len(RECIPROCALS) - 1, -1, -1):
        power = 1.0 + x * power * RECIPROCALS[k]
    for _ in range(6):  # e^−z = (e^x)^64
        power *= power
    return np.float32(1.0 / (1.0 + power))
