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

from recbench.own_ratings.known_movies import KnownMovies


@pytest.fixture(scope="session")
def known_movies() -> KnownMovies:
    return known_movies_of_titles(catalogue_of_movies(HOSTILE))


@pytest.fixture
def page(known_movies, tmp_path) -> Page:
    return page_of(known_movies, tmp_path / "me.json")


@pytest.fixture
def seen(page) -> Page:
    """The page of a user who has rated some movies."""
    with page.user.changing() as session:
        for title, stars in SOME.items():
            session.rate(title, stars)
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
def movies_folder(known_movies, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("movies")
    known_movies.save(folder)
    return folder


@pytest.fixture(scope="module")
def start(movies_folder, tmp_path_factory):
    """Starts recommend.py --serve at a free port, with a profile of its own; all are ended after
    the tests of the file."""
    processes = []

    def start(*words: object) -> Server:
        profile = tmp_path_factory.mktemp("profile") / "me.json"
        flags = ["--serve", "--port", 0, "--profile", profile]
        flags += words or ["--item-table", movies_folder]
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
