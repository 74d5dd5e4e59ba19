"""The page of a user by requests without a network, as a process of its own, and in a browser."""

from __future__ import annotations

import os
import re
import shutil
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

BROWSER = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def known_movies() -> KnownMovies:
    return known_movies_of_titles(catalogue_of_movies(HOSTILE))


@pytest.fixture
def page(known_movies, tmp_path) -> Page:
    return page_of(known_movies, tmp_path / "me.json")


@pytest.fixture
def seen(page) -> Page:
    """The page of a user who has rated some films."""
    with page.user.changed() as session:
        for title, stars in SOME.items():
            session.rate(title, stars)
    return page


# --- as a process --------------------------------------------------------------------------------


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
def films_folder(known_movies, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    known_movies.save(folder)
    return folder


@pytest.fixture
def start(films_folder, tmp_path):
    """Starts recommend.py --serve at a free port; all are ended after the test."""
    processes = []

    def start(*words: object) -> Server:
        profile = tmp_path / "me.json"
        flags = ["--serve", "--port", 0, "--item-table", films_folder, "--profile", profile, *words]
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


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_programs() -> tuple[str, str]:
    """Chromium and its driver."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        reason = "no chromium and chromedriver here; Debian has them in chromium, chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}: CI must not skip this")
        pytest.skip(reason)
    return found


@pytest.fixture
def browser(browser_programs, tmp_path):
    """A new browser, 1280 px wide, whose downloads go to `tmp_path / "downloads"`."""
    from selenium import webdriver

    chromium, driver = browser_programs
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*BROWSER, f"--user-data-dir={tmp_path / 'browser'}", "--window-size=1280,900"):
        options.add_argument(flag)
    downloads = {"download.default_directory": str(tmp_path / "downloads")}
    options.add_experimental_option("prefs", downloads)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()
