"""Training and asking the network of `colab` on a CPU: one pass over memory, no library calls.

The same training in PyTorch, for a GPU, is in `Collaborative.torch_colab`.

`parameters` are eight float32 arrays [rows, columns]: embeddings of users and of movies, then
weight and bias of three layers, see `recbench.perceptron`. The gradients and the two moments of
Adam have the same shapes.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from Collaborative.embedding_adam import LANES as WIDTH
from Collaborative.embedding_adam import catch_up, step_rows, steps_of_epoch
from recbench.matrix_product import LANES, numeric
from recbench.perceptron import (
    adam,
    add_layer_gradient,
    back,
    back_to_inputs,
    hidden_layer,
    layer,
    sigmoid,
)

USERS, MOVIES, WEIGHT_1, BIAS_1, WEIGHT_2, BIAS_2, WEIGHT_3, BIAS_3 = range(8)
ROWS_AT_ONCE = 4_096  # when asked

Parameters = tuple[np.ndarray, ...]


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
    layers = ((2 * WIDTH + 1, LANES), (1, LANES), (LANES, LANES), (1, LANES), (LANES, LANES))
    sizes = ((1, WIDTH), (1, WIDTH), *layers, (1, LANES))
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
    count = (len(order) + batch - 1) // batch
    sizes = steps_of_epoch(steps, count, learning_rate)
    # how many steps of this epoch each row of an embedding has done
    user_done = np.zeros(len(parameters[USERS]), np.int64)
    movie_done = np.zeros(len(parameters[MOVIES]), np.int64)
    of_users = (parameters[USERS], first_moments[USERS], second_moments[USERS])
    of_movies = (parameters[MOVIES], first_moments[MOVIES], second_moments[MOVIES])
    for at in range(count):
        rows = order[at * batch : (at + 1) * batch]
        catch_up(*of_users, user[rows], user_done, sizes, at)
        catch_up(*of_movies, movie[rows], movie_done, sizes, at)
        x = _inputs(parameters, user[rows], movie[rows], bits)  # (rows, inputs)
        h1, h2, z = _forward(parameters, x)

        _to_loss_gradient(z, target, rows, double_sigmoid)  # ∂loss/∂z from here on
        d2 = back(z, parameters[WEIGHT_3], h2)  # ∂loss/∂h2, (rows, 32)
        d1 = back(d2, parameters[WEIGHT_2], h1)  # (rows, 64)
        dx = back_to_inputs(d1, parameters[WEIGHT_1], 2 * width)  # (rows, embeddings)

        add_layer_gradient(h2, z, gradients[WEIGHT_3], gradients[BIAS_3])
        add_layer_gradient(h1, d2, gradients[WEIGHT_2], gradients[BIAS_2])
        add_layer_gradient(x, d1, gradients[WEIGHT_1], gradients[BIAS_1])
        for place, row in enumerate(rows):
            for column in range(width):
                gradients[USERS][user[row], column] += dx[place, column]
                gradients[MOVIES][movie[row], column] += dx[place, width + column]

        steps += 1
        step_rows(*of_users, gradients[USERS], user[rows], user_done, sizes, at)
        step_rows(*of_movies, gradients[MOVIES], movie[rows], movie_done, sizes, at)
        for k in range(WEIGHT_1, len(parameters)):
            adam(
                parameters[k],
                gradients[k],
                first_moments[k],
                second_moments[k],
                steps,
                learning_rate,
                0.0,
            )
    catch_up(*of_users, np.arange(len(user_done)), user_done, sizes, count)
    catch_up(*of_movies, np.arange(len(movie_done)), movie_done, sizes, count)
    return steps


@numeric
def _ask(parameters: Any, user: Any, movie: Any, bits: Any) -> Any:
    _, _, z = _forward(parameters, _inputs(parameters, user, movie, bits))
    for row in range(z.shape[0]):
        for column in range(z.shape[1]):
            z[row, column] = sigmoid(z[row, column])
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
    h1 = hidden_layer(x, parameters[WEIGHT_1], parameters[BIAS_1])
    h2 = hidden_layer(h1, parameters[WEIGHT_2], parameters[BIAS_2])
    return h1, h2, layer(h2, parameters[WEIGHT_3], parameters[BIAS_3])


@numeric
def _to_loss_gradient(z: Any, target: Any, rows: Any, double_sigmoid: Any) -> None:
    """Logits z in, ∂loss/∂z out; 0 for the outputs that fill up."""
    outputs = target.shape[1]
    share = np.float32(1.0 / (len(rows) * outputs))
    for place, row in enumerate(rows):
        for k in range(outputs):
            s = sigmoid(z[place, k])
            if double_sigmoid:
                z[place, k] = (sigmoid(s) - target[row, k]) * s * (np.float32(1) - s) * share
            else:
                z[place, k] = (s - target[row, k]) * share
        for k in range(outputs, z.shape[1]):
            z[place, k] = 0
