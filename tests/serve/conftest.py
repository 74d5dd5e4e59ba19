"""The page of a user by requests without a network, as a process of its own, and in a browser."""

from __future__ import annotations

import html
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from own_films import SOME, catalogue_of_films, known_films_of_titles
from tests_paths import ROOT

from PerUser.personal import Personal
from recbench.own_ratings.known_films import KnownFilms
from recbench.own_ratings.profile import Profile, ProfileFile
from recbench.own_ratings.session import Session
from recbench.page.app import new_app
from recbench.page.user import User

HOSTILE = "<script>alert(\"x\")</script> & 'Sons' (1999)"
PORT = 8765
HOME = f"http://127.0.0.1:{PORT}"
BROWSER = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def known_films() -> KnownFilms:
    return known_films_of_titles(catalogue_of_films(HOSTILE))


@dataclass
class Page:
    """A page, asked as its own forms ask."""

    user: User
    profile: Path
    path: str = ""
    token: str = ""
    client: object = field(init=False)

    def __post_init__(self):
        app, self.path = new_app(self.user, PORT)
        self.client = app.test_client()
        self.token = re.search(r'name="token" value="([^"]+)"', self.get().text)[1]

    def row(self, name: str) -> int:
        catalogue = self.user.catalogue
        return next(row for row in range(len(catalogue)) if catalogue.name(row) == name)

    def get(self, route="", **more):
        return self.client.get(self.path + route, **{"base_url": HOME, **more})

    def post(self, route, headers=None, token=None, **form):
        """What a change answers, which leads back to the page."""
        form["token"] = self.token if token is None else token
        headers = {"Origin": HOME} if headers is None else headers
        url = self.path + route
        return self.client.post(url, data=form, headers=headers, base_url=HOME)

    def said_after(self, route, **form):
        """What the page says after a change."""
        answer = self.post(route, **form)
        assert answer.status_code == 303, answer.text
        there = self.client.get(
            answer.headers["Location"].replace(".", self.path, 1), base_url=HOME
        )
        assert there.status_code == 200
        return said(there)

    def known(self) -> Profile:
        return ProfileFile(self.profile).read()


def said(answer) -> str:
    found = re.search(r'<div id="said"[^>]*>(.*?)</div>', answer.text, re.DOTALL)[1]
    return html.unescape(re.sub(r"<[^>]*>", "", found)).strip()


def films_of(answer) -> list[str]:
    """Names of the recommended films."""
    listed = answer.text.split('<ol id="films"')[1].split("</ol>")[0]
    return [html.unescape(name) for name in re.findall(r"<h3>\d+\. (.*?)(?: <|</h3>)", listed)]


def page_of(known_films, path) -> Page:
    file = ProfileFile(path)
    return Page(User(Session(known_films, Personal, file.read()), file), path)


@pytest.fixture
def page(known_films, tmp_path) -> Page:
    return page_of(known_films, tmp_path / "me.json")


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
def films_folder(known_films, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    known_films.save(folder)
    return folder


@pytest.fixture
def start(films_folder, tmp_path):
    """Starts recommend.py --serve at a free port; all are ended after the test."""
    processes = []

    def start(*words: object) -> Server:
        profile = tmp_path / "me.json"
        flags = ["--serve", "--port", 0, "--film-table", films_folder, "--profile", profile, *words]
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
