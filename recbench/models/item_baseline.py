"""The item baseline: estimated mean stars of each movie, learned from many users' ratings.

It is fitted once per split, to training ratings only, and shared by all recommenders that start
from it. The module also has the shrunk means of users' residuals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recbench.ratings import DEFAULT_STARS, Movies, Ratings, read_only

Start = Literal["item_baseline", "mean"]  # what a recommender's residuals are taken from

CENTRE_LOG_VOTES = 5.0  # near the middle of ln(1 + votes), so that the prior is mild
# The prior: three stars, and as many more or less as the vote average has.
PRIOR = np.array([DEFAULT_STARS, DEFAULT_STARS, 1.0, 0.0])
# Damping of each step, in ratings: towards that prior, a user bias of zero, no effect of bits, no
# item bias.
DAMPING_VOTES, DAMPING_USER, DAMPING_BITS, DAMPING_MOVIE = 10.0, 5.0, 100.0, 40.0
SHRINKAGES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # κ, votes, to choose from
SHRINKAGE = 10.0  # without data to choose by


@dataclass(frozen=True)
class ItemBaseline:
    """c_i = votes_i + bits_i + b_i in stars, each part fitted to the residuals of the one before:

        votes_i  β₀ + (β₁ (vote average − 3) + β₂ (ln(1 + n) − 5)) n / (n + κ), or β₃ without votes
        b_u      Σ_u e / (n_u + 5), e = r − votes: the user bias of each rater, taken off
        bits_i   w·(x_i − x̄), a ridge regression of e − b_u on the movie's bits
        b_i      Σ_i (e − b_u − bits) / (n_i + 40): the damped item bias

    β is fitted by least squares, shrunk towards the prior votes = vote average (β₀ = β₃ = 3,
    β₁ = 1, β₂ = 0). The weight of an average grows with its number of votes n: κ is the value in
    `SHRINKAGES` with the smallest residuals. If the votes were counted over users of the training
    rows, each row is fitted without its own vote; otherwise averages of few votes would seem as
    reliable as those of many. The damping is the same for all users and movies. It is the damped
    baseline of Koren (2010, "Factor in the neighbors", section 2.1) after a fit to metadata.

    Attributes:
        stars: float64 [movies], c; not clipped.

    >>> movies = Movies(
    ...     bits=[[0], [1]],
    ...     bit_names=("genres:drama",),
    ...     vote_average=[3.0, 4.0],
    ...     vote_count=[100, 100],
    ...     movie_id=[1, 2],
    ...     title=["A", "B"],
    ... )
    >>> ratings = Ratings(user=[0, 0, 1], movie=[0, 1, 1], stars=[3, 5, 4.5], time=[0, 1, 2])
    >>> ItemBaseline.fit(ratings, movies).stars.round(2).tolist()
    [3.1, 4.23]
    """

    stars: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "stars", read_only(self.stars, "f8"))

    @classmethod
    def fit(
        cls,
        ratings: Ratings,
        movies: Movies,
        item_bias: bool = True,
        voters_from: int | None = None,
    ) -> ItemBaseline:
        """Fit to `ratings`, all training ratings that may be used.

        Args:
            item_bias: False leaves b_i out.
            voters_from: the votes of `movies` are ratings of the users from this index on; None:
                they are external.
        """
        count = np.bincount(ratings.movie, minlength=len(movies))  # (movies,)

        def total(of_ratings: np.ndarray) -> np.ndarray:
            return np.bincount(ratings.movie, of_ratings, minlength=len(movies))  # (movies,)

        votes = _votes(ratings, movies, voters_from)
        residual = ratings.stars - votes[ratings.movie]  # (ratings,)
        given = np.bincount(ratings.user)  # (users,)
        residual -= (np.bincount(ratings.user, residual) / (given + DAMPING_USER))[ratings.user]

        bits = movies.bits - count @ movies.bits / max(count.sum(), 1)  # (movies, bits)
        no_effect = np.zeros(bits.shape[1])
        from_bits = bits @ _ridge(bits, count, total(residual), DAMPING_BITS, no_effect)
        residual -= from_bits[ratings.movie]
        b = total(residual) / (count + DAMPING_MOVIE) if item_bias else 0.0
        return cls(votes + from_bits + b)


def starting_stars(start: Start, item_baseline: ItemBaseline | None, movies: Movies) -> np.ndarray:
    """The stars that a recommender subtracts from ratings to get residuals, float64 [movies].

    Args:
        start: "item_baseline"; or "mean": `DEFAULT_STARS` for every movie, so the recommender
            learns the mean.

    Raises:
        ValueError: there is no item baseline, or `start` is neither.
    """
    if start == "mean":
        return np.full(len(movies), DEFAULT_STARS)
    if start != "item_baseline":
        raise ValueError(f"start is '{start}'. Expected 'item_baseline' or 'mean'")
    if item_baseline is None:
        raise ValueError(
            "this recommender starts from an item baseline, and there is none: "
            'Training(..., fits={"item_baseline": ...})'
        )
    return item_baseline.stars


def shrunk_means(
    user: np.ndarray,
    stars: np.ndarray,
    damping: float,
    overall: float,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """μ_u = (Σ g r + κ m) / (Σ g + κ), float64 [u], for each distinct user in order: the user's
    mean with κ further ratings equal to m.

    Args:
        user: int [n], of each rating.
        stars: float [n], stars or residual of each.
        damping: κ, in ratings.
        overall: m, the mean of all users.
        weight: g, float [n], of each rating; None: one.
    """
    _, owner = np.unique(user, return_inverse=True)
    weight = np.ones(len(stars)) if weight is None else weight
    total, count = np.bincount(owner, weight * stars), np.bincount(owner, weight)
    return (total + damping * overall) / (count + damping)


def mean_of_all(stars: np.ndarray) -> float:
    """The mean of all `stars`, float [n]; 0 if there are none."""
    return float(stars.mean(dtype=np.float64)) if len(stars) else 0.0


def vote_columns(average: np.ndarray, count: np.ndarray, shrinkage: float) -> np.ndarray:
    """The features of β from vote averages (stars; nan: no votes) and vote counts: float64 [n,
    4]."""
    known = ~np.isnan(average) & (count > 0)
    part = np.where(known, count / (count + shrinkage), 0.0)
    above = np.where(known, average, DEFAULT_STARS) - DEFAULT_STARS
    log_votes = np.log1p(np.where(known, count, 0.0)) - CENTRE_LOG_VOTES
    return np.stack((known, ~known, part * above, part * log_votes), axis=1).astype(np.float64)


def _votes(ratings: Ratings, movies: Movies, voters_from: int | None) -> np.ndarray:
    """votes_i of each movie, float64 [movies]."""
    average = np.asarray(movies.vote_average, dtype=np.float64)
    count = np.asarray(movies.vote_count, dtype=np.float64)
    if not len(ratings):
        return vote_columns(average, count, SHRINKAGE) @ PRIOR
    # rows of the same movie, and of the same stars if these are among its votes, are one kind
    own = np.zeros(len(ratings)) if voters_from is None else ratings.user >= voters_from
    kind = 11 * ratings.movie.astype(np.int64) + np.where(own, np.rint(2 * ratings.stars), 0)
    kinds, place = np.unique(kind.astype(np.int64), return_inverse=True)
    movie, stars = kinds // 11, kinds % 11 / 2
    number, total = np.bincount(place), np.bincount(place, ratings.stars)
    others = count[movie] - (stars > 0)
    sums = count[movie] * np.nan_to_num(average[movie]) - stars
    of_others = np.where(others > 0, sums / np.maximum(others, 1), np.nan)
    of_others = np.where(stars > 0, of_others, average[movie])

    def fitted(shrinkage: float) -> tuple[float, float, np.ndarray]:
        x = vote_columns(of_others, others, shrinkage)
        beta = _ridge(x, number, total, DAMPING_VOTES, PRIOR)
        predicted = x @ beta
        return float(number @ predicted**2 - 2 * total @ predicted), shrinkage, beta

    _, shrinkage, beta = min((fitted(one) for one in SHRINKAGES), key=lambda fit: fit[:2])
    return vote_columns(average, count, shrinkage) @ beta


def _ridge(
    x: np.ndarray, count: np.ndarray, total: np.ndarray, damping: float, prior: np.ndarray
) -> np.ndarray:
    """The w that minimises Σ (y − x·w)² + damping ‖w − prior‖²; each movie, a row of x, has `count`
    ratings, and `total` is the sum of their y."""
    penalised = x.T @ (count[:, None] * x) + damping * np.eye(len(prior))
    return prior + np.linalg.solve(penalised, x.T @ (total - count * (x @ prior)))
