"""Training and asking the network of `colab` on a CPU: one pass over memory, no library calls.

The same training in PyTorch, for a GPU, is in `Collaborative.embedding_network_gpu`.

`parameters` are eight float32 arrays [rows, columns]: embeddings of users and of movies, then
a network, see `recbench.three_layers`. The gradients and the two moments of Adam have the same
shapes.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from Collaborative.embedding_adam import LANES as WIDTH
from Collaborative.embedding_adam import catch_up, step_rows, steps_of_epoch
from recbench.compiled import numeric
from recbench.matrix_product import LANES
from recbench.perceptron import back_to_inputs
from recbench.three_layers import (
    adam_step,
    add_gradients,
    ask,
    forward,
    shares,
    targets,
    to_loss_gradient,
)

USERS, MOVIES, LAYERS = range(3)
ROWS_AT_ONCE = 4_096  # when asked

Parameters = tuple[np.ndarray, ...]


class Training:
    """Adam (Kingma & Ba 2015) on the binary cross-entropy averaged over a batch's rows × outputs.

    Args:
        parameters: changed in place.
        user, movie: int [n], rows of the embeddings.
        bits: float32 [movies, b], of the movies embedded.
        labels: uint8 [n, outputs], 0 or 1.
        double_sigmoid: see `recbench.three_layers.to_loss_gradient`.
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
    ) -> None:
        self._state = [tuple(np.zeros_like(one) for one in parameters) for _ in range(3)]
        self._data = (parameters, user, movie, bits, labels)
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

    def parameters(self) -> Parameters:
        """As they are now."""
        return self._data[0]


def probabilities(
    parameters: Parameters, user: np.ndarray, movie: np.ndarray, bits: np.ndarray
) -> np.ndarray:
    """Of each output being one, float32 [n, outputs and what fills them up].

    Args:
        user, movie: int [n], rows of the embeddings.
        bits: float32 [movies, b], of the movies embedded.
    """
    parts = [np.empty((0, parameters[-1].shape[1]), np.float32)]
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
    labels = row.astype(np.uint8)
    training = Training(parameters, one, one, row, labels, double_sigmoid=False, learning_rate=0.1)
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
    labels: Any,
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
    network, network_gradients = parameters[LAYERS:], gradients[LAYERS:]
    for at in range(count):
        rows = order[at * batch : (at + 1) * batch]
        catch_up(*of_users, user[rows], user_done, sizes, at)
        catch_up(*of_movies, movie[rows], movie_done, sizes, at)
        x = _inputs(parameters, user[rows], movie[rows], bits)  # (rows, inputs)
        h1, h2, z = forward(network, x)

        share = shares(len(rows), labels.shape[1], z.shape[1])
        to_loss_gradient(z, targets(labels, rows), share, double_sigmoid)  # ∂loss/∂z from here on
        d1 = add_gradients(network, network_gradients, x, h1, h2, z)  # (rows, 64)
        dx = back_to_inputs(d1, network[0], 2 * width)  # (rows, embeddings)
        for place, row in enumerate(rows):
            for column in range(width):
                gradients[USERS][user[row], column] += dx[place, column]
                gradients[MOVIES][movie[row], column] += dx[place, width + column]

        steps += 1
        step_rows(*of_users, gradients[USERS], user[rows], user_done, sizes, at)
        step_rows(*of_movies, gradients[MOVIES], movie[rows], movie_done, sizes, at)
        moments = first_moments[LAYERS:], second_moments[LAYERS:]
        adam_step(network, network_gradients, *moments, steps, learning_rate, 0.0)
    catch_up(*of_users, np.arange(len(user_done)), user_done, sizes, count)
    catch_up(*of_movies, np.arange(len(movie_done)), movie_done, sizes, count)
    return steps


@numeric
def _ask(parameters: Any, user: Any, movie: Any, bits: Any) -> Any:
    return ask(parameters[LAYERS:], _inputs(parameters, user, movie, bits))


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
