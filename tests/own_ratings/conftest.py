"""Some 250 movies as MovieLens spells them, an item table for them, and the three sample files."""

from __future__ import annotations

import pytest
from own_movies import SOME, catalogue_of_movies, known_movies_of_titles

from PerUser.personal import Personal
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.session import Session


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return catalogue_of_movies()


@pytest.fixture(scope="session")
def known_movies(catalogue) -> KnownMovies:
    return known_movies_of_titles(catalogue)


@pytest.fixture
def session(known_movies) -> Session:
    return Session(known_movies, Personal, Profile())


@pytest.fixture
def seen(session) -> Session:
    """A session of a user who has rated some movies."""
    for title, stars in SOME.items():
        session.rate(title, stars)
    return session
