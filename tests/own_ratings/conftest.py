"""Some 250 films as MovieLens spells them, a film table for them, and the three sample files."""

from __future__ import annotations

import pytest
from own_films import SOME, catalogue_of_films, known_films_of_titles

from PerUser.personal import Personal
from recbench.own_ratings.catalogue import Catalogue
from recbench.own_ratings.known_films import KnownFilms
from recbench.own_ratings.profile import Profile
from recbench.own_ratings.session import Session


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return catalogue_of_films()


@pytest.fixture(scope="session")
def known_films(catalogue) -> KnownFilms:
    return known_films_of_titles(catalogue)


@pytest.fixture
def session(known_films) -> Session:
    return Session(known_films, Personal, Profile())


@pytest.fixture
def seen(session) -> Session:
    """A session of a user who has rated some films."""
    for title, stars in SOME.items():
        session.rate(title, stars)
    return session
