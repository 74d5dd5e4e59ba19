"""Made-up runs and a browser for the tests of their pages."""

from __future__ import annotations

import pytest
from browser import open_browser
from made_runs import make_grid, make_replay


@pytest.fixture(scope="session")
def grid_folder(tmp_path_factory):
    """Not to be changed."""
    return make_grid(tmp_path_factory.mktemp("grid") / "run", failed={"broken": "no memory"})


@pytest.fixture(scope="session")
def replay_folder(tmp_path_factory):
    """Not to be changed."""
    return make_replay(tmp_path_factory.mktemp("replay") / "run")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("browser")) as driver:
        yield driver
