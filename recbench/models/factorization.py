"""Factorisation machines sampled by myFM: features and models."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from recbench.ratings import Movies

with warnings.catch_warnings():  # of a setuptools module that myFM 0.4 asks for its version
    warnings.simplefilter("ignore")
    from myfm import MyFMOrderedProbit, MyFMRegressor, RelationBlock

BURN_IN = 5  # first samples thrown away, as myFM does


# --- features ----------------------------------------------------------------------------------


def one_hot(place: np.ndarray, width: int) -> sparse.csr_matrix:
    """One-hot rows, [n, width]: a one in each row, at its place."""
    ones, row_ends = np.ones(len(place)), np.arange(len(place) + 1)
    return sparse.csr_matrix((ones, place, row_ends), shape=(len(place), width))


def movie_features(movies: Movies, rated: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Features of each movie, float64 [movies, features], and the sizes of their groups.

    Bits, a group for each channel; the vote average, standardised over the movies `rated`; and a
    bit for whether it is known.
    """
    votes = movies.vote_average.astype(np.float64)
    trained = votes[rated]
    trained = trained[~np.isnan(trained)]
    if not len(trained):
        return movies.bits.astype(np.float64), [*movies.channels.values()]
    known = ~np.isnan(votes)
    standard = np.where(known, (votes - trained.mean()) / (trained.std() or 1.0), 0.0)
    features = np.column_stack((movies.bits, standard, known))  # (movies, bits + 2)
    return features, [*movies.channels.values(), 1, 1]


def implicit_features(
    owner: np.ndarray, rated: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_matrix:
    """The movies each user rated (or the users of each movie), whatever the stars: 1/√n at each of
    n.

    Args:
        owner: int [ratings], a row of the result.
        rated: int [ratings], the column.
        shape: of the result. Its last row is that of an unknown owner.
    """
    found = sparse.csr_matrix((np.ones(len(owner)), (owner, rated)), shape=shape)
    found.data[:] = 1.0  # a pair rated twice counts once
    count = np.diff(found.indptr)
    found.data /= np.sqrt(np.repeat(count, count))
    return found


def movie_vectors(
    features: sparse.csr_matrix, w: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """o float64 [movies] and q float64 [movies, rank + 1]: the prediction for a user with (v_u,
    w_u) is w₀ + o + q·(v_u, w_u) stars. With the features x of a movie, o = w·x + Σ_{j<k} (v_j·v_k)
    x_j x_k are the terms of the movie only, and q = (Σ_j v_j x_j, 1).

    Args:
        features: x, [movies, f].
        w, v: float64 [f] and [f, rank], of one sample.
    """
    sums = features @ v  # (movies, rank)
    within = (sums**2 - features.multiply(features).tocsr() @ v**2).sum(axis=1) / 2
    return features @ w + within, np.column_stack((sums, np.ones(len(sums))))


@dataclass(frozen=True)
class Design:
    """The features x of pairs, one row each: columns that differ from row to row, and blocks.

    A block holds the features of each distinct user or movie once, and the index for each row, so
    they are not copied per row (Rendle 2013, "Scaling factorization machines to relational data").

    Attributes:
        columns: float64 [n, c].
        blocks: of `block_of`; their features follow after those of `columns`, in order.
    """

    columns: sparse.csr_matrix
    blocks: list[RelationBlock]


def block_of(row_features: np.ndarray, features: sparse.csr_matrix) -> RelationBlock:
    """Features float64 [distinct, f], and the index of their row for each pair, int [n]."""
    return RelationBlock(row_features.tolist(), sparse.csr_matrix(features, dtype=np.float64))


# --- models ------------------------------------------------------------------------------------


@dataclass
class NormalFM:
    """Stars are μ + FM(x) plus normal noise; the prediction is the posterior mean of μ + FM(x).

    Args:
        rank, samples, initial_deviation, seed: see `BayesianFM`.
    """

    rank: int
    samples: int
    initial_deviation: float
    seed: int
    mean: float = field(default=0.0, init=False)
    _model: Any = field(default=None, init=False)

    def fit(self, design: Design, stars: np.ndarray, groups: list[int]) -> None:
        """`stars`: float [n]; `groups`: number of features of each group, in order."""
        self.mean = float(stars.mean(dtype=np.float64))
        self._sample(MyFMRegressor, design, stars.astype(np.float64) - self.mean, groups)

    def predict(self, design: Design) -> np.ndarray:
        """Stars, float64 [n], not clipped."""
        return self.mean + self._model.predict(design.columns, X_rel=design.blocks)

    def _sample(self, kind: type, design: Design, target: np.ndarray, groups: list[int]) -> None:
        self._model = kind(rank=self.rank, init_stdev=self.initial_deviation, random_seed=self.seed)
        with redirect_stderr(io.StringIO()):  # it shows a progress bar there
            self._model.fit(
                design.columns,
                target,
                X_rel=design.blocks,
                n_iter=self.samples,
                n_kept_samples=max(self.samples - BURN_IN, 1),
                group_shapes=groups,
            )

    def kept_samples(self) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
        """w₀, w float64 [features] and v float64 [features, rank] of each sample kept."""
        for sample in self._model.predictor_.samples:
            yield sample.w0, np.asarray(sample.w), np.asarray(sample.V)

    def kept_priors(self) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
        """For each sample kept: the noise variance; and mean and variance of the prior of (v, w) of
        each group's features, float64 [groups, rank + 1] each."""
        history = self._model.history_.hypers
        for h in history[len(history) - len(self._model.predictor_.samples) :]:
            precision = np.column_stack((h.lambda_V, h.lambda_w))
            yield 1 / h.alpha, np.column_stack((h.mu_V, h.mu_w)), 1 / precision

    def state_bytes(self, features: int | None = None) -> int:
        """Bytes of all samples, or of this many of their features."""
        samples = [] if self._model is None else self._model.predictor_.samples
        if features is None:
            return sum(one.w.nbytes + one.V.nbytes + 8 for one in samples)
        return len(samples) * features * 8 * (self.rank + 1)


class OrdinalFM(NormalFM):
    """Stars are steps on a latent scale (ordered probit; Albert & Chib 1993).

        P(r ≤ s_k | x) = Φ(c_k − FM(x)),   r̂ = Σ_k s_k P(r = s_k | x)

    s_1 < s_2 < … are the stars that occur in training and c_k the cutpoints between them, sampled
    as well; P is averaged over the samples. So a step from 4 to 5 stars may be wider than one from
    2 to 3, and r̂ stays between the lowest and the highest stars.
    """

    def fit(self, design: Design, stars: np.ndarray, groups: list[int]) -> None:
        self._stars, step = np.unique(stars.astype(np.float64), return_inverse=True)
        if len(self._stars) > 1:  # one kind of stars alone has no cutpoint: it is the prediction
            self._sample(MyFMOrderedProbit, design, step, groups)

    def predict(self, design: Design) -> np.ndarray:
        if self._model is None:
            return np.full(design.columns.shape[0], self._stars[0])
        return self._model.predict_proba(design.columns, X_rel=design.blocks) @ self._stars

    def state_bytes(self, features: int | None = None) -> int:
        whole = self._model is not None and features is None
        return super().state_bytes(features) + (self._model.cutpoint_samples.nbytes if whole else 0)
