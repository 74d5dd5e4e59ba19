"""The crowd's opinion of each movie in stars: all that a personal model knows of other people."""

from __future__ import annotations

import numpy as np

from ratings import Movies, Ratings

MIDDLE_STARS, MIDDLE_LOG_VOTES = 3.0, 5.0  # near the middle of both, so that the prior is mild
# Before any rating is seen: three stars, and as many more or less as the crowd's average says.
PRIOR = np.array([MIDDLE_STARS, MIDDLE_STARS, 1.0, 0.0])
# How many ratings each of the following weighs as much as: that prior, nobody being kind, no bit
# being worth anything, the movie being what its votes and bits say.
PRIOR_VOTES, PRIOR_KINDNESS, PRIOR_BITS, PRIOR_MOVIE = 10.0, 5.0, 100.0, 40.0


def crowd_opinion(train: Ratings, movies: Movies, with_ratings: bool = True) -> np.ndarray:
    """c = votes + bits + ratings, in stars, each explaining what is left of the one before:

        votes    β₀ + β₁ (average − 3) + β₂ (ln(1 + votes) − 5), or β₃ where nobody has voted
        kindness k_u = Σ_u e / (n_u + 5), e = r − votes: of each rater, taken off
        bits     w·(x − x̄), a ridge regression of e − k on the movie's bits
        ratings  b_i = Σ_i (e − k − bits) / (n_i + 40): the mean of those that the movie has got

    β is fitted by least squares, shrunk towards the prior c = average (β₀ = β₃ = 3, β₁ = 1,
    β₂ = 0). The priors are the same for everybody and every movie. Nothing is said of which
    user likes what.

    Args:
        train: the training ratings of all people whose opinion counts.
        with_ratings: False: without b, so that no movie is known by its ratings.

    Returns:
        c of every movie, float64 [movies]; not clipped.
    """
    count = np.bincount(train.movie, minlength=len(movies))  # (movies,)

    def total(of_ratings: np.ndarray) -> np.ndarray:
        return np.bincount(train.movie, of_ratings, minlength=len(movies))  # (movies,)

    votes_say = _what_votes_say(movies)  # (movies, 4)
    votes = votes_say @ _ridge(votes_say, count, total(train.stars), PRIOR_VOTES, PRIOR)
    left = train.stars - votes[train.movie]  # (ratings,)
    kindness = np.bincount(train.user, left) / (
        np.bincount(train.user) + PRIOR_KINDNESS
    )  # (users,)
    left -= kindness[train.user]

    bits = movies.bits - count @ movies.bits / max(count.sum(), 1)  # (movies, bits)
    of_bits = bits @ _ridge(bits, count, total(left), PRIOR_BITS, np.zeros(bits.shape[1]))
    left -= of_bits[train.movie]
    of_ratings = total(left) / (count + PRIOR_MOVIE) if with_ratings else 0.0
    return votes + of_bits + of_ratings


def known_opinion(train: Ratings, movies: Movies) -> np.ndarray:
    """The opinion that `movies` bring along; where they bring none, that of `train`."""
    known = movies.crowd_opinion
    return crowd_opinion(train, movies) if known is None else known


def start_of(train: Ratings, movies: Movies, over: str) -> np.ndarray:
    """Stars of each movie that a model explains what ratings are beyond, float64 [movies].

    Args:
        over: "crowd": the known opinion; "mean": the same for all, so that nothing is known of a
            movie and the mean is left to the model.
    """
    return known_opinion(train, movies) if over == "crowd" else np.full(len(movies), MIDDLE_STARS)


def _what_votes_say(movies: Movies) -> np.ndarray:
    known = ~np.isnan(movies.crowd_stars)
    average = np.where(known, movies.crowd_stars, MIDDLE_STARS) - MIDDLE_STARS
    log_votes = np.log1p(movies.crowd_votes.astype(np.float64)) - MIDDLE_LOG_VOTES
    columns = (known, ~known, average, known * log_votes)
    return np.stack(columns, axis=1).astype(np.float64)


def _ridge(
    x: np.ndarray, count: np.ndarray, total: np.ndarray, weight: float, prior: np.ndarray
) -> np.ndarray:
    """The w that minimise Σ (y − x·w)² + weight ‖w − prior‖² over ratings, from what is known of
    each movie (a row of x): how many ratings it has and the sum of their y."""
    penalised = x.T @ (count[:, None] * x) + weight * np.eye(len(prior))
    return prior + np.linalg.solve(penalised, x.T @ (total - count * (x @ prior)))
