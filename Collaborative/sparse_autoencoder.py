"""Training and asking the autoencoder of `autorec`: a pass costs ratings × hidden units.

The vector of a movie is as long as there are users, and mostly empty. Nothing here is as large as
movies × users: an input that is not there adds nothing, and an output that nobody rated has no
error. Equal to the last bit on every processor: every sum is taken in the order written here.

A hidden unit is a sigmoid less ½, so that a movie of which nothing is known has units of zero.

`parameters` are four float32 arrays [rows, columns]: encoder weights V [users, hidden], encoder
bias m [1, hidden], decoder weights W [users, hidden] and user biases b [1, users]. The gradients
and the two moments of Adam have the same shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from recbench.compiled import numeric
from recbench.perceptron import adam, sigmoid

ENCODER, ENCODER_BIAS, DECODER, USER_BIAS = range(4)

Parameters = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class MovieVectors:
    """The ratings, one movie's after another's.

    Attributes:
        start: int64 [movies + 1], where the ratings of each movie begin, and where the last end.
        user: int64 [n], whose rating it is.
        given: float32 [n], what the encoder reads, stars.
        wanted: float32 [n], what the decoder should say, stars.
    """

    start: np.ndarray
    user: np.ndarray
    given: np.ndarray
    wanted: np.ndarray

    @staticmethod
    def of(
        user: np.ndarray, movie: np.ndarray, given: np.ndarray, wanted: np.ndarray
    ) -> MovieVectors:
        """
        Args:
            user, movie: int [n], numbered from 0 without a gap.
        """
        order = np.argsort(movie, kind="stable")
        start = np.concatenate(([0], np.cumsum(np.bincount(movie)))).astype(np.int64)
        return MovieVectors(
            start,
            user[order].astype(np.int64),
            given[order].astype(np.float32),
            wanted[order].astype(np.float32),
        )

    def __len__(self) -> int:
        return len(self.start) - 1

    def columns(self) -> tuple[np.ndarray, ...]:
        return self.start, self.user, self.given, self.wanted


class Training:
    """Adam (Kingma & Ba 2015) on half the loss of `AutoRecModel`, in batches of movies.

    Args:
        parameters: changed in place.
        weight_penalty: of the squares of V and W, the λ / 2 of the loss.
        bias_penalty: of the squares of b, in ratings.
    """

    def __init__(
        self,
        parameters: Parameters,
        vectors: MovieVectors,
        *,
        weight_penalty: float,
        bias_penalty: float,
    ) -> None:
        self._state = [tuple(np.zeros_like(one) for one in parameters) for _ in range(3)]
        self._parameters = parameters
        self._vectors = vectors.columns()
        self._penalties = np.array([weight_penalty, 0.0, weight_penalty, bias_penalty], np.float32)
        self._steps = 0

    def epoch(self, order: np.ndarray, batch: int, learning_rate: float) -> None:
        """Once over the movies in `order` (int [movies]), `batch` of them a step."""
        self._steps = _epoch(
            order,
            batch,
            self._vectors,
            self._parameters,
            *self._state,
            self._penalties,
            self._steps,
            learning_rate,
        )


def hidden_units(parameters: Parameters, vectors: MovieVectors) -> np.ndarray:
    """h of each movie, float32 [movies, hidden]."""
    return _encode(np.arange(len(vectors)), *vectors.columns()[:3], parameters)


@cache
def compile_kernels() -> None:
    """Once in a process: some seconds the first time on a machine."""
    nothing, star = np.zeros(1, np.int64), np.ones(1, np.float32)
    parameters = tuple(np.zeros((1, 1), np.float32) for _ in range(4))
    vectors = MovieVectors.of(nothing, nothing, star, star)
    Training(parameters, vectors, weight_penalty=1.0, bias_penalty=1.0).epoch(nothing, 1, 0.1)
    hidden = hidden_units(parameters, vectors)
    outputs(parameters[USER_BIAS], parameters[DECODER], hidden, nothing, nothing)


@numeric
def _epoch(
    order: Any,
    batch: Any,
    vectors: Any,
    parameters: Any,
    gradients: Any,
    first_moments: Any,
    second_moments: Any,
    penalties: Any,
    steps: Any,
    learning_rate: Any,
) -> int:
    """The number of steps taken so far, with those of this epoch."""
    for begin in range(0, len(order), batch):
        movies = order[begin : begin + batch]
        add_gradients(movies, vectors, parameters, gradients)
        share = np.float32(len(movies) / len(order))  # of the penalty: whole once an epoch
        steps += 1
        for k in range(len(parameters)):
            if penalties[k] > 0:
                _add_scaled(gradients[k], share * penalties[k], parameters[k])
            adam(
                parameters[k],
                gradients[k],
                first_moments[k],
                second_moments[k],
                steps,
                learning_rate,
                0.0,
            )
    return steps


@numeric
def add_gradients(movies: Any, vectors: Any, parameters: Any, gradients: Any) -> float:
    """Add half the gradients of the squared errors of these movies' ratings.

    Returns:
        the sum of squared errors.
    """
    start, user, given, wanted = vectors
    encoder, decoder = gradients[ENCODER], gradients[DECODER]
    weights, biases = parameters[DECODER], parameters[USER_BIAS]
    h = _encode(movies, start, user, given, parameters)
    units = h.shape[1]
    d = np.empty(units, np.float32)  # ∂(half the loss)/∂h, then /∂(inputs of the sigmoid)
    total = 0.0
    for place, movie in enumerate(movies):
        d[:] = 0
        for row in range(start[movie], start[movie + 1]):
            u = user[row]
            error = biases[0, u] + dot(weights, u, h, place) - wanted[row]  # stars
            total += np.float64(error) * np.float64(error)
            gradients[USER_BIAS][0, u] += error
            for k in range(units):
                d[k] += error * weights[u, k]
            for k in range(units):
                decoder[u, k] += error * h[place, k]
        for k in range(units):
            d[k] *= np.float32(0.25) - h[place, k] * h[place, k]  # σ (1 − σ), of h = σ − ½
            gradients[ENCODER_BIAS][0, k] += d[k]
        for row in range(start[movie], start[movie + 1]):
            u, x = user[row], given[row]
            for k in range(units):
                encoder[u, k] += x * d[k]
    return total


@numeric
def _encode(movies: Any, start: Any, user: Any, given: Any, parameters: Any) -> Any:
    """h of these movies, float32 [movies, hidden]."""
    weights, bias = parameters[ENCODER], parameters[ENCODER_BIAS]
    h = np.empty((len(movies), weights.shape[1]), np.float32)
    for place, movie in enumerate(movies):
        for k in range(h.shape[1]):
            h[place, k] = bias[0, k]
        for row in range(start[movie], start[movie + 1]):
            u, x = user[row], given[row]
            for k in range(h.shape[1]):
                h[place, k] += x * weights[u, k]
        for k in range(h.shape[1]):
            h[place, k] = sigmoid(h[place, k]) - np.float32(0.5)
    return h


@numeric
def outputs(biases: Any, weights: Any, hidden: Any, user: Any, movie: Any) -> Any:
    """b_u + W_u·h_i of each pair, float32 [n].

    Args:
        biases, weights: b, float32 [1, users], and W, float32 [users, hidden].
        hidden: float32 [movies, hidden].
        user, movie: int64 [n], rows of those.
    """
    out = np.empty(len(user), np.float32)
    for row in range(len(user)):
        product = dot(weights, user[row], hidden, movie[row])
        out[row] = biases[0, user[row]] + product
    return out


@numeric
def dot(a: Any, i: Any, b: Any, j: Any) -> Any:
    """Row i of a times row j of b: eight sums of every eighth term, which need not wait for each
    other; then these in pairs."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
    whole = a.shape[1] - a.shape[1] % 8
    for k in range(0, whole, 8):
        s0 += a[i, k] * b[j, k]
        s1 += a[i, k + 1] * b[j, k + 1]
        s2 += a[i, k + 2] * b[j, k + 2]
        s3 += a[i, k + 3] * b[j, k + 3]
        s4 += a[i, k + 4] * b[j, k + 4]
        s5 += a[i, k + 5] * b[j, k + 5]
        s6 += a[i, k + 6] * b[j, k + 6]
        s7 += a[i, k + 7] * b[j, k + 7]
    for k in range(whole, a.shape[1]):
        s0 += a[i, k] * b[j, k]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@numeric
def _add_scaled(to: Any, factor: Any, a: Any) -> None:
    """to += factor · a"""
    sums, terms = to.ravel(), a.ravel()
    for k in range(len(sums)):
        sums[k] += factor * terms[k]
