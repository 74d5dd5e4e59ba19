"""What the crowd's votes for a movie mean in stars: all that a personal model knows of others."""

from __future__ import annotations

from typing import Self

import numpy as np

from ratings import Movies, Ratings

MIDDLE_STARS, MIDDLE_LOG_VOTES = 3.0, 5.0  # near the middle of both, so that the prior is mild
# Before any rating is seen: three stars, and as many more or less as the crowd's average says.
PRIOR = np.array([MIDDLE_STARS, MIDDLE_STARS, 1.0, 0.0])
PRIOR_RATINGS = 10.0  # how many ratings that prior is worth


class CrowdOpinion:
    """c(movie) = β₀ + β₁ (average − 3) + β₂ (ln(1 + votes) − 5), or β₃ where nobody has voted.

    β is fitted by least squares on the training ratings, shrunk towards the prior c = average
    (β₀ = β₃ = 3, β₁ = 1, β₂ = 0). Four numbers for everybody: which user gave which rating plays
    no part.

    Attributes:
        stars: float64 [movies], c of every movie.
        mean: c̄, the mean of c over the training ratings; 3 where there are none.
    """

    def __init__(self, stars: np.ndarray, mean: float) -> None:
        self.stars = stars
        self.mean = mean

    @classmethod
    def fit(cls, train: Ratings, movies: Movies) -> Self:
        known = ~np.isnan(movies.crowd_stars)
        average = np.where(known, movies.crowd_stars, MIDDLE_STARS) - MIDDLE_STARS
        log_votes = np.log1p(movies.crowd_votes.astype(np.float64)) - MIDDLE_LOG_VOTES
        columns = (known, ~known, average, known * log_votes)
        features = np.stack(columns, axis=1).astype(np.float64)  # (movies, 4)
        x = features[train.movie]  # (ratings, 4)
        shortfall = train.stars - x @ PRIOR
        penalised = x.T @ x + PRIOR_RATINGS * np.eye(len(PRIOR))
        beta = PRIOR + np.linalg.solve(penalised, x.T @ shortfall)
        stars = features @ beta
        return cls(stars, float(stars[train.movie].mean()) if len(train) else MIDDLE_STARS)
