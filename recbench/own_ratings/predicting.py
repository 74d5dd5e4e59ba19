"""What a model of one user's ratings says of movies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, Self

import numpy as np

from recbench.contract import Explanation, Training
from recbench.models.item_table.table import ItemTables
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.recommendation import Reason, Recommendation, interval
from recbench.ratings import MAX_STARS, MIN_STARS, Ratings

ME = 0  # the user index of the one user there is
INSIDE = 0.8  # of the probability, in the interval
AT_ONCE = 1_000  # movies predicted at a time, each of which needs a number for each rating
REASONS, LEAST = 3, 0.005  # how many, and stars that one adds or takes off at least


class Model(Protocol):
    """What is asked of a recommender; `PerUser.personal.Personal` has it."""

    def fit(self, training: Training) -> Self: ...
    def predict_normal(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]: ...
    def predict_distribution(
        self, user: np.ndarray, movie: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]: ...
    def predict_one(self, user: int, movie: int) -> float: ...
    def explain_one(self, user: int, movie: int, if_forgotten: bool = True) -> Explanation: ...
    def correlation(self, movie: np.ndarray, other: np.ndarray) -> np.ndarray: ...
    def agreement(self, movie: int, others: np.ndarray) -> np.ndarray: ...
    def ask_next(self, user: int, candidates: np.ndarray, targets: np.ndarray) -> int: ...


def fitted(
    new_model: Callable[[], Model], known_movies: KnownMovies, rated: Mapping[int, float]
) -> Model:
    """A model of ratings, movie -> stars, the latest last."""
    ratings = Ratings(
        np.full(len(rated), ME),
        np.array(list(rated)),
        np.array(list(rated.values())),
        np.arange(len(rated)),
    )
    tables = ItemTables.same_for_all(known_movies.table)
    fits = {"item_tables": lambda: tables}
    model = new_model().fit(Training(ratings, known_movies.catalogue.movies, fits=fits))
    model.predict_one(ME, 0)  # what follows from the ratings is kept from now on
    return model


def expected(model: Model, movies: np.ndarray) -> np.ndarray:
    """Mean of ratings, not clipped, float64 [n]."""
    mean = np.empty(len(movies))
    for start in range(0, len(movies), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        user = np.full(len(movies[rows]), ME)
        mean[rows], _ = model.predict_normal(user, movies[rows])
    return mean


def recommendation(
    model: Model, known_movies: KnownMovies, rated: Mapping[int, float], movie: int
) -> Recommendation:
    """What is expected of a movie, and why.

    Args:
        rated: what the model has learned, movie -> stars.
    """
    catalogue = known_movies.catalogue
    mean = expected(model, np.array([movie]))
    grid, probability = model.predict_distribution(np.array([ME]), np.array([movie]))
    low, high = interval(grid, probability[0], INSIDE)
    year = int(catalogue.year[movie])
    return Recommendation(
        movie=movie,
        title=catalogue.shown[movie],
        year=year or None,
        movie_id=int(catalogue.movies.movie_id[movie]),
        imdb_id=catalogue.imdb_id[movie],
        genres=catalogue.genres[movie],
        language=catalogue.language[movie],
        rated_by=int(catalogue.rated_by[movie]),
        stars=float(mean[0].clip(MIN_STARS, MAX_STARS)),
        low=low,
        high=high,
        reasons=_reasons(model, known_movies, rated, movie),
    )


def _reasons(
    model: Model, known_movies: KnownMovies, rated: Mapping[int, float], movie: int
) -> tuple[Reason, ...]:
    """The ratings that speak most for a movie, in words that say so; else those that do without,
    else those that speak most against it."""
    parts = model.explain_one(ME, movie, if_forgotten=False).contributions
    own = [(part, part.movie, part.stars) for part in parts if part.movie is not None]
    own = [one for one in own if abs(one[2]) >= LEAST]
    pro = [one for one in own if one[2] > 0]
    # a movie that was liked speaks for one that others like with it, a movie that was not for one
    # that they do not like with it; some speak by the time when they were rated alone
    mean = known_movies.table.mean
    films = np.array([film for _, film, _ in pro], dtype=int)
    liked = np.array([rated[film] for film in films]) > mean[films]
    telling = (model.agreement(movie, films) >= 1 / 2) == liked
    chosen = [one for one, tells in zip(pro, telling, strict=True) if tells] or pro or own
    return tuple(
        Reason(known_movies.catalogue.name(film), part.reason, stars)
        for part, film, stars in chosen[:REASONS]
    )
