"""Training and asking the network of `colab` on a CPU: one pass over memory, no library calls.

Equal to the last bit on every processor: see `Collaborative.matrix_product`; the sigmoid is
computed by arithmetic alone. The same training in PyTorch, for a GPU, is in
`Collaborative.torch_colab`.

`parameters` are eight float32 arrays [rows, columns]: embeddings of users and of movies, then
weight [in, out] and bias [1, out] of three layers, the outputs of the last filled up with zeros to
a multiple of `LANES`. The gradients and the two moments of Adam have the same shapes.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from Collaborative.matrix_product import LANES, add_product, numeric

USERS, MOVIES, WEIGHT_1, BIAS_1, WEIGHT_2, BIAS_2, WEIGHT_3, BIAS_3 = range(8)
FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8  # of Adam, PyTorch's defaults
ROWS_AT_ONCE = 4_096  # when asked
RECIPROCALS = 1 / np.arange(1.0, 15.0)  # of the terms of e^x

Parameters = tuple[np.ndarray, ...]


def filled_up(layers: list[np.ndarray]) -> list[np.ndarray]:
    """The last layer's weight and bias with zeros behind, so that its outputs are whole vectors;
    biases as rows."""
    room = -layers[-1].shape[-1] % LANES
    last = [np.pad(np.atleast_2d(layer), ((0, 0), (0, room))) for layer in layers[-2:]]
    return [np.atleast_2d(layer) for layer in layers[:-2]] + last


class Training:
    """Adam (Kingma & Ba 2015) on the binary cross-entropy averaged over a batch's rows × outputs.

    Args:
        parameters: changed in place.
        user, movie: int [n], rows of the embeddings.
        bits: float32 [movies, b], of the movies embedded.
        target: float32 [n, outputs], 0 or 1.
        double_sigmoid: see `PerUser.batched_mlp.bit_loss`.
    """

    def __init__(
        self,
        parameters: Parameters,
        user: np.ndarray,
        movie: np.ndarray,
        bits: np.ndarray,
        target: np.ndarray,
        *,
        double_sigmoid: bool,
        learning_rate: float,
    ) -> None:
        self._state = [tuple(np.zeros_like(one) for one in parameters) for _ in range(3)]
        self._data = (parameters, user, movie, bits, target)
        self._double_sigmoid = double_sigmoid
        self._learning_rate = learning_rate
        self._steps = 0

    def epoch(self, order: np.ndarray, batch: int) -> None:
        """Once over the rows in `order` (int [n]), `batch` of them a step."""
        self._steps = _epoch(
            order,
            batch,
            *self._data,
            *self._state,
            self._double_sigmoid,
            self._steps,
            self._learning_rate,
        )


def probabilities(
    parameters: Parameters, user: np.ndarray, movie: np.ndarray, bits: np.ndarray
) -> np.ndarray:
    """Of each output being one, float32 [n, outputs and what fills them up].

    Args:
        user, movie: int [n], rows of the embeddings.
        bits: float32 [movies, b], of the movies embedded.
    """
    parts = [np.empty((0, parameters[BIAS_3].shape[1]), np.float32)]
    places = range(0, len(user) + ROWS_AT_ONCE, ROWS_AT_ONCE)
    for start, stop in pairwise(places):
        parts.append(_ask(parameters, user[start:stop], movie[start:stop], bits))
    return np.concatenate(parts)


@cache
def compile_kernels() -> None:
    """Once in a process: some seconds the first time on a machine."""
    half = LANES // 2
    layers = ((LANES + 1, LANES), (1, LANES), (LANES, LANES), (1, LANES), (LANES, LANES))
    sizes = ((1, half), (1, half), *layers, (1, LANES))
    parameters = tuple(np.zeros(size, np.float32) for size in sizes)
    one, row = np.zeros(1, np.int64), np.zeros((1, 1), np.float32)
    training = Training(parameters, one, one, row, row, double_sigmoid=False, learning_rate=0.1)
    training.epoch(one, 1)
    probabilities(parameters, one, one, row)


@numeric
def _epoch(
    order: Any,
    batch: Any,
    parameters: Any,
    user: Any,
    movie: Any,
    bits: Any,
    target: Any,
    gradients: Any,
    first_moments: Any,
    second_moments: Any,
    double_sigmoid: Any,
    steps: Any,
    learning_rate: Any,
) -> int:
    """The number of steps taken so far, with those of this epoch."""
    width = parameters[USERS].shape[1]
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        x = _inputs(parameters, user[rows], movie[rows], bits)  # (rows, inputs)
        h1, h2, z = _forward(parameters, x)

        _to_loss_gradient(z, target, rows, double_sigmoid)  # ∂loss/∂z from here on
        d2 = _back(z, parameters[WEIGHT_3], h2)  # ∂loss/∂h2, (rows, 32)
        d1 = _back(d2, parameters[WEIGHT_2], h1)  # (rows, 64)
        dx = _back_to_inputs(d1, parameters[WEIGHT_1], 2 * width)  # (rows, embeddings)

        _add_layer_gradient(h2, z, gradients[WEIGHT_3], gradients[BIAS_3])
        _add_layer_gradient(h1, d2, gradients[WEIGHT_2], gradients[BIAS_2])
        _add_layer_gradient(x, d1, gradients[WEIGHT_1], gradients[BIAS_1])
        for place, row in enumerate(rows):
            for column in range(width):
                gradients[USERS][user[row], column] += dx[place, column]
                gradients[MOVIES][movie[row], column] += dx[place, width + column]

        steps += 1
        first_correction = np.float32(learning_rate / (1.0 - FIRST_DECAY**steps))
        second_correction = np.float32(1.0 / math.sqrt(1.0 - SECOND_DECAY**steps))
        for k in range(len(parameters)):
            _adam(
                parameters[k].reshape(-1),
                gradients[k].reshape(-1),
                first_moments[k].reshape(-1),
                second_moments[k].reshape(-1),
                first_correction,
                second_correction,
            )
    return steps


@numeric
def _ask(parameters: Any, user: Any, movie: Any, bits: Any) -> Any:
    _, _, z = _forward(parameters, _inputs(parameters, user, movie, bits))
    for row in range(z.shape[0]):
        for column in range(z.shape[1]):
            z[row, column] = _sigmoid(z[row, column])
    return z


@numeric
def _inputs(parameters: Any, user: Any, movie: Any, bits: Any) -> Any:
    """[p_u, q_i, bits_i] of each row."""
    users, movies = parameters[USERS], parameters[MOVIES]
    width = users.shape[1]
    x = np.empty((len(user), 2 * width + bits.shape[1]), np.float32)
    for row in range(len(user)):
        for column in range(width):
            x[row, column] = users[user[row], column]
            x[row, width + column] = movies[movie[row], column]
        for column in range(bits.shape[1]):
            x[row, 2 * width + column] = bits[movie[row], column]
    return x


@numeric
def _forward(parameters: Any, x: Any) -> Any:
    """Hidden units [rows, 64] and [rows, 32], and the logits."""
    h1 = _layer(x, parameters[WEIGHT_1], parameters[BIAS_1])
    _rectify(h1)
    h2 = _layer(h1, parameters[WEIGHT_2], parameters[BIAS_2])
    _rectify(h2)
    return h1, h2, _layer(h2, parameters[WEIGHT_3], parameters[BIAS_3])


@numeric
def _layer(x: Any, weight: Any, bias: Any) -> Any:
    out = np.empty((x.shape[0], weight.shape[1]), np.float32)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = bias[0, column]
    add_product(x, weight, out)
    return out


@numeric
def _rectify(h: Any) -> None:
    for row in range(h.shape[0]):
        for column in range(h.shape[1]):
            h[row, column] = max(h[row, column], np.float32(0))


@numeric
def _to_loss_gradient(z: Any, target: Any, rows: Any, double_sigmoid: Any) -> None:
    """Logits z in, ∂loss/∂z out; 0 for the outputs that fill up."""
    outputs = target.shape[1]
    share = np.float32(1.0 / (len(rows) * outputs))
    for place, row in enumerate(rows):
        for k in range(outputs):
            s = _sigmoid(z[place, k])
            if double_sigmoid:
                z[place, k] = (_sigmoid(s) - target[row, k]) * s * (np.float32(1) - s) * share
            else:
                z[place, k] = (s - target[row, k]) * share
        for k in range(outputs, z.shape[1]):
            z[place, k] = 0


@numeric
def _back(d: Any, weight: Any, h: Any) -> Any:
    """∂loss/∂h through a layer whose inputs h were rectified; d is that of its outputs."""
    back = _back_to_inputs(d, weight, h.shape[1])
    for row in range(back.shape[0]):
        for column in range(back.shape[1]):
            if h[row, column] <= 0:
                back[row, column] = 0
    return back


@numeric
def _back_to_inputs(d: Any, weight: Any, inputs: Any) -> Any:
    """∂loss/∂x of the first so many inputs of a layer."""
    back = np.zeros((d.shape[0], inputs), np.float32)
    add_product(d, np.ascontiguousarray(weight[:inputs].T), back)
    return back


@numeric
def _add_layer_gradient(x: Any, d: Any, weight: Any, bias: Any) -> None:
    add_product(x.T, d, weight)
    for row in range(d.shape[0]):
        for column in range(d.shape[1]):
            bias[0, column] += d[row, column]


@numeric
def _adam(p: Any, g: Any, first: Any, second: Any, step: Any, second_correction: Any) -> None:
    """One step of Adam on flat arrays; the gradients are zero afterwards."""
    keep_first, keep_second = np.float32(FIRST_DECAY), np.float32(SECOND_DECAY)
    add_first, add_second = np.float32(1 - FIRST_DECAY), np.float32(1 - SECOND_DECAY)
    epsilon = np.float32(EPSILON)
    for k in range(len(p)):
        first[k] = keep_first * first[k] + add_first * g[k]
        second[k] = keep_second * second[k] + add_second * (g[k] * g[k])
        p[k] -= step * first[k] / (np.sqrt(second[k]) * second_correction + epsilon)
        g[k] = 0


@numeric
def _sigmoid(z: Any) -> Any:
    """1 / (1 + e^−z), by arithmetic alone: libraries differ in the last digit of e^x."""
    x = min(max(np.float64(z), -40.0), 40.0) / -64.0
    power = 1.0  # Taylor's series of e^x about 0, |x| < .63
    for k in range(len(RECIPROCALS) - 1, -1, -1):
        power = 1.0 + x * power * RECIPROCALS[k]
    for _ in range(6):  # e^−z = (e^x)^64
        power *= power
    return np.float32(1.0 / (1.0 + power))
