"""The scales of the kernel, fitted to users whom the item table was not learned from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recbench.models.item_table.codes import arcsine_kernel
from recbench.models.item_table.kernel import Scales, drift_shape, metadata_shape
from recbench.models.item_table.table import ItemTable
from recbench.ratings import DEFAULT_STARS, Movies, Ratings

LATEST = 64  # ratings of each user that are looked at
DEVIATION_OF_LOG, DEVIATION_OF_PART = 1.0, 0.5  # of the priors
FAR = 6.0  # from the logarithm of the prior, where products would overflow
AT_ONCE = 50  # users


@dataclass(frozen=True)
class Fitted:
    """What is fitted to users set aside.

    Attributes:
        scales: of the kernel.
        part_of_fm: h of mean = h · mean over users + (1 − h) · item baseline, 0 .. 1.
    """

    scales: Scales
    part_of_fm: float


@dataclass(frozen=True)
class Block:
    """Some users of like history length, padded.

    Attributes:
        parts: float64 [5, users, n, n], what each scale but noise multiplies; 0 in the padding.
        residual: float64 [users, n], stars − item baseline, 0 in the padding.
        between: float64 [users, n], mean over users − item baseline, 0 in the padding.
        stars: float64 [users, n].
        there: bool [users, n].
    """

    parts: np.ndarray
    residual: np.ndarray
    between: np.ndarray
    stars: np.ndarray
    there: np.ndarray


def fit_scales(blocks: list[Block]) -> Fitted:
    """Maximum a posteriori scales: marginal likelihood of a Gaussian process for each user.

    As in Rasmussen & Williams (2006, section 5.4.1), of all users together; with a normal prior on
    the logarithm of each scale about the defaults of `Scales`, and on h about a half, so that few
    users change little.

    Args:
        blocks: of `blocks_of`; none: the defaults.
    """
    prior = np.append(np.log(Scales().as_array()), 0.5)
    deviation = np.append(np.full(len(prior) - 1, DEVIATION_OF_LOG), DEVIATION_OF_PART)

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        scales, part = np.exp(values[:-1]), values[-1]
        away = (values - prior) / deviation
        value, gradient = (away**2).sum() / 2, away / deviation
        for block in blocks:
            of_block, of_scales, of_part = _negative_log_likelihood(block, scales, part)
            value += of_block
            gradient = gradient + np.append(of_scales * scales, of_part)
        return value, gradient

    bounds = [(mean - FAR, mean + FAR) for mean in prior[:-1]] + [(0.0, 1.0)]
    from scipy.optimize import minimize  # slow to import, needed to make a table only

    best = minimize(
        loss, prior, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40}
    )
    return Fitted(Scales.of_array(np.exp(best.x[:-1])), float(best.x[-1]))


def prequential(blocks: list[Block], fitted: Fitted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is predicted of each rating from the earlier ones of its user (Dawid 1984).

    With L the Cholesky factor of the covariance in the order of time and z = L⁻¹ y, a rating is
    predicted to be y_j − L_jj z_j away from its mean, with the variance L_jj².

    Returns:
        stars given, mean and variance predicted, float64 [n] each, of the later half of what each
        user has.
    """
    stars, predicted, variance = [], [], []
    for block in blocks:
        root = np.linalg.cholesky(_covariance(block, fitted.scales.as_array()))  # (users, n, n)
        residual = block.residual - fitted.part_of_fm * block.between
        z = np.linalg.solve(root, residual[:, :, None])[:, :, 0]  # (users, n)
        own = np.diagonal(root, axis1=1, axis2=2)  # (users, n)
        n = block.there.sum(axis=1, keepdims=True)
        later = block.there & (2 * np.arange(block.there.shape[1]) >= n)
        stars.append(block.stars[later])
        predicted.append((block.stars - own * z)[later])
        variance.append((own**2)[later])
    return np.concatenate(stars), np.concatenate(predicted), np.concatenate(variance)


def _covariance(block: Block, scales: np.ndarray) -> np.ndarray:
    """Of the stars of each user, float64 [users, n, n]; 1 on the diagonal of the padding, so
    that it adds nothing to a likelihood."""
    n = block.there.shape[1]
    covariance = np.tensordot(scales[:-1], block.parts, axes=1)
    covariance[:, np.arange(n), np.arange(n)] += np.where(block.there, scales[-1], 1.0)
    return covariance


def _negative_log_likelihood(
    block: Block, scales: np.ndarray, part: float
) -> tuple[float, np.ndarray, float]:
    """−log p(residuals), without its constant, and its derivative by each scale, float64 [6], and
    by the part h."""
    n = block.there.shape[1]
    covariance = _covariance(block, scales)
    inverse = np.linalg.inv(covariance)
    residual = block.residual - part * block.between
    weights = np.matvec(inverse, residual)  # K⁻¹ y, (users, n)
    value = np.vecdot(residual, weights).sum() + np.linalg.slogdet(covariance)[1].sum()
    outer = inverse - weights[:, :, None] * weights[:, None, :]  # (users, n, n)
    gradient = np.tensordot(block.parts, outer, axes=3)
    of_noise = outer[:, np.arange(n), np.arange(n)][block.there].sum()
    of_part = -float((weights * block.between).sum())
    return float(value) / 2, np.append(gradient, of_noise) / 2, of_part


def blocks_of(
    ratings: Ratings, table: ItemTable, item_baseline: np.ndarray, movies: Movies
) -> Iterator[Block]:
    """Users that the table was not learned from, with what its mean and likeness say of them.

    Args:
        ratings: of each user the latest 64 are looked at.
        table: its mean is the one over users; codes and scales are not looked at.
        item_baseline: float64 [movies], stars.
    """
    bits = movies.metadata_bits
    between = table.mean - item_baseline
    unit = table.factors[:, 1:] / np.where(table.norm > 0, table.norm, 1.0)[:, None]
    histories = sorted(latest_of_each(ratings, LATEST), key=len)
    signed_bits = 1.0 - 2.0 * bits  # (movies, bits)
    for start in range(0, len(histories), AT_ONCE):
        users = histories[start : start + AT_ONCE]
        longest = len(users[-1])
        there = np.arange(longest) < np.array([len(rows) for rows in users])[:, None]
        rows = np.array([np.pad(rows, (0, longest - len(rows)), mode="edge") for rows in users])
        movie = ratings.movie[rows]  # (users, n)
        norm, direction = table.norm[movie], unit[movie]  # (users, n) and (users, n, f − 1)
        level, slope = table.level[movie], item_baseline[movie] - DEFAULT_STARS
        z = signed_bits[movie]
        differing = (bits.shape[1] - z @ z.transpose(0, 2, 1)) / 2
        place = np.arange(longest)
        parts = np.stack(
            (
                level[:, :, None] * level[:, None, :],
                arcsine_kernel(direction, direction) * norm[:, :, None] * norm[:, None, :],
                metadata_shape(differing),
                slope[:, :, None] * slope[:, None, :],
                np.broadcast_to(drift_shape(place[:, None] - place), differing.shape),
            )
        )  # (5, users, n, n)
        both = there[:, :, None] & there[:, None, :]
        stars = ratings.stars[rows].astype(np.float64)
        yield Block(
            parts * both,
            np.where(there, stars - item_baseline[movie], 0.0),
            np.where(there, between[movie], 0.0),
            stars,
            there,
        )


def latest_of_each(ratings: Ratings, at_most: int) -> list[np.ndarray]:
    """The rows of each user, in the order of time, the latest `at_most`."""
    order = np.lexsort((np.arange(len(ratings)), ratings.time, ratings.user))
    _, starts = np.unique(ratings.user[order], return_index=True)
    return [rows[-at_most:] for rows in np.split(order, starts[1:]) if len(rows)]
