"""The scales of the kernel, fitted to people whose ratings the film table was not learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from recbench.film_table.kernel import Scales, drift_shape, metadata_shape
from recbench.ratings import Ratings

LATEST = 64  # ratings of each person that are looked at
PRIOR_DEVIATION = 1.0  # of the logarithm of a scale
AT_ONCE = 50  # people


@dataclass(frozen=True)
class _Block:
    """People of like history length, padded.

    Attributes:
        parts: float64 [5, people, n, n], what each scale but noise multiplies; 0 in the padding.
        residual: float64 [people, n], stars − mean, 0 in the padding.
        stars: float64 [people, n].
        there: bool [people, n].
    """

    parts: np.ndarray
    residual: np.ndarray
    stars: np.ndarray
    there: np.ndarray


def fit_scales(
    ratings: Ratings, mean: np.ndarray, likeness: np.ndarray, norm: np.ndarray, bits: np.ndarray
) -> Scales:
    """Maximum a posteriori scales: marginal likelihood of a Gaussian process for each person.

    As in Rasmussen & Williams (2006, section 5.4.1), of all people together; with a normal prior on
    the logarithm of each scale about the defaults of `Scales`, so that few people change little.

    Args:
        ratings: of people outside the table's own; of each the latest 64 are looked at.
        mean: float64 [movies], the mean function, stars.
        likeness: float64 [movies, b], ±1: codes; products of rows over b are the likeness.
        norm: float64 [movies], |F|.
        bits: uint8 [movies, metadata bits].
    """
    prior = Scales().as_array()
    blocks = list(_blocks(ratings, mean, likeness, norm, bits))
    if not blocks:
        return Scales()

    def loss(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        scales = np.exp(logarithms)
        away = (logarithms - np.log(prior)) / PRIOR_DEVIATION
        value, gradient = (away**2).sum() / 2, away / PRIOR_DEVIATION
        for block in blocks:
            of_block, of_scales = _negative_log_likelihood(block, scales)
            value += of_block
            gradient = gradient + of_scales * scales
        return value, gradient

    best = minimize(loss, np.log(prior), jac=True, method="L-BFGS-B", options={"maxiter": 40})
    return Scales.of_array(np.exp(best.x))


def prequential(
    ratings: Ratings,
    mean: np.ndarray,
    likeness: np.ndarray,
    norm: np.ndarray,
    bits: np.ndarray,
    scales: Scales,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is predicted of each rating from the earlier ones of its user (Dawid 1984).

    With L the Cholesky factor of the covariance in the order of time and z = L⁻¹ y, a rating is
    predicted to be y_j − L_jj z_j away from its mean, with the variance L_jj².

    Args:
        as in `fit_scales`.

    Returns:
        stars given, mean and variance predicted, float64 [n] each, of the later half of what each
        user has.
    """
    stars, predicted, variance = [], [], []
    for block in _blocks(ratings, mean, likeness, norm, bits):
        root = np.linalg.cholesky(_covariance(block, scales.as_array()))  # (people, n, n)
        z = np.linalg.solve(root, block.residual[:, :, None])[:, :, 0]  # (people, n)
        own = np.diagonal(root, axis1=1, axis2=2)  # (people, n)
        n = block.there.sum(axis=1, keepdims=True)
        later = block.there & (2 * np.arange(block.there.shape[1]) >= n)
        stars.append(block.stars[later])
        predicted.append((block.stars - own * z)[later])
        variance.append((own**2)[later])
    return np.concatenate(stars), np.concatenate(predicted), np.concatenate(variance)


def _covariance(block: _Block, scales: np.ndarray) -> np.ndarray:
    """Of the stars of each person, float64 [people, n, n]; 1 on the diagonal of the padding, so
    that it adds nothing to a likelihood."""
    n = block.there.shape[1]
    covariance = np.tensordot(scales[:-1], block.parts, axes=1)
    covariance[:, np.arange(n), np.arange(n)] += np.where(block.there, scales[-1], 1.0)
    return covariance


def _negative_log_likelihood(block: _Block, scales: np.ndarray) -> tuple[float, np.ndarray]:
    """−log p(residuals), without its constant, and its derivative by each scale, float64 [6]."""
    n = block.there.shape[1]
    covariance = _covariance(block, scales)
    inverse = np.linalg.inv(covariance)
    weights = np.matvec(inverse, block.residual)  # K⁻¹ y, (people, n)
    value = np.vecdot(block.residual, weights).sum() + np.linalg.slogdet(covariance)[1].sum()
    outer = inverse - weights[:, :, None] * weights[:, None, :]  # (people, n, n)
    gradient = np.tensordot(block.parts, outer, axes=3)
    of_noise = outer[:, np.arange(n), np.arange(n)][block.there].sum()
    return float(value) / 2, np.append(gradient, of_noise) / 2


def _blocks(
    ratings: Ratings, mean: np.ndarray, likeness: np.ndarray, norm: np.ndarray, bits: np.ndarray
) -> Iterator[_Block]:
    histories = sorted(latest_of_each(ratings, LATEST), key=len)
    signed_bits = 1.0 - 2.0 * bits  # (movies, bits)
    for start in range(0, len(histories), AT_ONCE):
        people = histories[start : start + AT_ONCE]
        longest = len(people[-1])
        there = np.arange(longest) < np.array([len(rows) for rows in people])[:, None]
        rows = np.array([np.pad(rows, (0, longest - len(rows)), mode="edge") for rows in people])
        movie = ratings.movie[rows]  # (people, n)
        code = likeness[movie] * norm[movie][:, :, None]  # (people, n, b)
        slope = mean[movie] - 3.0
        z = signed_bits[movie]
        differing = (bits.shape[1] - z @ z.transpose(0, 2, 1)) / 2
        place = np.arange(longest)
        parts = np.stack(
            (
                code @ code.transpose(0, 2, 1) / max(likeness.shape[1], 1),
                metadata_shape(differing),
                slope[:, :, None] * slope[:, None, :],
                np.ones_like(differing),
                np.broadcast_to(drift_shape(place[:, None] - place), differing.shape),
            )
        )  # (5, people, n, n)
        both = there[:, :, None] & there[:, None, :]
        residual = np.where(there, ratings.stars[rows] - mean[movie], 0.0)
        yield _Block(parts * both, residual, ratings.stars[rows].astype(np.float64), there)


def latest_of_each(ratings: Ratings, at_most: int) -> list[np.ndarray]:
    """The rows of each user, in the order of time, the latest `at_most`."""
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    _, starts = np.unique(ratings.user[order], return_index=True)
    return [rows[-at_most:] for rows in np.split(order, starts[1:]) if len(rows)]
