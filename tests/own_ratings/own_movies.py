"""Catalogues and item tables of the tests of own ratings, and the movies of one user."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from PerUser.personal import Personal
from recbench.checks.toy_data import toy_table
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.session import Session
from recbench.own_ratings.titles import article_first
from recbench.own_ratings.values import split_title
from recbench.ratings import Movies

HERE = Path(__file__).parent
GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Romance", "Science Fiction")


def catalogue_of_titles(titles, genres=None, language=None, imdb_id=None, other=None, seed=0):
    """A catalogue of titles with their years, as "Alien (1979)"."""
    n, rng = len(titles), np.random.default_rng(seed)
    genres = genres or [("Drama",)] * n
    split = [split_title(title) for title in titles]
    movies = Movies(
        bits=np.array([[genre in row for genre in GENRES] for row in genres], dtype=np.uint8),
        bit_names=tuple(f"genres:{genre}" for genre in GENRES),
        vote_average=rng.uniform(2, 4.5, n),
        vote_count=np.full(n, 100),
        movie_id=np.arange(1, n + 1),
        title=np.array([title for title, _ in split], dtype=object),
    )
    return Catalogue(
        dataset="a set of tests",
        movies=movies,
        shown=tuple(article_first(title) for title, _ in split),
        year=np.array([year or 0 for _, year in split]),
        genres=tuple(map(tuple, genres)),
        language=tuple(language or ["en"] * n),
        rated_by=np.arange(n, 0, -1) * 10,
        imdb_id=tuple(imdb_id or [""] * n),
        tmdb_id=np.arange(101, n + 101),
        other_titles=tuple(other or [()] * n),
    )


def known_movies_of_titles(catalogue, seed=0):
    """An item table in which movies differ at random."""
    return KnownMovies(catalogue, toy_table(catalogue.movies, seed))


def session_of(*titles, profile=None):
    return Session(known_movies_of_titles(catalogue_of_titles(titles)), Personal, profile)


def catalogue_of_movies(*more):
    """The well-known movies of movies.csv, and other titles with their years."""
    with (HERE / "movies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    n = len(more)
    return catalogue_of_titles(
        [*(row["title"] for row in rows), *more],
        [*(tuple(filter(None, row["genres"].split("|"))) for row in rows), *[("Drama",)] * n],
        [*(row["language"] for row in rows), *["en"] * n],
        [*(row["imdbId"] for row in rows), *[""] * n],
    )


SOME = {
    "Alien (1979)": 4.5,
    "Indiana Jones and the Last Crusade (1989)": 5.0,
    "Fargo (1996)": 4.0,
    "The Shining (1980)": 2.0,
    "Psycho (1960)": 1.5,
    "Toy Story (1995)": 3.5,
}
