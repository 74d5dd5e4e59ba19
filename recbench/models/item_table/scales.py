"""The kernel of a user's stars, the steps of the star scale, and the fit of both.

They are fitted to users outside the training of the item table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from recbench.ratings import DEFAULT_STARS, Movies, Ratings, rows_of_each

if TYPE_CHECKING:
    from recbench.models.item_table.learning import ItemFactors

STARS = np.arange(1, 11) / 2  # the ten possible ratings
FLOOR = 1e-4  # least probability of a rating: even one that nobody gave is possible
# Of the shape of the kernel; the scales are fitted for each item table.
METADATA_DECAY = 0.33  # of each metadata bit that differs
DRIFT_AFTER = 3.4  # ratings
DRIFT_POWER = 0.5
LATEST = 40  # ratings of each user that the scales are fitted to
DEVIATION_OF_LOG = 1.0  # of the priors of scales
PARTS, DEVIATION_OF_PARTS = np.array([0.5, 1.0]), np.array([0.5, 1.0])  # of the priors of h, g
MOST_PARTS = (1.0, 6.0)
FAR = 6.0  # from the logarithm of the prior, where products would overflow
LOG_SPREAD = 1.5  # at most: with misleading predictions, the likelihood grows with the spread
AT_ONCE = 50  # users
SESSION = 6 * 3600  # seconds without a rating before a new session
# Prior persistence, and its weight in squared stars of predictions.
PERSISTENCE, PERSISTENCE_WEIGHT = 0.9, 50.0


# --- the kernel ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scales:
    """The scales of the kernel, in squared stars; those of loading, similarity and slope have no
    unit.

        k(a, b) =  loading · f_a f_b
                 + similarity · |F_a| |F_b| · 2/π arcsin cos(F_a, F_b)
                 + metadata · exp(−0.33 · metadata bits that differ)
                 + slope · (mean_a − 3)(mean_b − 3)
                 + drift · (1 + |distance in the order of ratings| / 3.4)^−½

    f is the first factor of a movie, the baseline loading: mostly how strongly its ratings show a
    user's bias. F are the other factors. The noise variance of a rating is `noise` + `uncertainty`
    · v, where v is the variance of the movie's own numbers in the item table. Each part is positive
    semi-definite, so k is. The defaults are the prior that `fit_scales` starts from.
    """

    loading: float = 1.1
    similarity: float = 1.2
    metadata: float = 0.1
    slope: float = 0.01
    drift: float = 0.06
    uncertainty: float = 1.5
    noise: float = 0.4

    def as_array(self) -> np.ndarray:
        """float64 [7], in the order of the attributes."""
        return np.array(list(asdict(self).values()))

    @classmethod
    def of_nobody(cls) -> Scales:
        """Without known similarity: metadata in its place."""
        return cls(loading=0.4, metadata=0.27, drift=0.25, noise=0.6)

    @classmethod
    def of_array(cls, values: np.ndarray) -> Scales:
        return cls(**{f.name: float(v) for f, v in zip(fields(cls), values, strict=True)})


def drift_shape(distance: np.ndarray) -> np.ndarray:
    """(1 + |d| / h)^−q, convex and decreasing, hence positive definite (Pólya 1949)."""
    return (1 + np.abs(distance) / DRIFT_AFTER) ** -DRIFT_POWER


def metadata_shape(differing: np.ndarray) -> np.ndarray:
    """exp(−α · number of differing bits): a product of kernels of one bit each."""
    return np.exp(-METADATA_DECAY * differing)


def arcsine_kernel(unit: np.ndarray, other: np.ndarray) -> np.ndarray:
    """2/π arcsin(cos θ), float64 [.., n, m], of unit vectors [.., n, f] and [.., m, f]."""
    return 2 / np.pi * np.arcsin((unit @ other.swapaxes(-1, -2)).clip(-1, 1))


# --- the steps of the star scale ----------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """Ratings are steps on a latent scale (ordered probit; McKelvey & Zavoina 1975):

        P(r ≤ s_k) = Φ((c_k − μ) / (spread · √v)), v the variance of the latent rating

    so whole stars, which most users prefer, may have wider steps than half stars.

    Attributes:
        cuts: float64 [9], c_1 ≤ … ≤ c_9, stars; equal ones give a rating the probability 0.
        spread: factor that corrects the standard deviation.
    """

    cuts: np.ndarray
    spread: float

    def probabilities(self, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Of each of the ten ratings, float64 [n, 10], summing to 1."""
        deviation = (self.spread * np.sqrt(variance))[:, None]
        below = ndtr((self.cuts - np.asarray(mean)[:, None]) / deviation)  # (n, 9)
        edges = np.column_stack((np.zeros(len(below)), below, np.ones(len(below))))
        return (1 - 10 * FLOOR) * np.diff(edges, axis=1).clip(0) + FLOOR


EVEN = Steps(cuts=STARS[:-1] + 0.25, spread=1.0)


def fit_steps(stars: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> Steps:
    """Maximum likelihood cuts and spread, from ratings and their predictions.

    Args:
        stars: float [n].
        mean, variance: float64 [n], prediction of the latent rating.
    """
    from scipy.optimize import minimize  # slow to import, needed to make a table only

    half_stars = np.rint(2 * stars).astype(int) - 1  # 0 .. 9
    kinds = np.flatnonzero(np.bincount(half_stars, minlength=10))
    if len(kinds) < 2:
        return EVEN
    place = np.searchsorted(kinds, half_stars)  # which of the kinds that occur
    deviation = np.sqrt(variance)
    first = np.append((STARS[kinds[:-1]] + STARS[kinds[1:]]) / 2, 0.0)

    def unpacked(values: np.ndarray) -> tuple[np.ndarray, float]:
        return np.append(values[0], values[0] + np.cumsum(np.exp(values[1:-1]))), np.exp(values[-1])

    def loss(values: np.ndarray) -> float:
        cuts, spread = unpacked(values)
        edges = np.concatenate(([-np.inf], cuts, [np.inf]))
        z = (edges[None] - mean[:, None]) / (spread * deviation)[:, None]
        likely = np.diff(ndtr(z), axis=1)[np.arange(len(place)), place]
        return float(-np.log(likely.clip(1e-12)).mean())

    start = np.concatenate((first[:1], np.log(np.diff(first[:-1])), first[-1:]))
    bounds = [(None, None)] * (len(start) - 1) + [(-LOG_SPREAD, LOG_SPREAD)]
    cuts, spread = unpacked(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)
    # a rating that nobody gives lies between two equal cuts
    upper = np.searchsorted(kinds, np.arange(9), side="right") - 1  # last kind at or below each
    all_cuts = np.where(upper < 0, -np.inf, np.append(cuts, np.inf)[upper])
    return Steps(np.nan_to_num(all_cuts, neginf=-1e3, posinf=1e3), float(spread))


# --- fitting the scales -------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """Users with similar numbers of ratings, padded.

    Attributes:
        parts: float64 [6, users, n, n], the factor of each scale except noise; 0 in the padding.
        residual: float64 [users, n], stars − item baseline, 0 in the padding.
        between: float64 [users, n, 2], mean over users − item baseline, and the implicit feedback
            of the other movies, see `implicit_means`; 0 in the padding.
        stars: float64 [users, n].
        there: bool [users, n].
        session: int [users, n], increasing; in the padding that of the last rating.
    """

    parts: np.ndarray
    residual: np.ndarray
    between: np.ndarray
    stars: np.ndarray
    there: np.ndarray
    session: np.ndarray


def fit_scales(blocks: list[Block]) -> tuple[Scales, np.ndarray]:
    """Maximum a posteriori scales: marginal likelihood of a Gaussian process for each user.

    It is maximised over all users jointly (Rasmussen & Williams 2006, section 5.4.1), with a normal
    prior on the logarithm of each scale around the defaults of `Scales`, and on h and g around a
    half and one, so few users change little.

    Args:
        blocks: from `blocks_of`; without any, the defaults are returned.

    Returns:
        The scales, and h and g, float64 [2], of mean = item baseline + h · (mean over users − item
        baseline) + g · implicit feedback.
    """
    from scipy.optimize import minimize  # slow to import, needed to make a table only

    logs = np.log(Scales().as_array())
    prior = np.concatenate((logs, PARTS))
    deviation = np.concatenate((np.full(len(logs), DEVIATION_OF_LOG), DEVIATION_OF_PARTS))

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        scales, parts = np.exp(values[: len(logs)]), values[len(logs) :]
        away = (values - prior) / deviation
        value, gradient = (away**2).sum() / 2, away / deviation
        for block in blocks:
            of_block, of_scales, of_parts = _negative_log_likelihood(block, scales, parts)
            value += of_block
            gradient = gradient + np.concatenate((of_scales * scales, of_parts))
        return value, gradient

    bounds = [(mean - FAR, mean + FAR) for mean in logs] + [(0.0, most) for most in MOST_PARTS]
    best = minimize(
        loss, prior, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 40, "ftol": 1e-5},
    ).x  # fmt: skip
    return Scales.of_array(np.exp(best[: len(logs)])), best[len(logs) :]


def prequential(
    blocks: list[Block], scales: Scales, parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions of each rating from the earlier ones of its user (Dawid 1984).

    With L the Cholesky factor of the covariance in the order of time and z = L⁻¹ y, the predicted
    deviation of a rating from its mean is y_j − L_jj z_j, with the variance L_jj².

    Returns:
        stars, predicted mean and predicted variance of the later half of each user's ratings,
        float64 [n] each.
    """
    found = []
    for block in blocks:
        root = np.linalg.cholesky(_covariance(block, scales.as_array()))  # (users, n, n)
        residual = block.residual - block.between @ parts
        z = np.linalg.solve(root, residual[:, :, None])[:, :, 0]  # (users, n)
        own = np.diagonal(root, axis1=1, axis2=2)  # (users, n)
        n = block.there.sum(axis=1, keepdims=True)
        later = block.there & (2 * np.arange(block.there.shape[1]) >= n)
        found.append([x[later] for x in (block.stars, block.stars - own * z, own**2)])
    stars, predicted, variance = (np.concatenate(column) for column in zip(*found, strict=True))
    return stars, predicted, variance


def fit_persistence(blocks: list[Block], scales: Scales, parts: np.ndarray) -> float:
    """Share of the contribution of a user's ratings that persists in another session, 0 .. 1.

    Ratings of one session are more alike than those of different days, by mood and by the movies
    shown. Let y be a user's ratings in each session but the first and d their predictions from
    earlier sessions, both minus the mean. The persistence is fitted by least squares y =
    persistence · d, with a prior so few users change little. If nobody has a second session it is
    1.
    """
    weight = agreement = 0.0  # Σ d² and Σ d y
    for block in blocks:
        covariance, residual = _covariance(block, scales.as_array()), block.residual
        residual = residual - block.between @ parts
        for k, there in enumerate(block.there):
            _, starts = np.unique(block.session[k, there], return_index=True)
            for start, end in pairwise([*starts[1:], there.sum()]):
                known = np.linalg.solve(covariance[k, :start, :start], residual[k, :start])
                d = covariance[k, start:end, :start] @ known
                agreement += float(d @ residual[k, start:end])
                weight += float(d @ d)
    if not weight:
        return 1.0
    agreement += PERSISTENCE * PERSISTENCE_WEIGHT
    return min(max(agreement / (weight + PERSISTENCE_WEIGHT), 0.0), 1.0)


def _covariance(block: Block, scales: np.ndarray) -> np.ndarray:
    """float64 [users, n, n]; 1 on the diagonal of the padding, which leaves a likelihood
    unchanged."""
    n = block.there.shape[1]
    covariance = np.tensordot(scales[:-1], block.parts, axes=1)
    covariance[:, np.arange(n), np.arange(n)] += np.where(block.there, scales[-1], 1.0)
    return covariance


def _negative_log_likelihood(
    block: Block, scales: np.ndarray, parts: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """−log p(residuals) up to a constant, and its derivatives by the scales and by h and g."""
    n = block.there.shape[1]
    covariance = _covariance(block, scales)
    inverse = np.linalg.inv(covariance)
    residual = block.residual - block.between @ parts
    weights = np.matvec(inverse, residual)  # K⁻¹ y, (users, n)
    root = np.linalg.cholesky(covariance)
    log_determinant = 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum()
    value = np.vecdot(residual, weights).sum() + log_determinant
    outer = inverse - weights[:, :, None] * weights[:, None, :]  # (users, n, n)
    gradient = np.tensordot(block.parts, outer, axes=3)
    of_noise = outer[:, np.arange(n), np.arange(n)][block.there].sum()
    of_parts = -np.tensordot(weights, block.between, axes=2)
    return float(value) / 2, np.append(gradient, of_noise) / 2, of_parts


def blocks_of(
    ratings: Ratings, found: ItemFactors, item_baseline: np.ndarray, movies: Movies
) -> Iterator[Block]:
    """Users outside the training of the factors, with their residuals and the parts of the kernel.

    Args:
        ratings: all ratings of these users; the latest 40 of each are in the blocks.
        item_baseline: float64 [movies], stars.
    """
    norm = np.linalg.norm(found.factors[:, 1:], axis=1)  # (movies,)
    unit = found.factors[:, 1:] / np.where(norm > 0, norm, 1.0)[:, None]
    order = np.lexsort((ratings.time, ratings.user))  # equal times in the order of the rows
    histories = [order[rows] for rows in rows_of_each(ratings.user[order])]
    histories.sort(key=lambda rows: len(rows[-LATEST:]))
    signed_bits = 1.0 - 2.0 * movies.metadata_bits  # (movies, bits)
    for start in range(0, len(histories), AT_ONCE):
        users = histories[start : start + AT_ONCE]
        longest = len(users[-1][-LATEST:])
        latest = [rows[-LATEST:] for rows in users]
        there = np.arange(longest) < np.array([len(rows) for rows in latest])[:, None]
        rows = np.array([np.pad(rows, (0, longest - len(rows)), mode="edge") for rows in latest])
        implicit = np.zeros(rows.shape)
        for row, (own, some) in enumerate(zip(users, latest, strict=True)):
            rated = ratings.movie[own]
            implicit[row, : len(some)] = implicit_means(
                found.factors, found.implicit, found.implicit_mean, rated, ratings.movie[some]
            )
        movie = ratings.movie[rows]  # (users, n)
        length, direction = norm[movie], unit[movie]  # (users, n) and (users, n, f − 1)
        loading, slope = found.factors[movie, 0], found.mean[movie] - DEFAULT_STARS
        z = signed_bits[movie]
        differing = (signed_bits.shape[1] - z @ z.transpose(0, 2, 1)) / 2
        place = np.arange(longest)
        parts = np.stack(
            (
                loading[:, :, None] * loading[:, None, :],
                arcsine_kernel(direction, direction) * length[:, :, None] * length[:, None, :],
                metadata_shape(differing),
                slope[:, :, None] * slope[:, None, :],
                np.broadcast_to(drift_shape(place[:, None] - place), differing.shape),
                np.eye(longest) * found.uncertainty[movie][:, :, None],
            )
        )  # (6, users, n, n)
        both = there[:, :, None] & there[:, None, :]
        stars = ratings.stars[rows].astype(np.float64)
        residual = np.where(there, stars - item_baseline[movie], 0.0)
        between = np.stack((found.mean[movie] - item_baseline[movie], implicit), axis=-1)
        gap = np.diff(ratings.time[rows], axis=1, prepend=ratings.time[rows[:, :1]])  # (users, n)
        session = (gap > SESSION).cumsum(axis=1)
        yield Block(parts * both, residual, between * there[:, :, None], stars, there, session)


def implicit_means(
    factors: np.ndarray,
    implicit: np.ndarray,
    implicit_mean: np.ndarray,
    rated: np.ndarray,
    movie: np.ndarray,
) -> np.ndarray:
    """Effect of the rated movies on the expected stars of others, whatever their stars: float64
    [n].

        w_i · (|N|^−½ Σ_{j ∈ N, j ≠ i} B_j − B's̄); 0 where N is empty

    Args:
        factors, implicit, implicit_mean: w, B and B's̄ of an item table.
        rated: N, int [k], different movies.
        movie: int [n], i.
    """
    if not len(rated):
        return np.zeros(len(movie))
    w = factors[movie]
    among = np.zeros(len(factors), dtype=bool)
    among[rated] = True
    own = np.where(among[movie], np.vecdot(w, implicit[movie]), 0.0)
    return (w @ implicit[rated].sum(axis=0) - own) / np.sqrt(len(rated)) - w @ implicit_mean
