"""Made-up runs and a browser for the tests of their pages."""

from __future__ import annotations

import shutil

import pytest
from browser import open_browser
from made_runs import make_grid, make_replay


@pytest.fixture(scope="session")
def grid_folder(tmp_path_factory):
    """Not to be changed."""
    return make_grid(tmp_path_factory.mktemp("grid") / "run", failed={"broken": "no memory"})


@pytest.fixture(scope="session")
def whole_folder(tmp_path_factory):
    """The same without a failure."""
    return make_grid(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def run_folder(whole_folder, tmp_path):
    """A copy of that, to break."""
    return shutil.copytree(whole_folder, tmp_path / "run")


@pytest.fixture(scope="session")
def replay_folder(tmp_path_factory):
    """Not to be changed."""
    return make_replay(tmp_path_factory.mktemp("replay") / "run")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver
