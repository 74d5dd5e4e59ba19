"""The page of a user by requests without a network, and as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from own_movies import SOME, catalogue_of_movies, known_movies_of_titles
from pages import HOSTILE, Page, page_of
from tests_paths import ROOT

from PerUser.personal import Personal
from recbench.own_ratings.known_movies import KnownMovies
from recbench.own_ratings.session import Session


@pytest.fixture(scope="session")
def known_movies() -> KnownMovies:
    return known_movies_of_titles(catalogue_of_movies(HOSTILE))


@pytest.fixture(scope="session")
def one_page(known_movies, tmp_path_factory) -> Page:
    return page_of(known_movies, tmp_path_factory.mktemp("profile") / "me.json")


@pytest.fixture
def page(one_page) -> Page:
    """The page of a new user: the same one for all tests, which follows its file."""
    one_page.profile.unlink(missing_ok=True)
    one_page.user.skipped.clear()
    with one_page.user.reading():
        return one_page


@pytest.fixture(scope="session")
def profile_of_some(known_movies) -> bytes:
    session = Session(known_movies, Personal)
    for title, stars in SOME.items():
        session.rate(title, stars)
    return session.profile.encoded()


@pytest.fixture
def seen(page, profile_of_some) -> Page:
    """The page of a user who has rated some movies."""
    page.profile.write_bytes(profile_of_some)
    return page


@dataclass
class Server:
    """recommend.py --serve, and what it has told."""

    process: subprocess.Popen
    url: str
    profile: Path
    told: list[str]

    def interrupt(self) -> tuple[int, str]:
        """Its status, and the rest of what it tells."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=20)
        return status, self.process.stderr.read()


@pytest.fixture(scope="session")
def movies_file(known_movies, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("movies") / "movies.zip"
    known_movies.save(file)
    return file


@pytest.fixture(scope="module")
def start(movies_file, tmp_path_factory):
    """Starts recommend.py --serve at a free port, with a profile of its own; all are ended after
    the tests of the file."""
    processes = []

    def start(*words: object) -> Server:
        profile = tmp_path_factory.mktemp("profile") / "me.json"
        flags = ["--serve", "--port", 0, "--profile", profile]
        flags += words or ["--item-table", movies_file]
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "recommend.py"), *map(str, flags)],
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        told = []
        for line in process.stderr:
            told.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                return Server(process, found[0], profile, told)
        raise AssertionError(told)

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()
